"""A language model's answer is followed to a lot, all through REST; a kill in between costs nothing
twice.
"""

from decimal import Decimal
from typing import Any

import httpx
import pytest

from chaos.load import add_bot
from chaos.rest import Gateway
from chaos.system import System
from signalbox.testing.wait import until, within_a_day

pytestmark = pytest.mark.e2e
CONFIGS = "/api/ai-trading/config"
DECISIONS = "/api/ai-trading/decision"
D = Decimal


async def add_model(gateway: Gateway, **over: Any) -> str:
    """A model of the sandbox that is asked about AAPL on request only."""
    body = {
        "id": "oracle",
        "provider": "openai",
        "api_key": "sandbox-key",
        "target": "sandbox",
        "model": "gpt-5.4-mini",
        "prompt_template": "standard",
        "symbols": ["AAPL"],
        "every": None,
        "cache_s": 0,
        "budget": {"day_usd": "50", "month_usd": None},
    } | over
    return str((await gateway.post(CONFIGS, body))["id"])


async def add_listener(gateway: Gateway, config_id: str) -> str:
    """A bot that does what this model says, long and short."""
    bot = f"of-{config_id}"
    source = {"source_type": "llm", "source_id": config_id}
    policy = {"thresholds": {"llm": "0.5"}}
    await add_bot(gateway, id=bot, sources=[source], allow_short=True, policy=policy)
    return bot


async def first_trade(gateway: Gateway, config_id: str) -> Any:
    """The first fill that a model's word led to."""
    page = await gateway.get("/api/trades", source_type="llm", bot=f"of-{config_id}")
    return next(iter(page["items"]), None)


async def test_a_decision_of_a_language_model_becomes_a_trade(gateway: Gateway) -> None:
    config_id = await add_model(gateway, every=1, min_gap_s=0, horizon_s=300)
    await add_listener(gateway, config_id)
    trade = await until(lambda: first_trade(gateway, config_id), 90, every=0.3)
    guard, said = await until(lambda: guarded_lot(gateway, config_id), 60, every=0.3)
    for level in ("stop_price", "target_price"):
        assert D(guard[level]) == D(said[level]), level
    await gateway.post(CONFIGS, {"id": config_id, "is_active": False})
    assert (trade["source_type"], trade["source_id"]) == ("llm", config_id)
    chain = await until(lambda: followed(gateway, trade), 15)
    signal = chain["signal"]
    assert (signal["source_type"], signal["target"]) == ("llm", "sandbox")
    assert signal["reasoning"].startswith("Answer of the sandbox's rule")
    decision = await until(lambda: gateway.find(f"{DECISIONS}/{signal['own_id']}"), 15)
    assert (decision["outcome"], decision["signal_id"]) == ("answered", signal["id"])
    assert decision["trigger"] in {"bar", "move"}
    assert D(decision["cost_usd"]) > 0
    orders = [order for order in chain["orders"] if order["bot"] == f"of-{config_id}"]
    assert trade["id"] in {fill["id"] for order in orders for fill in order["trades"]}
    assert chain["lots"]
    judged = await until(lambda: judgement(gateway, config_id), 60, every=0.3)
    assert (judged["key"], judged["share"]["count"] > 0) == ("gpt-5.4-mini", True)


async def guarded_lot(gateway: Gateway, config_id: str) -> Any:
    """What protects an open lot of a model, and the signal that opened it."""
    page = await gateway.get("/api/positions", bot=f"of-{config_id}")
    for lot in (lot for position in page["items"] for lot in position["lots"]):
        chain = await gateway.find(f"/api/chains/{lot['id']}")
        if chain and chain["signal"]:
            return lot["protection"], chain["signal"]
    return None


async def followed(gateway: Gateway, trade: dict[str, Any]) -> Any:
    """The chain of a trade's signal, once it has the trade and a lot."""
    chain = await gateway.find(f"/api/signals/{trade['signal_id']}")
    fills = {fill["id"] for order in chain["orders"] for fill in order["trades"]} if chain else ()
    return chain if trade["id"] in fills and chain["lots"] else None


async def judgement(gateway: Gateway, config_id: str) -> Any:
    """What the lab has made of a model's signals, once a horizon has passed."""
    page = await gateway.get("/api/calibration", by="model", source_id=config_id)
    return next(iter(page["items"]), None)


async def ask(gateway: Gateway, config_id: str, **body: Any) -> Any:
    """What a model answers now."""
    given = {"config_id": config_id, "dry_run": True} | body
    return await gateway.post(DECISIONS, given, params={"wait_s": 20})


async def test_a_dry_run_is_answered_and_never_traded(gateway: Gateway) -> None:
    config_id = await add_model(gateway, id="dry", provider="claude", model="claude-haiku-4-5")
    await until(lambda: is_connected(gateway, config_id), 30, every=0.2)
    (decision,) = (await ask(gateway, config_id))["items"]
    assert (decision["outcome"], decision["dry_run"]) == ("answered", True)
    assert decision["signal_id"] is None
    found = (await gateway.get("/api/signals", source_id=config_id))["items"]
    assert found == []


async def is_connected(gateway: Gateway, config_id: str) -> bool:
    """Whether llm-decider knows the model and its provider accepts it."""
    items = (await gateway.get("/api/ai-trading/status"))["items"]
    return any(item["config_id"] == config_id and item["connected"] for item in items)


async def slow(house: System, seconds: float) -> None:
    """The sandbox's models take so long; what only counts tokens does not."""
    async with httpx.AsyncClient(base_url=house.url("sandbox"), trust_env=False) as sandbox:
        for path, takes_s in (("openai/responses/input_tokens", 0), ("openai/responses", seconds)):
            fault = {"kind": "slow", "path": path, "seconds": takes_s}
            (await sandbox.post("/faults", json=fault)).raise_for_status()


async def test_a_kill_while_the_model_thinks_is_one_decision_and_no_money_lost(
    house: System, gateway: Gateway
) -> None:
    await within_a_day(60)  # budgets are read after what they paid for
    config_id = await add_model(gateway, id="killed", deadline_s=60)
    await until(lambda: is_connected(gateway, config_id), 30, every=0.2)
    await slow(house, 20)
    try:
        given = {"config_id": config_id, "dry_run": True}
        asked = await gateway.post(DECISIONS, given, params={"wait_s": 0})
        await until(lambda: reserved(gateway, config_id), 20)
        house.kill("llm-decider")
    finally:
        async with httpx.AsyncClient(base_url=house.url("sandbox"), trust_env=False) as sandbox:
            await sandbox.delete("/faults")
    (decision_id,) = asked["pending"].values()
    decision = await until(lambda: gateway.find(f"{DECISIONS}/{decision_id}"), 60, every=0.2)
    assert decision["outcome"] == "answered"
    assert (decision["attempts"], decision["cost_is_estimated"]) == (2, True)
    await until(lambda: adds_up(gateway, config_id, D(decision["cost_usd"])), 20)


async def adds_up(gateway: Gateway, config_id: str, cost: Decimal) -> bool:
    """Whether the budgets hold a decision's whole cost, that of the lost call as unknown."""
    lines = await budget_of(gateway, config_id)
    sums = {D(line["spent_usd"]) + D(line["reserved_usd"]) for line in lines}
    return sums == {cost} and all(0 < D(line["unknown_usd"]) < cost for line in lines)


async def budget_of(gateway: Gateway, config_id: str) -> list[Any]:
    """Day and month of one config."""
    items = (await gateway.get("/api/ai-trading/budgets"))["items"]
    return [line for line in items if line["scope"] == config_id]


async def reserved(gateway: Gateway, config_id: str) -> bool:
    """Whether a call is under way."""
    lines = await budget_of(gateway, config_id)
    return any(D(line["reserved_usd"]) > 0 for line in lines)
