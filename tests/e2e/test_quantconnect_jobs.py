"""What is asked of QuantConnect through REST, to its end: a backtest, a deployment, pushes."""

import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
import pytest

from chaos.load import add_bot
from chaos.rest import Gateway
from chaos.streams import stored
from chaos.system import System
from chaos.voices import Voices
from qc_ingest.domain.signature import sign
from signalbox.contracts.events import SignalRaised
from signalbox.testing.wait import until
from tests.e2e.canaries import kept_files, kept_messages, kept_rows, leaks

pytestmark = pytest.mark.e2e
API = "/api/quantconnect"
LATE_S = 90.0
BACKTEST = {
    "algorithm_id": 23456781,
    "config": "demo",
    "start": "2025-02-03",
    "end": "2025-11-28",
    "parameters": {"lookback": "3"},
}


@dataclass(frozen=True, slots=True)
class Account:
    """The sandbox's QuantConnect account as its owner sees it, past Signalbox."""

    http: httpx.AsyncClient

    async def ask(self, path: str, **body: Any) -> dict[str, Any]:
        """What one call answers."""
        headers = sign("123", "abc", int(time.time()))
        answer = await self.http.post(f"/api/v2/{path}", json=body, headers=headers)
        found: dict[str, Any] = answer.json()
        assert found["success"], found
        return found

    async def project(self, name: str) -> int:
        """A new project."""
        made = await self.ask("projects/create", name=name, language="Py")
        return int(made["projects"][0]["projectId"])

    async def insights(self, project_id: int) -> list[str]:
        """What its newest deployment has said, by own ids."""
        said: list[str] = []
        while True:
            page = {"start": len(said), "end": len(said) + 100}
            found = await self.ask("live/insights/read", projectId=project_id, **page)
            said += [insight["id"] for insight in found["insights"]]
            if len(said) >= found["length"]:
                return said

    async def spoil(self, **fault: Any) -> None:
        """Switch a fault on."""
        (await self.http.post("/faults", json=fault)).raise_for_status()

    async def is_mended(self) -> bool:
        """Whether every fault has met its requests."""
        return not (await self.http.get("/faults")).json()["active"]

    async def mend(self) -> None:
        """Switch every fault off."""
        await self.http.delete("/faults")


@pytest.fixture
async def account(house: System) -> AsyncIterator[Account]:
    """The account, without faults afterwards; the market goes at its usual speed."""
    async with httpx.AsyncClient(base_url=house.url("sandbox"), trust_env=False) as http:
        found = Account(http)
        yield found
        await found.mend()


@pytest.fixture
async def quick(gateway: Gateway) -> AsyncIterator[None]:
    """Four minutes of the market a second."""
    await gateway.put("/api/market", {"speed": 240})
    yield
    await gateway.put("/api/market", {"speed": 60})


async def test_backtests_outlive_a_kill_and_run_once(
    house: System, gateway: Gateway, account: Account
) -> None:
    """One runs; of the other nobody has heard yet whether it was created."""
    first = await begun(gateway, "runs")
    await until(lambda: at(gateway, first, "running"), LATE_S, every=0.05)
    await account.spoil(kind="lost", path="backtests/create", count=1)
    second = await begun(gateway, "is created")
    await until(account.is_mended, LATE_S, every=0.02)
    assert await at(gateway, first, "running")
    await house.kill_and_wait("qc-ingest")
    done = [await completed(gateway, one) for one in (first, second)]
    assert await begun(gateway, "runs") == first, "a repeat under the same key"
    listed = (await account.ask("backtests/list", projectId=BACKTEST["algorithm_id"]))["backtests"]
    for one in done:
        ours = [row["backtestId"] for row in listed if one["id"] in row["name"]]
        assert ours == [one["quantconnect_id"]]
    await shows_its_result(gateway, done[1])


async def begun(gateway: Gateway, key: str) -> str:
    """Start a backtest; its id."""
    headers = {"Idempotency-Key": key}
    return str((await gateway.post(f"{API}/backtest", BACKTEST, headers=headers))["id"])


async def at(gateway: Gateway, backtest_id: str, status: str) -> Any:
    """The backtest, once it has come so far."""
    found = await gateway.get(f"{API}/backtest/{backtest_id}")
    assert found["status"] not in {"failed", "canceled"}, found["message"]
    return found if found["status"] == status else None


async def completed(gateway: Gateway, backtest_id: str) -> dict[str, Any]:
    """The backtest at its end."""
    found: dict[str, Any] = await until(
        lambda: at(gateway, backtest_id, "completed"), LATE_S, every=0.1
    )
    return found


async def shows_its_result(gateway: Gateway, done: dict[str, Any]) -> None:
    """Statistics, series and orders fit each other; what it said in the past is no signal."""
    path = f"{API}/backtest/{done['id']}"
    assert (done["backtest_start"], done["ignores_dates"]) == (BACKTEST["start"], False)
    assert done["parameters"] == BACKTEST["parameters"]
    end = Decimal(done["statistics"]["End Equity"].replace(",", "").replace("$", ""))
    series = await gateway.get(f"{path}/series")
    assert round(Decimal(series["equity"][-1]["value"]), 2) == end
    assert series["benchmark"]
    orders = await gateway.every(f"{path}/orders")
    assert len(orders) == int(done["statistics"]["Total Orders"]) > 0
    said = {insight["id"] for insight in await gateway.every(f"{path}/insights")}
    raised = await gateway.every("/api/signals", source_type="quantconnect")
    assert said
    assert not said & {signal["own_id"] for signal in raised}


async def ended(gateway: Gateway, project_id: int, **parameters: str) -> dict[str, Any]:
    """Deploy a project that follows AAPL's minutes; the job once it is over."""
    path = f"{API}/algorithms/{project_id}/deploy?config=demo"
    body = {"parameters": {"lookback": "2", **parameters}}
    job_id = (await gateway.post(path, body))["id"]

    async def over() -> Any:
        job = await gateway.get(f"{API}/jobs/{job_id}")
        return job if job["finished_at"] else None

    found: dict[str, Any] = await until(over, LATE_S, every=0.1)
    return found


async def deployed(gateway: Gateway, project_id: int, **parameters: str) -> str:
    """The same, once it runs; the deployment's id."""
    job = await ended(gateway, project_id, **parameters)
    assert (job["status"], job["progress"]) == ("done", 1), job["message"]
    return str(job["deploy_id"])


async def said(gateway: Gateway, project_id: int, deploy_id: str) -> list[dict[str, Any]]:
    """The signals of one deployment, oldest first."""
    found = await gateway.every("/api/signals", source_id=str(project_id))
    return [one for one in reversed(found) if one["details"]["deployId"] == deploy_id]


async def times_raised(voices: Voices, project_id: int) -> Counter[str]:
    """How often each word of a project stands in the stream, by its own id."""
    bus = await voices.bus("provision")
    events = [one.event for one in await stored(bus, "SIGNALS")]
    signals = [event.data for event in events if isinstance(event, SignalRaised)]
    return Counter(one.own_id for one in signals if one.source_id == str(project_id))


async def test_a_deployment_speaks_is_stopped_and_another_one_speaks(
    gateway: Gateway, account: Account, voices: Voices, quick: None
) -> None:
    project_id = await account.project("Deployed by REST")
    address = f"{API}/algorithms/{project_id}"
    first = await deployed(gateway, project_id)
    shown = await gateway.get(address, config="demo", refresh=True)
    assert (shown["status"], shown["deploy_id"]) == ("Running", first)
    refused = await ended(gateway, project_id)
    assert (refused["status"], first in refused["message"]) == ("failed", True)
    assert "Stop that deployment first" in refused["message"]
    await until(lambda: said(gateway, project_id, first), LATE_S, every=0.1)
    stopped = await gateway.post(f"{address}/stop?config=demo")
    assert (stopped["status"], stopped["deploy_id"]) == ("Stopped", first)
    assert (await gateway.get(address, config="demo"))["status"] == "Stopped"
    second = await deployed(gateway, project_id)
    await until(lambda: said(gateway, project_id, second), LATE_S, every=0.1)
    await gateway.post(f"{address}/stop?config=demo")
    found = await gateway.every("/api/signals", source_id=str(project_id))
    assert {one["details"]["deployId"] for one in found} == {first, second}
    assert set((await times_raised(voices, project_id)).values()) == {1}


async def first_trade(gateway: Gateway, bot: str) -> Any:
    """The first fill of a bot."""
    return next(reversed((await gateway.get("/api/trades", bot=bot))["items"]), None)


async def test_what_is_pushed_and_read_is_one_signal_and_one_trade(
    house: System, gateway: Gateway, account: Account, voices: Voices, quick: None
) -> None:
    """The algorithm signs with the key that it was deployed with, and that nobody else keeps."""
    project_id = await account.project("Pushes")
    source = {"source_type": "quantconnect", "source_id": str(project_id)}
    policy = {"thresholds": {"quantconnect": "0"}}
    await add_bot(gateway, id="of-pushes", sources=[source], allow_short=True, policy=policy)
    hook = await gateway.post(f"{API}/config/demo/webhook")
    key = {"signalbox_url": hook["url"], "signalbox_key": hook["token"]}
    await account.spoil(kind="500", path="live/insights")  # nothing can be read
    deploy_id = await deployed(gateway, project_id, **key)
    trade = await until(lambda: first_trade(gateway, "of-pushes"), LATE_S, every=0.1)
    await account.mend()
    await gateway.post(f"{API}/signals/fetch", {"config_id": "demo"})
    await gateway.post(f"{API}/algorithms/{project_id}/stop?config=demo")
    await gateway.post(f"{API}/signals/fetch", {"config_id": "demo"})
    assert set((await times_raised(voices, project_id)).values()) == {1}
    found = await said(gateway, project_id, deploy_id)
    assert {one["own_id"] for one in found} <= {*await account.insights(project_id)}
    chain = await gateway.get(f"/api/signals/{trade['signal_id']}")
    (order,) = (one for one in chain["orders"] if one["bot"] == "of-pushes")
    assert sum(Decimal(fill["quantity"]) for fill in order["trades"]) == Decimal(order["filled"])
    assert hook["token"] not in str(await gateway.get(f"{API}/algorithms/{project_id}"))
    seen = [*kept_files(house.home), *kept_rows(house.home), *await kept_messages(voices)]
    assert not [leak for name, content in seen for leak in leaks([hook["token"]], name, content)]
