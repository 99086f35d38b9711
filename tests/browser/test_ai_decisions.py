"""What models said: live, searched, opened whole; and asking one as a test."""

import csv
import io
import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import AddModel, OpenPage

pytestmark = pytest.mark.browser
DECISION = "/api/ai-trading/decision"
EVIL = '<img src=x onerror="document.title=1"><b>Buy</b>'


def _ask(rest: httpx.Client, config_id: str, **over: Any) -> dict[str, Any]:
    body = {"config_id": config_id, "symbols": ["AAPL"], "dry_run": True, **over}
    answer: dict[str, Any] = rest.post(DECISION, json=body).raise_for_status().json()
    (decision,) = answer["items"]
    return dict(decision)


def test_a_decision_appears_by_itself_and_opens_whole_by_keyboard(
    open_page: OpenPage, rest: httpx.Client, model: AddModel
) -> None:
    config_id = model("Seen to answer")
    page = open_page(f"/ai-trading/decisions?test=yes&symbol=aapl&config={config_id}")
    expect(page.get_by_role("status", name="Connection: Live")).to_be_visible()
    expect(page.get_by_text("No decision fits these filters.")).to_be_visible()
    decision = _ask(rest, config_id)
    row = page.get_by_role("row", name=f"{decision['action']} AAPL by {config_id}")
    expect(row).to_contain_text("test, never traded")
    row.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(decision["reasoning"])
    expect(dialog).to_contain_text("standard@1")
    expect(dialog.get_by_role("region", name="What it was shown")).to_contain_text("RSI ★")
    dialog.get_by_role("button", name="Prompt standard@1, as it was sent").click()
    expect(dialog.get_by_label("User part", exact=True)).to_contain_text("AAPL.price: last")
    dialog.get_by_role("button", name="Calls of the provider (1)").click()
    expect(dialog.get_by_label("Its answer, as it came")).to_contain_text('"symbol": "AAPL"')
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(row).to_be_focused()


def test_a_decision_leads_to_its_signal_and_its_verdicts(
    open_page: OpenPage, rest: httpx.Client, model: AddModel
) -> None:
    decision = _ask(rest, model("Heard by the demo"), dry_run=False)
    page = open_page(f"/ai-trading/decisions?decision={decision['id']}")
    page.get_by_role("button", name="Signal and what followed").click()
    expect(page).to_have_url(re.compile(f"chain={decision['signal_id']}"))
    expect(page.get_by_text("Verdict for demo")).to_be_visible()


def test_filters_search_and_file_say_the_same(
    open_page: OpenPage, rest: httpx.Client, model: AddModel
) -> None:
    decision = _ask(rest, model("Searched for"))
    page = open_page("/ai-trading/decisions")
    page.get_by_role("textbox", name="Search reasoning").fill("no model says this")
    expect(page.get_by_text("No decision fits these filters.")).to_be_visible()
    expect(page).to_have_url("/ai-trading/decisions?q=no+model+says+this")
    page.get_by_role("textbox", name="Search reasoning").fill("sandbox's rule")
    page.get_by_role("combobox", name="Tests").click()
    page.get_by_role("option", name="Tests only").click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("test, never traded")
    file = page.get_by_role("link", name="CSV")
    expect(file).to_have_attribute("href", re.compile("(?=.*dry_run=true)(?=.*q=sandbox)"))
    with page.expect_download() as download:
        file.click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8"))))
    assert decision["id"] in {row["id"] for row in rows}
    assert {row["dry_run"] for row in rows} == {"true"}


def test_what_a_model_writes_is_text_and_nothing_else(
    open_page: OpenPage, rest: httpx.Client, model: AddModel
) -> None:
    decision = _ask(rest, model("Hostile"))
    detail = rest.get(f"{DECISION}/{decision['id']}").json()
    hostile = {**detail, "reasoning": EVIL, "market_data": {"news": [{"headline": EVIL}]}}
    page = open_page(None)
    page.route(f"**{DECISION}/{decision['id']}", lambda route: route.fulfill(json=hostile))
    page.goto(f"/ai-trading/decisions?decision={decision['id']}")
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".reasoning")).to_have_text(EVIL)
    expect(dialog).to_contain_text(f"headline {EVIL}")
    expect(dialog.locator("img, b")).to_have_count(0)
    expect(page).to_have_title("AI trading · Signalbox")


def test_a_test_decision_is_shown_with_its_cost_and_never_traded(
    open_page: OpenPage, rest: httpx.Client
) -> None:
    page = open_page("/ai-trading/test?config=demo-openai")
    snapshot = page.get_by_role("region", name="What it would be shown now")
    expect(snapshot).to_contain_text("AAPL.price: last")
    expect(snapshot).to_contain_text("At most, set aside")
    page.get_by_role("button", name="Ask about AAPL").click()
    result = page.get_by_role("status", name="Result")
    expect(result).to_contain_text("Answer of the sandbox's rule")
    expect(result).to_contain_text("Never traded")
    expect(result).to_contain_text("$0.0")
    result.get_by_role("button", name="All of it").click()
    expect(page.get_by_role("dialog")).to_contain_text("the answer is recorded and never traded")
    (newest,) = rest.get(DECISION, params={"dry_run": True, "limit": 1}).json()["items"]
    assert (newest["signal_id"], newest["not_traded"]) == (None, "dry_run")
