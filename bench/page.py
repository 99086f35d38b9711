"""`make bench-page`: how fast the page opens, how large its first load is, how it scrolls through
100,000 rows, and how soon an event is on the screen, in this machine's Chromium.

The rows are made here and handed to the page in the place of the gateway's answer: they cost the
page the same, and nobody has to trade for a day first. Prints a table, and one line of JSON at the
end. Whatever is beyond its limit is named, and ends it with 1.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from playwright.sync_api import Browser, BrowserContext, Route, expect, sync_playwright

from bench.screen import event_to_screen
from chaos.system import System

PASSWORD = "only-for-the-bench"  # noqa: S105 - of a system that is gone afterwards
ROWS, ROWS_A_PAGE = 100_000, 1_000
FRAMES, STEP_PX = 600, 180  # as fast as a hand on a wheel
OPENINGS = 5
USABLE_MS, LOAD_KB, FRAME_MS, SCREEN_MS = 2000, 500, 50, 1000  # limits; of frames and events p95
_LIST = "/activity/trades"
_TRADE: dict[str, Any] = {
    "order_id": "o",
    "bot": "demo",
    "account": "demo",
    "mode": "paper",
    "symbol": "AAPL",
    "side": "buy",
    "purpose": "entry",
    "quantity": "3.0021",
    "price": "333.1339",
    "fee": "0.01",
    "realised_pnl": "-12.42",
    "slippage_bps": "1.2",
    "source_type": "quantconnect",
    "source_id": "23456781",
    "confidence": "0.67",
    "ai_confidence": None,
    "signal_id": None,
    "verdict_id": None,
    "at": "2026-07-30T17:52:10Z",
    "slices": [],
}
_SCROLL = """async ([frames, step]) => {
  const box = document.querySelector('[role="table"][aria-label="Trades"]');
  const took = [];
  let last = performance.now();
  for (let n = 0; n < frames; n++) {
    box.scrollTop += step;
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    took.push(now - last);
    last = now;
  }
  return took;
}"""
_TO_THE_END = """async (rows) => {
  const box = document.querySelector('[role="table"][aria-label="Trades"]');
  const deadline = performance.now() + 300000;
  while (box.scrollHeight < rows * 36 && performance.now() < deadline) {
    box.scrollTop = box.scrollHeight;
    await new Promise((done) => setTimeout(done, 30));
  }
  box.scrollTop = 0;
}"""


def answer(route: Route) -> None:
    """One page of made-up trades."""
    query = parse_qs(urlsplit(route.request.url).query)
    start = int(query.get("cursor", ["0"])[0])
    rows = [{**_TRADE, "id": f"t{n}"} for n in range(start, min(start + ROWS_A_PAGE, ROWS))]
    following = start + ROWS_A_PAGE
    body = {"items": rows, "next_cursor": str(following) if following < ROWS else None}
    route.fulfill(json=body)


def scrolling(context: BrowserContext) -> dict[str, float]:
    """Milliseconds between two frames while a long list is scrolled."""
    page = context.new_page()
    page.route("**/api/trades?*", answer)
    page.route("**/api/stream*", lambda route: route.abort())
    page.goto(_LIST)
    expect(page.get_by_role("table", name="Trades")).to_be_visible()
    page.evaluate(_TO_THE_END, ROWS)
    expect(page.get_by_text(f"{ROWS:,} rows")).to_be_visible()
    took: list[float] = page.evaluate(_SCROLL, [FRAMES, STEP_PX])
    page.close()
    return {"rows": ROWS, **percentiles(took)}


def percentiles(values: list[float]) -> dict[str, float]:
    """The middle, the 95th percentile and the worst."""
    ordered = sorted(values)
    return {
        "p50_ms": round(statistics.median(ordered), 1),
        "p95_ms": round(ordered[-(-len(ordered) * 95 // 100) - 1], 1),
        "worst_ms": round(ordered[-1], 1),
    }


def opening(browser: Browser, url: str, cookie: Any) -> tuple[float, int]:
    """With an empty cache: milliseconds until the figures can be read and used, and the bytes of
    scripts, styles, fonts and pictures as they came over the wire.
    """
    context = signed_in(browser, url, cookie)
    page = context.new_page()
    page.goto("/", wait_until="commit")
    expect(page.get_by_role("region", name="Equity", exact=True)).to_be_visible()
    ready: float = page.evaluate("performance.now()")
    page.wait_for_load_state("load")
    size: int = page.evaluate(
        """() => [...performance.getEntriesByType('navigation'),
                  ...performance.getEntriesByType('resource')]
          .filter((one) => !one.name.includes('/api/'))
          .reduce((sum, one) => sum + one.transferSize, 0)"""
    )
    context.close()
    return ready, size


def signed_in(browser: Browser, url: str, cookie: Any) -> BrowserContext:
    """Like a browser that was never here, but with a session."""
    context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)
    context.add_cookies([cookie])
    return context


def measure(url: str, password: str) -> dict[str, Any]:
    """Everything, on a system that runs."""
    expect.set_options(timeout=60_000)
    login = {"username": "admin", "password": password}
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as rest:
        session = rest.post("/api/auth/session", json=login).raise_for_status().cookies["sb"]
        cookie = {"name": "sb", "value": session, "url": url}
        token = rest.post("/api/auth/token", json=login).raise_for_status().json()
        rest.headers["Authorization"] = f"Bearer {token['access_token']}"
        if not rest.get("/api/market").raise_for_status().json()["replay"]:
            sys.exit("its prices are real: signals of a bench have no business there")
        path = os.environ.get("CHROMIUM") or shutil.which("chromium")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            opened = [opening(browser, url, cookie) for _ in range(OPENINGS)]
            context = signed_in(browser, url, cookie)
            scrolled = scrolling(context)
            screen = event_to_screen(context, rest)
            browser.close()
    return {
        "interactive_ms": round(statistics.median(ready for ready, _ in opened)),
        "first_load_kb": round(max(size for _, size in opened) / 1000),
        "scrolling": scrolled,
        "event_to_screen": {
            kind: {"shots": len(took), **percentiles(took)} for kind, took in screen.items()
        },
    }


def figures(found: dict[str, Any]) -> list[tuple[str, float, int, str]]:
    """Each with what it is, its limit and its unit."""
    rows = found["scrolling"]["rows"]
    return [
        ("overview can be used", found["interactive_ms"], USABLE_MS, "ms"),
        ("first load, compressed", found["first_load_kb"], LOAD_KB, "kB"),
        (f"p95 frame, scrolling {rows:,} rows", found["scrolling"]["p95_ms"], FRAME_MS, "ms"),
        *(
            (f"p95 from event to screen, {kind}", one["p95_ms"], SCREEN_MS, "ms")
            for kind, one in found["event_to_screen"].items()
        ),
    ]


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench.page", description=__doc__)
    parser.add_argument("--url", help="of a system that runs; none: one is started for this")
    parser.add_argument("--password", default=PASSWORD)
    asked = parser.parse_args()
    if asked.url:
        found = measure(asked.url, asked.password)
    else:
        with tempfile.TemporaryDirectory() as home:
            system = System(Path(home), {"SIGNALBOX_ADMIN_PASSWORD": PASSWORD})
            system.start()
            try:
                found = measure(system.url("gateway"), PASSWORD)
            finally:
                system.stop()
    for what, value, most, unit in figures(found):
        print(f"{what:38} {value:>8g} {unit}   (at most {most})")
    print(json.dumps(found))
    beyond = [one for one in figures(found) if one[1] > one[2]]
    for what, value, most, unit in beyond:
        print(f"beyond its limit: {what}: {value:g} {unit}, at most {most}", file=sys.stderr)
    return 1 if beyond else 0


if __name__ == "__main__":
    sys.exit(main())
