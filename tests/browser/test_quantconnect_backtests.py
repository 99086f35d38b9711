"""Backtests on the page: run to the end, looked at, compared, deleted, cancelled."""

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from signalbox.testing.wait import until_sync
from tests.browser.conftest import PHONE, WIDE, OpenPage, settled
from tests.browser.test_every_page import is_too_wide, violations

pytestmark = pytest.mark.browser
API = "/api/quantconnect/backtest"
LONG_MS = 60_000


def run(page: Page, name: str, lookback: int) -> None:
    """Fill in the form and start it."""
    page.goto("/quantconnect/backtests")
    settled(page)
    page.get_by_role("combobox", name="Algorithm").first.click()
    page.get_by_role("option", name="Momentum desk").click()
    page.get_by_role("textbox", name="Name").fill(name)
    for label, day in (("From", "2025-02-03"), ("To", "2025-11-28")):
        page.get_by_role("textbox", name=label, exact=True).fill(day)
        page.keyboard.press("Tab")
    page.get_by_role("textbox", name="Parameters").fill(f"lookback = {lookback}")
    page.get_by_role("button", name="Run", exact=True).click()


def test_two_runs_are_followed_to_their_end_and_compared(open_page: OpenPage) -> None:
    page = open_page(None)
    for name, lookback in (("Browser three", 3), ("Browser eight", 8)):
        run(page, name, lookback)
        expect(page.get_by_role("heading", name=name)).to_be_visible()
        expect(page.get_by_role("progressbar")).to_be_visible()
        statistics = page.get_by_role("region", name="Statistics")
        expect(statistics).to_contain_text("Sharpe Ratio", timeout=LONG_MS)
    figure = page.get_by_role("figure", name=re.compile("Equity against benchmark"))
    expect(figure).to_have_attribute("aria-label", re.compile(r"Benchmark.* \$[\d.]+K"))
    trades = page.get_by_role("table", name="Trades")
    expect(trades.get_by_role("row").nth(1)).to_contain_text("AAPL")
    for kind in ("Orders", "Insights"):
        page.get_by_text(kind, exact=True).click()
        expect(page.get_by_role("table", name=kind).get_by_role("row").nth(1)).to_be_visible()

    fits(page)
    page.get_by_role("link", name="All backtests").click()
    page.get_by_role("checkbox", name="Compare Browser three").first.check()
    page.get_by_role("checkbox", name="Compare Browser eight").first.check()
    page.get_by_role("button", name="Compare", exact=True).click()
    both = page.get_by_role("figure", name=re.compile("^Equity of both"))
    expect(both).to_have_attribute("aria-label", re.compile("Browser three .*Browser eight"))
    table = page.get_by_role("region", name="Side by side")
    expect(table.get_by_role("row", name=re.compile("^Parameters"))).to_contain_text("lookback = 8")
    expect(table.get_by_role("row", name=re.compile("^Net Profit"))).to_contain_text("%")
    expect(page).to_have_url(re.compile("compare="))
    fits(page)


def fits(page: Page) -> None:
    """On a phone too, and readable by everybody."""
    for size in (PHONE, WIDE):
        page.set_viewport_size(size)
        assert not is_too_wide(page)
        assert violations(page) == []


def test_one_that_runs_is_cancelled_and_then_deleted(
    open_page: OpenPage, rest: httpx.Client
) -> None:
    page = open_page(None, allowed=("404",))  # what is deleted may be looked for once more
    run(page, "Browser cancelled", 5)
    page.get_by_role("button", name="Cancel it").click()
    page.get_by_role("dialog").get_by_role("button", name="End it").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    deletes = page.get_by_role("button", name="Delete")
    expect(deletes).to_be_visible(timeout=LONG_MS)
    deletes.click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page).to_have_url("/quantconnect/backtests")
    until_sync(lambda: "Browser cancelled" not in rest.get(API, params={"limit": 20}).text, 10)
    expect(page.get_by_role("row", name="Browser cancelled, open")).to_have_count(0)


def test_what_is_not_right_is_said_at_its_field(page: Page) -> None:
    page.goto("/quantconnect/backtests")
    page.get_by_role("textbox", name="Parameters").fill("lookback")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("Choose the algorithm to run.")).to_be_visible()
    expect(page.get_by_text("Line 1 is not of the form name = value.")).to_be_visible()


def test_a_refusal_stands_in_the_words_of_the_interface(open_page: OpenPage) -> None:
    page = open_page("/quantconnect/backtests", allowed=("422", "400"))
    page.get_by_role("combobox", name="Algorithm").first.click()
    page.get_by_role("option", name="Momentum desk").click()
    page.get_by_role("textbox", name="Parameters").fill("my_key = 1")
    refused = page.get_by_role("alert").filter(has_text="It was not started")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(refused).to_contain_text("looks like a secret")
