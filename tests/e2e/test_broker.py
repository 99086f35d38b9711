"""A bot whose account is at a broker, in a system that runs: one order there for one signal,
however the answer is lost and whoever dies meanwhile.
"""

from collections import Counter
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import httpx
import pytest

from chaos.load import add_bot
from chaos.rest import Gateway
from chaos.streams import stored
from chaos.system import System
from chaos.voices import Voices
from sandbox.alpaca.api import SECRET
from signalbox.contracts.events import OrderChanged, VerdictReached
from signalbox.contracts.payloads import Signal
from signalbox.contracts.values import Action, OrderState, Outcome
from signalbox.testing.wait import until
from tests.e2e.reading import holds, settled

pytestmark = pytest.mark.e2e
D = Decimal
BOT, SOURCE, KEY = "broker", "floor", "e2e-broker"
POST, FIND = "alpaca/post/v2/orders", "alpaca/get/v2/orders:by"
LATE_S = 90.0  # a restart, and half a minute of looking for what may not be there


@pytest.fixture
async def sandbox(house: System) -> AsyncIterator[httpx.AsyncClient]:
    """The broker, as the account's owner meets it; without faults afterwards."""
    login = {"apca-api-key-id": KEY, "apca-api-secret-key": SECRET}
    async with httpx.AsyncClient(
        base_url=house.url("sandbox"), headers=login, trust_env=False
    ) as client:
        yield client
        await client.delete("/faults")


@pytest.fixture
async def bot(gateway: Gateway, voices: Voices) -> str:
    """A bot on an account there; every test trades a symbol of its own."""
    if await gateway.find(f"/api/bots/{BOT}") is None:
        keys = {"broker": "alpaca", "target": "sandbox", "api_key": KEY, "api_secret": SECRET}
        sources = [{"source_type": "strategy", "source_id": SOURCE}]
        await add_bot(gateway, id=BOT, sources=sources, account=keys)
    return BOT


async def switch(sandbox: httpx.AsyncClient, **fault: Any) -> None:
    """Switch a fault of the broker on."""
    (await sandbox.post("/faults", json=fault)).raise_for_status()


async def there(sandbox: httpx.AsyncClient, symbol: str) -> list[dict[str, Any]]:
    """The broker's orders of a symbol."""
    answer = await sandbox.get("/alpaca/v2/orders", params={"status": "all", "limit": 500})
    return [order for order in answer.raise_for_status().json() if order["symbol"] == symbol]


async def position(sandbox: httpx.AsyncClient, symbol: str) -> Decimal:
    """What the broker holds for us."""
    items = (await sandbox.get("/alpaca/v2/positions")).raise_for_status().json()
    return sum((D(item["qty"]) for item in items if item["symbol"] == symbol), D(0))


async def test_a_signal_becomes_an_order_at_the_broker_a_fill_and_a_lot(
    gateway: Gateway, voices: Voices, sandbox: httpx.AsyncClient, bot: str
) -> None:
    await voices.quote("BRKR")
    signal = voices.signal("BRKR", Action.BUY, "broker-1", source_id=SOURCE)
    await voices.speak(signal)
    order = await until(lambda: settled(gateway, signal, bot), LATE_S)
    assert (order["state"], order["broker"], order["account"]) == ("filled", "alpaca", bot)
    (told,) = await there(sandbox, "BRKR")
    assert told["client_order_id"] == order["id"]
    assert (told["id"], told["status"]) == (order["broker_order_id"], "filled")
    assert D(told["filled_qty"]) == D(order["filled"]) == await position(sandbox, "BRKR") > 0
    await until(lambda: holds(gateway, bot, "BRKR", order["filled"]), 10)
    chain = await gateway.get(f"/api/signals/{signal.signal_id}")
    (fill,) = next(one for one in chain["orders"] if one["bot"] == bot)["trades"]
    assert D(fill["price"]) == D("101.41"), "the ask of the quote"
    (held,) = (await gateway.get("/api/positions", bot=bot, symbol="BRKR"))["items"]
    (lot,) = held["lots"]
    assert (lot["source_id"], D(lot["quantity"])) == (SOURCE, D(order["filled"]))
    assert [piece["lot_id"] for piece in fill["slices"]] == [lot["id"]]
    assert lot["id"] in {one["id"] for one in chain["lots"]}

    await voices.speak(voices.signal("BRKR", Action.CLOSE, "broker-2", source_id=SOURCE))
    await until(lambda: holds(gateway, bot, "BRKR", 0), LATE_S)
    assert await position(sandbox, "BRKR") == 0
    assert [one["side"] for one in await there(sandbox, "BRKR")] == ["sell", "buy"]


@pytest.mark.parametrize(
    ("kind", "symbol"),
    [
        pytest.param("lost", "LOST", id="the broker took it, its answer never came"),
        pytest.param("down", "DOWN", id="it never arrived"),
        pytest.param("slow", "SLOW", id="it takes effect after the death"),
    ],
)
async def test_an_executor_that_dies_in_doubt_leaves_one_order(
    house: System,
    gateway: Gateway,
    voices: Voices,
    sandbox: httpx.AsyncClient,
    bot: str,
    *,
    kind: str,
    symbol: str,
) -> None:
    await voices.quote(symbol)
    await switch(sandbox, kind=kind, path=POST, count=1, seconds=9)
    await switch(sandbox, kind="500", path=FIND)  # so that the doubt lasts until the death
    signal = voices.signal(symbol, Action.BUY, f"broker-{kind}", source_id=SOURCE)
    await voices.speak(signal)
    state = OrderState.SUBMITTING if kind == "slow" else OrderState.UNKNOWN
    await until(lambda: reached(voices, signal, state), LATE_S, every=0.2)
    await house.kill_and_wait("executor")
    await sandbox.delete("/faults")
    order = await until(lambda: settled(gateway, signal, bot), LATE_S)
    assert order["state"] == "filled"
    (told,) = await there(sandbox, symbol)
    assert told["client_order_id"] == order["id"]
    assert D(told["filled_qty"]) == D(order["filled"]) > 0
    await until(lambda: holds(gateway, bot, symbol, order["filled"]), 10)
    assert await position(sandbox, symbol) == D(order["filled"])
    assert await verdicts_on(voices, signal) == [Outcome.ACCEPTED]
    events = await told_of(voices, signal)
    assert {event.data.order_id for event in events} == {order["id"]}
    states = Counter(event.data.state for event in events)
    assert states[OrderState.PLANNED] == states[OrderState.ACCEPTED] == 1
    assert states[OrderState.FILLED] == 1


async def told_of(voices: Voices, signal: Signal) -> list[OrderChanged]:
    """What was published of the orders of a signal, each event once."""
    found = await stored(await voices.bus("reader"), "ORDERS")
    events = {one.event.id: one.event for one in found if isinstance(one.event, OrderChanged)}
    whose = BOT, signal.signal_id
    return [e for e in events.values() if (e.data.bot, e.data.signal_id) == whose]


async def reached(voices: Voices, signal: Signal, state: OrderState) -> bool:
    """Whether the order of a signal is in a state, as far as was published."""
    events = await told_of(voices, signal)
    return bool(events) and events[-1].data.state is state


async def verdicts_on(voices: Voices, signal: Signal) -> list[Outcome]:
    """What bot `broker` made of a signal."""
    found = await stored(await voices.bus("reader"), "VERDICTS")
    mine = [one.event.data for one in found if isinstance(one.event, VerdictReached)]
    return [
        verdict.outcome
        for verdict in mine
        if verdict.bot == BOT and verdict.signal.signal_id == signal.signal_id
    ]
