"""After a run over recorded minutes every figure is what a script makes of the fills by hand."""

import ast
import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from chaos.load import add_bot
from chaos.rest import Gateway, signed_in
from chaos.streams import quiet
from chaos.system import System
from chaos.voices import Voices, voices_in
from signalbox.runtime.bus import Bus
from signalbox.testing.wait import until
from tests.e2e.conftest import ADMIN_PASSWORD, OwnSystem
from tests.e2e.reading import holds

pytestmark = pytest.mark.e2e
SCRIPT = Path(__file__).with_name("recompute.py")
SPEED = 900
QUANTCONNECT, STRATEGY = {"source_type": "quantconnect"}, {"source_type": "strategy"}
MANUAL = {"source_type": "manual"}
PAIR = "BTC/USD"
BOTS: tuple[dict[str, Any], ...] = (
    {"id": "both", "sources": [QUANTCONNECT, STRATEGY, {"source_type": "llm"}, MANUAL]},
    {
        "id": "short",
        "sources": [STRATEGY, MANUAL],
        "allow_short": True,
        "policy": {"kind": "weighted", "trust": {"strategy": "0.1"}, "margin": "0"},
    },
    {"id": "vote", "sources": [STRATEGY], "policy": {"kind": "consensus", "consensus_of": 2}},
    {"id": "pairs", "sources": [MANUAL], "symbols": [PAIR]},
)
PAPER = {"starting_cash": "20000", "fee_bps": "1.3", "fee_per_share": "0.0035"}
STRATEGIES: tuple[dict[str, Any], ...] = (
    {"strategy": "sma-cross", "parameters": {"fast": "2", "slow": "5"}},
    {"strategy": "rsi-reversion", "parameters": {"period": "3"}},
    {"strategy": "donchian", "parameters": {"period": "4"}},
)


def test_the_script_stands_alone() -> None:
    tree = ast.walk(ast.parse(SCRIPT.read_text()))
    names = {node.module for node in tree if isinstance(node, ast.ImportFrom)}
    tree = ast.walk(ast.parse(SCRIPT.read_text()))
    names |= {one.name for node in tree if isinstance(node, ast.Import) for one in node.names}
    assert names - {"httpx"} <= set(sys.stdlib_module_names) | {"collections.abc"}


def by_hand(system: System, token: str) -> Any:
    """What the script says."""
    command = [sys.executable, "-I", str(SCRIPT), system.url("gateway"), token]
    return json.loads(subprocess.check_output(command, text=True, timeout=60))


async def enough(gateway: Gateway) -> bool:
    """Whether there is something of every kind to count."""
    earned = (await gateway.get("/api/performance", by="bot"))["items"]
    fills = {row["bot"]: row["fills"] for row in earned}
    sources = (await gateway.get("/api/performance", by="source"))["items"]
    heard = {row["source_type"] for row in sources}
    wanted = {"both": 10, "short": 40, "vote": 10, "demo": 2}
    return heard >= {"strategy", "quantconnect"} and all(
        fills.get(bot, 0) >= least for bot, least in wanted.items()
    )


async def bought_by_hand(gateway: Gateway, bus: Bus) -> bool:
    """Two bots buy; where the market is closed they cannot, and time goes on until they may."""
    body = {"symbol": "AAPL", "action": "buy", "confidence": "1"}
    word = (await gateway.post("/api/signals", body))["signal_id"]
    await until(lambda: gateway.find(f"/api/signals/{word}"), 60)
    await quiet(bus, 120)  # whatever can be done while time stands still is done
    ended = await over(gateway, word)
    if not ended:
        await gateway.put("/api/market", {"speed": SPEED})
        await until(partial(over, gateway, word), 60)
    return ended == {"filled"}


async def trade_a_pair(gateway: Gateway, voices: Voices) -> None:
    """Bought twice and sold in between, at prices that the feed does not know."""
    for action, bid, ask in (("buy", "50000", "50010"), ("sell", "50107", "50117")):
        await voices.quote(PAIR, bid=bid, ask=ask)
        await say(gateway, action)
    await voices.quote(PAIR, bid="49003.1", ask="49011.7")
    await say(gateway, "buy")


async def say(gateway: Gateway, action: str) -> None:
    """Speak by hand, and wait until the bot of pairs has done it."""
    body = {"symbol": PAIR, "action": action, "confidence": "1"}
    word = (await gateway.post("/api/signals", body))["signal_id"]

    async def done() -> bool:
        found = await gateway.get("/api/orders", signal=word, bot="pairs", state="filled")
        return bool(found["items"])

    await until(done, 60)


async def over(gateway: Gateway, signal: str) -> set[str]:
    """How the orders of both bots have ended; nothing while one has not."""
    found = (await gateway.get("/api/orders", signal=signal, final=True))["items"]
    ended = {order["bot"]: str(order["state"]) for order in found}
    return set(ended.values()) if ended.keys() >= {"both", "short"} else set()


async def last_fills(gateway: Gateway, bus: Bus) -> None:
    """Time stands still, and each book gets one more, so that its last mark is of the newest
    prices: two buy by hand, and the others close what they have of the symbol.
    """
    for _ in range(5):
        await gateway.put("/api/market", {"speed": 0})
        if await bought_by_hand(gateway, bus):
            break
    for bot in ("vote", "demo"):
        if (await gateway.get("/api/positions", bot=bot, symbol="AAPL"))["items"]:
            await gateway.post(f"/api/positions/{bot}/AAPL/close")
            await until(partial(holds, gateway, bot, "AAPL", 0), 60)


async def test_equity_and_performance_are_what_the_fills_make_them(own_system: OwnSystem) -> None:
    system = own_system()
    system.start()
    async with signed_in(lambda: system.url("gateway"), ADMIN_PASSWORD) as gateway:
        for bot in BOTS:
            await add_bot(gateway, **bot)
            paper = {**PAPER, "fee_bps": None} if bot["id"] == "pairs" else PAPER
            await gateway.post("/api/accounts", {"id": bot["id"], "paper": paper})
        for number, strategy in enumerate(STRATEGIES):
            body = {"id": f"quick-{number}", "symbols": ["AAPL"], "interval": "1m", **strategy}
            await gateway.post("/api/strategies", body)
        await gateway.post("/api/bots", {"id": "vote", "limits": {"limit_bps": "2"}})
        async with voices_in(system.home) as voices:
            await trade_a_pair(gateway, voices)
            await gateway.put("/api/market", {"speed": SPEED})
            await until(lambda: enough(gateway), 120, every=0.5)
            await last_fills(gateway, await voices.bus("provision"))

        found: dict[str, Any] = {}

        def agreed() -> bool:
            found.update(by_hand(system, gateway.token))
            return not found["differences"]

        try:
            await until(agreed, 120, every=0.5)
        except AssertionError:
            pytest.fail("\n".join(found["differences"]))
    assert {"both", "short", "vote", "demo", "pairs"} <= set(found["bots"])
    assert found["fills"] >= 60
    assert min(found["marks"], found["closed"]) >= 40
    assert found["open_lots"] >= 2
    assert min(found["limited"], found["pairs"]) >= 3
