"""Rounds that wait for a person: approved, declined, lapsed, withdrawn, overtaken."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, select

from decision_router.adapters import store
from decision_router.adapters.tables import metadata, rounds
from decision_router.handlers import approve, build_handlers, decline, lapse_due
from signalbox.contracts.config import BotConfig, Policy, RouterConfig
from signalbox.contracts.errors import Conflict
from signalbox.contracts.events import Event, VerdictReached
from signalbox.contracts.ids import verdict_id
from signalbox.contracts.payloads import Signal
from signalbox.contracts.values import Action, Outcome, Reason, SourceType
from signalbox.runtime.db import Database
from signalbox.testing.examples import (
    NOON,
    a_bot,
    a_moment,
    a_signal,
    a_withdrawal,
    raised,
    withdrawn,
)
from signalbox.testing.runner import run

QC, LLM = SourceType.QUANTCONNECT, SourceType.LLM
MINUTE = timedelta(minutes=1)
BOT = a_bot(approval="manual")
SIGNAL = a_signal(source_type=LLM)
WAITING = verdict_id(SIGNAL.signal_id, "alpha", 0)

Act = Callable[[Connection, Any, UUID, str], list[VerdictReached]]


class Router:
    """A router whose bot asks a person."""

    def __init__(self, *bots: BotConfig, db: Database | None = None) -> None:
        self.db = db or Database.in_memory(metadata)
        self.config = RouterConfig(bots=bots or (BOT,))

    def hears(self, *events: Event, now: datetime = NOON, **over: Any) -> list[VerdictReached]:
        moment = a_moment(self.config, now=now, **over)
        made = run(build_handlers(), self.db, metadata, events, moment)
        return [e for e in made if isinstance(e, VerdictReached)]

    def asked(
        self, act: Act, which: UUID = WAITING, *, now: datetime = NOON + MINUTE, **over: Any
    ) -> VerdictReached:
        with self.db.begin() as sql:
            (made,) = act(sql, a_moment(self.config, now=now, **over), which, "admin")
        return made

    def looks(self, now: datetime, **over: Any) -> list[VerdictReached]:
        with self.db.begin() as sql:
            return lapse_due(sql, a_moment(self.config, now=now, **over))

    def counts(self) -> int:
        with self.db.begin() as sql:
            return store.count_waiting(sql)


def waiting(*bots: BotConfig, signal: Signal = SIGNAL) -> Router:
    router = Router(*bots)
    first = router.hears(raised(signal))
    assert {e.data.outcome for e in first} == {Outcome.PENDING}
    assert router.counts() == len(first)
    return router


def what(made: VerdictReached) -> tuple[Outcome, Reason, str | None, int | None]:
    assert made.data.round == 1
    return made.data.outcome, made.data.reason, made.data.decided_by, made.sequence


def test_an_approved_round_is_accepted_and_names_the_user() -> None:
    made = waiting().asked(approve)
    assert what(made) == (Outcome.ACCEPTED, Reason.APPROVED, "admin", 2)
    assert made.id == verdict_id(SIGNAL.signal_id, "alpha", 1)
    assert (made.correlationid, made.causationid) == (SIGNAL.signal_id, WAITING)
    assert made.data.evaluated_at == NOON + MINUTE


def test_a_declined_round_ends_the_word() -> None:
    router = waiting()
    assert what(router.asked(decline)) == (Outcome.DECLINED, Reason.DECLINED, "admin", 2)
    (lower,) = router.hears(raised(a_signal(action=Action.SELL)))
    assert lower.data.outcome is Outcome.PENDING  # nothing leads it any more


def test_a_pending_word_leads_lower_ones() -> None:
    (lower,) = waiting().hears(raised(a_signal(action=Action.SELL)))
    assert (lower.data.reason, lower.data.winner_id) == (
        Reason.HELD_BY_HIGHER,
        SIGNAL.signal_id,
    )


def test_a_round_lapses_when_nobody_answers_in_time() -> None:
    router = waiting()
    assert router.looks(SIGNAL.valid_until - timedelta(microseconds=1)) == []
    (made,) = router.looks(SIGNAL.valid_until)
    assert what(made) == (Outcome.LAPSED, Reason.LAPSED, None, 2)
    assert router.looks(SIGNAL.valid_until) == []
    assert router.counts() == 0


def test_a_round_lapses_when_the_bot_lets_the_word_live_no_longer() -> None:
    policy = Policy(times_to_live_s={SIGNAL.source_type: 60})
    router = waiting(a_bot(approval="manual", policy=policy))
    end = SIGNAL.raised_at + timedelta(seconds=60)
    assert router.looks(end - timedelta(microseconds=1)) == []
    (made,) = router.looks(end)
    assert what(made) == (Outcome.LAPSED, Reason.LAPSED, None, 2)


def test_an_approval_that_comes_too_late_makes_the_round_lapse() -> None:
    made = waiting().asked(approve, now=SIGNAL.valid_until)
    assert what(made) == (Outcome.LAPSED, Reason.LAPSED, None, 2)


def test_a_withdrawn_round_lapses_at_once() -> None:
    router = waiting()
    (made,) = router.hears(withdrawn(a_withdrawal(SIGNAL, valid_until=NOON)))
    assert what(made) == (Outcome.LAPSED, Reason.WITHDRAWN, None, 2)
    assert (made.correlationid, made.causationid) == (SIGNAL.signal_id, WAITING)


def test_a_signal_and_its_withdrawal_may_come_in_one_batch() -> None:
    taken_back = withdrawn(a_withdrawal(SIGNAL, valid_until=NOON))
    first, second = Router().hears(raised(SIGNAL), taken_back)
    assert first.data.outcome is Outcome.PENDING
    assert what(second) == (Outcome.LAPSED, Reason.WITHDRAWN, None, 2)


def test_a_withdrawal_ends_no_other_signals_round() -> None:
    router, other = Router(), a_signal(source_type=QC, symbol="MSFT")
    taken_back = withdrawn(a_withdrawal(SIGNAL, valid_until=NOON))
    made = router.hears(raised(SIGNAL), raised(other), taken_back)
    assert [(e.data.signal.symbol, e.data.round) for e in made] == [
        ("AAPL", 0),
        ("MSFT", 0),
        ("AAPL", 1),
    ]
    assert router.counts() == 1


def test_a_shortened_word_lapses_at_its_new_expiry() -> None:
    router = waiting()
    assert router.hears(withdrawn(a_withdrawal(SIGNAL, valid_until=NOON + MINUTE))) == []
    (made,) = router.looks(NOON + MINUTE)
    assert what(made) == (Outcome.LAPSED, Reason.LAPSED, None, 2)


def test_every_bot_has_its_own_round() -> None:
    other = a_bot(id="beta", approval="manual")
    router = waiting(BOT, other)
    router.asked(decline, verdict_id(SIGNAL.signal_id, "beta", 0))
    assert router.counts() == 1
    assert what(router.asked(approve))[0] is Outcome.ACCEPTED


def test_an_approval_after_a_higher_source_spoke_is_suppressed() -> None:
    router, quant = waiting(), a_signal(source_type=QC, action=Action.SELL)
    router.hears(raised(quant))
    made = router.asked(approve)
    assert what(made) == (Outcome.SUPPRESSED, Reason.HELD_BY_HIGHER, "admin", 3)
    assert made.data.winner_id == quant.signal_id


@pytest.mark.parametrize("later", [timedelta(0), MINUTE], ids=["the same instant", "later"])
@pytest.mark.parametrize("action", Action)
def test_an_approval_of_a_word_that_its_source_has_spoken_past_is_stale(
    action: Action, later: timedelta
) -> None:
    router = waiting()
    newer = a_signal(
        source_type=LLM, own_id="2", action=action, raised_at=NOON + later, confidence=Decimal(0)
    )
    router.hears(raised(newer), now=NOON + later)
    made = router.asked(approve)
    assert what(made) == (Outcome.REFUSED, Reason.STALE_WORD, "admin", 3)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        pytest.param({"bound_version": 2}, Reason.CONFIG_CHANGED, id="account or mode"),
        pytest.param({"bound_version": 1}, Reason.APPROVED, id="bound under that version"),
        pytest.param({"enabled": False}, Reason.BOT_DISABLED, id="bot off"),
        pytest.param({"strategy_source": "traditional"}, Reason.SOURCE_DISABLED, id="source off"),
        pytest.param({"sources": ()}, Reason.SOURCE_DISABLED, id="source not listed"),
        pytest.param({"symbols": ("MSFT",)}, Reason.SYMBOL_NOT_ALLOWED, id="symbol"),
        pytest.param({"approval": "auto"}, Reason.APPROVED, id="nobody asks any more"),
    ],
)
def test_an_approval_is_checked_under_the_configuration_in_force(
    changed: dict[str, Any], reason: Reason
) -> None:
    router = waiting()
    router.config = RouterConfig(bots=(BOT.model_copy(update=changed),))
    assert router.asked(approve, version=2).data.reason is reason


def test_an_approval_for_a_bot_that_is_gone_is_refused() -> None:
    router = waiting()
    router.config = RouterConfig()
    made = router.asked(approve, version=2)
    assert what(made) == (Outcome.REFUSED, Reason.CONFIG_CHANGED, "admin", 2)
    assert made.data.account == BOT.account


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (approve, "accepted by admin: approved"),
        (decline, "declined by admin"),
    ],
)
def test_a_second_answer_is_a_conflict_that_names_the_first(act: Act, says: str) -> None:
    router = waiting()
    router.asked(act)
    for again in (approve, decline):
        with pytest.raises(Conflict, match=says):
            router.asked(again)


def test_answering_what_never_waited_is_a_conflict() -> None:
    with pytest.raises(Conflict, match="does not wait"):
        waiting().asked(approve, uuid4())
    lapsed = waiting()
    lapsed.looks(SIGNAL.valid_until)
    with pytest.raises(Conflict, match=r"waits no longer, it was lapsed$"):
        lapsed.asked(approve)


def test_a_refused_or_suppressed_signal_does_not_wait() -> None:
    router = Router()
    unsure = a_signal(source_type=LLM, confidence=Decimal("0.1"))
    (made,) = router.hears(raised(unsure))
    assert (made.data.outcome, router.counts()) == (Outcome.REFUSED, 0)


def test_an_exchanged_clock_ends_what_waits() -> None:
    router, earlier = waiting(), NOON - timedelta(days=30)
    made = router.asked(approve, now=earlier, epoch=2)
    assert made.data.outcome is Outcome.LAPSED
    another = waiting()
    assert another.looks(earlier, epoch=1) == []
    assert [e.data.outcome for e in another.looks(earlier, epoch=2)] == [Outcome.LAPSED]


def test_ended_rounds_are_forgotten_after_a_week() -> None:
    router = waiting()
    router.asked(decline)
    moment = a_moment(router.config)
    router.looks(NOON, wall=moment.wall + store.KEPT)
    with router.db.begin() as sql:
        assert len(sql.execute(select(rounds)).all()) == 1
        late = a_moment(router.config, wall=moment.wall + store.KEPT + MINUTE)
        assert not store.anything_to_do(sql, moment)
        assert store.anything_to_do(sql, late)
        lapse_due(sql, late)
        assert sql.execute(select(rounds)).all() == []


def test_rounds_survive_a_restart(tmp_path: Path) -> None:
    db = Database.open("decision-router", home=tmp_path, url=None)
    with db.begin() as sql:
        metadata.create_all(sql)
    Router(db=db).hears(raised(SIGNAL), raised(a_signal(symbol="MSFT")))
    db.close()
    db = Database.open("decision-router", home=tmp_path, url=None)
    router = Router(db=db)
    assert what(router.asked(approve)) == (Outcome.ACCEPTED, Reason.APPROVED, "admin", 2)
    assert [what(e)[0] for e in router.looks(SIGNAL.valid_until)] == [Outcome.LAPSED]
    db.close()


def test_at_most_one_round_of_a_signal_is_accepted() -> None:
    router = waiting()
    made: Sequence[VerdictReached] = router.hears(raised(SIGNAL))
    assert made == []
    router.asked(approve)
    assert router.looks(SIGNAL.valid_until) == []
    with pytest.raises(Conflict):
        router.asked(approve)
