"""What asking costs: exact sums by time and by part, budgets, and what is left of the profit."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain import llm_costs
from gateway.domain.llm_usage import Usage, usage_of
from gateway.routes import ai_trading
from signalbox.contracts import ids
from signalbox.contracts import payloads as p
from signalbox.contracts.errors import Conflict
from signalbox.contracts.events import LlmDecisionMade, StateChanged
from signalbox.contracts.values import Action, SourceType, Target
from signalbox.testing.examples import a_decision, a_moment

COSTS = "/api/ai-trading/costs"
MODEL = {
    "id": "gpt",
    "name": "Mine",
    "provider": "openai",
    "api_key": "k",
    "model": "a-model",
    "symbols": ["AAPL"],
    "target": "sandbox",
}
TODAY = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def at_nine(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is nine o'clock on the 20th of November 2026, by the wall."""
    monkeypatch.setattr(ai_trading, "wall_now", lambda: TODAY)


def made(key: str, at: str = "2026-11-20T08:00", **over: Any) -> LlmDecisionMade:
    wall_at = datetime.fromisoformat(f"{at}:00+00:00")
    return a_moment().event(LlmDecisionMade, a_decision(trigger_key=key, wall_at=wall_at, **over))


async def get(web: Any, path: str) -> Any:
    answer = await web.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


COST = st.decimals(min_value=0, max_value=10**6, places=12)


@given(st.lists(COST, max_size=30))
def test_sums_are_exact_in_any_order(costs: list[D]) -> None:
    uses = [usage_of(a_decision(cost_usd=cost)) for cost in costs]
    total = sum(uses, Usage())
    assert total == sum(reversed(uses), Usage())
    assert total.cost_usd * 10**12 == sum(int(cost * 10**12) for cost in costs)


async def test_costs_by_day_and_month_are_exact_sums(gateway: Any, at_nine: None) -> None:
    tiny = "0.000000000001"
    gateway.feed(
        made("a", cost_usd=D("0.1")),
        made("b", cost_usd=D("0.2"), cost_is_estimated=True, tokens_cached=500),
        made("c", "2026-11-19T23:59", cost_usd=D(tiny)),
        made("d", "2026-10-31T00:00", cost_usd=D("1000000")),
    )
    async with gateway() as web:
        days = (await get(web, COSTS))["items"]
        months = (await get(web, f"{COSTS}?period=month"))["items"]
        some = (await get(web, f"{COSTS}?from=2026-11-01T00:00:00Z"))["items"]
    assert [(d["period"], d["cost_usd"], d["calls"]) for d in days] == [
        ("2026-11-20", "0.3", 2),
        ("2026-11-19", tiny, 1),
        ("2026-10-31", "1000000", 1),
    ]
    assert (days[0]["estimated_usd"], days[0]["cached_share"]) == ("0.2", "0.25")
    assert days[0]["cost_per_decision"] == "0.15"
    assert [(m["period"], m["cost_usd"]) for m in months] == [
        ("2026-11", "0.300000000001"),
        ("2026-10", "1000000"),
    ]
    assert [d["period"] for d in some] == ["2026-11-20", "2026-11-19"]
    assert [(d["limit_usd"], d["left_usd"]) for d in days] == [
        ("5", "4.7"),
        (None,) * 2,
        (None,) * 2,
    ]


async def test_pages_of_days(gateway: Any) -> None:
    gateway.feed(*(made(f"d{day}", f"2026-11-{day:02}T12:00") for day in range(1, 8)))
    seen: list[tuple[str, int]] = []
    following: str | None = ""
    async with gateway() as web:
        while following is not None:
            page = await get(web, f"{COSTS}?limit=3{following}")
            seen += [(one["period"], one["decisions"]) for one in page["items"]]
            following = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None
    assert seen == [(f"2026-11-{day:02}", 1) for day in range(7, 0, -1)]


async def test_one_call_about_several_symbols_is_one_call(gateway: Any, at_nine: None) -> None:
    call = ids.derive("call")
    answers = [made("x", symbol=s, call_id=call, attempts=2) for s in ("AAPL", "MSFT", "IBM")]
    gateway.feed(*answers, made("y", attempts=0, cached=True, cost_usd=D(0)))
    async with gateway() as web:
        await web.post("/api/ai-trading/config", json=MODEL)
        (day,) = (await get(web, COSTS))["items"]
        (status,) = (await get(web, "/api/ai-trading/status"))["items"]
    assert (day["calls"], day["decisions"], day["cached"]) == (2, 4, 1)
    assert (status["calls_today"], status["decisions_today"]) == (2, 4)
    assert (status["tokens_today"], status["cost_today_usd"]) == (4400, "0.003")


@pytest.mark.parametrize(
    ("by", "parts"),
    [
        ("model", [("b-model", "0.04"), ("a-model", "0.03")]),
        ("provider", [("claude", "0.04"), ("openai", "0.03")]),
        ("config", [("gpt", "0.06"), ("gone", "0.01")]),
        ("symbol", [("MSFT", "0.06"), ("AAPL", "0.01")]),
        ("prompt", [("standard@1", "0.05"), ("standard@2", "0.02")]),
    ],
)
async def test_breakdown(gateway: Any, by: str, parts: list[tuple[str, str]]) -> None:
    gateway.feed(
        made("a", cost_usd=D("0.01"), config_id="gone"),
        made("b", cost_usd=D("0.02"), symbol="MSFT", prompt_version="standard@2"),
        made("c", cost_usd=D("0.04"), symbol="MSFT", model="b-model", provider="claude"),
    )
    async with gateway() as web:
        await web.post("/api/ai-trading/config", json=MODEL)
        found = await get(web, f"{COSTS}/breakdown?by={by}")
    assert [(one["key"], one["cost_usd"]) for one in found["items"]] == parts
    assert (found["total"]["cost_usd"], found["total"]["decisions"]) == ("0.07", 3)
    if by == "config":
        assert [(one["name"], one["target"], one["share"]) for one in found["items"]] == [
            ("Mine", "sandbox", "0.8571"),
            ("gone", "sandbox", "0.1429"),
        ]


async def test_what_the_sandbox_pretends_to_cost_is_left_out(gateway: Any, at_nine: None) -> None:
    gateway.feed(made("a"), made("b", target=Target.REAL, cost_usd=D("0.5"), attempts=3))
    async with gateway() as web:
        (both,) = (await get(web, f"{COSTS}/breakdown"))["items"]
        (real,) = (await get(web, f"{COSTS}/breakdown?target=real"))["items"]
        (day,) = (await get(web, f"{COSTS}?target=real"))["items"]
        none = await get(web, f"{COSTS}?target=real&to=2026-11-01T00:00:00Z")
    assert (both["cost_usd"], both["target"]) == ("0.501", None)
    assert (real["cost_usd"], real["target"]) == ("0.5", "real")
    assert (day["cost_usd"], day["calls"]) == ("0.5", 3)
    assert none["items"] == []


async def test_profit_after_cost_by_config(gateway: Any, story: Callable[..., Any]) -> None:
    told = story()
    mine = {"source_type": SourceType.LLM, "source_id": "gpt"}

    def slices(fill: p.Fill) -> p.Fill:
        parts = tuple(part.model_copy(update=mine) for part in fill.slices)
        return fill.model_copy(update={"slices": parts})

    bought, sold = told.orders()[-1].data, told.exit().data
    events = [told.order(o.state, slices(o.fill), **mine, side=o.side) for o in (bought,)]
    exit_order = sold.model_copy(update={**mine, "fill": slices(sold.fill)})
    events.append(told.exit().model_copy(update={"data": exit_order}))
    gateway.feed(made("a", cost_usd=D("0.5")), made("b", cost_usd=D("0.25")), *events)
    async with gateway() as web:
        whole = await get(web, f"{COSTS}/breakdown?by=config")
        (model,) = (await get(web, f"{COSTS}/breakdown?by=model"))["items"]
        (other,) = (await get(web, f"{COSTS}/breakdown?by=config&bot=other"))["items"]
        day = "from=2026-11-20T00:00:00Z&to=2026-11-21T00:00:00Z"
        (spanned,) = (await get(web, f"{COSTS}/breakdown?by=config&{day}"))["items"]
    (config,), total = whole["items"], whole["total"]
    for one in (config, total):
        assert (one["fills"], one["realised_pnl"]) == (2, "98")
        assert (one["pnl_after_cost"], one["cost_per_fill"]) == ("97.25", "0.375")
    assert (other["fills"], other["pnl_after_cost"], other["cost_per_fill"]) == (0, "-0.75", None)
    assert (model["fills"], spanned["pnl_after_cost"], spanned["cost_usd"]) == (None, None, "0.75")


def budget(scope: str, period: str, key: str, **over: Any) -> StateChanged:
    body = {
        "scope": scope,
        "period": period,
        "key": key,
        "limit_usd": "1",
        "spent_usd": "0.4",
        "reserved_usd": "0.1",
        "unknown_usd": "0.05",
        "left_usd": "0.5",
    }
    said = p.State(
        service="llm-decider",
        kind="budget",
        id=f"{scope}.{period}",
        body=body | over,
        at=TODAY,
    )
    return a_moment().event(StateChanged, said)


async def test_budgets_are_what_llm_decider_says_of_the_present_period(
    gateway: Any, at_nine: None
) -> None:
    gateway.feed(
        budget("gpt", "day", "2026-11-20"),
        budget("gpt", "month", "2026-10"),  # of a month gone by
        budget("total", "day", "2026-11-20", spent_usd="nonsense"),
        made("a", cost_usd=D("0.3")),
    )
    async with gateway() as web:
        await web.post("/api/ai-trading/config", json=MODEL | {"budget": {"day_usd": "2"}})
        lines = (await get(web, "/api/ai-trading/budgets"))["items"]
        (status,) = (await get(web, "/api/ai-trading/status"))["items"]
    shown = {
        (one["scope"], one["period"]): (one["spent_usd"], one["reserved_usd"], one["left_usd"])
        for one in lines
    }
    assert shown == {
        ("total", "day"): ("0.3", "0", "4.7"),
        ("total", "month"): ("0.3", "0", "99.7"),
        ("gpt", "day"): ("0.4", "0.1", "1.5"),  # under the limit that is configured now
        ("gpt", "month"): ("0.3", "0", "19.7"),
    }
    assert [one["unknown_usd"] for one in status["budget"]] == ["0.05", "0"]
    assert status["budget"] == [one for one in lines if one["scope"] == "gpt"]


async def test_the_budget_of_all_is_set_in_parts(gateway: Any, at_nine: None) -> None:
    async with gateway() as web:
        await web.put("/api/ai-trading/budgets/total", json={"day_usd": "0"})
        answer = await web.put("/api/ai-trading/budgets/total", json={"month_usd": None})
        bad = await web.put("/api/ai-trading/budgets/total", json={"day_usd": "-1"})
    assert [(b["limit_usd"], b["left_usd"]) for b in answer.json()["items"]] == [
        ("0", "0"),
        (None, None),
    ]
    told = gateway.service.buckets["CONFIG", "llm-decider"]
    assert b'"budget":{"day_usd":"0","month_usd":null}' in told
    assert bad.status_code == 422


async def test_a_call_of_unknown_cost_is_settled(gateway: Any) -> None:
    attempt = str(ids.derive("attempt"))
    path = f"/api/ai-trading/attempts/{attempt}/settle"
    async with gateway() as web:
        done = await web.post(path, json={"cost_usd": "0.00120"})
        gateway.service.answers["llm-decider", "settle"] = Conflict("its cost is known already")
        again = await web.post(path, json={"cost_usd": "0.1"})
    assert done.json() == {"attempt_id": attempt, "cost_usd": "0.0012"}
    sent = [body for _, verb, body, *_ in gateway.service.asked if verb == "settle"]
    assert sent[0] == {"attempt_id": attempt, "cost_usd": "0.0012"}
    assert (again.status_code, "known already" in again.text) == (409, True)


async def test_calls_of_unknown_cost_are_listed(gateway: Any) -> None:
    attempt, decision = str(ids.derive("attempt")), str(ids.derive("decision"))
    told = {
        "attempt": attempt,
        "config_id": "gpt",
        "provider": "openai",
        "model": "a-model",
        "at": TODAY.isoformat(),
        "request_id": "",
        "outcome": "connection_lost",
        "error": "The connection broke off.",
        "reserved_usd": "0.02",
        "decisions": {"AAPL": decision},
    }
    pages = {None: {"attempts": [told], "next": [5, attempt]}, attempt: {"attempts": []}}
    gateway.service.answers["llm-decider", "unresolved"] = lambda body: pages[
        body["after"][1] if "after" in body else None
    ]
    path = "/api/ai-trading/attempts?limit=1"
    async with gateway() as web:
        first = await get(web, path)
        rest = await get(web, f"{path}&cursor={first['next_cursor']}")
    assert [body for *_, body, _, _ in gateway.service.asked] == [
        {"limit": 1},
        {"limit": 1, "after": [5, attempt]},
    ]
    assert rest == {"items": [], "next_cursor": None}
    (found,) = first["items"]
    assert (found["attempt_id"], found["reserved_usd"]) == (attempt, "0.02")
    assert (found["at"], found["decisions"]) == ("2026-11-20T09:00:00Z", {"AAPL": decision})


@pytest.mark.parametrize(
    ("keys", "start", "end"),
    [
        (["2026-11-20", "2026-11-03"], "2026-11-03", "2026-11-21"),
        (["2026-12"], "2026-12-01", "2027-01-01"),
        (["2028-02", "2026-01"], "2026-01-01", "2028-03-01"),
    ],
)
def test_bounds(keys: list[str], start: str, end: str) -> None:
    assert tuple(f"{at:%Y-%m-%d}" for at in llm_costs.bounds(keys)) == (start, end)


def test_what_counts_as_which() -> None:
    abstained = a_decision(action=Action.HOLD, abstained=True, confidence=None)
    signal_id = ids.derive("signal")
    uses = [usage_of(d) for d in (a_decision(signal_id=signal_id), abstained)]
    uses.append(usage_of(a_decision(outcome="invalid", dry_run=True)))
    total = sum(uses, Usage())
    assert (total.decisions, total.answered, total.invalid) == (3, 2, 1)
    assert (total.buys, total.holds, total.abstained, total.signals) == (1, 1, 1, 1)
    assert (total.dry_runs, total.validity) == (1, D("0.6667"))
    assert (Usage().validity, Usage().cached_share, Usage().cost_per_decision) == (None,) * 3
