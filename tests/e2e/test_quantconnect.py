"""A QuantConnect algorithm speaks over HTTP; its word is followed to a lot, all through REST."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from chaos.rest import Gateway
from chaos.system import System
from signalbox.testing.wait import until

pytestmark = pytest.mark.e2e
PROJECTS = {"23456781", "23456782"}
MOMENT = timedelta(minutes=1)  # of market time: until everybody knows that it stands still


async def first_lot(gateway: Gateway) -> Any:
    """The newest fill of the demo's bot that opened a lot for one of the sandbox's projects."""
    page = await gateway.get("/api/trades", bot="demo", source_type="quantconnect", side="buy")
    own = (trade for trade in page["items"] if trade["source_id"] in PROJECTS)
    return next((t for t in own if t["slices"][0]["effect"] == "opened"), None)


async def followed(gateway: Gateway, trade: dict[str, Any]) -> Any:
    """The chain of a trade's signal, once both bots have judged it and the trade's lots are in."""
    chain = await gateway.find(f"/api/signals/{trade['signal_id']}")
    if chain is None or not {"demo", "demo-shadow"} <= {v["bot"] for v in chain["verdicts"]}:
        return None
    fills = {fill["id"] for order in chain["orders"] for fill in order["trades"]}
    return chain if trade["id"] in fills and chain["lots"] else None


async def test_a_quantconnect_signal_becomes_a_lot_that_names_its_project(
    gateway: Gateway,
) -> None:
    await gateway.put("/api/market", {"speed": 240})
    try:
        trade = await until(lambda: first_lot(gateway), 60, every=0.2)
    finally:
        await gateway.put("/api/market", {"speed": 60})
    assert trade["source_type"] == "quantconnect"
    chain = await until(lambda: followed(gateway, trade), 60)
    signal = chain["signal"]
    assert (signal["source_type"], signal["source_id"]) == ("quantconnect", trade["source_id"])
    assert signal["target"] == "sandbox"
    verdicts = {verdict["bot"]: verdict for verdict in chain["verdicts"]}
    assert verdicts["demo"]["outcome"] == "accepted"
    assert verdicts["demo-shadow"]["outcome"] in {"pending", "lapsed"}
    order = next(order for order in chain["orders"] if order["bot"] == "demo")
    assert order["verdict_id"] == order["intent_id"] == verdicts["demo"]["id"]
    assert [step["state"] for step in order["steps"]][:2] == ["planned", "accepted"]
    assert sum(Decimal(fill["quantity"]) for fill in order["trades"]) == Decimal(order["filled"])
    assert trade["id"] in {fill["id"] for fill in order["trades"]}
    opened = {piece["lot_id"] for piece in trade["slices"] if piece["effect"] == "opened"}
    lots = {lot["id"]: lot for lot in chain["lots"]}
    assert opened
    assert opened <= set(lots)
    assert {lots[one]["source_id"] for one in opened} == {trade["source_id"]}


async def held(gateway: Gateway) -> Any:
    """The newest QuantConnect signal that waits for a person, in a market that stands still, so
    that it waits on. Where there is none, time goes on.
    """
    market = await gateway.put("/api/market", {"speed": 0})
    page = await gateway.get("/api/verdicts", bot="demo-shadow", outcome="pending", current=True)
    soon = datetime.fromisoformat(market["now"]) + MOMENT
    lasting = (v for v in page["items"] if datetime.fromisoformat(v["valid_until"]) > soon)
    found = next(lasting, None)
    if found is None:
        await gateway.put("/api/market", {"speed": 60})
    return found


@pytest.fixture
async def waiting(gateway: Gateway) -> AsyncIterator[Any]:
    """That signal; afterwards the market goes at its usual speed."""
    yield await until(lambda: held(gateway), 60, every=1)
    await gateway.put("/api/market", {"speed": 60})


async def test_processing_releases_what_waits_and_a_second_time_is_refused(
    gateway: Gateway, waiting: Any
) -> None:
    path = f"/api/quantconnect/signals/{waiting['signal_id']}"
    before = await gateway.get(path)
    assert before["processed"] is False
    done = await gateway.post(f"{path}/process")
    assert [one["bot"] for one in done["rounds"]] == ["demo-shadow"]
    after = await until(lambda: processed(gateway, path), 60)
    assert {v["round"] for v in after["verdicts"] if v["bot"] == "demo-shadow"} == {0, 1}
    again = await gateway.send("POST", f"{path}/process")
    assert again.status_code == 409
    assert again.json()["detail"]


async def processed(gateway: Gateway, path: str) -> Any:
    """The signal once no bot waits with it."""
    found = await gateway.get(path)
    return found if found["processed"] else None


async def status(gateway: Gateway) -> dict[str, Any]:
    """How the demo's connection stands."""
    items = (await gateway.get("/api/quantconnect/status"))["items"]
    return next(item for item in items if item["config_id"] == "demo")


async def troubles(gateway: Gateway) -> list[dict[str, Any]]:
    """What is wrong with it now, as alerts say."""
    items = await gateway.every("/api/alerts", active=True)
    return [alert for alert in items if alert["about"] == "quantconnect:demo"]


async def is_down(gateway: Gateway) -> Any:
    """Status and alerts once both tell of the trouble."""
    found = await status(gateway)
    return None if found["connected"] else [found, *await troubles(gateway)][:2]


async def is_up(gateway: Gateway) -> bool:
    """Whether status and alerts say that all is well."""
    return (await status(gateway))["connected"] and not await troubles(gateway)


@pytest.mark.parametrize("kind", ["revoked", "down"])
async def test_a_lost_quantconnect_is_told_and_taken_up_again(
    house: System, gateway: Gateway, kind: str
) -> None:
    """A wrong key waits for a person; what is only unreachable comes back by itself."""
    await until(lambda: is_up(gateway), 30, every=0.1)
    async with httpx.AsyncClient(base_url=house.url("sandbox"), trust_env=False) as sandbox:
        await sandbox.post("/faults", json={"kind": kind})
        try:
            found = await until(lambda: down_with_alert(gateway), 60, every=0.2)
        finally:
            await sandbox.delete("/faults")
    state, alert = found
    assert state["last_error"]
    assert state["last_ok_at"]
    assert (alert["code"], alert["active"]) == ("source_down", True)
    if kind == "revoked":
        assert "does not accept user id 123" in alert["message"]
        assert (await gateway.post("/api/quantconnect/config/demo/test"))["connected"] is True
    await until(lambda: is_up(gateway), 60, every=0.2)


async def down_with_alert(gateway: Gateway) -> Any:
    """The state and its alert, once both are there."""
    found = await is_down(gateway)
    return found if found and len(found) == 2 else None
