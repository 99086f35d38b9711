"""Read models: the same whatever comes first, once each, and again from the archive."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from gateway.adapters.primary_tables import events as archive
from gateway.adapters.tables import READ_MODELS, metadata
from gateway.handlers import build_handlers
from gateway.rebuild import rebuild
from signalbox.contracts import payloads as p
from signalbox.contracts.assessments import OutcomeScore
from signalbox.contracts.events import (
    AlertRaised,
    Event,
    LlmDecisionMade,
    MessageDeadLettered,
    OutcomeScored,
    SignalRaised,
    SignalWithdrawn,
    StateChanged,
    VerdictReached,
)
from signalbox.contracts.notices import Alert, DeadLetter
from signalbox.contracts.values import Action, Outcome, Reason, Severity, SourceType
from signalbox.runtime import ledger
from signalbox.runtime.db import Database
from signalbox.testing.examples import (
    NOON,
    a_decision,
    a_moment,
    a_signal,
    a_verdict,
    a_withdrawal,
)

Tables = dict[str, list[Any]]


def tables_of(sql: Connection) -> Tables:
    """Every row of every read model, sorted."""
    return {t.name: sorted(map(repr, sql.execute(select(t)).all())) for t in READ_MODELS}


def alerts() -> list[Event]:
    alert = Alert(
        severity=Severity.WARNING,
        code="source_down",
        about="quantconnect:demo",
        message="It does not answer.",
        service="qc-ingest",
        at=NOON,
        occurrence="1",
    )
    over = alert.model_copy(update={"active": False, "at": NOON + timedelta(minutes=1)})
    return [a_moment().event(AlertRaised, one) for one in (alert, over)]


def states() -> list[Event]:
    state = p.State(
        service="qc-ingest", kind="connection", id="demo", body={"connected": False}, at=NOON
    )
    better = state.model_copy(
        update={"body": {"connected": True}, "at": NOON + timedelta(minutes=1)}
    )
    backtest = state.model_copy(
        update={"kind": "backtest", "id": "b1", "body": {"created_at": NOON.isoformat()}}
    )
    done = backtest.model_copy(
        update={"body": backtest.body | {"status": "completed"}, "at": NOON + timedelta(minutes=1)}
    )
    return [a_moment().event(StateChanged, one) for one in (state, better, backtest, done)]


def notices(told: Any) -> list[Event]:
    moment = a_moment()
    signal = told.signal
    letter = DeadLetter(
        service="executor",
        stream="VERDICTS",
        stream_sequence=7,
        original_subject="sb.v1.verdicts.alpha.AAPL",
        message_id="m",
        attempts=1,
        reason="symbol: bad",
        original="{}",
        at=NOON,
    )
    score = OutcomeScore(
        signal_id=signal.signal_id,
        source_type=SourceType.QUANTCONNECT,
        source_id="4711",
        symbol="AAPL",
        action=Action.BUY,
        confidence=D("0.7"),
        horizon_s=300,
        entry_price=D(200),
        exit_price=D(201),
        forward_return=D("0.005"),
        at=NOON,
    )
    return [
        moment.event(SignalWithdrawn, a_withdrawal(signal)),
        *alerts(),
        *states(),
        moment.event(MessageDeadLettered, letter),
        moment.event(OutcomeScored, score),
    ]


def answers() -> list[Event]:
    """Of a language model: one that is raised and waits for a person, and one that is not."""
    moment = a_moment()
    signal = a_signal(source_type=SourceType.LLM, source_id="gpt", own_id="1")
    waits = a_verdict(signal, outcome=Outcome.PENDING, reason=Reason.AWAITS_APPROVAL)
    first = a_decision(signal_id=signal.signal_id, cost_usd=D("0.1"))
    cause = moment.event(SignalRaised, signal)
    return [
        cause,
        moment.event(LlmDecisionMade, first, cause=cause),
        moment.event(LlmDecisionMade, a_decision(trigger_key="2", cost_usd=D("0.2"))),
        moment.event(VerdictReached, waits, cause=cause, sequence=1),
    ]


def everything(story: Callable[..., Any]) -> list[Event]:
    one, two = story(), story(own_id="q2", symbol="MSFT", minute=1)
    ends = [one.exit(), one.position((), "2"), one.equity("100097", "2"), one.approved()]
    ends += answers()
    return [*one.all(), *two.all(), *ends, *notices(one)]


@contextmanager
def filled(batches: Sequence[Sequence[Event]]) -> Iterator[Connection]:
    """A database after these batches, each of which is one stream's."""
    db = Database.in_memory(metadata)
    by_stream = {handlers.stream: handlers for handlers in build_handlers(lambda _: None)}
    with db.begin() as sql:
        for batch in batches:
            handlers = by_stream[batch[0].STREAM]
            ledger.handle(sql, metadata, handlers, batch, a_moment())
        yield sql
    db.close()


def singly(events: Sequence[Event]) -> list[list[Event]]:
    return [[event] for event in events]


@st.composite
def deliveries(draw: st.DrawFn, events: Sequence[Event]) -> list[list[Event]]:
    """The same events with every stream's order kept, cut into batches, some delivered twice."""
    streams: defaultdict[str, list[Event]] = defaultdict(list)
    for event in events:
        streams[event.STREAM].append(event)
    batches: list[list[Event]] = []
    while streams:
        name = draw(st.sampled_from(sorted(streams)))
        size = draw(st.integers(1, len(streams[name])))
        batch, streams[name] = streams[name][:size], streams[name][size:]
        batches += [batch] * draw(st.sampled_from([1, 1, 1, 2]))
        if not streams[name]:
            del streams[name]
    return batches


def test_any_order_of_streams_gives_the_same_tables(story: Callable[..., Any]) -> None:
    events = everything(story)
    with filled(singly(events)) as sql:
        expected = tables_of(sql)
    assert all(expected.values()), "every read model is covered"

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(deliveries(events))
    def same(batches: list[list[Event]]) -> None:
        with filled(batches) as sql:
            assert tables_of(sql) == expected

    same()


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_rebuild_gives_the_same_tables(story: Callable[..., Any], size: int) -> None:
    told: list[tuple[int, int]] = []
    with filled(singly(everything(story))) as sql:
        before = tables_of(sql)
        count = rebuild(sql, lambda last, newest: told.append((last, newest)), size=size)
        assert tables_of(sql) == before
    assert count == len(everything(story))
    assert told[-1] == (count, count)


def test_the_archive_numbers_events_as_they_come_and_holds_each_once(
    story: Callable[..., Any],
) -> None:
    events = story().all()
    with filled([*singly(events), *singly(events)]) as sql:
        rows = sql.execute(select(archive).order_by(archive.c.seq)).all()
    assert [row.seq for row in rows] == list(range(1, len(events) + 1))
    assert [row.id for row in rows] == [str(event.id) for event in events]
    assert rows[1].correlation_id == rows[0].id
    assert (rows[1].bot, rows[1].symbol, rows[1].stream) == ("alpha", "AAPL", "VERDICTS")


@pytest.mark.parametrize(
    ("parts", "processed"),
    [
        pytest.param("r", False, id="no verdict yet"),
        pytest.param("ra", True, id="accepted by the only bot"),
        pytest.param("rap", False, id="another bot waits"),
        pytest.param("rapf", True, id="a person has decided"),
        pytest.param("fpar", True, id="whatever comes first"),
    ],
)
def test_processed(story: Callable[..., Any], parts: str, processed: bool) -> None:
    told = story()
    accepted, pending = told.verdicts()
    every = {"r": told.raised(), "a": accepted, "p": pending, "f": told.approved()}
    with filled(singly([every[part] for part in parts])) as sql:
        assert sql.scalar(select(metadata.tables["quantconnect_signals"].c.processed)) is processed


def test_a_sold_lot_leaves_the_position_flat_and_its_earnings(story: Callable[..., Any]) -> None:
    told = story()
    ends = [told.exit(), told.position((), "2")]
    with filled(singly([*told.all(), *ends])) as sql:
        held = sql.execute(select(metadata.tables["positions"])).one()
        earned = sql.execute(select(metadata.tables["earnings"])).one()
        assert (held.quantity, held.open) == (D(0), False)
        assert sql.execute(select(metadata.tables["lots"])).all() == []
        assert (earned.realised_pnl, earned.fees, earned.wins) == (D(98), D(2), 1)
        assert earned.day == NOON.replace(hour=0)


def test_ai_confidence_is_a_models_own(story: Callable[..., Any]) -> None:
    told = story()
    filled_order = told.orders()[-1].data
    by_model = told.order(
        filled_order.state, filled_order.fill, source_type=SourceType.LLM, order_id="f" * 32
    )
    other = filled_order.fill.model_copy(update={"fill_id": "other", "slices": ()})
    by_model = by_model.model_copy(
        update={"data": by_model.data.model_copy(update={"fill": other})}
    )
    with filled(singly([told.orders()[-1], by_model])) as sql:
        trades = metadata.tables["trades"]
        query = select(trades.c.source_type, trades.c.confidence, trades.c.ai_confidence)
        rows = sorted(sql.execute(query).all())
    assert rows == [("llm", D("0.7"), D("0.7")), ("quantconnect", D("0.7"), None)]
