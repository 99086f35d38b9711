"""What people do under /settings: bots, accounts, sources, the kill switch, tokens."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import notice

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]
BOT = "page-settings-bot"
TOKEN = "page-program"


@pytest.fixture
def bot(rest: httpx.Client) -> Iterator[str]:
    """A bot of the test's own that hears nobody who speaks."""
    sources = [{"source_type": "external", "source_id": "nobody"}]
    body = {"id": BOT, "name": "A bot to edit", "sources": sources}
    rest.post("/api/bots", json=body).raise_for_status()
    yield BOT
    rest.delete(f"/api/bots/{BOT}").raise_for_status()
    rest.delete(f"/api/accounts/{BOT}").raise_for_status()


@pytest.fixture
def leftovers(rest: httpx.Client) -> Iterator[list[str]]:
    """Addresses of what a test makes: gone at its end, however it ends."""
    paths: list[str] = []
    yield paths
    for path in paths:
        assert rest.delete(path).status_code in {204, 404}, path


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog").last


def read(rest: httpx.Client, path: str) -> Any:
    return rest.get(path).raise_for_status().json()


def test_a_bot_is_edited(page: Page, rest: httpx.Client, bot: str) -> None:
    page.goto("/settings")
    page.get_by_role("article", name=f"Bot {bot}").get_by_role("button", name="Edit").click()
    form = dialog(page)
    expect(form.get_by_label("Loss of a day", exact=True)).to_have_value("3")
    form.get_by_label("Loss of a day", exact=True).fill("2.5")
    form.get_by_label("Target", exact=True).fill("4")
    form.get_by_role("button", name="Save").click()
    expect(notice(page, f"Bot {bot} is changed")).to_be_visible()
    saved = read(rest, f"/api/bots/{bot}")
    assert (saved["limits"]["max_daily_loss"], saved["exits"]["target"]) == ("0.025", "0.04")
    assert saved["limits"]["max_open_positions"] == 20
    page.goto(f"/settings?bot={bot}")  # the form has an address of its own
    expect(dialog(page).get_by_label("Loss of a day", exact=True)).to_have_value("2.5")


def test_a_slip_does_not_lose_what_was_typed(page: Page, bot: str) -> None:
    page.goto(f"/settings?bot={bot}")
    loss = page.get_by_label("Loss of a day", exact=True)
    question = page.get_by_role("dialog", name="Leave without saving?")
    loss.fill("2.5")
    page.mouse.click(20, 450)  # beside the drawer
    expect(loss).to_have_value("2.5")
    page.keyboard.press("Escape")
    expect(question).to_be_visible()
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(loss).to_have_value("2.5")
    page.keyboard.press("Escape")
    question.get_by_role("button", name="Discard it").click()
    expect(loss).to_be_hidden()


def test_an_objection_stands_at_its_field(open_page: OpenPage, bot: str) -> None:
    page = open_page(f"/settings?bot={bot}", allowed=("422",))
    spread = dialog(page).get_by_label("Spread", exact=True)
    spread.fill("250")
    dialog(page).get_by_role("button", name="Save").click()
    expect(spread).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("The bot is not saved")).to_be_visible()


@pytest.mark.usefixtures("still")  # it listens to the demo, and may hold nothing at its end
def test_a_bot_is_made_switched_off_and_deleted(
    page: Page, rest: httpx.Client, leftovers: list[str]
) -> None:
    leftovers += ["/api/bots/page-made-me", "/api/accounts/page-made-me"]
    page.goto("/settings?bot=new")
    form = dialog(page)
    form.get_by_label("Name", exact=False).first.fill("Page made me")
    form.get_by_role("button", name="Create the bot").click()
    made = page.get_by_role("article", name="Bot page-made-me")
    expect(made).to_be_visible()
    made.get_by_role("button", name="Switch off").click()
    dialog(page).get_by_role("button", name="Switch off").click()
    expect(made.get_by_text("Off", exact=True)).to_be_visible()
    assert read(rest, "/api/bots/page-made-me")["enabled"] is False
    made.get_by_role("button", name="Delete").click()
    dialog(page).get_by_role("button", name="Delete").click()
    expect(made).to_be_hidden()
    assert "page-made-me" not in {one["id"] for one in read(rest, "/api/bots")["items"]}


def test_the_kill_switch_stops_and_releases_everything(
    page: Page, rest: httpx.Client, released: None
) -> None:
    page.goto("/settings/limits")
    page.get_by_role("button", name="Stop everything").click()
    stop = dialog(page).get_by_role("button", name="Stop everything")
    expect(stop).to_be_disabled()
    dialog(page).get_by_label("Type STOP to confirm").fill("STOP")
    dialog(page).get_by_label("Why", exact=False).fill("a browser test")
    stop.click()
    expect(page.get_by_role("alert").filter(has_text="stops everything")).to_be_visible()
    assert read(rest, "/api/kill-switch")["everything"] is True
    page.get_by_role("button", name="Release everything").click()
    dialog(page).get_by_role("button", name="Release").click()
    expect(page.get_by_role("alert").filter(has_text="stops everything")).to_be_hidden()
    assert read(rest, "/api/kill-switch")["everything"] is False


def test_one_bot_is_stopped_alone(page: Page, rest: httpx.Client, bot: str, released: None) -> None:
    page.goto("/settings/limits")
    page.get_by_role("button", name=f"Stop bot {bot}").click()
    dialog(page).get_by_role("button", name=f"Stop bot {bot}").click()
    expect(page.get_by_role("button", name=f"Release bot {bot}")).to_be_visible()
    assert read(rest, "/api/kill-switch")["bots"] == [bot]


def test_a_token_is_made_shown_once_and_revoked(page: Page, url: str) -> None:
    page.goto("/settings/tokens")
    page.get_by_role("button", name="New token").click()
    dialog(page).get_by_label("Name", exact=False).first.fill(TOKEN)
    dialog(page).get_by_role("button", name="Make the token").click()
    token = dialog(page).get_by_label("The token").inner_text()
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=url, headers=headers, trust_env=False) as program:
        assert program.get("/api/bots").status_code == 200
        dialog(page).get_by_role("button", name="I have it").click()
        expect(page.get_by_text(token)).to_be_hidden()
        assert token not in page.content()
        page.get_by_role("button", name=f"Revoke {TOKEN}").click()
        dialog(page).get_by_role("button", name="Revoke").click()
        expect(notice(page, f"Token {TOKEN} holds no more.")).to_be_visible()
        assert program.get("/api/bots").status_code == 401


def test_a_kind_of_source_is_switched_off_and_on(page: Page, rest: httpx.Client) -> None:
    page.goto("/settings/sources")
    for state, other in (("off", "on"), ("on", "off")):
        page.get_by_role("button", name=f"Switch {state}: External").click()
        dialog(page).get_by_role("button", name=f"Switch {state}").click()
        expect(page.get_by_role("button", name=f"Switch {other}: External")).to_be_visible()
        assert read(rest, "/api/flags")["external"] is (state == "on")


def test_a_strategy_is_made_with_parameters(
    page: Page, rest: httpx.Client, leftovers: list[str]
) -> None:
    leftovers.append("/api/strategies/sma-cross-ko")
    page.goto("/settings/strategies?strategy=new")
    form = dialog(page)
    form.get_by_label("Strategy").click()
    page.get_by_role("option", name="SMA cross").click()
    form.get_by_label("Symbols").fill("KO")
    page.keyboard.press("Enter")
    form.get_by_label("Fast", exact=True).fill("7")
    form.get_by_role("button", name="Create the strategy").click()
    made = page.get_by_role("article", name="Strategy sma-cross-ko")
    expect(made.get_by_text("fast 7")).to_be_visible()
    made.get_by_role("button", name="Delete").click()
    dialog(page).get_by_role("button", name="Delete").click()
    expect(made).to_be_hidden()
    assert "sma-cross-ko" not in {one["id"] for one in read(rest, "/api/strategies")["items"]}


def test_keys_of_a_broker_are_never_shown_again(
    page: Page, rest: httpx.Client, leftovers: list[str]
) -> None:
    leftovers.append("/api/accounts/page-broker")
    page.goto("/settings/accounts?account=new")
    form = dialog(page)
    form.get_by_label("Name", exact=False).first.fill("Page broker")
    form.get_by_label("Broker").click()
    page.get_by_role("option", name="Alpaca").click()
    form.get_by_role("radio", name="The sandbox of this system").check()
    form.get_by_label("API key").fill("PAGEKEY-secret-1234")
    form.get_by_label("API secret").fill("canary-page-secret-5678")
    form.get_by_role("button", name="Add the account").click()
    made = page.get_by_role("article", name="Account page-broker")
    expect(made).to_be_visible()
    page.reload()
    made.get_by_role("button", name="Edit").click()
    expect(dialog(page).get_by_label("API key")).to_have_value("")
    seen = page.content() + rest.get("/api/accounts").text
    assert "canary-page-secret" not in seen
    assert "PAGEKEY-secret" not in seen


def test_the_theme_and_the_zone_are_kept(page: Page) -> None:
    page.goto("/settings/appearance")
    page.get_by_text("Dark", exact=True).click()
    page.get_by_text("UTC", exact=True).click()
    expect(page.get_by_text("All times in UTC.", exact=False)).to_be_visible()
    page.reload()
    expect(page.get_by_role("radio", name="Dark")).to_be_checked()
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")


def test_settings_that_cannot_be_read_say_why(open_page: OpenPage) -> None:
    page = open_page(None, allowed=("503",))
    page.route(
        "**/api/strategies", lambda route: route.fulfill(status=503, json={"detail": "busy"})
    )
    page.goto("/settings/strategies")
    expect(page.get_by_text("busy")).to_be_visible()
    page.unroute("**/api/strategies")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("article").first).to_be_visible()
