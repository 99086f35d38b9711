"""QuantConnect accounts: adding one with a wrong key and then the right one, pushing, deleting."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from signalbox.testing.wait import until_sync
from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser
API = "/api/quantconnect/config"
NAME = "Browser desk"
TOKEN = "browser-token-of-nobody"


@pytest.fixture
def no_desk(rest: httpx.Client) -> Iterator[None]:
    """Whatever a test adds is gone afterwards."""
    yield
    for one in rest.get(API).json()["items"]:
        if one["name"] == NAME:
            rest.delete(f"{API}/{one['id']}").raise_for_status()


def test_an_account_is_added_tested_and_deleted(
    open_page: OpenPage, rest: httpx.Client, no_desk: None
) -> None:
    page = open_page("/quantconnect/configuration")
    page.get_by_role("button", name="Add an account").click()
    dialog = page.get_by_role("dialog", name="Add a QuantConnect account")
    dialog.get_by_role("textbox", name="Name").fill(NAME)
    dialog.get_by_role("radio", name="The sandbox").check()
    dialog.get_by_role("textbox", name="User id").fill("123")
    dialog.get_by_role("textbox", name="API token").fill(TOKEN)
    dialog.get_by_role("button", name="Save and test").click()
    expect(dialog.get_by_role("alert")).to_contain_text("does not accept user id 123")

    dialog.get_by_role("textbox", name="API token").fill("abc")
    dialog.get_by_role("button", name="Save and test").click()
    expect(dialog.get_by_role("status")).to_contain_text("projects can be read")
    dialog.get_by_role("combobox", name="Algorithm").click()
    page.get_by_role("option", name="Breadth desk (23456782)").click()
    dialog.get_by_role("button", name="Save and test").click()
    expect(dialog.get_by_role("status")).to_contain_text("'Breadth desk' can be read")
    dialog.get_by_role("button", name="Done").click()

    account = page.get_by_role("region", name=NAME)
    expect(account).to_contain_text("Breadth desk")
    expect(account).to_contain_text(re.compile("Connected"))
    assert TOKEN not in page.content()
    (stored,) = [one for one in rest.get(API).json()["items"] if one["name"] == NAME]
    assert (stored["algorithm_id"], stored["target"]) == (23456782, "sandbox")

    account.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(account).to_have_count(0)
    assert NAME not in rest.get(API).text


def test_an_account_is_switched_off_and_on(open_page: OpenPage, rest: httpx.Client) -> None:
    page = open_page("/quantconnect/configuration")
    account = page.get_by_role("region", name="Demo: sandbox QuantConnect")
    switch = account.get_by_role("switch")
    expect(switch).to_be_checked()
    switch.click()
    expect(account).to_contain_text("Its algorithms are not followed")
    assert rest.get(f"{API}/demo").json()["is_active"] is False
    switch.click()
    expect(switch).to_be_checked()
    until_sync(lambda: rest.get(f"{API}/demo").json()["is_active"])
    account.get_by_role("button", name="Test connection").click()
    expect(account.get_by_role("status")).to_contain_text("projects can be read")


def test_the_key_of_pushes_is_shown_once_with_what_to_paste(
    open_page: OpenPage, rest: httpx.Client
) -> None:
    page = open_page("/quantconnect/configuration")
    account = page.get_by_role("region", name="Demo: sandbox QuantConnect")
    account.get_by_role("button", name="Push…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name=re.compile("^Make a (new )?key$")).click()
    key = dialog.get_by_role("textbox", name="signalbox_key").input_value()
    url = dialog.get_by_role("textbox", name="signalbox_url").input_value()
    expect(dialog.get_by_label("signalbox_emitter.py", exact=True)).to_contain_text(
        "class SignalboxEmitter"
    )
    heading = {"Authorization": f"Bearer {key}"}
    pushed = httpx.post(url, json={"insights": []}, headers=heading, trust_env=False)
    assert pushed.status_code == 202
    dialog.get_by_role("button", name="I have copied it").click()
    expect(dialog).to_have_count(0)
    expect(account).to_contain_text(f"Key …{key[-4:]}")
    page.reload()
    expect(account).to_be_visible()
    assert key not in page.content()


def test_a_form_says_what_is_missing(page: Page) -> None:
    page.goto("/quantconnect/configuration?edit=new")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Save and test").click()
    expect(dialog.get_by_role("textbox", name="Name")).to_have_attribute("aria-invalid", "true")
    expect(dialog).to_contain_text("The user id stands on quantconnect.com")
