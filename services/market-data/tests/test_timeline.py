"""One timeline: quotes before bars, nothing from the future, loops that only go forward."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest

from market_data.domain.rows import Row
from market_data.domain.timeline import Place, Series, Timeline, merge, spread
from signalbox.contracts.events import BarClosed, QuoteUpdated
from signalbox.contracts.payloads import Bar, Quote

THURSDAY_CLOSE = datetime(2026, 7, 30, 20, 0, tzinfo=UTC)
Fact = Quote | Bar


def facts(timeline: Timeline, epoch: int = 0) -> list[Fact]:
    return [f for n in range(len(timeline.steps)) for f in timeline.events(n, epoch)]


def at(fact: Fact) -> datetime:
    return fact.at if isinstance(fact, Quote) else fact.closed_at


def said(found: list[Fact]) -> list[str]:
    return [
        f"quote {f.symbol}" if isinstance(f, Quote) else f"bar {f.symbol} {f.interval}"
        for f in found
    ]


def test_events_give_the_next_open_before_the_closed_bar(timeline: Timeline) -> None:
    position = [s.at for s in timeline.steps].index(THURSDAY_CLOSE - timedelta(minutes=2))
    quote, bar = timeline.events(position, 0)
    assert isinstance(quote, Quote)
    assert isinstance(bar, Bar)
    assert quote.at == bar.closed_at
    assert (quote.bid, quote.ask) == spread(D(111))


def test_events_give_no_quote_when_a_session_ends(timeline: Timeline) -> None:
    position = [s.at for s in timeline.steps].index(THURSDAY_CLOSE)
    assert said(list(timeline.events(position, 0))) == ["bar AAPL 1m", "bar AAPL 1d", "bar MSFT 1d"]
    following = list(timeline.events(position + 1, 0))
    assert said(following) == ["quote MSFT"]  # Friday's open
    assert at(following[0]) == datetime(2026, 7, 31, 13, 30, tzinfo=UTC)


def test_events_are_in_order_of_time_and_look_at_no_later_row(timeline: Timeline) -> None:
    found = facts(timeline)
    assert [at(f) for f in found] == sorted(at(f) for f in found)
    for index, fact in enumerate(found):
        if isinstance(fact, Quote):
            early = [b for b in found[:index] if isinstance(b, Bar) and b.symbol == fact.symbol]
            assert all(b.opened_at < fact.at for b in early)


def test_every_bar_of_the_replay_is_published_once(timeline: Timeline) -> None:
    bars = [f for f in facts(timeline) if isinstance(f, Bar) and f.interval == "1m"]
    rows = timeline.series[0].rows[3:]  # the first session is history
    assert [b.closed_at for b in bars] == [r.closed_at for r in rows]


def test_quotes_of_a_symbol_come_from_its_finest_series(timeline: Timeline) -> None:
    quotes = [f for f in facts(timeline) if isinstance(f, Quote) and f.symbol == "AAPL"]
    assert len(quotes) == len(timeline.series[0].rows) - 3


def test_bars_say_whether_the_session_goes_on(timeline: Timeline) -> None:
    bars = [f for f in facts(timeline) if isinstance(f, Bar) and f.interval == "1m"]
    assert [b.session_open for b in bars[:3]] == [True, True, False]
    assert {b.session_closes_at for b in bars[:3]} == {THURSDAY_CLOSE}


def test_replay_ends_with_the_finest_series(
    series: tuple[Series, ...], timeline: Timeline, minute: Callable[..., Row]
) -> None:
    noon = datetime(2026, 8, 4, 16, 0, tzinfo=UTC)
    rows = (*series[0].rows, minute(noon, 140))
    longer = merge([Series("AAPL", "1m", "minutes 1", rows), *series[1:]])
    assert longer.ends_at == noon + timedelta(minutes=1)
    tuesday = [f for f in facts(longer) if at(f) > timeline.ends_at]
    assert said(tuesday) == ["quote MSFT", "quote AAPL", "bar AAPL 1m"]


@pytest.mark.parametrize(
    ("volumes", "expected"),
    [
        pytest.param([], None, id="no bar before"),
        pytest.param([700], 700, id="the bar before"),
        pytest.param([700, 0, 0], 700, id="empty minutes are passed over"),
        pytest.param([0], None, id="never any"),
    ],
)
def test_quote_carries_the_last_known_volume(
    volumes: list[int], expected: int | None, minute: Callable[..., Row]
) -> None:
    opens = datetime(2026, 7, 30, 13, 30, tzinfo=UTC)
    rows = [minute(opens + timedelta(minutes=n), 10, v) for n, v in enumerate([*volumes, 5])]
    timeline = merge([Series("AAPL", "1m", "x", tuple(rows))])
    assert timeline.quote(Place(0, len(volumes)), 0).volume == expected


@pytest.mark.parametrize(
    ("price", "bid", "ask"),
    [
        pytest.param("100", "99.9900", "100.0100", id="two basis points"),
        pytest.param("313.51", "313.4786", "313.5414", id="rounded"),
        pytest.param("0.0001", "0.0001", "0.0001", id="bid stays above zero"),
    ],
)
def test_spread(price: str, bid: str, ask: str) -> None:
    assert spread(D(price)) == (D(bid), D(ask))


def test_loops_go_forward_by_the_fewest_whole_weeks(timeline: Timeline) -> None:
    assert timeline.loop % timedelta(weeks=1) == timedelta()
    assert timeline.starts_at + timeline.loop > timeline.ends_at
    assert timeline.starts_at + timeline.loop - timedelta(weeks=1) <= timeline.ends_at
    first, second = facts(timeline, 0), facts(timeline, 1)
    assert at(second[0]) > at(first[-1])


def test_loops_make_new_events_of_the_same_rows(timeline: Timeline) -> None:
    bars = [[f for f in facts(timeline, e) if isinstance(f, Bar)] for e in (0, 1)]
    for one, two in zip(*bars, strict=True):
        assert two.opened_at - one.opened_at == timeline.loop
        assert two.session_closes_at == (one.session_closes_at or THURSDAY_CLOSE) + timeline.loop
        assert (one.true_opened_at, one.close) == (two.true_opened_at, two.close)
        assert BarClosed.key(one) != BarClosed.key(two)


def test_ids_are_unique_and_repeatable(timeline: Timeline) -> None:
    def ids() -> list[object]:
        found = [f for epoch in range(3) for f in facts(timeline, epoch)]
        return [QuoteUpdated.key(f) if isinstance(f, Quote) else BarClosed.key(f) for f in found]

    assert ids() == ids()
    assert len(set(ids())) == len(ids())


def test_merge_ends_after_the_given_steps(series: tuple[Series, ...]) -> None:
    short = merge(series, most=2)
    assert len(short.steps) == 2
    assert short.loop == timedelta(weeks=1)


def test_merge_starts_at_once_when_there_is_one_session(minute: Callable[..., Row]) -> None:
    opens = datetime(2026, 7, 30, 13, 30, tzinfo=UTC)
    assert merge([Series("AAPL", "1m", "x", (minute(opens, 10),))]).starts_at == opens


def test_merge_raises_when_there_are_no_rows() -> None:
    with pytest.raises(ValueError, match="no rows"):
        merge([Series("AAPL", "1m", "x", ())])
