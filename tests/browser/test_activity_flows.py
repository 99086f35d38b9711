"""What people do under /activity: look why, follow a chain, approve, decline, close, flatten."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from signalbox.testing.wait import until_sync
from tests.browser.conftest import PHONE, notice

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]
BOT = "page-asks-first"
WAIT_S = 40  # a fill may wait for the next quote
CUT_OFF = """() => [...document.querySelectorAll("article")]
    .filter((one) => one.scrollHeight > one.clientHeight).map((one) => one.ariaLabel)"""
BUY = {"symbol": "AAPL", "action": "buy", "confidence": "0.9", "reasoning": "for a browser test"}
UNQUOTED = "NOQUOTE"  # a symbol without a price: its orders wait
WEEK_S = 604_800  # of market time: a weekend may pass between two looks


@pytest.fixture
def unsaid(rest: httpx.Client) -> Iterator[None]:
    """No long word of a test weighs on what the demo does next."""
    yield
    said(rest, action="hold")


@pytest.fixture
def traded(rest: httpx.Client, unsaid: None) -> None:
    """Orders and trades are there: an empty list has no table."""

    def trades() -> list[Any]:
        return list(rest.get("/api/trades").raise_for_status().json()["items"])

    if not trades():
        said(rest, horizon_s=WEEK_S)
    until_sync(trades, WAIT_S)


@pytest.fixture
def asking_bot(rest: httpx.Client, unsaid: None) -> Iterator[str]:
    """A bot of the test's own that asks before it trades; gone with all it holds afterwards."""
    sources = [{"source_type": "manual"}]
    body = {"id": BOT, "name": "Asks first", "sources": sources, "approval": "manual"}
    rest.post("/api/bots", json=body).raise_for_status()
    yield BOT
    rest.post(f"/api/bots/{BOT}/flatten").raise_for_status()
    for path in (f"/api/bots/{BOT}", f"/api/accounts/{BOT}"):
        until_sync(partial(gone, rest, path), WAIT_S)


@pytest.fixture
def unquoted(rest: httpx.Client) -> Iterator[str]:
    """A symbol without a price, so that its orders wait; nobody's do afterwards."""
    yield UNQUOTED
    query = {"symbol": UNQUOTED, "final": "false"}

    def none_waits() -> bool:
        waiting = rest.get("/api/orders", params=query).raise_for_status().json()["items"]
        for order in waiting:  # of the demo's bot, too
            rest.post(f"/api/orders/{order['id']}/cancel")
        return not waiting

    until_sync(none_waits, WAIT_S, every=0.2)


def gone(rest: httpx.Client, path: str) -> bool:
    return rest.delete(path).status_code in {204, 404}


def said(rest: httpx.Client, **more: Any) -> str:
    """A person's signal, as soon as it can be read."""
    taken = rest.post("/api/signals", json={**BUY, **more}).raise_for_status().json()
    signal_id = str(taken["signal_id"])
    until_sync(lambda: rest.get(f"/api/signals/{signal_id}").status_code == 200, WAIT_S)
    return signal_id


def card(page: Page) -> Locator:
    return page.get_by_role("article", name=f"buy AAPL for {BOT}").first


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


@pytest.mark.usefixtures("unsaid")
def test_a_signal_arrives_becomes_a_trade_and_its_chain_opens(
    page: Page, rest: httpx.Client
) -> None:
    page.goto("/activity?source=manual&action=buy")
    expect(page.get_by_role("heading", name="Signals")).to_be_visible()
    signal_id = said(rest, horizon_s=WEEK_S)
    row = page.get_by_role("row", name="buy AAPL by").first
    expect(row).to_be_visible()  # without a reload
    until_sync(
        lambda: rest.get("/api/trades", params={"signal": signal_id}).json()["items"], WAIT_S
    )
    page.goto("/activity/trades?source=manual&side=buy&bot=demo")
    page.get_by_role("row", name="AAPL for demo").first.click()
    expect(dialog(page).get_by_text("Verdict for demo", exact=False).first).to_be_visible()
    expect(dialog(page).get_by_text("Filled: buy", exact=False).first).to_be_visible()
    expect(page).to_have_url(re.compile("chain="))
    page.keyboard.press("Escape")
    expect(dialog(page)).to_be_hidden()


def test_any_id_opens_its_chain(page: Page, rest: httpx.Client) -> None:
    signal_id = said(rest)
    page.goto("/activity/orders")
    page.get_by_label("Id of a signal, verdict, order, fill or lot").fill(signal_id)
    page.get_by_role("button", name="Find").click()
    expect(dialog(page).get_by_text("for a browser test")).to_be_visible()


def test_a_person_approves_what_waits(page: Page, rest: httpx.Client, asking_bot: str) -> None:
    page.goto("/activity/verdicts")
    signal_id = said(rest, horizon_s=WEEK_S)
    expect(card(page).get_by_text("left")).to_be_visible()
    card(page).get_by_role("button", name="Approve").click()
    dialog(page).get_by_role("button", name="Approve").click()
    expect(notice(page, "AAPL: Accepted")).to_be_visible()
    expect(card(page)).to_be_hidden()
    query = {"signal": signal_id, "bot": asking_bot}
    until_sync(lambda: rest.get("/api/trades", params=query).json()["items"], WAIT_S)


@pytest.mark.usefixtures("still")
def test_a_person_declines_what_waits(page: Page, rest: httpx.Client, asking_bot: str) -> None:
    signal_id = said(rest)
    page.goto("/activity/verdicts")
    card(page).get_by_role("button", name="Decline").click()
    dialog(page).get_by_role("button", name="Decline").click()
    expect(notice(page, "AAPL: Declined")).to_be_visible()
    query = {"signal": signal_id, "bot": asking_bot, "current": "true"}

    def declined() -> list[Any]:
        items = rest.get("/api/verdicts", params=query).json()["items"]
        return [one for one in items if one["outcome"] == "declined"]

    (verdict,) = until_sync(declined, WAIT_S)
    assert verdict["decided_by"] == "admin"
    page.goto(f"/activity/verdicts?outcome=declined&bot={asking_bot}")
    row = page.get_by_role("row", name=f"declined: buy AAPL for {asking_bot}").first
    expect(row.get_by_text("A person declined it.")).to_be_visible()


@pytest.mark.usefixtures("still", "asking_bot")
def test_all_that_waits_can_be_answered_on_a_phone(page: Page, rest: httpx.Client) -> None:
    page.set_viewport_size(PHONE)
    symbols = ("AAPL", "MSFT", "IBM", "GE")  # more than fit at once
    for symbol in symbols:
        said(rest, symbol=symbol)
    page.goto("/activity/verdicts")
    cards = [page.get_by_role("article", name=f"buy {one} for {BOT}").first for one in symbols]
    for one in cards:
        expect(one).to_be_visible()
    page.screenshot(full_page=True)  # laid out anew, as when a telephone is turned
    assert page.evaluate(CUT_OFF) == []


def test_a_position_is_closed_and_a_bot_flattened(
    page: Page, rest: httpx.Client, asking_bot: str
) -> None:
    def held() -> list[Any]:
        return list(rest.get("/api/positions", params={"bot": asking_bot}).json()["items"])

    rest.post("/api/bots", json={"id": asking_bot, "approval": "auto"}).raise_for_status()
    said(rest, horizon_s=WEEK_S)
    until_sync(held, WAIT_S)
    page.goto("/activity/positions")
    page.get_by_role("button", name=f"Close AAPL of {asking_bot}").click()
    dialog(page).get_by_role("button", name="Close the position").click()
    expect(notice(page, "One order is on the way")).to_be_visible()
    until_sync(lambda: not held(), WAIT_S)
    expect(page.get_by_role("button", name=f"Close AAPL of {asking_bot}")).to_be_hidden()

    said(rest, horizon_s=WEEK_S)
    until_sync(held, WAIT_S)
    page.get_by_role("button", name="Flatten a bot").click()
    page.get_by_role("menuitem", name=asking_bot).click()
    flatten = dialog(page).get_by_role("button", name="Flatten", exact=True)
    expect(flatten).to_be_disabled()
    dialog(page).get_by_label("Type FLATTEN to confirm").fill("FLATTEN")
    flatten.click()
    expect(notice(page, f"Bot {asking_bot}")).to_be_visible()
    until_sync(lambda: not held(), WAIT_S)


def test_an_order_that_waits_is_cancelled_and_says_by_whom(
    page: Page, rest: httpx.Client, asking_bot: str, unquoted: str
) -> None:
    rest.post("/api/bots", json={"id": asking_bot, "approval": "auto"}).raise_for_status()
    page.goto(f"/activity/orders?bot={asking_bot}")
    said(rest, symbol=unquoted, horizon_s=WEEK_S)
    cancel = page.get_by_role("button", name=f"Cancel {unquoted} of {asking_bot}")
    cancel.click()
    dialog(page).get_by_role("button", name="Cancel the order").click()
    expect(notice(page, "The order is being cancelled")).to_be_visible()
    row = page.get_by_role("row", name=f"canceled buy {unquoted} of {asking_bot}")
    expect(row.get_by_text("Canceled", exact=True)).to_be_visible()
    expect(row.get_by_text("admin cancelled it")).to_be_visible()
    expect(cancel).to_be_hidden()
    row.click()
    expect(dialog(page).get_by_text("admin cancelled it")).to_be_visible()


@pytest.mark.parametrize("tab", ["", "/verdicts", "/orders", "/trades", "/alerts"])
def test_every_list_comes_as_a_file(page: Page, tab: str) -> None:
    page.goto(f"/activity{tab}")
    with page.expect_download() as found:
        page.get_by_role("link", name="CSV").first.click()
    (first, *_) = csv.reader(io.StringIO(found.value.path().read_text()))
    assert "id" in first


def test_filters_are_in_the_address(page: Page) -> None:
    page.goto("/activity/verdicts?symbol=NONE")
    expect(page.get_by_label("Symbol")).to_have_value("NONE")
    expect(page.get_by_text("No verdict fits", exact=False)).to_be_visible()
    page.get_by_label("Symbol").fill("")
    expect(page).not_to_have_url(re.compile("symbol="))
    page.get_by_role("combobox", name="Outcome").click()
    page.get_by_role("option", name="Denied by a limit").click()
    expect(page).to_have_url(re.compile("outcome=denied"))


@pytest.mark.usefixtures("traded")
def test_on_a_phone_filters_are_folded_away_until_they_are_wanted(page: Page) -> None:
    page.set_viewport_size(PHONE)
    page.goto("/activity/orders")
    state = page.get_by_role("combobox", name="State")
    expect(page.get_by_role("table", name="Orders")).to_be_in_viewport()
    expect(state).to_be_hidden()
    page.get_by_role("button", name="Filters").click()
    state.click()
    page.get_by_role("option", name="Working now").click()
    expect(page).to_have_url(re.compile("state=working"))
    page.reload()
    expect(state).to_have_value("Working now")  # what narrows a list is never hidden


@pytest.mark.usefixtures("traded")
def test_what_became_of_an_order_and_all_filters_fit_a_wide_page(page: Page) -> None:
    page.goto("/activity/orders")
    table = page.get_by_role("table", name="Orders").bounding_box()
    result = page.get_by_role("columnheader", name="Result").bounding_box()
    assert table
    assert result
    assert result["x"] + result["width"] <= table["x"] + table["width"]
    fields = page.get_by_role("search", name="Filters").locator("input:visible")
    assert len({round(one.bounding_box()["y"]) for one in fields.all()}) == 1  # type: ignore[index]  # they are visible


@pytest.mark.usefixtures("still", "asking_bot")
def test_the_overview_says_that_something_waits_and_leads_there(
    page: Page, rest: httpx.Client
) -> None:
    said(rest)
    page.goto("/")
    alerts = page.get_by_role("region", name="Alerts")
    expect(alerts.get_by_text(re.compile(r"signals? waits? for your answer"))).to_be_visible()
    alerts.get_by_role("link", name="Answer").click()
    expect(card(page)).to_be_visible()


@pytest.mark.usefixtures("traded")
@pytest.mark.parametrize("fault", ["error", "nothing"])
def test_a_list_that_fails_can_be_read_again(open_page: OpenPage, fault: str) -> None:
    page = open_page(None, allowed=("500", "ERR_FAILED"))
    problem = {"detail": "the database is away", "correlation_id": "c0ffee"}

    def fail(route: Route) -> None:
        if fault == "error":
            route.fulfill(status=500, json=problem)
        else:
            route.abort()

    page.route("**/api/orders?*", fail)
    page.goto("/activity/orders")
    words = "the database is away" if fault == "error" else "The gateway cannot be reached."
    expect(page.get_by_text(words)).to_be_visible()
    page.unroute("**/api/orders?*")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text(words)).to_be_hidden()
    expect(page.get_by_role("table", name="Orders")).to_be_visible()


@pytest.mark.usefixtures("traded")
def test_a_slow_answer_shows_that_it_is_awaited(page: Page) -> None:
    held: list[Route] = []
    slow = True

    def answer(route: Route) -> None:
        if slow:
            held.append(route)
        else:
            route.continue_()

    page.route("**/api/trades?*", answer)
    with page.expect_request("**/api/trades?*"):
        page.goto("/activity/trades")
    expect(page.get_by_role("status", name="Loading").first).to_be_visible()
    slow = False
    for route in held:
        route.continue_()
    expect(page.get_by_role("table", name="Trades")).to_be_visible()
