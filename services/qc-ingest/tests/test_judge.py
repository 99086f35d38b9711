"""Which words become signals: one row per outcome."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qc_ingest.domain.frame import Frame
from qc_ingest.domain.insights import Direction, Insight
from qc_ingest.domain.judge import Known, Status, judge, judge_all
from qc_ingest.domain.orders import OrderEvent
from qc_ingest.domain.pages import Bad, Found, Kind
from signalbox.contracts import ids
from signalbox.contracts.config import QuantConnectConfig
from signalbox.contracts.values import Action, Target
from signalbox.testing.examples import NOON

D = Decimal
MINUTE = timedelta(minutes=1)
WALL = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
ID = "5f0d6b3e9a1c4f27b8e2d4a6c9b01357"


def a_config(**over: Any) -> QuantConnectConfig:
    fields = {"id": "main", "name": "Main", "user_id": "1", "token_sealed": "x"}
    return QuantConnectConfig(**(fields | {"target": Target.SANDBOX} | over))


def a_frame(**over: Any) -> Frame:
    """A live market at noon."""
    fields: dict[str, Any] = {
        "config": a_config(),
        "project_id": 7,
        "deploy_id": "L-1",
        "now": NOON,
        "wall": WALL,
        "epoch": 3,
        "speed": 1.0,
        "replay": False,
    }
    return Frame(**(fields | over))


def an_insight(**over: Any) -> Insight:
    """SPY is going up for an hour, said a minute ago."""
    fields: dict[str, Any] = {
        "id": ID,
        "symbol_id": "SPY R735QTJ8XC9X",
        "ticker": "SPY",
        "is_volatility": False,
        "direction": Direction.UP,
        "generated_at": NOON - MINUTE,
        "closes_at": NOON + 59 * MINUTE,
        "confidence": D("0.62"),
        "magnitude": D("0.012"),
        "reference": D("508.89"),
        "source_model": "Ema",
    }
    return Insight(**(fields | over))


def a_fill(**over: Any) -> OrderEvent:
    """Forty SPY bought a minute ago."""
    fields: dict[str, Any] = {
        "id": "L-1-7-2",
        "symbol_id": "SPY R735QTJ8XC9X",
        "ticker": "SPY",
        "at": NOON - MINUTE,
        "status": "filled",
        "fill_quantity": D(40),
        "fill_price": D("508.9"),
        "is_assignment": False,
    }
    return OrderEvent(**(fields | over))


def found(item: Any) -> Found:
    return Found(item, {"raw": 1})


def first(item: Any, frame: Frame | None = None) -> tuple[str, str]:
    known = judge(found(item), None, frame or a_frame()).known
    assert known is not None
    return known.status.value, known.reason


FILLS = a_frame(config=a_config(signals_from="fills"))


@pytest.mark.parametrize(
    ("item", "frame", "status", "says"),
    [
        pytest.param(an_insight(), a_frame(), "raised", "", id="fresh"),
        pytest.param(an_insight(), a_frame(history=True), "seen", "was there before", id="history"),
        pytest.param(an_insight(closes_at=NOON), a_frame(), "seen", "was over", id="over"),
        pytest.param(
            an_insight(generated_at=NOON - 20 * MINUTE),
            a_frame(),
            "seen",
            "had passed",
            id="lapsed",
        ),
        pytest.param(
            an_insight(generated_at=NOON - 21 * MINUTE), a_frame(), "seen", "1200 s", id="old"
        ),
        pytest.param(
            an_insight(is_volatility=True), a_frame(), "ignored", "no side", id="volatile"
        ),
        pytest.param(an_insight(), FILLS, "ignored", "taken from fills", id="the other kind"),
        pytest.param(
            a_fill(), a_frame(), "ignored", "taken from insights", id="fills are not asked"
        ),
        pytest.param(a_fill(), FILLS, "raised", "", id="fill"),
        pytest.param(a_fill(is_assignment=True), FILLS, "ignored", "assignment", id="assigned"),
        pytest.param(a_fill(at=NOON - 21 * MINUTE), FILLS, "seen", "older than", id="old fill"),
        pytest.param(
            an_insight(symbol_id="EURUSD 8G"), a_frame(), "refused", "forex", id="not traded here"
        ),
        pytest.param(
            an_insight(generated_at=NOON + 6 * MINUTE), a_frame(), "held", "clock", id="ahead"
        ),
        pytest.param(Bad("bad-1", "no id"), a_frame(), "refused", "no id", id="unreadable"),
    ],
)
def test_judge_a_new_word(item: Any, frame: Frame, status: str, says: str) -> None:
    found_status, reason = first(item, frame)
    assert found_status == status
    assert says in reason


def test_a_signal_carries_what_the_insight_says() -> None:
    signal = judge(found(an_insight()), None, a_frame()).signal
    assert signal is not None
    assert signal.signal_id == ids.signal_id("quantconnect", "7", ID)
    assert (signal.source_id, signal.own_id, signal.symbol) == ("7", ID, "SPY")
    assert (signal.action, signal.confidence, signal.confidence_origin) == (
        "buy",
        D("0.62"),
        "source",
    )
    assert (signal.raised_at, signal.valid_until) == (NOON - MINUTE, NOON + 19 * MINUTE)
    assert (signal.price, signal.horizon_s, signal.epoch) == (D("508.89"), 3600, 3)
    assert signal.target is Target.SANDBOX
    assert signal.details == {
        "configId": "main",
        "deployId": "L-1",
        "symbolId": "SPY R735QTJ8XC9X",
        "time": (NOON - MINUTE).isoformat(),
        "insightId": ID,
        "closeTime": (NOON + 59 * MINUTE).isoformat(),
        "sourceModel": "Ema",
        "magnitude": "0.012",
    }


@pytest.mark.parametrize(
    ("direction", "action"),
    [(Direction.UP, Action.BUY), (Direction.DOWN, Action.SELL), (Direction.FLAT, Action.CLOSE)],
)
def test_directions(direction: Direction, action: Action) -> None:
    signal = judge(found(an_insight(direction=direction)), None, a_frame()).signal
    assert signal is not None
    assert signal.action is action


@pytest.mark.parametrize(
    ("given_", "confidence", "origin"),
    [
        (D("0.3"), D("0.3"), "source"),
        (D("1.5"), D(1), "source"),
        (D("-2"), D(0), "source"),
        (None, D("0.5"), "default"),
    ],
)
def test_confidence(given_: Decimal | None, confidence: Decimal, origin: str) -> None:
    signal = judge(found(an_insight(confidence=given_)), None, a_frame()).signal
    assert signal is not None
    assert (signal.confidence, signal.confidence_origin) == (confidence, origin)


@pytest.mark.parametrize(
    ("over", "frame", "until"),
    [
        pytest.param({}, {}, NOON + 19 * MINUTE, id="twenty minutes by pull"),
        pytest.param({}, {"pushed": True}, NOON + 4 * MINUTE, id="five by push"),
        pytest.param(
            {"closes_at": NOON + 2 * MINUTE}, {}, NOON + 2 * MINUTE, id="its own close time"
        ),
        pytest.param(
            {"closes_at": NOON + 2 * MINUTE},
            {"replay": True, "speed": 60.0},
            NOON + 120 * MINUTE,
            id="two wall minutes of a replay",
        ),
        pytest.param(
            {}, {"replay": True, "speed": 0.0}, NOON + 19 * MINUTE, id="a replay that stands still"
        ),
    ],
)
def test_expiry(over: dict[str, Any], frame: dict[str, Any], until: datetime) -> None:
    judged = judge(found(an_insight(**over)), None, a_frame(**frame))
    assert judged.signal is not None
    assert judged.known is not None
    assert judged.signal.valid_until == judged.known.valid_until == until


def test_a_replay_does_not_make_words_too_old_to_be_seen() -> None:
    old = an_insight(generated_at=NOON - 100 * MINUTE)
    assert first(old, a_frame(replay=True, speed=60.0))[0] == "raised"
    assert first(old, a_frame(replay=True, speed=1.0))[0] == "seen"


def test_real_deployments_speak_in_wall_time_during_a_replay() -> None:
    frame = a_frame(config=a_config(target=Target.REAL), replay=True, speed=60.0)
    said = an_insight(generated_at=WALL - MINUTE, closes_at=WALL + 59 * MINUTE)
    signal = judge(found(said), None, frame).signal
    assert signal is not None
    assert signal.target is Target.REAL
    assert (signal.raised_at, signal.valid_until) == (NOON - MINUTE, NOON + 120 * MINUTE)
    assert first(an_insight(), frame)[0] == "seen"  # noon of the replay was long ago


@pytest.mark.parametrize(("quantity", "action"), [(D(40), "buy"), (D(-3), "sell")])
def test_a_fill_is_what_they_did(quantity: Decimal, action: str) -> None:
    signal = judge(found(a_fill(fill_quantity=quantity)), None, FILLS).signal
    assert signal is not None
    assert (signal.action, signal.confidence, signal.confidence_origin) == (action, D(1), "default")
    assert (signal.price, signal.valid_until) == (D("508.9"), NOON + 19 * MINUTE)


def known_of(item: Any, frame: Frame | None = None) -> Known:
    known = judge(found(item), None, frame or a_frame()).known
    assert known is not None
    return known


def test_a_word_that_is_known_changes_nothing() -> None:
    for item in (an_insight(), a_fill(), Bad("bad-1", "x")):
        assert judge(found(item), known_of(item), a_frame()) == judge(
            found(item), known_of(item), FILLS
        )
        assert judge(found(item), known_of(item), a_frame()).known is None


@pytest.mark.parametrize(
    ("change", "later", "until", "says"),
    [
        pytest.param(
            {"closes_at": NOON + MINUTE}, 0, NOON + MINUTE, "ended it early", id="earlier"
        ),
        pytest.param(
            {"closes_at": NOON - MINUTE}, 0, NOON - MINUTE, "ended it early", id="at once"
        ),
        pytest.param(
            {"direction": Direction.DOWN}, 1, NOON + MINUTE, "turned it round", id="turned round"
        ),
        pytest.param({"closes_at": NOON + 30 * MINUTE}, 0, None, "", id="still beyond its life"),
        pytest.param({"closes_at": NOON + 90 * MINUTE}, 0, None, "", id="longer"),
        pytest.param({"closes_at": NOON + MINUTE}, 20, None, "", id="over anyway"),
    ],
)
def test_a_shortened_insight_is_withdrawn(
    change: dict[str, Any], later: int, until: datetime | None, says: str
) -> None:
    frame = a_frame(now=NOON + later * MINUTE)
    judged = judge(found(an_insight(**change)), known_of(an_insight()), frame)
    assert judged.signal is None
    assert judged.known is not None
    assert judged.known.digest == an_insight(**change).digest
    assert (judged.withdrawal.valid_until if judged.withdrawal else None) == until
    assert (judged.known.status is Status.WITHDRAWN) == (until is not None)
    assert says in judged.known.reason
    if judged.withdrawal:
        assert judged.withdrawal.signal_id == ids.signal_id("quantconnect", "7", ID)


def test_what_was_only_seen_is_never_withdrawn() -> None:
    seen = known_of(an_insight(), a_frame(history=True))
    judged = judge(found(an_insight(closes_at=NOON)), seen, a_frame())
    assert judged.withdrawal is None
    assert judged.signal is None


def test_a_refused_word_that_comes_again_in_good_shape_counts() -> None:
    refused = replace(known_of(an_insight(symbol_id="EURUSD 8G")), digest="other")
    assert judge(found(an_insight()), refused, a_frame()).signal is not None


def test_a_word_that_comes_twice_on_a_page_counts_once() -> None:
    page = [found(an_insight()), found(an_insight()), found(an_insight(closes_at=NOON + MINUTE))]
    outcome = judge_all(page, {}, a_frame())
    assert [type(said).__name__ for said in outcome.said] == ["Signal", "Withdrawal"]
    assert [word.status for word in outcome.words] == [Status.WITHDRAWN]


INSIGHTS = st.builds(
    an_insight,
    id=st.sampled_from([ID, ID[::-1]]),
    direction=st.sampled_from(Direction),
    generated_at=st.integers(-100, 100).map(lambda n: NOON + n * MINUTE),
    closes_at=st.integers(-100, 200).map(lambda n: NOON + n * MINUTE),
    confidence=st.none() | st.decimals(-9, 9, places=12),  # what `parse_number` keeps
    is_volatility=st.booleans(),
)
FRAMES = st.builds(
    a_frame,
    now=st.integers(0, 100).map(lambda n: NOON + n * MINUTE),
    speed=st.sampled_from([0.0, 1.0, 60.0]),
    replay=st.booleans(),
    history=st.booleans(),
)


@given(st.lists(st.tuples(INSIGHTS, FRAMES), max_size=12))
def test_each_word_is_raised_at_most_once_and_never_grows(
    steps: list[tuple[Insight, Frame]],
) -> None:
    known: dict[str, Known] = {}
    raised: dict[Any, datetime] = {}
    now = NOON
    for insight, frame in steps:
        now = max(now, frame.now)
        judged = judge(found(insight), known.get(insight.id), replace(frame, now=now))
        if judged.known:
            assert judged.known.kind is Kind.INSIGHTS
            known[insight.id] = judged.known
        if judged.signal:
            assert judged.signal.signal_id not in raised
            assert judged.signal.raised_at <= now < judged.signal.valid_until
            raised[judged.signal.signal_id] = judged.signal.valid_until
        if judged.withdrawal:
            assert judged.withdrawal.valid_until < raised[judged.withdrawal.signal_id]
            raised[judged.withdrawal.signal_id] = judged.withdrawal.valid_until
