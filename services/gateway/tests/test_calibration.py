"""Hit rate, Brier score and reliability."""

import random
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.calibration import ENOUGH, MOST_BINS, Scores, calibrate, wilson
from signalbox.contracts.values import Action


def scores(confidence: str, right: int, wrong: int, action: Action = Action.BUY) -> list[Scores]:
    returns = [D(gain) for gain in ["0.01"] * right + ["-0.01"] * wrong]
    return [Scores.of(action, D(confidence), returns)]


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [  # 81 of 263 is the example of R. G. Newcombe, Statistics in Medicine 17 (1998)
        (0, 10, "0", "0.2775"),
        (10, 10, "0.7225", "1.0000"),
        (81, 263, "0.2553", "0.3662"),
        (429, 780, "0.5149", "0.5846"),
    ],
)
def test_the_interval_is_wilsons(hits: int, count: int, low: str, high: str) -> None:
    share = wilson(hits, count)
    assert share.low == pytest.approx(D(low), abs=D("0.0001"))
    assert share.high == pytest.approx(D(high), abs=D("0.0001"))


def test_of_nothing_nothing_is_said() -> None:
    empty = calibrate([])
    assert (empty.share.count, empty.share.hit_rate, empty.base_rate) == (0, None, None)
    assert (empty.missing, empty.bins, empty.brier) == (ENOUGH, (), None)


def test_below_enough_there_are_counts_and_no_judgement_of_confidence() -> None:
    few = calibrate(scores("0.9", 60, 139))
    assert (few.share.count, few.share.hits, few.share.hit_rate) == (199, 60, D("0.3015"))
    assert (few.missing, few.brier, few.brier_skill, few.expected_error) == (1, None, None, None)
    assert few.bins == ()


def test_honest_confidences_have_skill_and_no_error() -> None:
    honest = calibrate(scores("0.6", 60, 40) + scores("0.9", 90, 10))
    assert honest.brier == D("0.1650")  # half of 0.24 and half of 0.09
    assert honest.brier_skill == D("0.1200")  # against 0.75 times 0.25
    assert honest.expected_error == 0
    assert [(b.mean_confidence, b.share.hit_rate) for b in honest.bins] == [
        (D("0.6000"), D("0.6000")),
        (D("0.9000"), D("0.9000")),
    ]
    assert honest.mean_return == D("0.0050")


def test_boasting_is_shown() -> None:
    boasting = calibrate(scores("1", 100, 100))
    assert (boasting.brier, boasting.brier_skill) == (D("0.5"), D("-1"))
    assert boasting.expected_error == D("0.5")


def test_skill_is_not_defined_when_all_were_right() -> None:
    assert calibrate(scores("0.8", 200, 0)).brier_skill is None


def test_the_base_rate_is_that_of_the_commoner_direction() -> None:
    mixed = scores("0.6", 50, 10) + scores("0.6", 5, 30, Action.SELL)  # 80 rises, 15 falls
    still = [Scores.of(Action.BUY, D("0.6"), [D(0)] * 5)]  # proves nobody right
    result = calibrate(mixed + still)
    assert result.base_rate == D("0.8")
    assert result.share.hit_rate == D("0.55")


CONFIDENCES = st.decimals(0, 1, places=2)
SCORES = st.lists(
    st.builds(
        lambda action, confidence, gain: Scores.of(action, confidence, [gain]),
        st.sampled_from([Action.BUY, Action.SELL]),
        CONFIDENCES,
        st.decimals(-1, 1, places=4),
    ),
    min_size=ENOUGH,
    max_size=260,
)


@given(SCORES, st.randoms())
def test_bins_hold_each_signal_once_and_order_changes_nothing(
    some: list[Scores], dice: random.Random
) -> None:
    result = calibrate(some)
    shuffled = list(some)
    dice.shuffle(shuffled)
    assert calibrate(shuffled) == result
    assert sum(b.share.count for b in result.bins) == len(some)
    assert sum(b.share.hits for b in result.bins) == result.share.hits
    assert len(result.bins) <= MOST_BINS
    edges = [edge for b in result.bins for edge in (b.least, b.most)]
    assert edges == sorted(edges)
    assert all(a.most < b.least for a, b in zip(result.bins, result.bins[1:], strict=False))


@given(st.integers(0, 500), st.integers(1, 500))
def test_the_rate_lies_in_its_interval(hits: int, count: int) -> None:
    share = wilson(min(hits, count), count)
    assert share.low is not None
    assert share.hit_rate is not None
    assert share.high is not None
    assert 0 <= share.low <= share.hit_rate <= share.high <= 1
