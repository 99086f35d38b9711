"""Who asks what, when: questions become calls, each call is held by one replica, and a call that a
dead replica held is taken up by another.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection as Sql

from llm_decider.adapters import ledger, store
from llm_decider.adapters.store import Lease
from llm_decider.answering import Answerer, At, Host
from llm_decider.domain.attempts import Attempt, Call, Intent, State, after_restart, ready
from llm_decider.turns import failed_end
from signalbox.runtime import metrics

log = logging.getLogger(__name__)

LOOK_S = 0.2
_MOST_CALLS = 64  # under way in one process; each key has a limit of its own
_LEASE = timedelta(seconds=10)  # renewed at a third of it


class Worker:
    """Takes calls and sees them through, until cancelled."""

    def __init__(self, host: Host, answerer: Answerer, holder: str) -> None:
        self._host = host
        self._answerer = answerer
        self._holder = holder
        self._running: dict[UUID, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._renewed_at = host.moment().wall
        self._is_closing = False

    def hurry(self) -> None:
        """Look for work now."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled. What is begun then is given back, so that the next process goes on
        with it at once; an error here ends no call.
        """
        try:
            database = self._host.db
            if database is not None and database.exclusive and not self._running:  # others are dead
                await self._host.write(lambda sql, now: store.drop_leases(sql, None, now.wall))
            while True:
                self._wake.clear()
                await self._renew()
                await self.look()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), LOOK_S)
        except asyncio.CancelledError:
            await self._let_go()
            raise

    async def finish(self) -> None:
        """Take nothing more, and wait until nothing is under way."""
        self._is_closing = True
        await self.idle()

    async def look(self) -> None:
        """Take what is due, up to what may be under way at once."""
        database, moment = self._host.db, self._host.moment()
        free = _MOST_CALLS - len(self._running)
        if database is None or free <= 0 or self._is_closing:
            return
        waiting, left = await database.read(
            lambda sql: (
                store.waiting_intents(sql, lock=False),
                store.is_work_left(sql, moment.wall),
            )
        )
        if left or _calls(waiting, moment):
            for call, made in await self._host.write(lambda sql, at: self._take(sql, at, free)):
                self._start(call, made)

    async def idle(self) -> None:
        """Wait until nothing is under way."""
        while self._running:
            await asyncio.wait(self._running.values())

    def _take(self, sql: Sql, moment: At, most: int) -> list[tuple[Call, list[Attempt]]]:
        """New calls, and those that nobody sees through, each with the attempts made at it."""
        lease = Lease(self._holder, moment.wall, _LEASE)
        waiting = store.waiting_intents(sql, lock=True)
        made = _calls(waiting, moment)[:most]
        store.add_calls(sql, made, lease)
        found = store.take_calls(sql, lease, most - len(made))
        taken_up = [(call, _take_up(sql, moment, call)) for call in found]
        return [(call, list[Attempt]()) for call in made] + taken_up

    def _start(self, call: Call, made: Sequence[Attempt]) -> None:
        if call.call_id in self._running or self._is_closing:
            return
        task = asyncio.create_task(self._answerer.answer(call, made))
        self._running[call.call_id] = task
        task.add_done_callback(lambda done: self._on_done(call, done))

    def _on_done(self, call: Call, done: asyncio.Task[None]) -> None:
        """What failed in a way nobody foresaw is taken up again when its lease ends."""
        self._running.pop(call.call_id, None)
        self._wake.set()
        if not done.cancelled() and (error := done.exception()) is not None:
            metrics.TASK_FAILURES.labels("llm-decider").inc()
            log.error("a call failed and is taken up again", exc_info=error)

    async def _renew(self) -> None:
        moment = self._host.moment()
        if not self._running or moment.wall - self._renewed_at < _LEASE / 3:
            return
        lease, mine = Lease(self._holder, moment.wall, _LEASE), list(self._running)
        await self._host.write(lambda sql, _moment: store.renew_leases(sql, mine, lease))
        self._renewed_at = moment.wall

    async def _let_go(self) -> None:
        for task in self._running.values():
            task.cancel()
        await self.idle()
        await self._host.write(lambda sql, now: store.drop_leases(sql, self._holder, now.wall))


def _calls(waiting: Sequence[Intent], moment: At) -> list[Call]:
    return ready(waiting, {model.id: model for model in moment.config.models}, moment.wall)


def _take_up(sql: Sql, moment: At, call: Call) -> list[Attempt]:
    """The attempts that were made by whoever held the call before. The outcome of one that has not
    ended is unknown, so its money is held.
    """
    made = ledger.attempts_of(sql, call.call_id)
    for attempt in made:
        if attempt.state is State.STARTED:
            ledger.end(sql, moment.config, failed_end(attempt, after_restart(0), 0))
    return made
