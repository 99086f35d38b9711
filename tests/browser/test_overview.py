"""The overview, the kill switch, and the page staying up to date by itself."""

import json
import re

import httpx
import pytest
from playwright.sync_api import Page, ViewportSize, expect

from chaos.system import System
from signalbox.testing.wait import until_sync
from tests.browser.conftest import PHONE, WIDE, OpenPage, notice
from tests.browser.test_every_page import violations

pytestmark = pytest.mark.browser
SIGNAL = {"symbol": "AAPL", "action": "buy", "confidence": "0.9"}


def is_live(page: Page) -> None:
    expect(page.get_by_role("status", name="Connection: Live")).to_be_visible()


def test_it_shows_what_everything_is_worth(open_page: OpenPage, rest: httpx.Client) -> None:
    until_sync(lambda: rest.get("/api/equity/today").json()["bots"], 30)
    page = open_page("/")
    equity = page.get_by_role("region", name="Equity", exact=True)
    expect(equity).to_contain_text(re.compile(r"\$\d{2,3},\d{3}\.\d\d"))
    expect(page.get_by_role("figure")).to_have_attribute(
        "aria-label", re.compile(r"Newest: Equity \$[\d,.]+, Drawdown -?[\d.]+%")
    )
    expect(page.get_by_text("Paper", exact=True)).to_be_visible()
    expect(page.get_by_text(re.compile("^Replay"))).to_be_visible()
    spend = page.get_by_role("region", name="AI spend")
    expect(spend).to_contain_text(re.compile(r"\$\d+\.\d+ of \$5\.00"))


@pytest.mark.usefixtures("still")  # a close says more than the page's few rows hold
def test_a_signal_comes_without_a_reload_and_its_chain_opens_by_keyboard(
    open_page: OpenPage, rest: httpx.Client
) -> None:
    page = open_page("/")
    is_live(page)
    rest.post("/api/signals", json=SIGNAL).raise_for_status()
    verdict = page.get_by_role("button", name=re.compile(r"BUY AAPL.*Manual")).first
    expect(verdict).to_be_visible()
    verdict.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Verdict for demo")
    expect(dialog).to_contain_text("Manual")
    expect(page).to_have_url(re.compile("chain="))
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(verdict).to_be_focused()


@pytest.mark.usefixtures("released")
def test_the_kill_switch_wants_its_word_and_everybody_sees_it(open_page: OpenPage) -> None:
    page, other = open_page("/"), open_page("/settings")
    is_live(other)
    page.get_by_role("button", name="Kill switch", exact=True).click()
    dialog = page.get_by_role("dialog")
    stop = dialog.get_by_role("button", name="Stop everything")
    expect(stop).to_be_disabled()
    dialog.get_by_role("textbox", name="Why (others will read it)").fill("a look around")
    dialog.get_by_role("textbox", name="Type STOP to confirm").fill("STOP")
    stop.click()
    for each in (page, other):
        banner = each.get_by_role("alert").filter(has_text="The kill switch stops everything")
        expect(banner).to_contain_text("“a look around”")
    expect(page.get_by_role("region", name="Trading")).to_contain_text("Stopped")
    page.get_by_role("button", name="Release…").click()
    page.get_by_role("dialog").get_by_role("button", name="Release").click()
    expect(other.get_by_text("The kill switch stops everything")).to_have_count(0)


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_an_alert_that_shows_itself_is_readable_and_leaves_the_kill_switch_free(
    open_page: OpenPage, size: ViewportSize, dark: bool
) -> None:
    alert = {"severity": "critical", "code": "bot_halted", "about": "bot:demo", "active": True}
    frame = json.dumps({"data": {**alert, "message": "demo lost too much"}})
    told = f"event: hello\ndata: {{}}\n\nevent: AlertRaised\ndata: {frame}\n\n"

    def stream(page: Page) -> None:
        page.route(
            "**/api/stream*",
            lambda route: route.fulfill(body=told, content_type="text/event-stream"),
        )

    page = open_page("/settings", size=size, dark=dark, before=stream)
    toast = notice(page, "demo lost too much")
    expect(toast).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Kill switch", exact=True).click()
    expect(page.get_by_role("dialog", name="Stop everything?")).to_be_visible()


@pytest.mark.usefixtures("still")
def test_after_a_restart_of_the_gateway_the_page_goes_on_by_itself(
    open_page: OpenPage, rest: httpx.Client, house: System
) -> None:
    page = open_page("/", allowed=("Failed to load resource", "ERR_", "503"))
    is_live(page)
    pid = house.kill("gateway")
    expect(page.get_by_role("status", name="Connection: Reconnecting…")).to_be_visible()
    until_sync(lambda: house.is_back("gateway", pid), 60)
    is_live(page)
    rest.post("/api/signals", json={**SIGNAL, "action": "sell"}).raise_for_status()
    verdict = page.get_by_role("button", name=re.compile(r"SELL AAPL.*Manual")).first
    expect(verdict).to_be_visible()


def test_the_theme_is_kept(open_page: OpenPage) -> None:
    page = open_page("/")
    page.get_by_role("button", name="Use the dark theme").click()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")


def test_an_address_that_leads_nowhere_says_so(open_page: OpenPage) -> None:
    page = open_page("/no-such-page")
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing here")
    page.get_by_role("link", name="overview", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
