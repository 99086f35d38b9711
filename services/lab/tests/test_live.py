"""The lab on a real nats-server, with the test as market-data."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from decimal import Decimal as D

import pytest
from nats.aio.msg import Msg
from pydantic import SecretStr

from lab.app import build_service
from lab.settings import Settings
from lab.worker import Lab
from signalbox.contracts.config import LabConfig
from signalbox.contracts.events import OutcomeScored, StateChanged
from signalbox.contracts.payloads import Bar, Signal
from signalbox.contracts.values import Action
from signalbox.runtime.migrating import migrate
from signalbox.testing.desk import Desk, desk_on, running
from signalbox.testing.examples import NOON, a_bar, a_signal, raised
from signalbox.testing.servers import RunningNats
from signalbox.testing.wait import until

pytestmark = pytest.mark.integration
MINUTE = timedelta(minutes=1)
BARS = [  # a minute each from before noon: 210 up to 220
    a_bar(opened_at=NOON + n * MINUTE, open=D(210 + n), close=D(211 + n), high=D(240), low=D(200))
    for n in range(-2, 10)
]


@pytest.fixture
async def desk(nats_server: RunningNats) -> AsyncIterator[Desk]:
    async with desk_on(nats_server) as desk:
        await desk.configure("lab", LabConfig())
        yield desk


def lab(desk: Desk, url: str | None = None) -> Lab:
    migrate("lab", home=desk.nats.home, url=url)
    database = SecretStr(url) if url else None
    return build_service(
        Settings(home=desk.nats.home, nats_url=desk.nats.url, database_url=database)
    )


async def be_market_data(desk: Desk, bars: list[Bar]) -> None:
    """Answer with the bars that have closed, and never with a later one."""
    bus = await desk.bus("market-data")

    async def answer(message: Msg) -> None:
        body = json.loads(message.data)["body"]
        if message.subject.endswith(".symbols"):
            found: dict[str, object] = {"symbols": [{"symbol": "AAPL", "interval": "1m"}]}
        else:
            before = min(datetime.fromisoformat(body["before"]), desk.reading.market_at)
            seen = [bar for bar in bars if bar.closed_at <= before]
            found = {"bars": [bar.model_dump(mode="json") for bar in seen[-body["count"] :]]}
        await message.respond(json.dumps({"body": found}).encode())

    await bus.nc.subscribe("sb.v1.cmd.market-data.*", cb=answer)
    await bus.nc.flush()


def minutes_long(number: int, minutes: int, action: Action = Action.BUY) -> Signal:
    return a_signal(own_id=str(number), action=action, horizon_s=60 * minutes, epoch=1)


async def waiting(desk: Desk, count: int) -> None:
    """Until the lab has told that so many wait."""

    def told() -> bool:
        said = [e.data.body for e in desk.of(StateChanged) if e.data.service == "lab"]
        return bool(said) and said[-1]["waiting"] == count

    await until(told, 20)


async def test_signals_are_scored_when_the_clock_has_passed_their_horizon(
    desk: Desk, database_url: str | None
) -> None:
    await be_market_data(desk, BARS)
    async with running(lab(desk, database_url)):
        await desk.say(
            raised(minutes_long(1, 2)),
            raised(minutes_long(2, 5, Action.SELL)),
            raised(minutes_long(3, 2, Action.HOLD)),
        )
        await waiting(desk, 2)
        await desk.set_clock(NOON + 2 * MINUTE + timedelta(seconds=1))
        (buy,) = await desk.hear(OutcomeScored, 1)
        await desk.set_clock(NOON + 9 * MINUTE)
        _, sell = await desk.hear(OutcomeScored, 2)
        hold = await desk.ask("lab", "outcome", {"signal_id": str(minutes_long(3, 2).signal_id)})
    assert (buy.data.entry_price, buy.data.exit_price) == (D(210), D(212))
    assert buy.data.forward_return == D("0.00952381")
    assert (sell.data.exit_price, sell.data.forward_return) == (D(215), D("-0.02380952"))
    assert (hold["body"]["state"], hold["body"]["why"]) == ("unscored", "hold")
    assert "no opinion" in hold["body"]["words"]


async def test_nothing_is_lost_or_scored_twice_over_a_restart(desk: Desk) -> None:
    async with running(lab(desk)):
        await desk.say(raised(minutes_long(1, 2)))
        await waiting(desk, 1)
    await be_market_data(desk, BARS)
    await desk.say(raised(minutes_long(2, 3)))  # while the lab is away
    await desk.set_clock(NOON + 9 * MINUTE)
    async with running(lab(desk)):
        found = await desk.hear(OutcomeScored, 2)
        await waiting(desk, 0)
    async with running(lab(desk)):
        await waiting(desk, 0)
    assert {e.data.exit_price for e in found} == {D(212), D(213)}
    assert len([i for i in desk.ids if i in {str(e.id) for e in found}]) == 2


async def test_without_prices_it_waits_and_says_so(desk: Desk) -> None:
    service = lab(desk)
    async with running(service):
        await desk.say(raised(minutes_long(1, 2)))
        await waiting(desk, 1)
        await desk.set_clock(NOON + 9 * MINUTE)

        async def not_ready() -> bool:
            return "market-data" in ((await service.checks())["prices"] or "")

        await until(not_ready)
        await be_market_data(desk, BARS)
        assert len(await desk.hear(OutcomeScored, 1)) == 1
        await until(lambda: _ready(service))


async def _ready(service: Lab) -> bool:
    return not any((await service.checks()).values())
