"""Chromium on a running system: what a person sees and does.

A test fails on every error in the console, on every error of a script, and on every request that
leaves the machine.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)

from chaos.system import System

# BROWSER_URL and BROWSER_PASSWORD: a system that runs already, for quick rounds.
RUNNING = os.environ.get("BROWSER_URL")
PASSWORD = os.environ.get("BROWSER_PASSWORD", "only-for-browser-tests")
NOWHERE = "http://127.0.0.1:9/api/v2"  # the real providers, for tests
WIDE: ViewportSize = {"width": 1280, "height": 900}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
PHONE: ViewportSize = {"width": 390, "height": 844}
_WAIT_MS = 30_000
AddModel = Callable[..., str]


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The whole system with its demo on replayed prices, for all browser tests."""
    settings = {
        "SIGNALBOX_ADMIN_PASSWORD": PASSWORD,
        "SIGNALBOX_QUANTCONNECT_URL": NOWHERE,
        "OPENAI_BASE_URL": NOWHERE,
        "ANTHROPIC_BASE_URL": NOWHERE,
        "SIGNALBOX_SANDBOX_BACKTEST_S": "12",  # long enough to be cancelled by hand
    }
    system = System(tmp_path_factory.mktemp("house"), settings)
    try:
        system.start()
        yield system
    finally:
        assert system.stop() == 0


@pytest.fixture(scope="session")
def url(request: pytest.FixtureRequest) -> str:
    """Where the page is."""
    if RUNNING:
        return RUNNING
    house: System = request.getfixturevalue("house")
    return house.url("gateway")


@pytest.fixture(scope="session")
def rest(url: str) -> Iterator[httpx.Client]:
    """The REST interface for the admin, to bring about what a test looks at."""
    with httpx.Client(base_url=url, timeout=20, trust_env=False) as client:
        login = {"username": "admin", "password": PASSWORD}
        token = client.post("/api/auth/token", json=login).raise_for_status().json()
        client.headers["Authorization"] = f"Bearer {token['access_token']}"
        yield client


@pytest.fixture
def still(rest: httpx.Client) -> Iterator[None]:
    """Market time stands still: no session closes, nothing lapses, and the demo says no more."""
    rest.put("/api/market", json={"speed": 0}).raise_for_status()
    yield
    rest.put("/api/market", json={"speed": 60}).raise_for_status()


@pytest.fixture
def released(rest: httpx.Client) -> Iterator[None]:
    """Whatever a test stops, trades again afterwards."""
    yield
    rest.put("/api/kill-switch", json={}).raise_for_status()


@pytest.fixture
def model(rest: httpx.Client) -> Iterator[AddModel]:
    """Adds models of the sandbox that are asked on request only, each time anew; they are gone at
    the end: `model("Nearly broke", budget={"day_usd": "0.0001"})`.
    """
    path = "/api/ai-trading/config"
    made: list[str] = []

    def add(name: str, **over: Any) -> str:
        body = {
            "name": name,
            "provider": "openai",
            "api_key": "sandbox-key",
            "target": "sandbox",
            "model": "gpt-5.4-mini",
            "symbols": ["AAPL"],
            "every": None,
            "cache_s": 0,
            "budget": {"day_usd": "5"},
        }
        made.append(rest.post(path, json=body | over).raise_for_status().json()["id"])
        return made[-1]

    yield add
    for config_id in made:
        rest.delete(f"{path}/{config_id}").raise_for_status()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The Chromium of this machine; none is ever downloaded."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert path, "no chromium on PATH: install Debian's package, or name one in CHROMIUM"
    expect.set_options(timeout=_WAIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def session_cookie(url: str) -> dict[str, str]:
    """Signed in once for all tests: every sign-in costs time, on purpose."""
    login = {"username": "admin", "password": PASSWORD}
    with httpx.Client(base_url=url, trust_env=False) as client:
        answer = client.post("/api/auth/session", json=login).raise_for_status()
    return {"name": "sb", "value": answer.cookies["sb"], "url": url}


@dataclass
class Watched:
    """A page and what went wrong on it."""

    page: Page
    allowed: list[str] = field(default_factory=list)  # parts of messages that a test provokes
    problems: list[str] = field(default_factory=list)

    def watch(self, url: str) -> None:
        """Note everything from now on."""
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("request", lambda request: self._on_request(request.url, url))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(message.text)

    def _on_request(self, asked: str, url: str) -> None:
        if not asked.startswith((url, "data:", "blob:")):
            self.problems.append(f"left: {asked}")

    def unexpected(self) -> list[str]:
        """What no test has provoked."""
        return [p for p in self.problems if not any(part in p for part in self.allowed)]


OpenPage = Callable[..., Page]


def notice(page: Page, words: str | re.Pattern[str]) -> Locator:
    """What the page says in its corner; a dialog on its way out may still show the same words."""
    return page.locator(".mantine-Notification-root").filter(has_text=words)


@pytest.fixture
def open_page(
    chromium: Browser, url: str, session_cookie: dict[str, Any]
) -> Iterator[Callable[..., Page]]:
    """Opens watched pages: `open_page("/settings", size=PHONE, dark=True, allowed=["503"])`."""
    watched: list[Watched] = []
    contexts: list[BrowserContext] = []

    def open_one(
        path: str | None = "/",
        *,
        size: ViewportSize = WIDE,
        dark: bool = False,
        signed_in: bool = True,
        allowed: tuple[str, ...] = (),
        before: Callable[[Page], None] | None = None,
    ) -> Page:
        context = chromium.new_context(
            base_url=url,
            viewport=size,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            bypass_csp=False,
        )
        context.set_default_timeout(_WAIT_MS)
        contexts.append(context)
        if signed_in:
            context.add_cookies([session_cookie])  # type: ignore[list-item]  # the shape it wants
        found = Watched(context.new_page(), allowed=[*allowed])
        found.watch(url)
        watched.append(found)
        if before:
            before(found.page)
        if path is not None:
            found.page.goto(path)
        return found.page

    yield open_one
    for context in contexts:
        context.close()
    assert [problem for found in watched for problem in found.unexpected()] == []


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """A wide page in light colours, signed in, not opened anywhere yet."""
    return open_page(None)


def settled(page: Page) -> None:
    """Wait until nothing on the page loads any more."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_label("Loading", exact=True)).to_have_count(0)
