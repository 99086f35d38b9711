"""Algorithms on the page: ended only after a word, deployed again, refusals told."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from signalbox.testing.wait import until_sync
from tests.browser.conftest import PHONE, WIDE, OpenPage, notice
from tests.browser.test_every_page import is_too_wide, violations

pytestmark = pytest.mark.browser
API = "/api/quantconnect/algorithms"
BREADTH = "23456782"
LONG_MS = 60_000


@pytest.fixture
def running_again(rest: httpx.Client) -> Iterator[None]:
    """The desk that a test ends runs again afterwards."""
    yield

    def runs() -> bool:
        query = {"config": "demo", "refresh": "true"}
        found = rest.get(f"{API}/{BREADTH}", params=query).json()
        if found["status"] in {"Stopped", "Liquidated"}:
            rest.post(f"{API}/{BREADTH}/deploy", params={"config": "demo"}, json={})
        return bool(found["status"] == "Running")

    until_sync(runs, 60, every=0.5)


def card(page: Page, name: str = "Breadth desk") -> Locator:
    """One algorithm's card."""
    return page.get_by_role("region", name=name, exact=True)


def test_an_algorithm_is_liquidated_stopped_and_deployed(
    open_page: OpenPage, running_again: None
) -> None:
    page = open_page("/quantconnect/algorithms")
    card(page).get_by_role("button", name="More for Breadth desk").click()
    page.get_by_role("menuitem", name="Liquidate…").click()
    ask = page.get_by_role("dialog", name="Liquidate Breadth desk?")
    sell = ask.get_by_role("button", name="Sell everything")
    expect(sell).to_be_disabled()
    ask.get_by_role("textbox", name="Type LIQUIDATE to confirm").fill("LIQUIDATE")
    sell.click()
    expect(notice(page, "Breadth desk: QuantConnect says Liquidated.")).to_be_visible()
    expect(card(page)).to_contain_text("Liquidated")

    deploy(page)
    card(page).get_by_role("button", name="Stop Breadth desk").click()
    ask = page.get_by_role("dialog", name="Stop Breadth desk?")
    ask.get_by_role("button", name="Stop it").click()
    expect(notice(page, "Breadth desk: QuantConnect says Stopped.")).to_be_visible()
    expect(card(page)).to_contain_text("Stopped")
    deploy(page)


def deploy(page: Page) -> None:
    """Deploy the desk to a node, to the end."""
    card(page).get_by_role("button", name="Deploy Breadth desk").click()
    ask = page.get_by_role("dialog", name="Deploy Breadth desk?")
    ask.get_by_role("combobox", name="Live node").click()
    page.get_by_role("option", name=re.compile("free$")).first.click()
    ask.get_by_role("button", name="Deploy", exact=True).click()
    done = page.get_by_role("status").filter(has_text="Breadth desk is deployed")
    expect(done).to_be_visible(timeout=LONG_MS)
    expect(card(page).get_by_role("button", name="Stop Breadth desk")).to_be_visible()
    done.get_by_role("button", name="Close this message").click()
    expect(page).not_to_have_url(re.compile("job="))


def test_a_second_deployment_is_refused_in_words(page: Page, rest: httpx.Client) -> None:
    job = rest.post(f"{API}/{BREADTH}/deploy", params={"config": "demo"}, json={}).json()
    page.goto(f"/quantconnect/algorithms?job={job['id']}")
    told = page.get_by_role("status").filter(has_text="Breadth desk was not deployed")
    expect(told).to_contain_text("is deployed already", timeout=LONG_MS)
    expect(told).to_contain_text("Stop that deployment first")


def test_the_details_of_an_algorithm_and_the_age_of_what_is_shown(page: Page) -> None:
    page.goto("/quantconnect/algorithms")
    expect(card(page)).to_contain_text(re.compile(r"As of \d+ (s|min) ago"))
    card(page, "Momentum desk").get_by_role("button", name="View Momentum desk").click()
    dialog = page.get_by_role("dialog")
    for part in ("Performance history", "What it holds at QuantConnect", "Nodes", "Files"):
        expect(dialog.get_by_role("region", name=part)).to_be_visible()
    expect(dialog.get_by_role("region", name="Files")).to_contain_text("main.py")
    for size in (PHONE, WIDE):
        page.set_viewport_size(size)
        assert not is_too_wide(page)
        assert violations(page) == []
    with page.expect_response(re.compile("refresh=true")):
        dialog.get_by_role("button", name="Read again").click()
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("open="))


def test_algorithms_are_filtered_by_name_and_state(page: Page) -> None:
    page.goto("/quantconnect/algorithms")
    expect(card(page)).to_be_visible()
    page.get_by_role("textbox", name="Name or number").fill("moment")
    expect(card(page)).to_have_count(0)
    expect(card(page, "Momentum desk")).to_be_visible()
    page.get_by_role("textbox", name="Name or number").fill("zzz")
    expect(page.get_by_text("No algorithm is like that")).to_be_visible()


def test_an_algorithm_that_cannot_be_stopped_says_why(open_page: OpenPage) -> None:
    page = open_page("/quantconnect/algorithms", allowed=("503",))
    detail = "QuantConnect cannot be reached; try again, a repeat does no harm"
    problem = {"title": "Unreachable", "detail": detail, "correlation_id": "c0ffee"}
    page.route("**/stop?*", lambda route: route.fulfill(status=503, json=problem))
    card(page).get_by_role("button", name="Stop Breadth desk").click()
    ask = page.get_by_role("dialog")
    ask.get_by_role("button", name="Stop it").click()
    expect(ask.get_by_role("alert")).to_contain_text(detail)
    expect(ask.get_by_role("button", name="Stop it")).to_be_enabled()
