"""The strategies on a real nats-server, with the test as market-data."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from decimal import Decimal as D

import pytest
from nats.aio.msg import Msg

from signalbox.contracts.config import StrategyConfig, StrategyInstance
from signalbox.contracts.events import BarClosed, SignalRaised
from signalbox.contracts.payloads import Bar
from signalbox.contracts.values import Action
from signalbox.runtime.service import Service
from signalbox.testing.desk import Desk, desk_on, running
from signalbox.testing.examples import NOON, a_moment
from signalbox.testing.servers import RunningNats
from strategy_runner.app import build_service
from strategy_runner.settings import Settings

pytestmark = pytest.mark.integration
Bars = Callable[..., list[Bar]]
CROSS = StrategyInstance(
    id="cross", strategy="sma_cross", symbols=("AAPL",), parameters={"fast": D(1), "slow": D(2)}
)
CLOSES = [9, 8, 7, 6, 8, 10, 7]  # up at the fifth, down at the last


@pytest.fixture
async def desk(nats_server: RunningNats) -> AsyncIterator[Desk]:
    async with desk_on(nats_server) as desk:
        await desk.configure("strategy-runner", StrategyConfig(instances=(CROSS,)))
        yield desk


async def give_history(desk: Desk, bars: list[Bar]) -> None:
    """Answer `bars` with whatever the list holds at the time."""
    bus = await desk.bus("market-data")

    async def answer(message: Msg) -> None:
        body = {"bars": [bar.model_dump(mode="json") for bar in bars]}
        await message.respond(json.dumps({"body": body}).encode())

    await bus.nc.subscribe("sb.v1.cmd.market-data.bars", cb=answer)
    await bus.nc.flush()


def strategies(desk: Desk) -> Service[StrategyConfig]:
    return build_service(Settings(home=desk.nats.home, nats_url=desk.nats.url))


def closed(bar: Bar) -> BarClosed:
    return a_moment(service="market-data").event(BarClosed, bar)


async def test_bars_become_signals(desk: Desk, bars: Bars) -> None:
    row = bars(CLOSES)
    await give_history(desk, row[:4])
    async with running(strategies(desk)):
        await desk.say(*map(closed, row[4:]))
        up, down = await desk.hear(SignalRaised, 2)
    assert [up.data.action, down.data.action] == [Action.BUY, Action.SELL]
    assert up.data.raised_at == row[4].closed_at
    assert up.causationid == closed(row[4]).id


async def test_no_bar_is_lost_while_the_service_is_away(desk: Desk, bars: Bars) -> None:
    row = bars(CLOSES)
    history = row[:4]
    await give_history(desk, history)
    async with running(strategies(desk)):
        await desk.say(closed(row[4]))
        await desk.hear(SignalRaised, 1)
    history += row[4:]
    await desk.say(*map(closed, row[5:]))
    async with running(strategies(desk)):
        found = await desk.hear(SignalRaised, 2)
    assert [s.data.action for s in found] == [Action.BUY, Action.SELL]


async def test_a_gap_is_closed_from_history_and_nothing_is_lost(desk: Desk, bars: Bars) -> None:
    row = bars(CLOSES)
    history = row[:4]
    await give_history(desk, history)
    async with running(strategies(desk)):
        history += row[4:]
        await desk.say(closed(row[6]))  # the fifth and sixth never came
        (signal,) = await desk.hear(SignalRaised, 1)
    assert signal.data.action is Action.SELL
    assert signal.data.own_id.endswith((NOON + timedelta(minutes=6)).isoformat())
