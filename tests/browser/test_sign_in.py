"""Getting in and out."""

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, OpenPage

pytestmark = pytest.mark.browser


def _sign_in(page: Page, password: str) -> None:
    page.get_by_role("textbox", name="User name").fill("admin")
    page.get_by_role("textbox", name="Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_who_is_not_signed_in_is_led_to_the_sign_in_and_back(open_page: OpenPage) -> None:
    page = open_page("/activity?symbol=AAPL", signed_in=False, allowed=("401",))
    expect(page).to_have_url("/login?next=%2Factivity%3Fsymbol%3DAAPL")
    _sign_in(page, "wrong")
    expect(page.get_by_role("alert")).to_contain_text("The user name or the password is not right")
    _sign_in(page, PASSWORD)
    expect(page).to_have_url("/activity?symbol=AAPL")
    expect(page.get_by_role("heading", level=1)).to_have_text("Activity")
    expect(page.get_by_role("status", name="Connection: Live")).to_be_visible()


def test_signing_out_ends_the_session(open_page: OpenPage) -> None:
    page = open_page("/login", signed_in=False, allowed=("401",))
    _sign_in(page, PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    cookie = page.context.cookies()[0]
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("sb", True, "Strict")
    page.get_by_role("button", name="Account").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page).to_have_url("/login")
    page.context.add_cookies([{"name": "sb", "value": cookie["value"], "url": page.url}])
    page.goto("/")
    expect(page).to_have_url("/login?next=%2F")


def test_a_session_that_ends_elsewhere_asks_over_the_page_and_keeps_what_was_typed(
    open_page: OpenPage, url: str
) -> None:
    page = open_page("/login", signed_in=False, allowed=("401",))
    _sign_in(page, PASSWORD)
    live = page.get_by_role("status", name="Connection: Live")
    expect(live).to_be_visible()
    page.get_by_role("button", name="Kill switch", exact=True).click()
    why = page.get_by_label("Why (others will read it)")
    why.fill("half a thought")
    cookie = {"sb": page.context.cookies()[0]["value"]}
    with httpx.Client(base_url=url, trust_env=False, cookies=cookie) as client:
        asked = {"Content-Type": "application/json", "Origin": url}
        client.post("/api/auth/logout", headers=asked).raise_for_status()
    dialog = page.get_by_role("dialog", name="Sign in again")
    expect(dialog).to_be_visible()
    expect(live).to_have_count(0)
    dialog.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.keyboard.press("Escape")
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog).to_have_count(0)
    expect(why).to_have_value("half a thought")
    expect(live).to_be_attached()
    expect(page).to_have_url(f"{url}/")


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_the_sign_in_leads_nowhere_else(open_page: OpenPage, elsewhere: str) -> None:
    page = open_page(f"/login?next={elsewhere}", signed_in=False)
    _sign_in(page, PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    expect(page).to_have_url("/")
