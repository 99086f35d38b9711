"""What a signal would have earned."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.domain.scoring import LONGEST, WORDS, Why, claim_of, refusal, score
from signalbox.contracts.assessments import OutcomeScore
from signalbox.contracts.payloads import Bar
from signalbox.contracts.values import Action, Target
from signalbox.testing.examples import NOON, a_bar, a_signal

MINUTE = timedelta(minutes=1)


def bars(*prices: tuple[int, str, str], epoch: int = 1) -> list[Bar]:
    """Bars that open so many minutes after noon, at one price, and close at another."""
    return [
        a_bar(
            opened_at=NOON + minute * MINUTE,
            open=D(opened),
            close=D(close),
            high=max(D(opened), D(close)),
            low=min(D(opened), D(close)),
            epoch=epoch,
        )
        for minute, opened, close in prices
    ]


ROW = bars((-1, "90", "95"), (0, "100", "101"), (1, "101", "104"), (2, "104", "98"))
CLAIM = claim_of(a_signal(horizon_s=120, epoch=1))


def test_a_buy_earns_what_the_price_rose_from_the_next_open_to_the_horizon() -> None:
    result = score(CLAIM, ROW)
    assert isinstance(result, OutcomeScore)
    assert (result.entry_price, result.exit_price) == (D("100"), D("104"))
    assert result.forward_return == D("0.04")
    assert (result.horizon_s, result.at) == (120, NOON + 2 * MINUTE)


def test_a_sell_is_right_when_the_price_fell() -> None:
    result = score(replace(CLAIM, action=Action.SELL, due_at=NOON + 3 * MINUTE), ROW)
    assert isinstance(result, OutcomeScore)
    assert result.forward_return == D("0.02")


@pytest.mark.parametrize(
    ("raised_s", "due_s", "entry", "end"),
    [
        pytest.param(0, 60, "100", "101", id="one bar"),
        pytest.param(30, 150, "101", "104", id="in the middle of bars"),
        pytest.param(0, 3600, "100", "98", id="the market closes before"),
        pytest.param(-60, 60, "90", "101", id="from a bar before"),
    ],
)
def test_prices_are_those_of_whole_bars_inside_the_horizon(
    raised_s: int, due_s: int, entry: str, end: str
) -> None:
    begins, ends = (NOON + timedelta(seconds=s) for s in (raised_s, due_s))
    result = score(replace(CLAIM, raised_at=begins, due_at=ends), ROW)
    assert isinstance(result, OutcomeScore)
    assert (result.entry_price, result.exit_price) == (D(entry), D(end))


def test_what_comes_after_the_horizon_is_not_looked_at() -> None:
    later = bars((2, "1", "1"), (3, "9999", "9999"))
    assert score(CLAIM, ROW[:3] + later) == score(CLAIM, ROW[:3])


@pytest.mark.parametrize(
    ("known", "due_s", "why"),
    [
        pytest.param([], 120, Why.NO_PRICES, id="no bars"),
        pytest.param(ROW[2:], 120, Why.NO_PRICES, id="bars begin after the signal"),
        pytest.param(ROW[:1], 120, Why.NO_BAR, id="closed since the signal"),
        pytest.param(ROW, 59, Why.NO_BAR, id="shorter than a bar"),
        pytest.param(ROW[:2] + bars((1, "5", "6"), epoch=2), 120, Why.LOOP_ENDED, id="next loop"),
        pytest.param(bars((-1, "9", "9"), epoch=0), 120, Why.NO_PRICES, id="another feed"),
    ],
)
def test_what_cannot_be_scored_says_why(known: list[Bar], due_s: int, why: Why) -> None:
    assert score(replace(CLAIM, due_at=NOON + timedelta(seconds=due_s)), known) is why
    assert WORDS[why].endswith(".")


@pytest.mark.parametrize(
    ("over", "replay", "why"),
    [
        ({"action": Action.BUY}, True, None),
        ({"action": Action.SELL, "target": Target.REAL}, False, None),
        ({"action": Action.HOLD}, True, Why.HOLD),
        ({"action": Action.CLOSE}, True, Why.CLOSE),
        ({"target": Target.REAL}, True, Why.REPLAY_FEED),
        ({"valid_until": NOON}, True, Why.NO_HORIZON),
        ({"horizon_s": 1e300}, True, Why.TOO_FAR),
        ({"horizon_s": float("inf")}, True, Why.TOO_FAR),
        ({"horizon_s": LONGEST.total_seconds()}, True, None),
        (
            {"raised_at": NOON.replace(year=9999), "valid_until": NOON, "horizon_s": 1e9},
            True,
            Why.NO_HORIZON,
        ),
    ],
)
def test_some_signals_are_refused_when_they_are_raised(
    over: dict[str, object], replay: bool, why: Why | None
) -> None:
    assert refusal(a_signal(**over), replay=replay) is why


def test_without_a_horizon_a_signal_is_judged_when_it_ceases_to_be_acted_on() -> None:
    assert claim_of(a_signal(valid_until=NOON + 5 * MINUTE)).due_at == NOON + 5 * MINUTE
    assert claim_of(a_signal(horizon_s=90.5)).due_at == NOON + timedelta(seconds=90.5)


PRICES = st.decimals(min_value=D("0.0001"), max_value=D("100000"), places=4)


@given(st.lists(st.tuples(PRICES, PRICES), min_size=1, max_size=5), st.randoms())
def test_buy_and_sell_mirror_each_other_and_order_does_not_matter(
    prices: list[tuple[D, D]], dice: object
) -> None:
    known = bars((-1, "1", "1"), *((n, str(o), str(c)) for n, (o, c) in enumerate(prices)))
    claim = replace(CLAIM, due_at=NOON + len(prices) * MINUTE)
    bought = score(claim, known)
    sold = score(replace(claim, action=Action.SELL), known[::-1])
    assert isinstance(bought, OutcomeScore)
    assert isinstance(sold, OutcomeScore)
    assert bought.forward_return == -sold.forward_return
    assert (bought.forward_return > 0) is (
        (prices[-1][1] / prices[0][0] - 1).quantize(D("1e-8")) > 0
    )
