"""`make screenshots`: every page, light and dark, wide and phone, into `screenshots/`.

Look at each of them: what is ugly, cramped, misaligned or unclear is a fault.
"""

import os
from pathlib import Path

import httpx
import pytest

from signalbox.testing.wait import until_sync
from tests.browser.conftest import PHONE, SCHEMES, WIDE, OpenPage, settled
from tests.browser.pages import PAGES

TRADES = 12  # so many make tables and curves worth a look
OUT = Path(os.environ.get("SCREENSHOTS", Path(__file__).parents[2] / "screenshots"))
SIGNED_OUT = {"login": "/login"}


@pytest.fixture(scope="session")
def traded(rest: httpx.Client) -> None:
    """The demo has run for a while."""

    def enough() -> bool:
        return len(rest.get("/api/trades", params={"limit": TRADES}).json()["items"]) >= TRADES

    until_sync(enough, 180, every=0.5)


@pytest.mark.parametrize("name", [*PAGES, *SIGNED_OUT])
@pytest.mark.usefixtures("traded")
def test_take(open_page: OpenPage, name: str) -> None:
    """Four of one page."""
    OUT.mkdir(exist_ok=True)
    page = open_page({**PAGES, **SIGNED_OUT}[name], signed_in=name in PAGES)
    for size, wide in ((WIDE, "wide"), (PHONE, "phone")):
        page.set_viewport_size(size)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            settled(page)
            page.evaluate("() => document.fonts.ready.then(() => true)")
            page.evaluate("() => new Promise((done) => setTimeout(() => done(true), 300))")
            page.screenshot(path=OUT / f"{name}-{wide}-{scheme}.png", full_page=True)
