"""What happens when a signal is raised, and what is remembered."""

from datetime import timedelta
from decimal import Decimal as D
from uuid import uuid4

import pytest

from lab.adapters import store
from lab.adapters.tables import metadata
from lab.domain.scoring import Claim, Why, claim_of
from lab.handlers import build_handlers
from signalbox.contracts.assessments import OutcomeScore
from signalbox.contracts.payloads import Signal
from signalbox.contracts.values import Action, Target
from signalbox.runtime.db import Database
from signalbox.testing.examples import NOON, a_moment, a_signal, raised
from signalbox.testing.runner import run

MOMENT = a_moment()


@pytest.fixture
def db() -> Database:
    return Database.in_memory(metadata)


def hear(db: Database, *signals: Signal) -> None:
    assert run(build_handlers(), db, metadata, [raised(s) for s in signals], MOMENT) == []


def test_a_signal_waits_for_its_horizon(db: Database) -> None:
    signal = a_signal(horizon_s=600, confidence=D("0.123456789012345678901234567890"))
    hear(db, signal)
    with db.begin() as sql:
        assert store.due(sql, NOON + timedelta(seconds=600), 9) == []
        later = NOON + timedelta(seconds=601)
        assert store.due(sql, later, 9) == [claim_of(signal)]


@pytest.mark.parametrize(
    ("over", "why"),
    [
        ({"action": Action.HOLD}, Why.HOLD),
        ({"action": Action.CLOSE}, Why.CLOSE),
        ({"target": Target.REAL}, Why.REPLAY_FEED),
    ],
)
def test_a_signal_that_has_no_score_says_why(
    db: Database, over: dict[str, object], why: Why
) -> None:
    signal = a_signal(**over)
    hear(db, signal)
    with db.begin() as sql:
        assert store.due(sql, NOON + timedelta(days=1), 9) == []
        row = store.one(sql, signal.signal_id)
    assert row is not None
    assert (row.state, row.why) == ("unscored", why.value)


def test_a_signal_that_comes_again_changes_nothing(db: Database) -> None:
    signal = a_signal(horizon_s=60)
    hear(db, signal)
    claim = claim_of(signal)
    with db.begin() as sql:
        store.end(sql, [(claim, Why.NO_BAR)], MOMENT)
    again = a_moment(version=2)  # published anew under another event id
    run(build_handlers(), db, metadata, [raised(signal, again)], again)
    with db.begin() as sql:
        assert store.counts(sql) == {("unscored", "no_bar"): 1}


def an_outcome(signal: Signal) -> OutcomeScore:
    return OutcomeScore(
        signal_id=signal.signal_id,
        source_type=signal.source_type,
        source_id=signal.source_id,
        symbol=signal.symbol,
        action=signal.action,
        confidence=signal.confidence,
        horizon_s=60,
        entry_price=D(1),
        exit_price=D(2),
        forward_return=D("0.5"),
        at=NOON,
    )


def test_a_claim_is_ended_once(db: Database) -> None:
    first, second = a_signal(own_id="1", horizon_s=60), a_signal(own_id="2", horizon_s=30)
    hear(db, first, second)
    ended: list[tuple[Claim, OutcomeScore | Why]] = [
        (claim_of(first), an_outcome(first)),
        (claim_of(second), Why.NO_PRICES),
    ]
    with db.begin() as sql:
        assert [c.signal_id for c in store.due(sql, NOON + timedelta(hours=1), 9)] == [
            second.signal_id,  # the one whose horizon passed first
            first.signal_id,
        ]
        assert store.end(sql, ended, MOMENT) == [an_outcome(first)]
        assert store.end(sql, ended, MOMENT) == []
        assert store.due(sql, NOON + timedelta(hours=1), 9) == []
        assert store.one(sql, first.signal_id) == store.Row(
            "scored", "", NOON + timedelta(minutes=1), "0.5"
        )
        assert store.one(sql, uuid4()) is None


def test_what_ended_long_ago_is_forgotten_and_what_waits_is_not(db: Database) -> None:
    ended, waits = a_signal(own_id="1", horizon_s=60), a_signal(own_id="2", horizon_s=60)
    hear(db, ended, waits)
    later = a_moment(wall=MOMENT.wall + store.KEPT + timedelta(seconds=1))
    with db.begin() as sql:
        store.end(sql, [(claim_of(ended), Why.NO_BAR)], MOMENT)
        store.forget(sql, MOMENT)
        assert store.counts(sql) == {("waiting", ""): 1, ("unscored", "no_bar"): 1}
        store.forget(sql, later)
        assert store.counts(sql) == {("waiting", ""): 1}
