"""Adding a language model: its key goes in and never comes out, a check spends nothing."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import OpenPage, notice

pytestmark = pytest.mark.browser
CONFIGS = "/api/ai-trading/config"
CANARY = "sk-canary-browser-5d0c7b31aa9f"
NAME = "Probe of the browser"


@pytest.fixture(autouse=True)
def tidy(rest: httpx.Client) -> Iterator[None]:
    """What these tests add is gone at their end."""
    yield
    for one in rest.get(CONFIGS).json()["items"]:
        if one["name"].startswith(NAME):
            rest.delete(f"{CONFIGS}/{one['id']}").raise_for_status()


def _fill(page: Page, **values: str) -> None:
    for label, value in values.items():
        page.get_by_role("textbox", name=label.replace("_", " "), exact=True).fill(value)


def _stored(rest: httpx.Client) -> dict[str, Any]:
    found: list[dict[str, Any]] = rest.get(CONFIGS).json()["items"]
    return next(one for one in found if one["name"] == NAME)


def test_a_model_is_added_checked_and_deleted_and_its_key_stays_masked(
    open_page: OpenPage, rest: httpx.Client
) -> None:
    page = open_page("/ai-trading/configuration")
    page.get_by_role("button", name="Add a model").click()
    form = page.get_by_role("form", name="Language model")
    form.get_by_text("Sandbox", exact=True).click()
    _fill(page, Name=NAME, API_key=CANARY, Model="gpt-5.4-mini")
    page.get_by_role("combobox", name="Symbols").fill("AAPL")
    page.keyboard.press("Enter")
    form.get_by_role("switch", name="Active: ask it as the triggers say").press("Space")
    form.get_by_role("button", name="Add", exact=True).click()

    card = page.get_by_role("region", name=NAME)
    expect(card).to_contain_text("ends in aa9f")
    expect(form).to_have_count(0)
    assert CANARY not in page.content()
    card.get_by_role("button", name="Check key and model").click()
    expect(card.get_by_role("status")).to_contain_text("Not accepted; nothing was spent")

    card.get_by_role("button", name="Edit").click()
    expect(page.get_by_role("textbox", name="API key")).to_have_value("")
    _fill(page, API_key="sandbox-key", Model="no-such-model")
    form.get_by_role("button", name="Save and check key and model").click()
    expect(form.get_by_role("status")).to_contain_text("has no model no-such-model")
    _fill(page, Model="gpt-5.4-mini")
    form.get_by_role("button", name="Save and check key and model").click()
    expect(form.get_by_role("status")).to_contain_text("Accepted; nothing was spent")
    expect(form.get_by_role("status")).to_contain_text("does not take it: temperature")
    expect(form.get_by_role("textbox", name="Temperature")).to_be_disabled()
    expect(form).to_contain_text("gpt-5.4-mini takes no temperature")

    stored = _stored(rest)
    assert (stored["target"], stored["is_active"]) == ("sandbox", False)
    page.reload()
    expect(form).to_contain_text("which ends in …-key")
    assert CANARY not in page.content()
    page.keyboard.press("Escape")
    card.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog", name=f"Delete {NAME}?")
    expect(dialog).to_contain_text("its key is forgotten")
    dialog.get_by_role("button", name="Delete").click()
    expect(card).to_have_count(0)


def test_what_is_missing_is_said_before_anything_is_sent(open_page: OpenPage) -> None:
    page = open_page("/ai-trading/configuration?config=new")
    sent: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST":
            sent.append(request.url)

    page.on("request", note)
    form = page.get_by_role("form", name="Language model")
    form.get_by_role("button", name="Add", exact=True).click()
    for words in ("Give it a name.", "Enter the provider's key.", "Add at least one symbol."):
        expect(form).to_contain_text(words)
    assert sent == []


def test_a_model_is_switched_off_and_on_in_its_card(
    open_page: OpenPage, rest: httpx.Client
) -> None:
    body = {
        "name": NAME,
        "provider": "openai",
        "api_key": "sandbox-key",
        "target": "sandbox",
        "model": "gpt-5.4-mini",
        "symbols": ["AAPL"],
        "every": None,
    }
    config_id = rest.post(CONFIGS, json=body).raise_for_status().json()["id"]
    page = open_page("/ai-trading/configuration")
    card = page.get_by_role("region", name=NAME)
    toggle = card.get_by_role("switch", name=f"{NAME} is active")
    expect(toggle).to_be_checked()
    toggle.press("Space")
    expect(notice(page, f"{NAME} is not asked any more.")).to_be_visible()
    expect(toggle).not_to_be_checked()
    assert rest.get(f"{CONFIGS}/{config_id}").json()["is_active"] is False
    # Changed elsewhere, it changes here without a reload.
    rest.post(CONFIGS, json={"id": config_id, "is_active": True}).raise_for_status()
    expect(toggle).to_be_checked()
