"""QuantConnect's signals: they come by themselves, become trades, and wait for a word."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from signalbox.testing.wait import until_sync
from tests.browser.conftest import OpenPage, notice, settled

pytestmark = pytest.mark.browser
API = "/api/quantconnect"
MOMENTUM = 23456781
Say = Callable[..., str]


@pytest.fixture
def say(rest: httpx.Client) -> Say:
    """Pushes an insight as the demo's algorithm would; its own id."""
    made = rest.post(f"{API}/config/demo/webhook", json={}).raise_for_status().json()

    def push(confidence: float, symbol: str = "AAPL R735QTJ8XC9X") -> str:
        market = rest.get("/api/market").raise_for_status().json()
        now = int(datetime.fromisoformat(market["now"]).timestamp())
        insight = {
            "id": uuid4().hex,
            "symbol": symbol,
            "ticker": symbol.partition(" ")[0],
            "type": 0,
            "direction": 1,
            "confidence": confidence,
            "generatedTime": now,  # not older than a word of that algorithm's own
            "closeTime": now + 86_400,
        }
        body = {"projectId": MOMENTUM, "deployId": "L-1", "insights": [insight]}
        key = {"Authorization": f"Bearer {made['token']}"}
        httpx.post(made["url"], json=body, headers=key, trust_env=False).raise_for_status()
        return str(insight["id"])

    return push


def rows(page: Page) -> Locator:
    """Those of the live table."""
    return page.get_by_role("table", name="QuantConnect signals").get_by_role("row")


def test_a_signal_arrives_without_a_reload_and_its_chain_is_one_click_away(
    open_page: OpenPage, say: Say
) -> None:
    page = open_page("/quantconnect/signals")
    expect(page.get_by_role("status", name="Connection: Live")).to_be_visible()
    settled(page)
    own_id = say(0.37)
    row = rows(page).filter(has_text="37%").first
    expect(row).to_contain_text("BUY")
    expect(row).to_contain_text("AAPL")
    row.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="BUY AAPL")
    expect(dialog).to_contain_text(own_id)
    expect(dialog).to_contain_text("Verdict for demo")
    expect(page).to_have_url(re.compile("chain="))


def test_a_signal_becomes_a_trade(open_page: OpenPage, rest: httpx.Client) -> None:
    def newest() -> Any:
        query = {"source_type": "quantconnect", "bot": "demo", "limit": "1"}
        items = rest.get("/api/trades", params=query).json()["items"]
        return next((one for one in items if one["signal_id"]), None)

    rest.put("/api/market", json={"speed": 240})
    try:
        trade = until_sync(newest, 60, every=0.2)
    finally:
        rest.put("/api/market", json={"speed": 60})
    page = open_page(f"/quantconnect/signals?chain={trade['signal_id']}")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Order of demo")
    expect(dialog).to_contain_text(re.compile(rf"Filled: {trade['side']} "))


@pytest.mark.usefixtures("still")  # that algorithm says nothing newer, and nothing lapses
def test_what_waits_is_processed_after_a_word(
    open_page: OpenPage, rest: httpx.Client, say: Say
) -> None:
    own_id = say(0.38)

    def pending() -> Any:
        items = rest.get(f"{API}/signals", params={"processed": False, "limit": 50}).json()["items"]
        found = [one for one in items if one["confidence"] == "0.38"]
        chains = (rest.get(f"/api/signals/{one['id']}").json() for one in found)
        return next((c for c in chains if c["signal"]["own_id"] == own_id and waits(c)), None)

    chain = until_sync(pending, 20, every=0.1)
    page = open_page("/quantconnect/signals?processed=no")
    rows(page).filter(has_text="38%").first.click()
    dialog = page.get_by_role("dialog", name="BUY AAPL")
    expect(dialog).to_contain_text("Bot demo-shadow waits for your word")
    dialog.get_by_role("button", name="Process").click()
    ask = page.get_by_role("dialog", name="Act on buy AAPL?")
    ask.get_by_role("button", name="Process").click()
    expect(ask).to_have_count(0)
    expect(dialog).not_to_contain_text("waits for your word")
    after = rest.get(f"{API}/signals/{chain['signal']['id']}").json()
    assert after["processed"] is True
    assert {v["round"] for v in after["verdicts"] if v["bot"] == "demo-shadow"} == {0, 1}


def waits(chain: dict[str, Any]) -> bool:
    """Whether the bot that wants approval waits."""
    return any(v["outcome"] == "pending" and v["current"] for v in chain["verdicts"])


def test_filters_are_in_the_address_and_in_the_file(page: Page, say: Say) -> None:
    say(0.36)
    page.goto("/quantconnect/signals")
    expect(rows(page).nth(1)).to_be_visible()
    page.get_by_role("textbox", name="Symbol").fill("zzzz")
    expect(page.get_by_text("No signal is like that")).to_be_visible()
    expect(page).to_have_url(re.compile("symbol=zzzz"))
    page.get_by_role("textbox", name="Symbol").fill("aapl")
    page.get_by_role("combobox", name="Signal").click()
    page.get_by_role("option", name="Buy").click()
    expect(rows(page).filter(has_text="36%").first).to_be_visible()
    expect(rows(page).filter(has_text="SELL")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("textbox", name="Symbol")).to_have_value("aapl")
    with page.expect_download() as begun:
        page.get_by_role("link", name="CSV").click()
    lines = begun.value.path().read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("id,timestamp,config_id,symbol,signal,confidence")
    assert lines[1:]
    assert all(",AAPL,buy," in line for line in lines[1:])


def test_fetching_says_what_came(page: Page) -> None:
    page.goto("/quantconnect/signals")
    page.get_by_role("button", name="Fetch new signals now").click()
    expect(notice(page, re.compile("new signal|Nothing new"))).to_be_visible()
