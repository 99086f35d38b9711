"""What models cost: budgets with their alerts, parts, and calls whose cost nobody knows."""

import os
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from signalbox.testing.wait import until_sync
from tests.browser.conftest import AddModel, OpenPage

pytestmark = pytest.mark.browser
COSTS = "/ai-trading/costs"


def _ask(rest: httpx.Client, config_id: str) -> dict[str, Any]:
    body = {"config_id": config_id, "dry_run": True}
    answer = rest.post("/api/ai-trading/decision", json=body).raise_for_status()
    return dict(answer.json()["items"][0])


@pytest.fixture
def sandbox(request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """The sandbox, to switch faults on; they are off at the end."""
    given = os.environ.get("BROWSER_SANDBOX")
    address = given or request.getfixturevalue("house").url("sandbox")
    with httpx.Client(base_url=address, trust_env=False) as client:
        yield client
        client.delete("/faults").raise_for_status()


def test_an_exhausted_budget_raises_an_alert_on_the_page(
    open_page: OpenPage, rest: httpx.Client, model: AddModel
) -> None:
    page = open_page(COSTS)
    expect(page.get_by_role("status", name="Connection: Live")).to_be_visible()
    config_id = model("Nearly broke", budget={"day_usd": "0.0001"})
    decision = _ask(rest, config_id)
    assert (decision["outcome"], decision["cost_usd"]) == ("over_budget", "0")
    alerts = page.get_by_role("region", name="Budget alerts")
    words = f"100 % of the day's model budget {config_id} are reached"
    expect(alerts).to_contain_text(words)
    expect(alerts).to_contain_text("Warning")
    page.goto("/ai-trading")
    expect(page.get_by_role("region", name="Spending")).to_contain_text(words)
    expect(page.get_by_role("row", name=f"over budget AAPL by {config_id}").first).to_be_visible()


def test_the_limit_of_all_models_is_set(open_page: OpenPage, rest: httpx.Client) -> None:
    path = "/api/ai-trading/budgets/total"
    before = {one["period"]: one["limit_usd"] for one in rest.put(path, json={}).json()["items"]}
    page = open_page(COSTS, allowed=("500",))
    form = page.get_by_role("form", name="Limit of all models together")
    month = form.get_by_role("textbox", name="A month, USD")
    try:
        failing = {"status": 500, "json": {"detail": "It failed."}}
        page.route(f"**{path}", lambda route: route.fulfill(**failing))
        month.fill("123.5")
        form.get_by_role("button", name="Set limits").click()
        expect(form.get_by_role("alert")).to_contain_text("The limits were not changed")
        page.unroute(f"**{path}")
        form.get_by_role("button", name="Set limits").click()
        expect(page.get_by_role("region", name="Budgets")).to_contain_text("of $123.50")
        lines = rest.put(path, json={}).json()["items"]
        assert {one["period"]: one["limit_usd"] for one in lines} == {**before, "month": "123.5"}
        month.fill("")
        form.get_by_role("button", name="Set limits").click()
        expect(page.get_by_role("group", name="This month").first).to_contain_text("no limit")
    finally:
        rest.put(path, json={"month_usd": before["month"]}).raise_for_status()


def test_parts_and_periods_are_shown_and_live_in_the_address(
    open_page: OpenPage, rest: httpx.Client
) -> None:
    cost = until_sync(lambda: rest.get("/api/ai-trading/costs").json()["items"], 60)  # the demo's
    page = open_page(COSTS)
    daily = page.get_by_role("figure", name="Cost of each day")
    today = daily.get_by_role("row", name=cost[0]["period"])
    expect(today).to_contain_text(re.compile(r"\$0\.\d+, \d+ decisions?, \d+ calls?"))
    expect(page.get_by_role("figure", name="Cost of each month").get_by_role("row")).to_have_count(
        12
    )
    page.get_by_text("Symbol", exact=True).click()
    expect(page).to_have_url(f"{COSTS}?part=symbol")
    table = page.get_by_role("table", name="Cost by symbol")
    expect(table.get_by_role("row", name="AAPL")).to_be_visible()
    expect(table.get_by_role("columnheader", name="P&L after cost")).to_be_visible()


def test_a_call_that_broke_off_is_settled(
    open_page: OpenPage, rest: httpx.Client, model: AddModel, sandbox: httpx.Client
) -> None:
    config_id = model("Cut off")
    sandbox.post("/faults", json={"kind": "lost", "path": "openai/"}).raise_for_status()
    decision = _ask(rest, config_id)
    sandbox.delete("/faults").raise_for_status()
    assert (decision["outcome"], decision["cost_is_estimated"]) == ("failed", True)

    page = open_page(COSTS)
    table = page.get_by_role("table", name="Unresolved calls")
    mine = table.get_by_role("row", name=f"Settle the call of {config_id}")
    budgets = page.get_by_role("region", name="Budgets")
    expect(budgets).to_contain_text("belongs to calls whose cost nobody knows yet")
    expect(mine.first).to_be_visible()
    left = mine.count()
    while left:
        mine.first.click()
        dialog = page.get_by_role("dialog", name="What did this call cost?")
        dialog.get_by_role("textbox", name="Cost in US dollars").fill("0.001")
        dialog.get_by_role("button", name="Settle").click()
        expect(dialog).to_have_count(0)
        left -= 1
        expect(mine).to_have_count(left)

    def known() -> bool:
        lines = rest.get("/api/ai-trading/budgets").json()["items"]
        day = next(one for one in lines if (one["scope"], one["period"]) == (config_id, "day"))
        return (day["unknown_usd"], day["reserved_usd"]) == ("0", "0")

    until_sync(known, 15)
