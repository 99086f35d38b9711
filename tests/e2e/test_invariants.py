"""Every rule of the storm notices what it is there for."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from chaos.evidence import Answers, Evidence
from chaos.invariants import RULES, check
from chaos.outside import BrokerBooks
from chaos.streams import Stored
from signalbox.contracts import ids
from signalbox.contracts import payloads as p
from signalbox.contracts.assessments import LlmDecision, OutcomeScore
from signalbox.contracts.events import (
    AlertRaised,
    EquityMarked,
    Event,
    LlmDecisionMade,
    MessageDeadLettered,
    OrderChanged,
    OutcomeScored,
    PositionChanged,
    SignalRaised,
    StateChanged,
    VerdictReached,
)
from signalbox.contracts.notices import Alert, DeadLetter
from signalbox.contracts.values import OrderState, Outcome, Reason, Severity
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
THERE = {"broker": "alpaca", "broker_order_id": "b-1"}
DONE: dict[str, Any] = {"state": OrderState.FILLED, "filled": D(10), "fill": FILL, **THERE}
ORDER = an_order().order_id
LATER = NOON + timedelta(days=30)  # whatever was said at noon is over


def event(kind: type[Event], data: Any, **over: Any) -> Event:
    """An event of a service under configuration 3."""
    return kind.of(data, source="test", time=NOON, **{"configversion": 3, **over})


def orders() -> list[Event]:
    """From intent to fill."""
    return [
        event(OrderChanged, an_order()),
        event(OrderChanged, an_order(state=OrderState.ACCEPTED, **THERE)),
        event(OrderChanged, an_order(**DONE)),
    ]


def broker_books(**over: Any) -> BrokerBooks:
    """What its broker shows of the account."""
    fields: dict[str, Any] = {
        "account": "paper-alpha",
        "started_with": D(100_000),
        "cash": CASH,
        "names": (an_order().order_id,),
        "positions": {"AAPL": D(10)},
    }
    return BrokerBooks(**(fields | over))


def decision(number: int = 1, **over: Any) -> Event:
    """What a model said of AAPL at noon, for a cent."""
    fields: dict[str, Any] = {
        "decision_id": UUID(int=number),
        "config_id": "model",
        "symbol": "AAPL",
        "provider": "openai",
        "model": "m",
        "prompt_version": "standard@1",
        "outcome": "answered",
        "attempts": 1,
        "cost_usd": D("0.01"),
        "at": NOON,
        "wall_at": NOON,
    }
    return event(LlmDecisionMade, LlmDecision(**(fields | over)))


def score(**over: Any) -> Event:
    """What the signal would have earned."""
    same = ("signal_id", "source_type", "source_id", "symbol", "action", "confidence")
    fields: dict[str, Any] = {name: getattr(SIGNAL, name) for name in same} | {
        "horizon_s": 60.0,
        "entry_price": D(200),
        "exit_price": D(202),
        "forward_return": D("0.01"),
        "at": NOON,
    }
    return event(OutcomeScored, OutcomeScore(**(fields | over)))


def alert(code: str, about: str = "account:paper-alpha") -> Event:
    """What people are told."""
    told = Alert(
        severity=Severity.WARNING,
        code=code,
        about=about,
        message="m",
        service="executor",
        active=True,
        at=NOON,
        occurrence="o",
    )
    return event(AlertRaised, told)


def state(service: str, kind: str, **body: Any) -> Event:
    """The last word of a service on something."""
    told = p.State(service=service, kind=kind, id="x", body=body, at=NOON)
    return event(StateChanged, told)


def states(waiting: int = 0, scored: int = 1, **purse: str) -> list[Event]:
    """What the lab has scored and what models have cost."""
    month = {"scope": "total", "period": "month", "key": f"{NOON:%Y-%m}"}
    money = {"spent_usd": "0.007", "reserved_usd": "0.003"}
    counts: dict[str, Any] = {"waiting": waiting, "scored": scored, "unscored": {}}
    return [
        state("lab", "scoring", **counts),
        state("llm-decider", "budget", **month, **(money | purse)),
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
        "LLM": [decision()],
        "OUTCOMES": [score()],
        "STATE": states(),
        "ALERTS": [alert("bot_locked")],
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
        "broker": broker_books(),
        "asked": 1,
        "stands_at": LATER,
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


def broken_services() -> dict[str, dict[str, Any]]:
    """The same of brokers, models and the lab."""
    return {
        "the_broker_has_each_order_once": {"broker": broker_books(names=())},
        "the_broker_holds_what_fills_left": {"broker": broker_books(positions={})},
        "the_broker_surprises_nobody": {"ALERTS": [alert("late_fill")]},
        "no_question_is_asked_behind_the_books": {"asked": 2},
        "every_question_is_answered_once": {"LLM": [decision(), decision(action="buy")]},
        "money_spent_is_what_decisions_cost": {"STATE": states(spent_usd="0.008")},
        "every_signal_is_scored_once": {"OUTCOMES": [score(), score(horizon_s=30.0)]},
    }


def broken_records() -> dict[str, dict[str, Any]]:
    """The same of what is kept."""
    letter = DeadLetter(
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


BROKEN = broken_verdicts() | broken_orders() | broken_books() | broken_services() | broken_records()


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


def test_an_intent_that_is_denied_later_is_no_second_one() -> None:
    late = an_order(state=OrderState.DENIED, reason="locked")
    seen = evidence(ORDERS=[event(OrderChanged, an_order()), event(OrderChanged, late)])
    assert not check(seen)["one_intent_for_each_accepted_verdict"]
    again = event(OrderChanged, an_order(order_id="b" * 32))
    seen = evidence(ORDERS=[*orders(), again])
    assert check(seen)["one_intent_for_each_accepted_verdict"]


def test_that_an_unwanted_order_never_arrived_is_no_surprise() -> None:
    told = alert("order_abandoned", about=f"order:{ORDER}")

    def found(*, names: tuple[str, ...] = (), **over: Any) -> list[str]:
        gone = event(OrderChanged, an_order(state=OrderState.ABANDONED, **over))
        seen = evidence(ALERTS=[told], ORDERS=[gone], broker=broker_books(names=names))
        return list(check(seen)["the_broker_surprises_nobody"])

    assert not found()
    assert found(names=(ORDER,))
    assert found(numbers={"limit": "2", "observed": "2"})


def test_every_rule_is_tried_here() -> None:
    assert {rule.__name__ for rule in RULES} == set(BROKEN)


def test_what_ends_while_the_market_is_stopped_waits_or_has_its_score() -> None:
    def found(waiting: int, *scores: Event) -> list[str]:
        told = states(waiting=waiting, scored=len(scores))
        seen = evidence(OUTCOMES=scores, STATE=told, stands_at=NOON, ran_to=LATER)
        return check(seen)["every_signal_is_scored_once"]

    assert not found(1)
    assert not found(0, score())
    assert found(2)
    assert found(1, score())


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
        ("the_broker_has_each_order_once", {"broker": broker_books(names=(ORDER, ORDER))}),
        ("the_broker_has_each_order_once", {"broker": broker_books(names=(ORDER, "other"))}),
        ("the_broker_holds_what_fills_left", {"broker": broker_books(cash=CASH + 1)}),
        ("every_question_is_answered_once", {"LLM": [decision(attempts=4)]}),
        ("money_spent_is_what_decisions_cost", {"LLM": [decision(), decision(2)]}),
        ("money_spent_is_what_decisions_cost", {"STATE": []}),
        ("every_signal_is_scored_once", {"OUTCOMES": []}),
        ("every_signal_is_scored_once", {"STATE": states(scored=2)}),
        ("every_signal_is_scored_once", {"STATE": states(waiting=1)}),
        ("every_signal_is_scored_once", {"stands_at": NOON}),
        ("read_models_agree", {"orders": frozenset({"more"})}),
        ("nothing_was_set_aside", {"dead_letters": 1}),
    ],
)
def test_a_rule_notices_that_too(name: str, over: dict[str, Any]) -> None:
    assert check(evidence(**over))[name]
