"""What holds for every page: readable by everybody, no wider than a phone, calm when the gateway
answers errors, slowly, or not at all.
"""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, TimeoutError, expect

from signalbox.testing.wait import until_sync
from tests.browser.conftest import PHONE, SCHEMES, WIDE, OpenPage, settled
from tests.browser.pages import PAGES, STILL

pytestmark = pytest.mark.browser
WEB = Path(__file__).parents[2] / "services" / "gateway" / "web"
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = {"serious", "critical"}
EVERY = pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
ASKING = {name: path for name, path in PAGES.items() if name not in STILL}
EVERY_ASKING = pytest.mark.parametrize("path", ASKING.values(), ids=ASKING)
API = "**/api/**"
ALWAYS_ANSWERED = ("/api/auth/me", "/api/stream")  # else there is no page to look at
PROBLEM = {
    "status": 500,
    "title": "Internal error",
    "detail": "The gateway failed at this request; its log says why.",
    "correlation_id": "c0ffee",
}


def violations(page: Page) -> list[str]:
    """What keeps somebody from using the page, with the element it is about."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: Any = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


def is_too_wide(page: Page) -> bool:
    """Whether the page scrolls sideways."""
    wide: bool = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    return wide


def check_it_is_readable_and_fits(page: Page) -> None:
    """Wide and light, narrow and dark."""
    for size, scheme in zip((WIDE, PHONE), SCHEMES, strict=True):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", scheme)
        settled(page)
        assert not is_too_wide(page)
        assert violations(page) == [], (size, scheme)


@EVERY
def test_it_is_readable_and_fits_wide_and_light_narrow_and_dark(
    open_page: OpenPage, path: str
) -> None:
    check_it_is_readable_and_fits(open_page(path))


def test_so_is_the_sign_in_also_after_an_error(open_page: OpenPage) -> None:
    def fail(route: Route) -> None:
        route.fulfill(status=500, json=PROBLEM, content_type="application/problem+json")

    page = open_page("/login", signed_in=False, allowed=("500",))
    check_it_is_readable_and_fits(page)
    page.route("**/api/auth/session", fail)
    page.get_by_role("textbox", name="Password").fill("right or wrong")
    page.get_by_role("button", name="Sign in").click()
    problem = page.get_by_role("alert")
    expect(problem).to_contain_text("The gateway failed at this request")
    expect(problem).to_contain_text("Request c0ffee")
    check_it_is_readable_and_fits(page)


@EVERY_ASKING
def test_errors_are_said_in_words_and_can_be_tried_again(open_page: OpenPage, path: str) -> None:
    def fail(route: Route) -> None:
        asked = route.request.url.partition("?")[0]
        if asked.endswith("/api/stream"):
            return  # it stays silent: at every event the page would look again by itself
        if asked.endswith(ALWAYS_ANSWERED):
            route.continue_()
        else:
            route.fulfill(status=500, json=PROBLEM, content_type="application/problem+json")

    page = open_page(path, allowed=("500",), before=lambda page: page.route(API, fail))
    problem = page.get_by_role("alert").filter(has_text="The gateway failed at this request").first
    expect(problem).to_contain_text("Request c0ffee")
    assert not is_too_wide(page)
    failed = page.get_by_role("button", name="Try again")
    with page.expect_request(API):
        failed.first.click()
    page.unroute(API)

    def heals() -> bool:
        with suppress(TimeoutError):  # another may have healed it, too
            failed.first.click(timeout=500)
        return failed.count() == 0

    until_sync(heals, 30)


@EVERY_ASKING
def test_while_answers_are_slow_a_skeleton_stands_in(open_page: OpenPage, path: str) -> None:
    held: list[Route] = []
    slow = True

    def hold(route: Route) -> None:
        if not slow or route.request.url.partition("?")[0].endswith(ALWAYS_ANSWERED):
            route.continue_()
        else:
            held.append(route)

    page = open_page(path, before=lambda page: page.route(API, hold))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_label("Loading", exact=True).first).to_be_visible()
    slow = False
    for route in held:
        route.continue_()
    settled(page)


@EVERY
def test_a_gateway_that_is_away_is_said_so(open_page: OpenPage, path: str) -> None:
    page = open_page(
        path,
        allowed=("ERR_FAILED", "Failed to load resource"),
        before=lambda page: page.route(API, lambda route: route.abort()),
    )
    problem = page.get_by_role("alert")
    expect(problem).to_contain_text("The gateway cannot be reached")
    assert violations(page) == []
    page.unroute(API)
    page.get_by_role("button", name="Try again").click()
    settled(page)
