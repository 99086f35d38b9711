"""What the market says at the moment of a question: all of it, fetched once."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from llm_decider.domain.indicators import MOST_BARS
from signalbox.contracts.events import Event, NewsPublished
from signalbox.contracts.payloads import News
from signalbox.testing.examples import a_signal, a_withdrawal, raised, withdrawn

Station = Any
D = Decimal
MINUTE = timedelta(minutes=1)


async def test_bars_that_are_known_are_not_fetched_again(station: Station) -> None:
    reader = station.process().reader
    for passed, count in ((0, MOST_BARS), (0, 2), (1, 3), (5, 7), (500, MOST_BARS)):
        station.host.now += passed * MINUTE
        station.host.asked.clear()
        (market,) = await reader.markets(station.config(), ["AAPL"])
        assert station.host.asked == [("AAPL", count)]
        assert market.bars[-1].closed_at == station.host.now
        opened = [bar.opened_at for bar in market.bars]
        assert opened == [opened[0] + n * MINUTE for n in range(len(opened))]
        assert len(opened) >= 40


@pytest.mark.parametrize(("name", "value"), [("epoch", 2), ("origin", "after a split")])
async def test_after_a_new_loop_or_a_split_everything_is_fetched(
    station: Station, name: str, value: object
) -> None:
    reader = station.process().reader
    await reader.markets(station.config(), ["AAPL"])
    setattr(station.host, name, value)
    station.host.asked.clear()
    (market,) = await reader.markets(station.config(), ["AAPL"])
    assert [count for _, count in station.host.asked] == [2, MOST_BARS]
    assert {getattr(bar, name) for bar in market.bars} == {value}
    assert len(market.bars) == 40


async def test_a_market_that_is_away_is_empty_and_comes_back(station: Station) -> None:
    reader = station.process().reader
    await reader.markets(station.config(), ["AAPL"])
    station.host.is_market_away = True
    (market,) = await reader.markets(station.config(), ["AAPL"])
    assert market.bars == ()
    station.host.is_market_away = False
    (market,) = await reader.markets(station.config(), ["AAPL"])
    assert len(market.bars) == 40


async def test_the_bar_that_asks_is_never_of_the_future(station: Station) -> None:
    """The clock here may be read a moment before the bar's own."""
    reader, closed = station.process().reader, station.host.now
    station.host.now -= timedelta(seconds=1)
    (market,) = await reader.markets(station.config(), ["AAPL"], since=closed)
    assert market.now == closed


async def test_news_and_words_of_others_are_kept_while_they_stand(station: Station) -> None:
    reader = station.process().reader
    moment = station.host.moment()
    for number in range(30):
        news = News(
            news_id=str(number), symbol="AAPL", headline="A headline", published_at=moment.now
        )
        await reader.hear(moment.event(NewsPublished, news))
    old, new = a_signal(own_id="1"), a_signal(own_id="2")
    for signal in (old, new):
        await reader.hear(raised(signal))
    shows = station.config(show_signals=True)
    (market,) = await reader.markets(shows, ["AAPL"])
    assert [one.news_id for one in market.news][:2] == ["29", "28"]
    assert len(market.news) == 20
    assert market.signals == (new,)
    assert (await reader.markets(station.config(), ["AAPL"]))[0].signals == ()
    await reader.hear(withdrawn(a_withdrawal(new)))
    assert (await reader.markets(shows, ["AAPL"]))[0].signals == ()


async def test_a_headline_that_comes_again_is_shown_once(station: Station) -> None:
    reader = station.process().reader
    moment = station.host.moment()
    for number in ("1", "2", "1"):
        news = News(news_id=number, symbol="AAPL", headline="News", published_at=moment.now)
        await reader.hear(moment.event(NewsPublished, news))
    (market,) = await reader.markets(station.config(), ["AAPL"])
    assert [one.news_id for one in market.news] == ["2", "1"]


async def test_what_was_said_before_a_restart_is_read_again(station: Station) -> None:
    def store(stream: str, event: Event) -> None:
        station.host.stored[f"{stream} {len(station.host.stored)}"] = event.encode()

    moment = station.host.moment()
    old = News(news_id="1", symbol="AAPL", headline="Then", published_at=moment.now)
    stands, taken_back = a_signal(own_id="1"), a_signal(own_id="2", source_id="other")
    changed, newer = (a_signal(own_id=id_, source_id="third") for id_ in ("3", "4"))
    store("MARKET", moment.event(NewsPublished, old))
    store("SIGNALS", raised(stands))
    store("SIGNALS", withdrawn(a_withdrawal(taken_back)))
    store("SIGNALS", raised(changed))
    station.host.stored["SIGNALS unreadable"] = b"{"
    reader = station.process().reader
    await reader.hear(raised(newer))
    await reader.recall()
    (market,) = await reader.markets(station.config(show_signals=True), ["AAPL"])
    assert sorted(one.own_id for one in market.signals) == ["1", "4"]
    assert market.news == (old,)
    await reader.hear(withdrawn(a_withdrawal(stands)))
    await reader.recall()
    (market,) = await reader.markets(station.config(show_signals=True), ["AAPL"])
    assert market.signals == (newer,)
