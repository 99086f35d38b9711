"""An engine's place in the series, and the signal that an opinion becomes."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal as D

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signalbox.contracts.config import StrategyInstance
from signalbox.contracts.payloads import Bar
from signalbox.contracts.values import Action, SourceType, Target
from signalbox.testing.examples import NOON, a_bar
from strategy_runner.domain.engine import Engine, follows
from strategy_runner.domain.signals import expiry, signal_of
from strategy_runner.domain.strategy import Opinion

Bars = Callable[..., list[Bar]]
CROSS = StrategyInstance(
    id="cross",
    strategy="sma_cross",
    symbols=("AAPL",),
    parameters={"fast": D(1), "slow": D(2)},
)
BUY = Opinion(Action.BUY, D("0.7"), "It rose.", {"fast_sma": "2"})
CLOSE = NOON + timedelta(hours=4)  # of the session
NEXT_OPEN = CLOSE + timedelta(hours=17, minutes=30)


def test_hear_says_nothing_before_the_warm_up(bars: Bars) -> None:
    engine = Engine(CROSS)
    said = [engine.hear(bar) for bar in bars([1, 2, 1, 2])]
    assert said[:3] == [None, None, None]  # the third bar crosses
    assert said[3] is not None
    assert engine.warm


@given(st.lists(st.integers(1, 9), min_size=1, max_size=60), st.integers(0, 60))
@settings(deadline=None)
def test_history_and_hearing_come_to_the_same(bars: Bars, closes: list[int], cut: int) -> None:
    row = bars(closes)
    heard, warmed = Engine(CROSS), Engine(CROSS, row[:cut])
    said = [heard.hear(bar) for bar in row]
    assert [warmed.hear(bar) for bar in row] == said  # those of the history come from memory


def test_hear_repeats_itself_when_a_bar_comes_again(bars: Bars) -> None:
    engine, row = Engine(CROSS), bars([1, 2, 1, 2, 1])
    said = [engine.hear(bar) for bar in row]
    assert [engine.hear(bar) for bar in reversed(row)] == said[::-1]
    assert engine.bars == len(row)


def test_hear_skips_a_bar_older_than_everything(bars: Bars) -> None:
    engine = Engine(CROSS, bars([1, 2, 1, 2]))
    assert engine.hear(a_bar(opened_at=NOON - timedelta(days=1))) is None
    assert engine.bars == 4


def test_memory_of_opinions_is_bounded(bars: Bars) -> None:
    engine = Engine(CROSS)
    row = bars([1 + n % 2 for n in range(700)])
    assert all([engine.hear(bar) for bar in row][3:])
    assert engine.hear(row[10]) is None
    assert engine.hear(row[-1]) is not None


@pytest.mark.parametrize(
    ("last", "bar", "expected"),
    [
        pytest.param({}, {"opened_at": NOON}, True, id="the next minute"),
        pytest.param({}, {"opened_at": NOON + timedelta(minutes=1)}, False, id="one is missing"),
        pytest.param({}, {"opened_at": NOON, "epoch": 2}, False, id="another loop"),
        pytest.param({}, {"opened_at": NOON, "origin": "split"}, False, id="another scale"),
        pytest.param({}, {"opened_at": NEXT_OPEN}, False, id="the rest of the session is missing"),
        pytest.param(
            {"opened_at": CLOSE - timedelta(minutes=1), "session_open": False},
            {"opened_at": NEXT_OPEN},
            True,
            id="the next session",
        ),
        pytest.param(
            {"opened_at": CLOSE - timedelta(minutes=1), "session_open": False},
            {"opened_at": NEXT_OPEN + timedelta(days=3)},
            True,
            id="after a long weekend",
        ),
        pytest.param(
            {"opened_at": CLOSE - timedelta(minutes=1), "session_open": False},
            {"opened_at": NEXT_OPEN + timedelta(days=7)},
            False,
            id="after more than that",
        ),
    ],
)
def test_follows(last: dict[str, object], bar: dict[str, object], expected: bool) -> None:
    assert follows(a_bar(**last), a_bar(**bar)) is expected


def test_takes_only_what_follows_so_that_no_bar_is_passed_over(bars: Bars) -> None:
    engine = Engine(CROSS, bars([1, 2, 1]))
    assert engine.takes(a_bar(opened_at=NOON))
    assert engine.takes(a_bar(opened_at=NOON + timedelta(minutes=3)))
    assert not engine.takes(a_bar(opened_at=NOON + timedelta(minutes=4)))


def test_takes_any_bar_when_there_is_no_history() -> None:
    assert Engine(CROSS).takes(a_bar())


def test_takes_no_other_loop_without_new_history(bars: Bars) -> None:
    engine = Engine(CROSS, bars([1, 2, 1]))
    assert not engine.takes(a_bar(opened_at=NOON + timedelta(days=7), epoch=2))


@pytest.mark.parametrize(
    ("interval", "replay", "speed", "life"),
    [
        pytest.param("1m", False, 1, timedelta(minutes=1), id="live: one bar"),
        pytest.param("1m", True, 60, timedelta(hours=2), id="two minutes of wall time"),
        pytest.param("1d", True, 60, timedelta(days=1), id="a day is longer"),
        pytest.param("1m", True, 0, timedelta(minutes=1), id="paused"),
    ],
)
def test_expiry(interval: str, replay: bool, speed: float, life: timedelta) -> None:
    bar = a_bar(interval=interval)
    assert expiry(bar, replay=replay, speed=speed) == bar.closed_at + life


def test_signal_of_carries_the_opinion() -> None:
    bar = a_bar(epoch=3)
    signal = signal_of(CROSS, bar, BUY, replay=True, speed=60)
    assert (signal.source_type, signal.source_id) == (SourceType.STRATEGY, "cross")
    assert signal.own_id == f"3|AAPL|1m|{bar.opened_at.isoformat()}"
    assert (signal.raised_at, signal.price, signal.epoch) == (bar.closed_at, bar.close, 3)
    assert (signal.action, signal.confidence, signal.reasoning) == (
        Action.BUY,
        D("0.7"),
        "It rose.",
    )
    assert signal.details == {
        "strategy": "sma_cross",
        "fast": "1",
        "slow": "2",
        "fast_sma": "2",
    }


@pytest.mark.parametrize(
    ("replay", "target"), [(True, Target.SANDBOX), (False, Target.REAL)], ids=["replay", "live"]
)
def test_signal_of_is_real_only_when_the_feed_is(replay: bool, target: Target) -> None:
    assert signal_of(CROSS, a_bar(), BUY, replay=replay, speed=1).target is target


def test_signal_of_has_one_id_per_instance_bar_and_loop() -> None:
    def signal_id(epoch: int, opened: datetime, instance: str) -> object:
        bar = a_bar(epoch=epoch, opened_at=opened)
        of = CROSS.model_copy(update={"id": instance})
        return signal_of(of, bar, BUY, replay=True, speed=1).signal_id

    cases = [(1, NOON, "a"), (2, NOON, "a"), (1, NOON + timedelta(minutes=1), "a"), (1, NOON, "b")]
    assert len({signal_id(*case) for case in cases}) == len(cases)
    assert signal_id(*cases[0]) == signal_id(*cases[0])
