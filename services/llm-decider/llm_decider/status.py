"""How connections and budgets stand, looked at again and again."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from sqlalchemy import Connection as Sql

from llm_decider import reporting
from llm_decider.adapters import connections, ledger, store
from llm_decider.domain import budget
from llm_decider.domain.budget import Purse
from llm_decider.domain.health import Connection
from llm_decider.domain.shapes import ModelCheck
from llm_decider.reporting import At, Body
from signalbox.contracts.config import LlmConfig
from signalbox.contracts.events import Event, StateChanged
from signalbox.contracts.ids import plain
from signalbox.contracts.intervals import interval_length
from signalbox.contracts.payloads import State
from signalbox.runtime import metrics
from signalbox.runtime.db import Database

REPEAT = timedelta(seconds=30)  # unchanged state is said again this often, so that its age shows
LOOK_S = 2.0  # between two looks; nothing is said more often


class Host(Protocol):
    """What is needed of the service."""

    db: Database | None

    def moment(self) -> At:
        """This instant."""

    async def transact(self, work: Callable[[Sql, At], Iterable[Event]]) -> list[Event]:
        """One transaction with its events."""


@dataclass(slots=True)
class _Told:
    body: Body
    at: datetime


@dataclass(slots=True)
class Reporter:
    """Publishes how connections and budgets stand: what has changed at the next look, and what has
    not every half minute.
    """

    host: Host
    check: Callable[[LlmConfig], Awaitable[ModelCheck]]
    _told: dict[tuple[str, str], _Told] = field(default_factory=dict)
    _checked: dict[str, LlmConfig] = field(default_factory=dict)
    _again: dict[str, datetime] = field(default_factory=dict)  # when to check what failed
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def hurry(self) -> None:
        """Look now: the configuration has changed."""
        self._wake.set()

    async def run(self) -> None:
        """Look for ever."""
        while True:
            self._wake.clear()
            await self._check_new()
            await self.retire()
            await self.look()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), LOOK_S)

    async def look(self) -> None:
        """Tell what has changed since the last look."""
        database, moment = self.host.db, self.host.moment()
        if database is None:
            return
        states = await database.read(lambda sql: self._states(sql, moment))
        due = [state for state in states if self._is_due(state)]
        if due:
            await self.host.transact(lambda _sql, at: [at.event(StateChanged, s) for s in due])
        for state in due:
            self._told[state.kind, state.id] = _Told(state.body, state.at)

    async def retire(self) -> None:
        """Nobody asks a model that is switched off or gone, so its trouble is nobody's."""
        database, models = self.host.db, self.host.moment().config.models
        if database is None:
            return
        known = {model.id for model in models}
        active = {model.id for model in models if model.active}
        for found in (await database.read(connections.load)).values():
            over = found.config_id not in known or (
                found.config_id not in active and bool(found.trouble)
            )
            if over:
                await self.host.transact(
                    partial(reporting.retired, found.config_id, found.config_id in known)
                )

    async def checked(self, config: LlmConfig, found: ModelCheck) -> None:
        """Store what a check has found."""

        def work(sql: Sql, moment: At) -> list[Event]:
            before = connections.lock(sql, config.id)
            connections.save(sql, before.checked(found, moment.wall))
            return []

        await self.host.transact(work)

    async def _check_new(self) -> None:
        """Ask providers whether they accept keys and models: at the start, after a change, and
        again while they do not. It costs nothing.
        """
        moment = self.host.moment()
        due = [one for one in moment.config.models if one.active and self._is_unchecked(one)]
        found = await asyncio.gather(*map(self.check, due))
        for config, check in zip(due, found, strict=True):
            await self.checked(config, check)
            self._checked[config.id] = config
            self._again.pop(config.id, None)
            if not check.connected:
                self._again[config.id] = self.host.moment().wall + REPEAT

    def _is_unchecked(self, config: LlmConfig) -> bool:
        again = self._again.get(config.id)
        due = again is not None and self.host.moment().wall >= again
        return due or self._checked.get(config.id) != config

    def _states(self, sql: Sql, moment: At) -> list[State]:
        purses = ledger.standing(sql, moment.config, moment.wall)
        found, asked = connections.load(sql), store.last_asked(sql)
        today = {p.at.scope: p for p in purses if p.at.period == "day"}
        states = []
        for config in moment.config.models:
            connection = found.get(config.id, Connection(config.id))
            purse = today[budget.config_scope(config.id)]
            body = _connection(config, connection, purse, asked.get(config.id))
            states.append(reporting.state_of("connection", config.id, body, moment.wall))
            metrics.LLM_CONNECTED.labels(config.id).set(connection.connected)
        for purse in purses:
            scope = budget.config_of(purse.at.scope)
            id_ = f"{scope}.{purse.at.period}"
            states.append(
                reporting.state_of("budget", id_, reporting.budget_body(purse), moment.wall)
            )
            _measure(purse, id_)
        return states

    def _is_due(self, state: State) -> bool:
        told = self._told.get((state.kind, state.id))
        changed = told is None or told.body != state.body
        return changed or (told is not None and state.at - told.at >= REPEAT)


def _connection(
    config: LlmConfig, found: Connection, today: Purse, asked_at: datetime | None
) -> Body:
    next_at = None
    if config.active and config.every is not None and asked_at is not None:
        next_at = asked_at + config.every * interval_length(config.interval)
    return {
        "connected": found.connected,
        "trouble": found.trouble or None,
        "last_ok_at": found.last_ok_at.isoformat() if found.last_ok_at else None,
        "last_error": found.last_error or None,
        "name": config.name,
        "provider": config.provider,
        "model": config.model,
        "target": config.target.value,
        "active": config.active,
        "warnings": list(found.warnings),
        "left_out": reporting.left_out(config),
        "calls_today": today.calls,
        "tokens_today": today.tokens,
        "cost_today_usd": plain(today.spent + today.held),
        "next_at": next_at.isoformat() if next_at else None,
    }


def _measure(purse: Purse, name: str) -> None:
    if purse.limit:
        reserved, settled = purse.reserved / purse.limit, (purse.spent + purse.held) / purse.limit
        metrics.BUDGET_RESERVED.labels(name).set(float(reserved))
        metrics.BUDGET_SETTLED.labels(name).set(float(settled))
