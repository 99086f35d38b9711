"""From an event to the screen: a bot of its own trades on a person's signals, and each row that
follows is timed from the moment its event was made until the page shows it.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
from playwright.sync_api import BrowserContext, Page, expect

from signalbox.testing.wait import until_sync

SHOTS = 20  # of each kind
_BOT, _SYMBOL = "bench", "AAPL"
_WAIT_S = 60.0
_WEEK_S = 604_800  # of market time: the market may close between a signal and its fill
# So that nothing but the market's hours holds it back.
_LIMITS = {
    "max_orders_per_minute": 100_000,
    "max_repeats": 100_000,
    "max_daily_loss": "1",
    "halt_daily_loss": "1",
    "max_drawdown": "1",
    "max_slippage": "1",
    "loss_streak": 0,
    "reject_streak": 0,
}
# What the page hears, kept beside; times are milliseconds since 1970.
_LISTEN = """(() => {
  const Native = window.EventSource;
  window.told = [];
  window.EventSource = class extends Native {
    constructor(address) {
      super(address);
      for (const kind of new URL(address, location.href).searchParams.get("types").split(","))
        this.addEventListener(kind, ({ data }) => {
          const event = JSON.parse(data);
          window.told.push({ kind, made: Date.parse(event.time), data: event.data });
        });
    }
  };
})()"""
_WATCH = """([label, words, there, wait]) => {
  const rows = `[role="table"][aria-label="${label}"] [role="row"]`;
  const shown = () =>
    [...document.querySelectorAll(rows)].some((row) =>
      words.every((word) => row.textContent.includes(word)),
    );
  const deadline = Date.now() + wait;
  window.seen = (async () => {
    while (shown() !== there) {
      if (Date.now() > deadline) throw new Error(`${label} never showed ${words}`);
      await new Promise(requestAnimationFrame);
    }
    return Date.now();
  })();
}"""


@dataclass(frozen=True, slots=True)
class Kind:
    """What is timed, and where it shows."""

    path: str
    table: str
    event: str
    least: int  # per cent that its first signal is sure: no two rows of one table are alike
    mine: Callable[[dict[str, Any]], bool]


def _of_bot(data: dict[str, Any]) -> bool:
    return data.get("bot") == _BOT


KINDS = {
    "signal": Kind(
        "/activity?source=manual",
        "Signals",
        "SignalRaised",
        20,
        lambda one: one["source_type"] == "manual",
    ),
    "verdict": Kind(f"/activity/verdicts?bot={_BOT}", "Verdicts", "VerdictReached", 40, _of_bot),
    "fill": Kind(
        f"/activity/trades?bot={_BOT}",
        "Trades",
        "OrderChanged",
        60,
        lambda one: _of_bot(one) and one.get("fill") is not None,
    ),
    "position": Kind("/activity/positions", "Positions", "PositionChanged", 80, _of_bot),
}


def event_to_screen(context: BrowserContext, rest: httpx.Client) -> dict[str, list[float]]:
    """Milliseconds of each shot, by kind."""
    with _trading(rest):
        return {name: list(_shots(context, rest, kind)) for name, kind in KINDS.items()}


@contextmanager
def _trading(rest: httpx.Client) -> Iterator[None]:
    """A bot that follows people alone; gone with all it holds afterwards."""
    if rest.get("/api/verdicts", params={"bot": _BOT}).raise_for_status().json()["items"]:
        sys.exit(
            f"a bench has run on this system: verdicts of bot {_BOT} are there and would be taken"
            " for new ones. Measure a fresh system, or let the bench start its own (no --url)"
        )
    sources = [{"source_type": "manual"}]
    body = {"id": _BOT, "name": "Bench", "sources": sources, "limits": _LIMITS}
    rest.post("/api/bots", json=body).raise_for_status()
    try:
        yield
    finally:
        _flatten(rest)
        for path in (f"/api/bots/{_BOT}", f"/api/accounts/{_BOT}"):
            until_sync(partial(_gone, rest, path), _WAIT_S)


def _gone(rest: httpx.Client, path: str) -> bool:
    return rest.delete(path).status_code in {204, 404}


def _flatten(rest: httpx.Client) -> None:
    """Wait until the bot holds nothing and waits for nothing."""
    rest.post(f"/api/bots/{_BOT}/flatten").raise_for_status()
    asked = {"bot": _BOT, "final": "false"}

    def flat() -> bool:
        held = rest.get("/api/positions", params={"bot": _BOT}).json()["items"]
        return not held and not rest.get("/api/orders", params=asked).json()["items"]

    until_sync(flat, _WAIT_S)


def _shots(context: BrowserContext, rest: httpx.Client, kind: Kind) -> Iterator[float]:
    _flatten(rest)
    page = context.new_page()
    page.add_init_script(_LISTEN)
    page.goto(kind.path)
    expect(page.get_by_role("status", name="Connection: Live")).to_be_visible()
    for shot in range(SHOTS):
        yield _shot(page, rest, kind, shot)
    page.close()


def _shot(page: Page, rest: httpx.Client, kind: Kind, shot: int) -> float:
    """One signal: a buy, then a sell that closes it, and so on."""
    sure, buys = kind.least + shot, shot % 2 == 0
    held = kind.event == "PositionChanged"  # its one row comes and goes
    words = [_BOT, _SYMBOL] if held else [_SYMBOL, f"{sure}%"]
    page.evaluate("() => { window.told = [] }")
    page.evaluate(_WATCH, [kind.table, words, buys or not held, _WAIT_S * 1000])
    signal = {
        "symbol": _SYMBOL,
        "action": "buy" if buys else "sell",
        "confidence": f"0.{sure}",
        "horizon_s": _WEEK_S,
    }
    rest.post("/api/signals", json=signal).raise_for_status()
    seen: float = page.evaluate("() => window.seen")
    return seen - until_sync(partial(_made, page, kind), _WAIT_S)[0]


def _made(page: Page, kind: Kind) -> list[float]:
    """When the events of a kind were made that the page has heard of."""
    told: list[dict[str, Any]] = page.evaluate("() => window.told")
    return [one["made"] for one in told if one["kind"] == kind.event and kind.mine(one["data"])]
