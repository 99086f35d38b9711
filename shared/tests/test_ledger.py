"""The one transaction: claimed once, all or nothing, set aside for good."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import Column, Connection, Integer, String, Table, select

from signalbox.contracts.errors import PermanentError
from signalbox.contracts.events import Event, SignalRaised, VerdictReached
from signalbox.runtime import ledger
from signalbox.runtime.db import Database, new_metadata, upsert
from signalbox.runtime.handlers import Handlers
from signalbox.runtime.moment import Moment
from signalbox.runtime.outbox import BATCHES, mark_sent, unsent
from signalbox.testing import runner
from signalbox.testing.examples import a_moment, a_signal, a_verdict, raised

METADATA = new_metadata()
COUNTS = Table(
    "counts", METADATA, Column("symbol", String, primary_key=True), Column("total", Integer)
)


def load(sql: Connection, events: Sequence[Event], moment: Moment[Any]) -> dict[str, int]:
    return {row.symbol: row.total for row in sql.execute(select(COUNTS))}


def save(sql: Connection, state: dict[str, int], moment: Moment[Any]) -> None:
    rows = [{"symbol": symbol, "total": count} for symbol, count in state.items()]
    sql.execute(upsert(COUNTS, ["symbol"]), rows)


def counting() -> Handlers[dict[str, int]]:
    """Counts signals by symbol, answers each with a verdict; BAD ones fail after they counted."""
    handlers: Handlers[dict[str, int]] = Handlers("SIGNALS", "test", load=load, save=save)

    @handlers.on(SignalRaised)
    def on_signal_raised(
        event: SignalRaised, state: dict[str, int], moment: Moment[Any]
    ) -> Iterator[Event]:
        symbol = event.data.symbol
        state[symbol] = state.get(symbol, 0) + 1
        yield moment.event(VerdictReached, a_verdict(event.data), cause=event, sequence=1)
        if symbol == "BAD":
            raise PermanentError("bad symbol")

    @handlers.on_dead
    def on_dead(
        event: Event | None, state: dict[str, int], moment: Moment[Any], reason: str
    ) -> None:
        state["DEAD"] = state.get("DEAD", 0) + 1

    return handlers


@pytest.fixture
def db() -> Database:
    return Database.in_memory(METADATA)


def counts(db: Database) -> dict[str, int]:
    with db.begin() as sql:
        return {row.symbol: row.total for row in sql.execute(select(COUNTS))}


def test_handle_acts_once_when_a_message_comes_again(db: Database) -> None:
    signals = [raised(a_signal(own_id=str(n))) for n in range(3)]
    first = runner.run(counting(), db, METADATA, signals, a_moment())
    again = runner.run(counting(), db, METADATA, [*signals, signals[0]], a_moment())
    assert [e.causationid for e in first] == [s.id for s in signals]
    assert again == []
    assert counts(db) == {"AAPL": 3}
    assert runner.stored(db, METADATA) == first


def test_handle_acts_once_when_a_message_is_twice_in_one_batch(db: Database) -> None:
    signal = raised()
    assert len(runner.run(counting(), db, METADATA, [signal, signal], a_moment())) == 1
    assert counts(db) == {"AAPL": 1}


def test_handle_leaves_nothing_when_one_of_the_batch_fails(db: Database) -> None:
    batch = [raised(), raised(a_signal(own_id="2", symbol="BAD"))]
    with pytest.raises(PermanentError):
        runner.run(counting(), db, METADATA, batch, a_moment())
    assert counts(db) == {}
    assert runner.stored(db, METADATA) == []
    assert len(runner.run(counting(), db, METADATA, batch[:1], a_moment())) == 1


def test_bury_makes_a_tombstone_so_the_message_never_comes_back(db: Database) -> None:
    bad = raised(a_signal(symbol="BAD"))
    runner.bury(counting(), db, METADATA, bad, a_moment())
    runner.bury(counting(), db, METADATA, bad, a_moment())
    assert runner.run(counting(), db, METADATA, [bad], a_moment()) == []
    assert counts(db) == {"DEAD": 1}


def test_unsent_lists_what_no_stream_has_confirmed_in_order(db: Database) -> None:
    for n in range(3):
        runner.run(counting(), db, METADATA, [raised(a_signal(own_id=str(n)))], a_moment())
    with db.begin() as sql:
        batches = [batch for batch, _ in unsent(sql, METADATA)]
        assert batches == sorted(batches)
        mark_sent(sql, METADATA, batches[:1])
        assert [batch for batch, _ in unsent(sql, METADATA)] == batches[1:]


def test_count_attempt_survives_and_counts_per_message(db: Database) -> None:
    with db.begin() as sql:
        found = [ledger.count_attempt(sql, METADATA, "test", i) for i in ("a", "a", "b", "a")]
    assert found == [1, 2, 1, 3]


def test_prune_keeps_what_is_unsent_and_what_is_recent(db: Database) -> None:
    runner.run(counting(), db, METADATA, [raised()], a_moment())
    tomorrow_us = (BATCHES.next() >> 12) + 86_400_000_000
    with db.begin() as sql:
        assert ledger.prune(sql, METADATA, 0) == 0
        assert ledger.prune(sql, METADATA, tomorrow_us) == 1  # the inbox row
        ((batch, _),) = unsent(sql, METADATA)
        mark_sent(sql, METADATA, [batch])
        assert ledger.prune(sql, METADATA, tomorrow_us) == 1


def test_prune_goes_on_where_it_stopped_when_there_is_much(db: Database) -> None:
    signals = [raised(a_signal(own_id=str(n))) for n in range(10)]
    for signal in signals:
        runner.run(counting(), db, METADATA, [signal], a_moment())
    later_us = (BATCHES.next() >> 12) + 1_000_000
    with db.begin() as sql:
        assert ledger.prune(sql, METADATA, later_us, most=4) == 4
        assert ledger.prune(sql, METADATA, later_us, most=100) == 6
        assert ledger.prune(sql, METADATA, later_us, most=100) == 0
