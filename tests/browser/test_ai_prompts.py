"""Writing a prompt: placeholders, the preview against the market, versions and the way back."""

import secrets
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser
PROMPTS = "/api/ai-trading/prompts"
NEW = "/ai-trading/prompts?prompt=new"


def _part(page: Page, name: str) -> Locator:
    return page.get_by_role("textbox", name=f"{name} part", exact=True)


def _saved(rest: httpx.Client, name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = rest.get(PROMPTS).json()["items"]
    return next(one for one in found if one["name"] == name)


def test_a_prompt_is_written_previewed_changed_and_rolled_back(
    open_page: OpenPage, rest: httpx.Client
) -> None:
    name = f"Browser {secrets.token_hex(3)}"  # prompts stay for good
    page = open_page(NEW)
    preview = page.get_by_role("region", name="Preview")
    shown = preview.get_by_label("User part, filled")
    _part(page, "System").fill("Go with the trend.")
    _part(page, "User").fill("FIRST {{symbols}}\n{{price}}")
    expect(shown).to_contain_text("FIRST ")
    expect(shown).to_contain_text(".price: last ")
    expect(preview).to_contain_text("At most")
    expect(page.locator(".ph-ok")).to_have_count(2)
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    page.get_by_role("button", name="Save as a new prompt").click()

    expect(page.get_by_role("heading", name=f"{name}, version 1")).to_be_visible()
    _part(page, "User").fill("SECOND {{symbols}}\n{{price}}")
    expect(shown).to_contain_text("SECOND ")
    expect(page.get_by_text("Changed, not saved")).to_be_visible()
    page.get_by_role("button", name="Save a new version").click()
    expect(page.get_by_role("heading", name=f"{name}, version 2")).to_be_visible()
    assert _saved(rest, name)["active_version"] == 2

    page.get_by_role("row", name="Version 1").click()
    dialog = page.get_by_role("dialog", name=f"Version 1 of {name}")
    changes = dialog.get_by_role("group", name="Changes of the user part")
    expect(changes.locator(".added")).to_contain_text("FIRST {{symbols}}")
    expect(changes.locator(".removed")).to_contain_text("SECOND {{symbols}}")
    expect(dialog).to_contain_text("System part: no difference.")
    dialog.get_by_role("button", name="Roll back to this version").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("heading", name=f"{name}, version 1")).to_be_visible()
    saved = _saved(rest, name)
    assert (saved["active_version"], saved["latest_version"]) == (1, 2)


def test_an_unknown_placeholder_is_marked_listed_and_placed(open_page: OpenPage) -> None:
    page = open_page(NEW, allowed=("422",))
    status = page.get_by_role("status", name="Placeholders")
    _part(page, "User").fill("Decide on {{symbols}}.\nThe moon: {{moon}}")
    expect(status).to_contain_text("{{moon}}: no variable has this name")
    expect(page.locator(".ph-bad")).to_have_text("{{moon}}")
    expect(page.get_by_role("alert")).to_contain_text("User part, line 2, column 11")
    _part(page, "User").fill("Decide on {{symbols}}.")
    expect(status).to_be_empty()
    expect(page.get_by_role("alert")).to_have_count(0)
    _part(page, "System").fill("{{news}}")  # others wrote it
    expect(page.locator(".ph-bad")).to_have_text("{{news}}")
    expect(page.get_by_role("alert")).to_contain_text("System part, line 1")


def test_names_are_completed(open_page: OpenPage) -> None:
    page = open_page(NEW, allowed=("422",))  # of what is half written
    user = _part(page, "User")
    user.fill("")
    user.press_sequentially("About {{hori")
    page.get_by_role("option", name="{{horizon_minutes}}").click()
    expect(user).to_contain_text("About {{horizon_minutes}}")


def test_the_last_preview_stays_while_the_next_does_not_come(open_page: OpenPage) -> None:
    page = open_page(NEW, allowed=("503",))
    preview = page.get_by_role("region", name="Preview")
    shown = preview.get_by_label("User part, filled")
    _part(page, "User").fill("BEFORE {{symbols}}")
    expect(shown).to_contain_text("BEFORE")
    away = {"detail": "llm-decider does not answer", "correlation_id": "c0ffee"}
    preview_path = "**/api/ai-trading/prompts/preview"
    page.route(preview_path, lambda route: route.fulfill(status=503, json=away))
    _part(page, "User").fill("AFTER {{symbols}}")
    expect(preview.get_by_role("alert")).to_contain_text("llm-decider does not answer")
    expect(shown).to_contain_text("BEFORE")
    page.unroute(preview_path)
    preview.get_by_role("button", name="Try again").click()
    expect(shown).to_contain_text("AFTER")
