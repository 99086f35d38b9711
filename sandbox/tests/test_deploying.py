"""Live deployments by request: where they may run, how they start, end, and begin again."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox.quantconnect import deploying
from sandbox.quantconnect.deployment import STARTING, Deployment
from sandbox.quantconnect.desk import LIVE_NODES
from sandbox.quantconnect.endpoints import ORGANIZATION_ID, Pace
from sandbox.tests.bars import SWINGS, minutes, swinging
from sandbox.tests.client import BREADTH, MOMENTUM, Client
from signalbox.testing.examples import NOON
from signalbox.testing.wait import until

PAPER = {"brokerage": {"id": "QuantConnectBrokerage"}, "versionId": "-1"}
LATER = NOON + timedelta(days=21)  # after all of the fixture's bars


async def request_of(client: Client, project_id: int, **over: Any) -> dict[str, Any]:
    build = await client.good("compile/create", projectId=project_id)
    ids = {"projectId": project_id, "compileId": build["compileId"]}
    return {**ids, "nodeId": LIVE_NODES[2], **PAPER, **over}


async def new_project(client: Client, **parameters: str) -> int:
    found = await client.good("projects/create", name="New", language="Py")
    project_id = int(found["projects"][0]["projectId"])
    await client.good("projects/update", projectId=project_id, parameters=parameters)
    return project_id


async def deployed(client: Client, project_id: int, **over: Any) -> Deployment:
    await client.good("live/create", **await request_of(client, project_id, **over))
    newest = client.desk.newest(project_id)
    assert newest is not None
    return newest


def go_on(client: Client, count: int = len(SWINGS)) -> None:
    for bar in minutes(SWINGS[:count], start=LATER):
        client.desk.take(bar, 0.0)


async def test_create_says_what_clients_read(client: Client) -> None:
    project_id = await new_project(client)
    found = await client.good("live/create", **await request_of(client, project_id))
    assert (found["source"], found["projectId"]) == ("api-v2", project_id)
    assert found["deployId"].startswith("L-")
    assert isinstance(found["versionId"], int)
    assert found["live"]["brokerage"] == "PaperBrokerage"
    read = await client.good("live/read", projectId=project_id)
    assert (read["deployId"], read["status"]) == (found["deployId"], "Running")
    nodes = (await client.good("nodes/read", organizationId=ORGANIZATION_ID))["live"]
    assert [node["projectName"] for node in nodes] == ["Momentum desk", "Breadth desk", "New", ""]


async def test_it_trades_from_its_start_on_warmed_up(client: Client) -> None:
    deployment = await deployed(client, await new_project(client))
    assert (deployment.insights, deployment.orders) == ([], [])
    assert deployment.launched == client.desk.now
    go_on(client, 3)
    assert deployment.insights[0]["generatedTime"] > deployment.launched.timestamp()
    assert deployment.orders[0]["id"] == 1


async def test_it_goes_through_its_states_and_trades_when_it_runs(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses, over = list[float](), asyncio.Semaphore(0)

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await over.acquire()

    monkeypatch.setattr(deploying, "asyncio", SimpleNamespace(sleep=pause))
    client.context.pace = Pace(launch_s=8)
    deployment = await deployed(client, await new_project(client))
    go_on(client, 3)
    assert deployment.insights == []
    for number, status in enumerate(STARTING, start=1):
        await until(lambda: len(pauses) == number)  # noqa: B023 - runs within the round
        assert deployment.status == status
        over.release()
    await until(lambda: deployment.is_running)
    assert pauses == [2.0] * len(STARTING)
    for bar in minutes(SWINGS, start=LATER)[3:]:
        client.desk.take(bar, 0.0)
    assert deployment.insights


async def test_it_can_be_stopped_while_it_starts(client: Client) -> None:
    client.context.pace = Pace(launch_s=0.2)
    project_id = await new_project(client)
    deployment = await deployed(client, project_id)
    await client.good("live/update/stop", projectId=project_id)
    await until(lambda: not client.context.tasks.running)
    assert deployment.status == "Stopped"
    assert LIVE_NODES[2] in client.desk.free_nodes()


async def test_a_redeploy_counts_orders_anew_under_a_new_id(client: Client) -> None:
    project_id = await new_project(client)
    first = await deployed(client, project_id)
    go_on(client)
    await client.good("live/update/stop", projectId=project_id)
    second = await deployed(client, project_id)
    for bar in minutes(SWINGS, start=LATER + timedelta(minutes=len(SWINGS))):
        client.desk.take(bar, 0.0)
    assert first.deploy_id != second.deploy_id
    assert (first.orders[0]["id"], second.orders[0]["id"]) == (1, 1)
    rows = (await client.good("live/list", projectId=project_id))["live"]
    assert [(r["deployId"], r["status"]) for r in rows] == [
        (first.deploy_id, "Stopped"),
        (second.deploy_id, "Running"),
    ]
    read = {"projectId": project_id, "start": 0, "end": 9, "algorithmId": first.deploy_id}
    assert (await client.good("live/orders/read", **read))["orders"] == first.orders[:9]


async def test_a_new_loop_deploys_it_anew_on_its_node(client: Client) -> None:
    deployment = await deployed(client, await new_project(client, lookback="3"))
    client.desk.begin(2, swinging(0))
    newest = client.desk.newest(deployment.project_id)
    assert newest is not None
    assert newest.deploy_id != deployment.deploy_id
    assert newest.node_id == deployment.node_id
    assert newest.rule.model == "MomentumAlpha(3)"


async def test_cash_and_holdings_to_begin_with(client: Client) -> None:
    holding = {"symbolId": "AAPL R735QTJ8XC9X", "symbol": "AAPL", "quantity": 10}
    brokerage = {
        "id": "QuantConnectBrokerage",
        "cash": [{"currency": "USD", "amount": 5000}],
        "holdings": [holding | {"averagePrice": 100}],
    }
    deployment = await deployed(client, await new_project(client), brokerage=brokerage)
    price = deployment.holdings["AAPL"].price
    assert deployment.equity == 5000 + 10 * price
    assert deployment.start_cash == 6000
    await client.good("live/update/liquidate", projectId=deployment.project_id)
    (trade,) = deployment.ledger.closed
    assert trade.net == deployment.equity - 6000


@pytest.mark.parametrize(
    ("over", "says"),
    [
        ({"nodeId": LIVE_NODES[0]}, "Node is busy"),
        ({"nodeId": "LN-1"}, "Node not found"),
        ({"nodeId": ""}, "nodeId is required"),
        ({"compileId": "0"}, "Compile id not found"),
        ({"brokerage": {"id": "InteractiveBrokers"}}, "QuantConnectBrokerage only"),
        ({"brokerage": None}, "QuantConnectBrokerage only"),
        ({"brokerage": {"id": "PaperBrokerage", "cash": [{"currency": "USD"}]}}, "cash is"),
        ({"brokerage": {"id": "PaperBrokerage", "holdings": ["x"]}}, "Invalid holdings"),
        ({"notification": "x"}, "notification is an object"),
        ({"notification": {"targets": [{"address": "http://" + "x" * 4000}]}}, "at most 4000"),
        ({"versionId": "new"}, "not an integer"),
    ],
)
async def test_what_create_refuses(client: Client, over: dict[str, Any], says: str) -> None:
    project_id = await new_project(client)
    body = await request_of(client, project_id) | over
    assert says in await client.error("live/create", **body)
    assert client.desk.newest(project_id) is None


async def test_one_deployment_a_project(client: Client) -> None:
    body = await request_of(client, MOMENTUM)
    assert "already running" in await client.error("live/create", **body)


async def test_parameters_that_make_no_rule(client: Client) -> None:
    body = await request_of(client, await new_project(client, rule="magic"))
    assert "cannot be initialized" in await client.error("live/create", **body)


async def test_commands(client: Client) -> None:
    deployment = await deployed(client, await new_project(client))
    ids = {"projectId": deployment.project_id}
    order = {"$type": "OrderCommand", "symbol": "AAPL R735QTJ8XC9X", "quantity": 7, "tag": "hand"}
    await client.good("live/commands/create", **ids, command=order)
    assert deployment.holdings["AAPL"].quantity == 7
    assert deployment.orders[-1]["tag"] == "hand"
    await client.good("live/commands/create", **ids, command={"$type": "LiquidateCommand"})
    assert deployment.holdings["AAPL"].quantity == 0
    await client.good("live/commands/create", **ids, command={"note": 1})
    assert "Received command" in deployment.logs[-1]
    await client.good("live/commands/create", **ids, command={"$type": "QuitCommand"})
    assert deployment.status == "Stopped"
    refused = await client.error("live/commands/create", **ids, command={"$type": "X"})
    assert "No running live deployment" in refused


async def test_a_broadcast_spares_whom_it_excludes(client: Client) -> None:
    quit_ = {"organizationId": ORGANIZATION_ID, "command": {"$type": "QuitCommand"}}
    await client.good("live/commands/broadcast", **quit_, excludeProjectId=BREADTH)
    assert [d.project_id for d in client.desk.alive()] == [BREADTH]


async def test_charts_and_closed_trades_of_a_live_algorithm(client: Client) -> None:
    span = {"projectId": MOMENTUM, "start": 0, "end": 4_000_000_000, "count": 100}
    found = (await client.good("live/chart/read", **span, name="Strategy Equity"))["chart"]
    newest = client.desk.newest(MOMENTUM)
    assert newest is not None
    assert found["series"]["Equity"]["values"][-1][4] == pytest.approx(float(newest.equity))
    page = {"projectId": MOMENTUM, "start": 0, "end": 1000}
    trades = (await client.good("live/trades/read", **page))["trades"]
    won = sum(Decimal(str(t["profitLoss"])) - Decimal(str(t["totalFees"])) for t in trades)
    lots = [lot for held in newest.ledger.lots.values() for lot in held]
    open_fees = sum((lot.fee for lot in lots), Decimal(0))
    assert float(won + newest.unrealized - open_fees) == pytest.approx(
        float(newest.equity - 100_000), abs=0.01
    )
