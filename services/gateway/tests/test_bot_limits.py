"""A bot's sizing and limits over REST: kept as sent, refused in words."""

from typing import Any

import pytest

LIMITS = {
    "max_drawdown": "0.2",
    "reject_streak": 3,
    "loss_cooldown_s": 1800,
    "restricted": ["GME"],
    "source_budgets": {"llm": "0.2", "quantconnect": "0.5"},
}
SIZING = {
    "kind": "volatility_target",
    "risk": "0.01",
    "atr_multiple": "3",
    "atr_period": 20,
    "atr_interval": "15m",
    "increments": {"AAPL": "1", "BTC/USD": "0.0001"},
}


async def test_what_is_sent_is_kept(gateway: Any) -> None:
    async with gateway() as web:
        await web.post("/api/bots", json={"id": "alpha"})
        body = {"id": "alpha", "limits": LIMITS, "sizing": SIZING}
        saved = await web.post("/api/bots", json=body)
        shown = (await web.get("/api/bots/alpha")).json()
    assert saved.status_code == 200, saved.text
    assert shown["limits"].items() >= LIMITS.items()
    assert shown["sizing"].items() >= SIZING.items()


async def test_what_is_left_out_of_a_group_stays(gateway: Any) -> None:
    async with gateway() as web:
        await web.post("/api/bots", json={"id": "alpha", "limits": LIMITS, "sizing": SIZING})
        await web.post("/api/bots", json={"id": "alpha", "limits": {"reject_streak": 7}})
        shown = (await web.get("/api/bots/alpha")).json()
    assert shown["limits"].items() >= (LIMITS | {"reject_streak": 7}).items()
    assert shown["sizing"].items() >= SIZING.items()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param({"max_daily_loss": "0.06"}, 200, id="above the default halt, below its own"),
        pytest.param({"halt_daily_loss": "0.04"}, 422, id="above the default limit, below its own"),
        pytest.param({"halt_daily_loss": "0.04", "max_daily_loss": "1"}, 200, id="limit off"),
        pytest.param({"halt_daily_loss": "0.04", "max_daily_loss": "0.04"}, 200, id="equal"),
    ],
)
async def test_losses_are_judged_as_they_would_be_kept(
    gateway: Any, sent: dict[str, str], status: int
) -> None:
    limits = {"max_daily_loss": "0.08", "halt_daily_loss": "0.10"}
    async with gateway() as web:
        await web.post("/api/bots", json={"id": "alpha", "limits": limits})
        answer = await web.post("/api/bots", json={"id": "alpha", "limits": sent})
        shown = (await web.get("/api/bots/alpha")).json()
    assert answer.status_code == status, answer.text
    assert shown["limits"].items() >= (limits | (sent if status == 200 else {})).items()


@pytest.mark.parametrize(
    ("part", "field", "words"),
    [
        pytest.param(
            "limits", {"halt_daily_loss": "0.01"}, "halted before its entries stop", id="halt"
        ),
        pytest.param("limits", {"source_budgets": {"gossip": "0.1"}}, "quantconnect", id="source"),
        pytest.param("limits", {"source_budgets": {"llm": "1.5"}}, "less than", id="above all"),
        pytest.param("limits", {"restricted": ["not a symbol"]}, "match", id="symbol"),
        pytest.param("limits", {"max_drawdown": "0"}, "greater than 0", id="drawdown"),
        pytest.param("sizing", {"atr_interval": "1 day"}, "match", id="interval"),
        pytest.param("sizing", {"atr_period": 1}, "greater than or equal to 2", id="period"),
        pytest.param("sizing", {"increments": {"AAPL": "0"}}, "greater than 0", id="increment"),
        pytest.param("sizing", {"kind": "martingale"}, "volatility_target", id="kind"),
        pytest.param("sizing", {"risk": "NaN"}, "finite", id="no number"),
    ],
)
async def test_what_makes_no_sense_is_refused_in_words(
    gateway: Any, part: str, field: dict[str, Any], words: str
) -> None:
    async with gateway() as web:
        before = (await web.post("/api/bots", json={"id": "alpha"})).json()
        answer = await web.post("/api/bots", json={"id": "alpha", part: field})
        assert answer.status_code == 422
        assert words in answer.text
        assert (await web.get("/api/bots/alpha")).json() == before
