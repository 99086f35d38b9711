"""What an account's broker says unasked makes its worker look sooner; it books nothing itself."""

import asyncio
import logging
import random

from executor.adapters.updates import Updates
from executor.domain.alpaca_stream import Said, Word
from executor.domain.broker import objection
from executor.handlers.brokerage import Brokerage
from signalbox.contracts.errors import RateLimited, Refused, SignalboxError
from signalbox.runtime import metrics

log = logging.getLogger(__name__)


class Listening:
    """Keeps the stream of one account open, as far as it may be."""

    def __init__(self, brokerage: Brokerage, updates: Updates) -> None:
        self._at = brokerage
        self._updates = updates
        self._pause_s = brokerage.pace.reconnect_s[0]
        self._began_at: float | None = None  # loop's clock

    async def run(self) -> None:
        """Connect again and again until cancelled; whatever fails here, orders go on."""
        try:
            while True:
                if self._allowed():
                    metrics.BROKER_STREAM.labels(self._at.account).set(0)
                    await self._follow()
                else:
                    self._show_nothing()
                await asyncio.sleep(self._wait_s())
        finally:
            self._show_nothing()

    def _allowed(self) -> bool:
        """Whether a bot may send orders to this account: only then is there something to hear."""
        at = self._at
        memory, moment = at.work.memory, at.work.service.moment()
        account = next((a for a in moment.config.accounts if a.id == at.account), None)
        return (
            not at.refused
            and account is not None
            and any(
                objection(account, bot, replay=moment.replay, allow_live=memory.allow_live) is None
                for bot in moment.config.bots
                if bot.account == account.id
            )
        )

    async def _follow(self) -> None:
        at = self._at
        following = asyncio.create_task(self._updates.follow(self._begin, self._hear))
        try:
            while not following.done() and self._allowed():
                await asyncio.wait({following}, timeout=at.pace.reconnect_s[0])
        finally:
            following.cancel()
            await asyncio.wait({following})
        metrics.BROKER_STREAM.labels(at.account).set(0)
        if following.cancelled():
            return
        error = following.exception()
        if isinstance(error, SignalboxError):
            log.warning("account %s: %s; its orders are polled meanwhile", at.account, error)
        elif error is not None:
            log.error("account %s: the stream has failed", at.account, exc_info=error)
        self._lengthen(error)

    def _begin(self) -> None:
        """What was missed until now is looked up before anything new is sent."""
        at = self._at
        self._began_at = at.now
        at.connections += 1
        at.sweep_due = 0.0
        metrics.BROKER_STREAM.labels(at.account).set(1)
        log.info("account %s: its stream is connected", at.account)
        at.wake.set()

    def _hear(self, said: Said) -> None:
        at = self._at
        metrics.BROKER_STREAM_MESSAGES.labels(at.account, said.word.value).inc()
        if said.word is not Word.CHANGED:
            return
        wall = at.work.service.moment().wall
        metrics.BROKER_STREAM_HEARD.labels(at.account).set(wall.timestamp())
        at.summon(said.order)

    def _lengthen(self, error: BaseException | None) -> None:
        """Ever longer pauses, unless the connection has lasted for as long as the longest."""
        least, most = self._at.pace.reconnect_s
        lasted = self._began_at is not None and self._at.now - self._began_at > most
        self._began_at = None
        self._pause_s = least if lasted else min(self._pause_s * 2, most)
        if isinstance(error, RateLimited):
            self._pause_s = max(most, min(error.retry_after_s, 3 * most))
        elif isinstance(error, Refused):
            self._pause_s = most

    def _wait_s(self) -> float:
        """With jitter, so that not all come back at once."""
        return self._pause_s * random.uniform(0.5, 1.0)  # noqa: S311 - no secret

    def _show_nothing(self) -> None:
        for gauge in (metrics.BROKER_STREAM, metrics.BROKER_STREAM_HEARD):
            gauge.remove_by_labels({"account": self._at.account})
