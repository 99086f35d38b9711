"""The sandbox follows the market of a real server, whatever it misses."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import pytest
from nats.aio.msg import Msg

from sandbox.app import end
from sandbox.market import Market
from sandbox.quantconnect.deployment import Deployment
from sandbox.quantconnect.desk import Desk
from sandbox.quantconnect.project import Project
from sandbox.quantconnect.rules import Momentum
from sandbox.tests.bars import days, minutes, swinging
from sandbox.tests.client import BREADTH, MOMENTUM
from signalbox.contracts.commands import Command, Problem, Reply
from signalbox.contracts.errors import NotFound
from signalbox.contracts.events import BarClosed
from signalbox.contracts.payloads import Bar
from signalbox.contracts.subjects import command_subject
from signalbox.runtime.bus import Bus, Credentials
from signalbox.testing.desk import Desk as World
from signalbox.testing.desk import desk_on
from signalbox.testing.examples import NOON, a_moment
from signalbox.testing.servers import RunningNats
from signalbox.testing.wait import until

pytestmark = pytest.mark.integration


class Prices:
    """Plays market-data: publishes bars, and answers with those that it has published."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.published: list[Bar] = []
        self.asked = 0

    async def answer(self, message: Msg) -> None:
        self.asked += 1
        body = Command.model_validate_json(message.data).body
        before = datetime.fromisoformat(str(body["before"]))
        series = (body["symbol"], body["interval"])
        if series[0] == "ZZZ":
            problem = Problem(kind="NotFound", message="there are no 1d bars of ZZZ")
            await message.respond(Reply(problem=problem).model_dump_json().encode())
            return
        bars = [b for b in self.published if (b.symbol, b.interval) == series]
        page = [b for b in bars if b.closed_at <= before][-int(str(body["count"])) :]
        reply = Reply(body={"bars": [b.model_dump(mode="json") for b in page]})
        await message.respond(reply.model_dump_json().encode())

    async def publish(self, bars: Sequence[Bar], *, silently: bool = False) -> None:
        self.published += bars
        if not silently:
            await self._world.say(*(a_moment().event(BarClosed, bar) for bar in bars))


@asynccontextmanager
async def following(nats: RunningNats, world: World) -> AsyncIterator[tuple[Desk, Market, Prices]]:
    prices, desk = Prices(world), Desk()
    listener = Bus("market-data", nats.url, Credentials.read(nats.home, "market-data"))
    await listener.connect()
    await listener.nc.subscribe(command_subject("market-data", "bars"), cb=prices.answer)
    bus = Bus("sandbox", nats.url, Credentials.read(nats.home, "sandbox"))
    market = Market(bus, desk)
    task = asyncio.create_task(market.run())
    try:
        yield desk, market, prices
    finally:
        await end(task)
        await bus.close()
        await listener.close()


def insights(desk: Desk, project_id: int = MOMENTUM) -> list[str]:
    newest = desk.newest(project_id)
    return [i["id"] for i in newest.insights] if newest else []


def expected(bars: Sequence[Bar], epoch: int = 1, project_id: int = MOMENTUM) -> list[str]:
    desk = Desk()
    desk.begin(epoch, bars)
    return insights(desk, project_id)


async def test_it_rebuilds_from_history_and_goes_on_live(nats_server: RunningNats) -> None:
    bars = [*swinging(1500), *days(8)]
    async with (
        desk_on(nats_server) as world,
        following(nats_server, world) as (desk, market, prices),
    ):
        await prices.publish([*bars[:1200], *bars[1500:]], silently=True)
        await until(lambda: market.problem is None)
        assert insights(desk) == expected(bars[:1200])
        assert insights(desk, BREADTH) == expected(bars, project_id=BREADTH)
        await prices.publish(bars[1200:1300])
        await until(lambda: insights(desk) == expected(bars[:1300]))


async def test_bars_that_were_never_heard_are_read_from_history(nats_server: RunningNats) -> None:
    bars = swinging(300)
    async with (
        desk_on(nats_server) as world,
        following(nats_server, world) as (desk, market, prices),
    ):
        await prices.publish(bars[:100], silently=True)
        await until(lambda: market.problem is None)
        await prices.publish(bars[100:200], silently=True)
        await prices.publish(bars[200:300])
        await until(lambda: insights(desk) == expected(bars))


async def test_a_lost_connection_loses_no_bar(nats_server: RunningNats) -> None:
    bars = swinging(300)
    async with (
        desk_on(nats_server) as world,
        following(nats_server, world) as (desk, market, prices),
    ):
        await prices.publish(bars[:100], silently=True)
        await until(lambda: market.problem is None)
        prices.published += bars[100:300]
        await market.on_reconnected()
        await until(lambda: insights(desk) == expected(bars))


async def test_a_new_loop_of_the_market_deploys_anew(nats_server: RunningNats) -> None:
    first, second = swinging(100), minutes([100 + n for n in range(50)], start=NOON, epoch=2)
    async with (
        desk_on(nats_server) as world,
        following(nats_server, world) as (desk, market, prices),
    ):
        await prices.publish(first, silently=True)
        await until(lambda: market.problem is None)
        await prices.publish(second)
        await until(lambda: desk.epoch == 2 and insights(desk) == expected(second, 2))


async def test_backtests_read_any_span_page_by_page(nats_server: RunningNats) -> None:
    bars = swinging(2500)
    async with (
        desk_on(nats_server) as world,
        following(nats_server, world) as (_, market, prices),
    ):
        await prices.publish(bars, silently=True)
        await until(lambda: market.problem is None)
        assert await market.bars("AAPL", "1m", None, None) == bars
        start, end = bars[200].opened_at, bars[2300].closed_at
        assert await market.bars("AAPL", "1m", start, end) == bars[200:2301]
        assert await market.bars("AAPL", "1m", end, start) == []
        with pytest.raises(NotFound, match="no 1d bars of ZZZ"):
            await market.bars("ZZZ", "1d", None, None)


async def test_what_is_deployed_later_is_followed_too(nats_server: RunningNats) -> None:
    closes = [100, 101, 102, 103, 104, 105, 106, 90, 80, 70]
    other = [bar.model_copy(update={"symbol": "IBM"}) for bar in minutes(closes)]
    async with (
        desk_on(nats_server) as world,
        following(nats_server, world) as (desk, market, prices),
    ):
        await prices.publish([*minutes(closes[:6]), *other[:6]], silently=True)
        await until(lambda: market.problem is None)
        desk.projects[7] = Project(7, "IBM desk")
        deployment = Deployment("L-7", Momentum("IBM"), project_id=7, launched=desk.now)
        desk.deploy(deployment)

        await until(lambda: market.changes_seen == desk.changes)
        await prices.publish(other[6:])
        await until(lambda: bool(deployment.insights))
        assert deployment.insights[0]["generatedTime"] == other[6].closed_at.timestamp()
