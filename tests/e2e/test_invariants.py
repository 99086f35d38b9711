"""Every rule of the storm notices what it is there for."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from chaos.evidence import Answers, Evidence
from chaos.invariants import RULES, check
from chaos.streams import Stored
from signalbox.contracts import ids
from signalbox.contracts import payloads as p
from signalbox.contracts.events import (
    EquityMarked,
    Event,
    MessageDeadLettered,
    OrderChanged,
    PositionChanged,
    SignalRaised,
    VerdictReached,
)
from signalbox.contracts.values import OrderState, Outcome, Reason
from signalbox.testing.examples import NOON, a_bot, a_signal, a_verdict, an_order

D = Decimal
BOT = a_bot()
SIGNAL = a_signal()
VERDICT = a_verdict(SIGNAL)
LOT = ids.lot_id("fill-1")
SLICE = p.LotSlice(
    lot_id=LOT,
    source_type=SIGNAL.source_type,
    source_id=SIGNAL.source_id,
    effect="opened",
    quantity=D(10),
    entry_price=D("210.5"),
    realised_pnl=D(0),
)
FILL = p.Fill(fill_id="fill-1", quantity=D(10), price=D("210.5"), fee=D("0.125"), slices=(SLICE,))
CASH = D(100_000) - D(2105) - D("0.125")
DONE: dict[str, Any] = {"state": OrderState.FILLED, "filled": D(10), "fill": FILL}


def event(kind: type[Event], data: Any, **over: Any) -> Event:
    """An event of a service under configuration 3."""
    return kind.of(data, source="test", time=NOON, **{"configversion": 3, **over})


def orders() -> list[Event]:
    """From intent to fill."""
    return [
        event(OrderChanged, an_order()),
        event(OrderChanged, an_order(state=OrderState.ACCEPTED)),
        event(OrderChanged, an_order(**DONE)),
    ]


def position(**over: Any) -> Event:
    """What the bot holds afterwards."""
    lot = p.Lot(
        lot_id=LOT,
        source_type=SIGNAL.source_type,
        source_id=SIGNAL.source_id,
        quantity=D(10),
        entry_price=D("210.5"),
        opened_at=NOON,
        order_id=an_order().order_id,
    )
    fields: dict[str, Any] = {"quantity": D(10), "lots": (lot,), "realised_pnl": D(0)}
    where = {"bot": "alpha", "account": "paper-alpha", "symbol": "AAPL", "cause": "fill-1"}
    return event(PositionChanged, p.Position(at=NOON, **{**where, **fields, **over}))


def equity(cash: Decimal = CASH) -> Event:
    """What the account is worth afterwards."""
    zero: dict[str, Any] = dict.fromkeys(
        ("equity", "exposure_gross", "exposure_net", "realised_pnl", "unrealised_pnl", "fees"), D(0)
    )
    where: dict[str, Any] = {"bot": "alpha", "account": "paper-alpha", "cause": "fill-1"}
    return event(EquityMarked, p.Equity(at=NOON, cash=cash, **where, **zero))


def stored(events: Sequence[Event]) -> list[Stored]:
    """As they lie in a stream."""
    return [Stored(n, e.subject, e.encode(), e) for n, e in enumerate(events, 1)]  # type: ignore[arg-type]  # every event is one of the union


def evidence(**over: Any) -> Evidence:
    """A signal, its verdict, its order and the books after it: all as it should be."""
    parts: dict[str, Sequence[Event]] = {
        "SIGNALS": [event(SignalRaised, SIGNAL)],
        "VERDICTS": [event(VerdictReached, VERDICT, sequence=1)],
        "ORDERS": orders(),
        "BOOKS": [position(), equity()],
        "DEAD": [],
    }
    parts |= {name: over.pop(name) for name in list(over) if name in parts}
    place = ("alpha", "paper-alpha", "AAPL")
    answers = Answers(
        positions={place: D(10)},
        lots={place: D(10)},
        cash={place[:2]: CASH},
        started_with={"paper-alpha": D(100_000)},
        verdicts=frozenset({str(VERDICT.verdict_id)}),
        orders=frozenset({an_order().order_id}),
        fills=frozenset({"fill-1"}),
        dead_letters=0,
    )
    told = {name: over.pop(name) for name in list(over) if hasattr(answers, name)}
    archive = frozenset(str(e.id) for events in parts.values() for e in events)
    fields: dict[str, Any] = {
        "streams": {name: stored(events) for name, events in parts.items()},
        "archive": archive,
        "answers": replace(answers, **told),
        "bots": lambda version: (BOT,) if version == 3 else None,
        "acknowledged": frozenset({SIGNAL.signal_id}),
    }
    return Evidence(**{**fields, **over})


def reach(sequence: int = 1, version: int = 3, **over: Any) -> Event:
    """A verdict on the signal."""
    verdict = a_verdict(SIGNAL, **over)
    return event(VerdictReached, verdict, sequence=sequence, configversion=version)


def broken_orders() -> dict[str, dict[str, Any]]:
    """What is wrong, by the rule that must notice."""
    again = an_order(order_id="f" * 32)
    sent = [event(OrderChanged, again), event(OrderChanged, again.model_copy(update=DONE))]
    other = ids.verdict_id(SIGNAL.signal_id, "alpha", 1)
    alien = an_order(order_id="e" * 32, intent_id=other, verdict_id=other, **DONE)
    half = event(OrderChanged, an_order(**{**DONE, "filled": D(9)}))
    return {
        "one_intent_for_each_accepted_verdict": {"ORDERS": []},
        "one_broker_order_for_each_intent": {"ORDERS": [*orders(), *sent]},
        "no_signal_is_traded_twice": {"ORDERS": [*orders(), event(OrderChanged, alien)]},
        "orders_move_forward": {"ORDERS": [orders()[2], orders()[1], orders()[0]]},
        "fills_add_up": {"ORDERS": [*orders()[:2], half]},
    }


def broken_books() -> dict[str, dict[str, Any]]:
    """The same of positions, lots and cash."""
    return {
        "positions_are_the_sum_of_fills": {"BOOKS": [position(quantity=D(11)), equity()]},
        "lots_are_the_sum_of_slices": {"BOOKS": [position(lots=()), equity()]},
        "cash_is_what_fills_left": {"BOOKS": [position(), equity(CASH + D("0.000001"))]},
    }


def broken_verdicts() -> dict[str, dict[str, Any]]:
    """The same of signals and verdicts."""
    mute: dict[str, Any] = {"outcome": Outcome.SUPPRESSED, "reason": Reason.HELD_BY_HIGHER}
    return {
        "no_acknowledged_signal_is_lost": {"acknowledged": frozenset({UUID(int=7)})},
        "one_verdict_for_each_signal_and_listener": {"VERDICTS": []},
        "nobody_listens_only_where_nobody_does": {"VERDICTS": [reach(reason=Reason.NO_SUBSCRIBER)]},
        "later_rounds_follow_a_pending_one": {"VERDICTS": [reach(), reach(2, round=1)]},
        "sequences_have_no_gap": {"VERDICTS": [reach(2)]},
        "suppressed_name_their_winner": {"VERDICTS": [reach(**mute, winner_id=UUID(int=7))]},
        "ids_follow_from_their_cause": {"VERDICTS": [reach(verdict_id=UUID(int=7))]},
    }


def broken_records() -> dict[str, dict[str, Any]]:
    """The same of what is kept."""
    letter = p.DeadLetter(
        service="executor",
        stream="VERDICTS",
        stream_sequence=1,
        original_subject="s",
        message_id="m",
        attempts=1,
        reason="no",
        original="",
        at=NOON,
    )
    return {
        "everything_came_to_rest": {"backlog": {"VERDICTS.executor": 1}},
        "nothing_was_set_aside": {"DEAD": [event(MessageDeadLettered, letter)]},
        "the_archive_holds_every_event": {"archive": frozenset()},
        "read_models_agree": {"fills": frozenset()},
    }


BROKEN = broken_verdicts() | broken_orders() | broken_books() | broken_records()


def test_nothing_is_wrong_with_what_is_right() -> None:
    assert not {name: lines for name, lines in check(evidence()).items() if lines}


def test_the_second_leg_of_an_intent_is_no_second_order() -> None:
    leg = {"order_id": "d" * 32, "leg": 1}
    states = (OrderState.PLANNED, OrderState.ACCEPTED)
    flip = [event(OrderChanged, an_order(state=state, **leg)) for state in states]
    found = check(evidence(ORDERS=[*orders(), *flip]))
    rules = ("one_intent_for_each_accepted_verdict", "one_broker_order_for_each_intent")
    assert not [found[name] for name in (*rules, "no_signal_is_traded_twice") if found[name]]
    again = event(OrderChanged, an_order(state=OrderState.ACCEPTED, order_id="c" * 32, leg=1))
    assert check(evidence(ORDERS=[*orders(), *flip, again]))["no_signal_is_traded_twice"]


def test_every_rule_is_tried_here() -> None:
    assert {rule.__name__ for rule in RULES} == set(BROKEN)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_notices(rule: Callable[[Evidence], Any]) -> None:
    assert list(rule(evidence(**BROKEN[rule.__name__])))


@pytest.mark.parametrize(
    ("name", "over"),
    [
        ("one_verdict_for_each_signal_and_listener", {"VERDICTS": [reach(), reach(2, bot="beta")]}),
        ("one_verdict_for_each_signal_and_listener", {"VERDICTS": [reach(version=4)]}),
        ("one_verdict_for_each_signal_and_listener", {"SIGNALS": []}),
        ("sequences_have_no_gap", {"VERDICTS": [reach(2, round=1), reach(1)]}),
        ("one_intent_for_each_accepted_verdict", {"VERDICTS": [reach(outcome=Outcome.REFUSED)]}),
        ("one_verdict_for_each_signal_and_listener", {"acknowledged": frozenset(), "VERDICTS": []}),
        ("positions_are_the_sum_of_fills", {"positions": {}}),
        ("lots_are_the_sum_of_slices", {"lots": {}}),
        ("cash_is_what_fills_left", {"cash": {}}),
        ("read_models_agree", {"orders": frozenset({"more"})}),
        ("nothing_was_set_aside", {"dead_letters": 1}),
    ],
)
def test_a_rule_notices_that_too(name: str, over: dict[str, Any]) -> None:
    assert check(evidence(**over))[name]
