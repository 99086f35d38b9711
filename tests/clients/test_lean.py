"""What QuantConnect's own command-line client does, it does with the sandbox too."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.quantconnect.desk import LIVE_NODES
from sandbox.serving import Served
from sandbox.tests.bars import SWINGS, minutes
from signalbox.testing.examples import NOON
from tests.clients.conftest import Lean

pytestmark = pytest.mark.e2e

PAPER = ("--brokerage", "Paper Trading", "--data-provider-live", "Paper Trading")
QUIET = ("--notify-order-events", "no", "--notify-insights", "no", "--auto-restart", "no")


def deploy(name: str, node: str, *more: str) -> tuple[str, ...]:
    return ("cloud", "live", "deploy", name, "--node", node, *PAPER, *QUIET, *more)


async def test_login_and_whoami(lean: Lean) -> None:
    assert "Credentials are invalid" in await lean.refused("login", "-u", "123", "-t", "wrong")
    assert "logged in as Sandbox" in await lean.good("whoami")


async def test_a_pushed_project_is_what_was_written(lean: Lean, sandbox: Served) -> None:
    project_id = await lean.project()
    code = lean.workspace / "Demo" / "main.py"
    assert sandbox.desk.projects[project_id].files["main.py"].content == code.read_text()
    code.write_text("# new\n", encoding="utf-8")
    config = lean.workspace / "Demo" / "config.json"
    said = json.loads(config.read_text()) | {"parameters": {"lookback": "7"}, "description": "d"}
    config.write_text(json.dumps(said), encoding="utf-8")
    await lean.good("cloud", "push", "--project", "Demo")
    project = sandbox.desk.projects[project_id]
    assert project.files["main.py"].content == "# new\n"
    assert (project.parameters, project.description) == ({"lookback": "7"}, "d")


async def test_pull_and_delete(lean: Lean, sandbox: Served) -> None:
    said = await lean.good("cloud", "pull")
    assert "Successfully pulled 'Momentum desk/main.py'" in said
    pulled = (lean.workspace / "Momentum desk" / "main.py").read_text(encoding="utf-8")
    assert "signalbox_start" in pulled
    project_id = await lean.project()
    await lean.good("delete-project", "Demo")
    assert project_id not in sandbox.desk.projects


async def test_a_cloud_backtest_to_the_end(lean: Lean, sandbox: Served) -> None:
    await lean.project()
    said = await lean.good("cloud", "backtest", "Demo", "--parameter", "resolution", "daily")
    (backtest,) = sandbox.context.runner.backtests.values()
    assert backtest.result is not None
    assert f"Backtest id: {backtest.id}" in said
    assert f"Equity │ {backtest.result.runtime['Equity']}" in said
    assert f"Total Orders │ {len(backtest.result.orders)}" in said
    assert len(backtest.result.orders) > 20
    assert backtest.parameters["resolution"] == "daily"


async def test_a_build_error_is_shown(lean: Lean) -> None:
    await lean.project()
    (lean.workspace / "Demo" / "main.py").write_text("def f(:\n", encoding="utf-8")
    said = await lean.refused("cloud", "backtest", "Demo", "--push")
    assert "main.py Line:1" in said


async def test_a_backtest_that_fails_says_why(lean: Lean) -> None:
    await lean.project()
    said = await lean.run("cloud", "backtest", "Demo", "--parameter", "symbols", "ZZZ")
    assert "there are no 1m bars of ZZZ" in said.text


async def test_paper_trading_from_deployment_to_liquidation(lean: Lean, sandbox: Served) -> None:
    project_id = await lean.project()
    node = sandbox.desk.free_nodes()[0]
    said = await lean.good(*deploy("Demo", node, "--live-cash-balance", "USD:50000"))
    assert f"Project id: {project_id}" in said
    deployment = sandbox.desk.newest(project_id)
    assert deployment is not None
    assert deployment.node_id == node
    said = await lean.good("cloud", "status", "Demo")
    assert "Live status: Running" in said
    assert f"Live id: {deployment.deploy_id}" in said
    for bar in minutes(SWINGS[:9]):
        sandbox.desk.take(bar, 0.0)
    assert deployment.holdings["AAPL"].quantity > 0
    await lean.good("cloud", "live", "liquidate", "Demo")
    assert deployment.holdings["AAPL"].quantity == 0
    assert deployment.start_cash == 50_000
    assert "Live status: Liquidated" in await lean.good("cloud", "status", "Demo")


async def test_stop_keeps_positions_and_a_redeploy_counts_anew(lean: Lean, sandbox: Served) -> None:
    project_id = await lean.project()
    await lean.good(*deploy("Demo", sandbox.desk.free_nodes()[0]))
    first = sandbox.desk.newest(project_id)
    for bar in minutes(SWINGS[:9]):
        sandbox.desk.take(bar, 0.0)
    await lean.good("cloud", "live", "stop", "Demo")
    assert "Live status: Stopped" in await lean.good("cloud", "status", "Demo")
    await lean.good(*deploy("Demo", sandbox.desk.free_nodes()[0]))
    second = sandbox.desk.newest(project_id)
    for bar in minutes(SWINGS, start=NOON + timedelta(minutes=9)):
        sandbox.desk.take(bar, 0.0)
    assert first is not None
    assert second is not None
    assert first.holdings["AAPL"].quantity > 0
    assert first.deploy_id != second.deploy_id
    assert (first.orders[0]["id"], second.orders[0]["id"]) == (1, 1)


async def test_a_busy_node_is_refused(lean: Lean) -> None:
    await lean.project()
    assert "already in use" in await lean.refused(*deploy("Demo", LIVE_NODES[0]))


async def test_a_command_reaches_the_algorithm(lean: Lean, sandbox: Served) -> None:
    project_id = await lean.project()
    await lean.good(*deploy("Demo", sandbox.desk.free_nodes()[0]))
    await lean.good("cloud", "live", "command", "Demo", "--data", '{"$type": "QuitCommand"}')
    deployment = sandbox.desk.newest(project_id)
    assert deployment is not None
    assert deployment.status == "Stopped"


async def test_the_object_store(lean: Lean, tmp_path: Path) -> None:
    source = tmp_path / "a.txt"
    source.write_bytes(b"first line\nsecond\n")
    store = ("cloud", "object-store")
    await lean.good(*store, "set", "notes/a.txt", str(source))
    assert "/notes 0 True notes" in await lean.good(*store, "list")
    assert "/notes/a.txt 18 False a.txt" in await lean.good(*store, "list", "notes")
    assert "18 " in await lean.good(*store, "properties", "notes/a.txt")
    await lean.good(*store, "get", "notes/a.txt")
    fetched = [p for p in lean.workspace.rglob("*") if p.is_file() and "a.txt" in p.name]
    assert [p.read_bytes() for p in fetched] == [source.read_bytes()]
    await lean.good(*store, "delete", "notes/a.txt")
    assert "Object not found" in await lean.refused(*store, "properties", "notes/a.txt")
