"""`make bench-page`: how fast the page opens, how large its first load is, and how it scrolls
through 100,000 rows, in this machine's Chromium.

The rows are made here and handed to the page in the place of the gateway's answer: they cost the
page the same, and nobody has to trade for a day first. Prints one line for each figure, and one of
JSON at the end.
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

from chaos.system import System

PASSWORD = "only-for-the-bench"  # noqa: S105 - of a system that is gone afterwards
ROWS, ROWS_A_PAGE = 100_000, 1_000
FRAMES, STEP_PX = 600, 180  # as fast as a hand on a wheel
OPENINGS = 5
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
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        token = client.post("/api/auth/session", json=login).raise_for_status().cookies["sb"]
    cookie = {"name": "sb", "value": token, "url": url}
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        opened = [opening(browser, url, cookie) for _ in range(OPENINGS)]
        context = signed_in(browser, url, cookie)
        scrolled = scrolling(context)
        browser.close()
    return {
        "interactive_ms": round(statistics.median(ready for ready, _ in opened)),
        "first_load_kb": round(max(size for _, size in opened) / 1000),
        "scrolling": scrolled,
    }


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
    scrolled = found["scrolling"]
    print(f"overview can be used after {found['interactive_ms']} ms (wanted: 2000)")
    print(f"first load, compressed: {found['first_load_kb']} kB (wanted: 500)")
    print(f"scrolling {scrolled['rows']:,} rows: p95 frame {scrolled['p95_ms']} ms (wanted: 50)")
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
