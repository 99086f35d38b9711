"""Profit by source, bot and symbol against a small reference of its own; ratios against figures of
another library.
"""

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal as D
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.book_views import PerformanceView
from gateway.domain.comparison import compare
from gateway.domain.curve import Stretch, drawdowns, joined, mark, thinned
from gateway.domain.performance import PARTS, Grouping, Owner, Tally, group, tally
from gateway.domain.reports import Days, Earned, Ledger, Open, Took, report
from gateway.domain.stages import Times
from gateway.domain.statistics import (
    annual_return,
    days_a_year,
    mean_error,
    rate_interval,
    ratios,
    sharpe,
    sortino,
    trades_on,
)
from signalbox.contracts import payloads as p
from signalbox.contracts.events import OrderChanged
from signalbox.contracts.values import OrderState, Side, SourceType
from signalbox.testing.examples import NOON, a_moment, an_order

MONDAY = NOON.replace(hour=0)
SOURCES = [(SourceType.QUANTCONNECT, "4711"), (SourceType.LLM, "gpt"), (SourceType.STRATEGY, "sma")]
GROUPINGS: tuple[Grouping, ...] = ("source", "bot", "symbol")


def a_dice(seed: int) -> Random:
    """Chance that is the same every time."""
    return Random(seed)  # noqa: S311 - for examples


def a_fill(dice: Random, number: int) -> p.Order:
    """A fill of some source that opens or closes lots of one to three sources."""
    side = dice.choice([Side.BUY, Side.SELL])
    price = D(dice.randint(1_000, 50_000)) / 100
    slices = []
    for part in range(dice.randint(1, 3)):
        owner_type, owner_id = dice.choice(SOURCES)
        quantity = D(dice.randint(1, 5_000)) / 100
        entry = D(dice.randint(1_000, 50_000)) / 100
        fee = D(dice.randint(0, 300)) / 1000
        effect = dice.choice(["opened", "closed"])
        gain = (price - entry) * quantity * (1 if side is Side.SELL else -1)
        pnl = gain - fee if effect == "closed" else -fee
        slices.append(
            p.LotSlice(
                lot_id=UUID(int=number * 10 + part),
                source_type=owner_type,
                source_id=owner_id,
                effect=effect,  # type: ignore[arg-type]  # one of the two
                quantity=quantity,
                entry_price=entry if effect == "closed" else price,
                realised_pnl=pnl,
            )
        )
    asked_type, asked_id = dice.choice(SOURCES)
    quantity = sum((part.quantity for part in slices), D(0))
    slippage = dice.choice([None, D(dice.randint(-200, 400)) / 10])
    return an_order(
        order_id=f"{number:032x}",
        bot=dice.choice(["alpha", "beta"]),
        symbol=dice.choice(["AAPL", "MSFT", "BRK.B"]),
        side=side,
        state=OrderState.FILLED,
        quantity=quantity,
        filled=quantity,
        source_type=asked_type,
        source_id=asked_id,
        fill=p.Fill(
            fill_id=str(number),
            quantity=quantity,
            price=price,
            fee=D(0),
            slippage_bps=slippage,
            slices=tuple(slices),
        ),
    )


def by_hand(orders: list[p.Order], by: Grouping) -> dict[tuple[str, ...], dict[str, D]]:
    """Profit, turnover and counts straight from the slices."""
    sums: dict[tuple[str, ...], dict[str, D]] = defaultdict(lambda: defaultdict(D))
    for order in orders:
        assert order.fill is not None
        for part in order.fill.slices:
            source = (part.source_type.value, part.source_id)
            key = {"source": source, "bot": (order.bot,), "symbol": (order.symbol,)}[by]
            sums[key]["realised_pnl"] += part.realised_pnl
            sums[key]["traded"] += order.fill.price * part.quantity
            if part.effect == "closed":
                sums[key]["trades"] += 1
                sums[key]["wins"] += part.realised_pnl > 0
                sums[key]["losses"] += part.realised_pnl < 0
    return sums


@pytest.mark.parametrize("seed", range(3))
def test_500_random_fills_are_attributed_to_the_cent(seed: int) -> None:
    dice = a_dice(seed)
    orders = [a_fill(dice, number) for number in range(500)]
    earned = [item for order in orders for item in tally(order).items()]
    totals = []
    for by in GROUPINGS:
        wanted, found = by_hand(orders, by), group(earned, by)
        assert {key: {n: D(getattr(t, n)) for n in wanted[key]} for key, t in found.items()} == (
            wanted
        )
        totals.append(sum(found.values(), Tally()))
    assert totals[0] == totals[1] == totals[2], "every grouping adds up to the same whole"
    assert totals[0].fills == len(orders)
    slipped = [(o.fill.slippage_bps, o.fill.price * o.fill.quantity) for o in orders if o.fill]
    known = [(bps, notional) for bps, notional in slipped if bps is not None]
    mean = sum((b * n for b, n in known), D(0)) / sum((n for _, n in known), D(0))
    assert totals[0].slippage_bps == mean.quantize(D("0.0001"))


def whole(views: tuple[PerformanceView, ...]) -> tuple[D, ...]:
    """What the parts add up to."""
    names = ("realised_pnl", "fees", "traded", "exposure_net", "fills", "trades", "wins")
    return tuple(sum((D(getattr(view, name)) for view in views), D(0)) for name in names)


async def test_500_random_fills_are_answered_to_the_cent(gateway: Any) -> None:
    dice = a_dice(7)
    orders = [a_fill(dice, number) for number in range(500)]
    gateway.feed(*(a_moment().event(OrderChanged, order) for order in orders))
    async with gateway() as web:
        for by in GROUPINGS:
            found = (await web.get(f"/api/performance?by={by}")).json()["items"]
            wanted = by_hand(orders, by)
            answered = {tuple(one[name] for name in PARTS[by]): one for one in found}
            for key, sums in wanted.items():
                assert {name: D(answered[key][name]) for name in sums} == sums
            assert len(found) == len(wanted)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 40))
def test_sources_bots_and_symbols_add_up_to_the_same(seed: int, count: int) -> None:
    dice = a_dice(seed)
    orders = [a_fill(dice, number) for number in range(count)]
    earned = [
        Earned(owner, part, ((MONDAY, part.realised_pnl),))
        for order in orders
        for owner, part in tally(order).items()
    ]
    open_ = [Open(one.owner, D(dice.randint(-999, 999))) for one in earned]
    ledger = Ledger(earned=earned, days={}, open=open_)
    sums = {by: whole(report(ledger, by)) for by in GROUPINGS}
    assert sums["source"] == sums["bot"] == sums["symbol"]


def test_a_lot_that_another_source_closes_still_earns_for_its_owner() -> None:
    order = a_fill(a_dice(1), 1)
    assert order.fill is not None
    owners = {(part.source_type.value, part.source_id) for part in order.fill.slices}
    asked = (order.source_type.value, order.source_id)
    for key, found in group(tally(order).items(), "source").items():
        assert found.fills == (key == asked)
        assert (key in owners) is bool(found.traded)


def a_walk(days: int) -> list[float]:
    """Daily returns that look random and are the same everywhere."""
    number, returns = 12345, []
    for _ in range(days):
        number = (1103515245 * number + 12345) % 2**31
        returns.append((number / 2**31 - 0.485) * 0.04)
    return returns


@pytest.mark.parametrize(
    ("returns", "span", "known"),
    [
        pytest.param(a_walk(29), 400, "", id="too few days"),
        pytest.param(a_walk(30), 89, "sharpe sortino volatility", id="no year to speak of"),
        pytest.param([0.001] * 40, 100, "volatility annual_return calmar", id="every day the same"),
        pytest.param([-1.0, *a_walk(40)], 100, "sharpe sortino volatility", id="all lost"),
        pytest.param([0.5] * 400, 400, "volatility", id="beyond any number"),
    ],
)
def test_what_is_not_defined_is_not_shown(returns: list[float], span: int, known: str) -> None:
    found = ratios(returns, year=252, span=timedelta(days=span), max_drawdown=0.1)
    names = ("sharpe", "sortino", "volatility", "annual_return", "calmar")
    assert [name for name in names if getattr(found, name) is not None] == known.split()


@given(st.lists(st.floats(-0.99, 5), min_size=30, max_size=90))
def test_no_ratio_is_ever_nan(returns: list[float]) -> None:
    found = ratios(returns, year=365, span=timedelta(days=100), max_drawdown=0.0)
    every = (found.sharpe, found.sortino, found.volatility, found.annual_return, found.calmar)
    assert all(one is None or abs(one) < float("inf") for one in every)


def test_the_year_is_as_long_as_its_symbols_trade() -> None:
    assert days_a_year(["AAPL", "BRK.B"]) == 252
    assert days_a_year(["AAPL", "BTC/USD"]) == 365
    assert [trades_on(day, 252) for day in (4, 5, 6)] == [True, False, False]
    assert trades_on(6, 365)
    returns = a_walk(60)
    assert sharpe(returns, 365) == pytest.approx((sharpe(returns, 252) or 0) * (365 / 252) ** 0.5)
    assert (sortino([0.01, 0.02], 252), annual_return([-1.0], 252)) == (None, None)


def test_intervals() -> None:
    low, high = rate_interval(60, 100) or (0, 0)
    assert (round(low, 4), round(high, 4)) == (0.5020, 0.6906)  # Wilson's, from the literature
    assert rate_interval(0, 0) is None
    numbers = [D(n) for n in range(30)]
    total, squares = sum(numbers, D(0)), sum((n * n for n in numbers), D(0))
    assert mean_error(total, squares, 30) == pytest.approx(1.959964 * 8.803408 / 30**0.5, rel=1e-6)
    assert mean_error(total, squares, 29) is None


MARKS = st.lists(st.integers(-50, 1_000), min_size=1, max_size=60)


def stretches(worth: list[int]) -> list[Stretch]:
    return [mark(D(w), D(0), NOON + timedelta(minutes=n)) for n, w in enumerate(worth)]


@given(MARKS, st.data())
def test_days_joined_are_the_curve_itself(worth: list[int], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(worth)))
    marks = stretches(worth)
    whole = joined(marks)
    parts = [one for one in (joined(marks[:cut]), joined(marks[cut:])) if one is not None]
    assert whole is not None
    assert joined(parts) == whole
    ends = [D(one) for one in (worth[0], worth[-1], max(worth), min(worth))]
    assert [whole.first, whole.last, whole.high, whole.low] == ends
    assert float(whole.fall.depth) == pytest.approx(max(drawdowns(map(float, worth))))


@given(st.lists(st.floats(1, 1e6), min_size=1, max_size=400), st.integers(10, 100))
def test_thinning_keeps_every_extreme(values: list[float], most: int) -> None:
    kept = thinned(values, most)
    fallen = drawdowns(values)
    shown = [values[index] for index in kept]
    assert len(kept) <= most
    assert kept == sorted(set(kept))
    assert (kept[0], kept[-1]) == (0, len(values) - 1)
    assert (max(shown), min(shown)) == (max(values), min(values))
    assert max(fallen[index] for index in kept) == max(fallen)


def test_thinning_keeps_the_deepest_fall_where_the_curve_is_not_lowest() -> None:
    values = [1.0, 100.0, 20.0, *[90.0] * 37]
    assert 2 in thinned(values, 10)


def a_book(worth: list[int], *, first: datetime = MONDAY) -> Days:
    """One mark on each of so many days in a row, after one at the beginning."""
    days = [mark(D(w), D(w) / 2, first + timedelta(days=n)) for n, w in enumerate(worth[1:])]
    days[0] = mark(D(worth[0]), D(worth[0]) / 2, first).then(days[0])
    return [(first + timedelta(days=n), one) for n, one in enumerate(days)]


def earned(day: int, pnl: str, *, symbol: str = "AAPL", kind: str = "llm") -> Earned:
    won, lost = max(D(pnl), D(0)), max(-D(pnl), D(0))
    part = Tally(
        realised_pnl=D(pnl),
        gross_profit=won,
        gross_loss=lost,
        trades=1,
        wins=int(won > 0),
        losses=int(lost > 0),
        squares=D(pnl) ** 2,
        traded=D(500),
    )
    gains = ((MONDAY + timedelta(days=day), D(pnl)),)
    return Earned(Owner("alpha", symbol, kind, "x"), part, gains)


def test_a_bots_ratios_are_of_its_equity_on_market_days() -> None:
    ledger = Ledger([earned(0, "1")], {"alpha": a_book([1000, 1100, 880, *[900] * 40])})
    (view,) = report(ledger, "bot")
    assert (view.basis, view.days_a_year, view.days) == ("equity", 252, 30)  # weekends are none
    assert (view.max_drawdown, view.mean_exposure) == (D("0.2"), D("0.5"))
    assert (view.max_drawdown_from, view.max_drawdown_to) == (MONDAY, MONDAY + timedelta(days=1))
    returns = [0.1, -0.2, 900 / 880 - 1, *[0.0] * 27]
    assert view.sharpe is not None
    assert float(view.sharpe) == pytest.approx(sharpe(returns, 252), abs=1e-4)
    assert view.missing["annual_return"].startswith("too few to say: 39 of the 90 days")
    around_the_clock = Ledger([earned(0, "1", symbol="BTC/USD")], ledger.days)
    assert [(v.days, v.days_a_year) for v in report(around_the_clock, "bot")] == [(42, 365)]


def test_a_sources_ratios_are_of_its_profit_on_the_books_it_trades_for() -> None:
    some = [earned(0, "100"), earned(1, "-220"), earned(5, "20"), earned(7, "0")]
    ledger = Ledger([*some, earned(0, "5", kind="strategy")], {"alpha": a_book([1000] * 10)})
    view, other = report(ledger, "source")
    assert (view.basis, view.realised_pnl, view.days) == ("realised", D(-100), 7)
    assert (view.max_drawdown, other.max_drawdown) == (D("0.2"), D(0))
    assert view.max_drawdown_to == MONDAY + timedelta(days=1)
    assert (view.average_win, view.average_loss, view.expectancy) == (D(60), D(220), D(-25))
    assert view.turnover == (
        D(2000) / (sum([1000, 1100, 880, 880, 880, 880, 900, 900]) / D(8))
    ).quantize(D("0.0001"))
    assert view.missing["sharpe"] == "too few to say: 7 of the 30 market days needed"
    (nowhere,) = report(Ledger(some, {}), "source")
    assert (nowhere.max_drawdown, nowhere.days) == (None, 0)
    assert "equity" in nowhere.missing["max_drawdown"]


def test_a_stage_is_timed_where_both_its_ends_are_known() -> None:
    second = timedelta(seconds=1)
    times = Times(signal=NOON, verdict=NOON + second, filled=NOON + 3 * second)
    assert list(times.seconds()) == [("signal_to_verdict", 1), ("signal_to_fill", 3)]
    behind = Times(accepted=NOON, filled=NOON - second)  # another machine's clock
    assert list(behind.seconds()) == [("accept_to_fill", 0)]


def test_stages_are_told_by_median_and_95th_percentile() -> None:
    one = earned(0, "1")
    took = [Took(one.owner, "signal_to_fill", float(n)) for n in range(1, 101)]
    (view,) = report(Ledger([one], {}, took=took), "bot")
    (stage,) = view.stages
    assert (stage.orders, stage.p50_s, stage.p95_s) == (100, 50.0, 95.0)


def of(kind: str, pnls: list[str]) -> list[Earned]:
    return [earned(0, pnl, kind=kind) for pnl in pnls]


EVEN = ["1", "2"] * 20


@pytest.mark.parametrize(
    ("llm", "cost", "best", "words"),
    [
        pytest.param(["1"] * 3, "0", None, "Too few to say which is best", id="few"),
        pytest.param(["9", "10"] * 20, "0", "llm", "AI earns most", id="clear"),
        pytest.param(["9", "10"] * 20, "9999", "strategy", "classic earns most", id="dear"),
        pytest.param(["1", "2.1"] * 20, "0", None, "may be chance", id="close"),
    ],
)
def test_comparison(llm: list[str], cost: str, best: Any, words: str) -> None:
    some = [*of("llm", llm), *of("strategy", EVEN), *of("quantconnect", ["-5", "-4"] * 20)]
    found = compare(Ledger(some, {"alpha": a_book([1000] * 5)}), llm_cost=D(cost))
    ai, classic, qc = found.items
    assert (found.best, words in found.statement) == (best, True), found.statement
    assert (ai.llm_cost, classic.llm_cost) == (D(cost), D(0))
    assert ai.pnl_after_cost == ai.realised_pnl - D(cost)
    assert (qc.trades, qc.hit_rate, qc.enough) == (40, D(0), True)
    assert qc.max_drawdown == D("0.18")


def test_comparison_of_nothing_says_so() -> None:
    found = compare(Ledger((), {}), llm_cost=D("0.5"))
    assert [item.name for item in found.items] == ["AI", "classic", "QuantConnect"]
    assert found.items[0].pnl_after_cost == D("-0.5")
    assert found.items[1].missing["max_drawdown"] == "it has not traded"
    assert found.best is None
