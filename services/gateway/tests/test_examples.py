"""Every example in the description of the interface is sent, and answered as it says."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateway.adapters import token_store
from gateway.domain.tokens import ApiToken, Scope
from gateway.routes import ai_trading, following
from gateway.routes.examples import (
    accounts,
    algorithms,
    decisions,
    language_models,
    ledger,
    prompts,
    urgent,
)
from signalbox.contracts import ids
from signalbox.contracts import payloads as p
from signalbox.contracts.assessments import OutcomeScore
from signalbox.contracts.clock import ClockReading
from signalbox.contracts.events import (
    AlertRaised,
    LlmDecisionMade,
    OutcomeScored,
    SignalRaised,
    StateChanged,
)
from signalbox.contracts.notices import Alert
from signalbox.contracts.values import Severity, SourceType, Target
from signalbox.runtime.clock import wall_now
from signalbox.testing.examples import NOON, D, a_decision, a_moment, a_signal

ROOTS = (
    *("/api/quantconnect", "/hooks/quantconnect", "/api/ai-trading", "/api/calibration"),
    *("/api/equity", "/api/performance", "/api/tokens"),
)
ALSO = {"submit_signal", *urgent.EXAMPLES}
QUANTCONNECT = {**accounts.EXAMPLES, **algorithms.EXAMPLES}
MODELS = {**language_models.EXAMPLES, **decisions.EXAMPLES, **prompts.EXAMPLES}
EXAMPLES = {**QUANTCONNECT, **MODELS, **ledger.EXAMPLES, **urgent.EXAMPLES}
AT = "2026-08-03T16:00:00+00:00"
WALL = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
JOB, BACKTEST = "6c1f0f8e-3f0b-5a3f-9d53-3b1f9b8a2c11", "0b9d5f52-6a5e-5d0a-8f1e-7c2f4a9be001"
ATTEMPT = "5f0f0c0e-8a57-5d0b-9a3e-5b6f7c1d2e3f"


def operations(document: dict[str, Any]) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Method, path and description of each of these operations, by its id; files have none."""
    return {
        operation["operationId"]: (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if (path.startswith(ROOTS) and not path.endswith(".csv"))
        or operation["operationId"] in ALSO
    }


def request_of(method: str, path: str, operation: dict[str, Any]) -> dict[str, Any]:
    """The request that the description shows."""
    query = {}
    for parameter in operation.get("parameters", []):
        if "example" not in parameter:
            assert not parameter["required"], parameter["name"]
        elif parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", str(parameter["example"]))
        elif parameter["in"] == "query":
            query[parameter["name"]] = parameter["example"]
    request = {"method": method, "url": path, "params": query}
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    if operation.get("requestBody"):
        request["json"] = body["example"]
    return request


def shape(value: Any) -> Any:
    """Which fields there are, at every depth; a list is as its first item."""
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items()}
    return [shape(one) for one in value[:1]] if isinstance(value, list) else None


ROW = {
    "project_id": 23456789,
    "config_id": "momentum",
    "name": "Momentum on large caps",
    "status": "Running",
    "target": "sandbox",
    "language": "Py",
    "modified": AT,
    "deploy_id": "L-2b1f",
    "launched": AT,
    "brokerage": "PaperBrokerage",
    "performance": {"equity": "100120.5", "return": "0.0012"},
    "fetched_at": AT,
}
QC_ANSWERS: dict[str, Any] = {
    "test": {"connected": True, "message": "Connected.", "projects": [{"id": 1, "name": "x"}]},
    "fetch": {"fetched": 12, "raised": 2},
    "algorithms": {"algorithms": [ROW]},
    "algorithm": {
        **ROW,
        "files": [{"name": "main.py", "size": 1204, "modified": AT}],
        "portfolio": {
            "holdings": [{"symbol": "AAPL", "symbol_id": "AAPL R735QTJ8XC9X", "quantity": "10"}],
            "cash": [{"currency": "USD", "amount": "98020.5", "value": "98020.5"}],
        },
        "nodes": {"live": [{"id": "LN-1", "name": "L-MICRO", "busy": True, "used_by": "x"}]},
        "history": [{"at": AT, "equity": "100120.5", "return": "0.0012"}],
        "logs": ["2026-08-03 15:59:00 bought 10 AAPL"],
        "parameters": {"fast": "5"},
    },
    "deploy": {"job_id": JOB},
    "stop": {"status": "Stopped", "deploy_id": "L-2b1f"},
    "liquidate": {"status": "Liquidated"},
    "backtest": {"backtest_id": BACKTEST},
    "backtest_detail": {"performance": {"closedTrades": 12}, "notes": ["n"]},
    "backtest_series": {
        name: [[1704153600, "100000"]] for name in ("equity", "benchmark", "drawdown")
    },
    "backtest_trades": {"trades": [{"id": 1, "symbol": "SPY", "opened_at": AT}], "length": 1},
    "backtest_orders": {"orders": [{"id": 1, "symbol": "SPY", "time": AT}], "length": 1},
    "backtest_insights": {"insights": [{"id": "a1", "symbol": "SPY", "time": AT}], "length": 1},
    "cancel_backtest": {"status": "running", "message": "It is being cancelled."},
}


MODEL = {
    "id": "gpt",
    "name": "View of the minute",
    "provider": "openai",
    "api_key": "sk-0123456789abcdef",
    "model": "a-model",
    "symbols": ["AAPL"],
    "target": "sandbox",
    "price": {"input_usd": "0.05", "output_usd": "0.2"},
}
DECISION = a_decision(
    trigger_key="example",
    signal_id=ids.signal_id("llm", "gpt", "example"),
    served_model="a-model-2026-10-01",
    evidence=("AAPL.returns",),
    notes=("1 headline was left out.",),
    snapshot={"price": {"last": "210.50"}},
)
LLM_ANSWERS: dict[str, Any] = {
    "test": {
        "connected": True,
        "message": "Key and model are accepted.",
        "model": {"id": "a-model"},
        "warnings": ["a-model is deprecated: the provider will retire it."],
        "left_out": ["temperature"],
    },
    "decide": {
        "call_ids": [str(DECISION.call_id)],
        "decision_ids": {"AAPL": str(DECISION.decision_id)},
    },
    "attempts": {
        "attempts": [
            {
                "attempt": ATTEMPT,
                "number": 1,
                "config_id": "gpt",
                "provider": "openai",
                "model": "a-model",
                "at": WALL.isoformat(),
                "latency_ms": 800.0,
                "status": 200,
                "request_id": "req_1",
                "outcome": "complete",
                "error": "",
                "usage": {"input_total": 1000},
                "cost_usd": "0.001",
                "reserved_usd": "0.02",
                "state": "settled",
                "raw_text": "{}",
            }
        ],
        "messages": {"system": "s", "user": "u"},
    },
    "unresolved": {
        "attempts": [
            {
                "attempt": ATTEMPT,
                "config_id": "gpt",
                "provider": "openai",
                "model": "a-model",
                "at": WALL.isoformat(),
                "request_id": "",
                "outcome": "connection_lost",
                "error": "The connection broke off while the answer was awaited.",
                "reserved_usd": "0.02",
                "decisions": {"AAPL": str(DECISION.decision_id)},
            }
        ],
        "next": None,
    },
    "check_prompt": {"problems": [], "variables": ["symbols", "market"]},
    "preview": {
        "system": "s",
        "user": "u",
        "symbols": ["AAPL"],
        "tokens_estimated": 900,
        "cost_usd_estimated": "0.0001",
        "cost_usd_worst": "0.0009",
        "warnings": ["No news is known."],
    },
    "variables": {
        "variables": [
            {
                "name": "market",
                "kind": "block",
                "description": "Everything that is known in numbers.",
                "max_chars": 20000,
                "example": "AAPL.price: last 210.50",
                "trusted": True,
                "changing": True,
            }
        ]
    },
    "settle": {"attempt_id": ATTEMPT, "cost_usd": "0.0012"},
}


def state(service: str, about: str, key: str, **body: Any) -> StateChanged:
    said = p.State(service=service, kind=about, id=key, body=body, at=NOON)
    return a_moment().event(StateChanged, said)


async def prepare_quantconnect(gateway: Any, told: Any) -> str:
    """Everything that the examples speak of is there. Returns the webhook's secret."""
    gateway.service.answers |= {("qc-ingest", verb): a for verb, a in QC_ANSWERS.items()}
    gateway.service.answers["decision-router", "approve"] = {
        "verdict_id": str(told.pending.verdict_id),
        "outcome": "accepted",
        "reason": "approved",
    }
    gateway.feed(
        *told.all(),
        state(
            "qc-ingest",
            "connection",
            "momentum",
            connected=True,
            last_ok_at=AT,
            clock_skew_s=0.2,
            rate_limit={"per_minute": 30},
            last_error=None,
        ),
        state("qc-ingest", "algorithm", "23456789", **ROW),
        state(
            "qc-ingest",
            "job",
            JOB,
            **{"kind": "deploy"},
            config_id="momentum",
            project_id=23456789,
            status="running",
            step="compiling",
            progress=0.1,
        ),
        state(
            "qc-ingest",
            "backtest",
            BACKTEST,
            config_id="momentum",
            project_id=23456789,
            status="completed",
            created_at=AT,
            parameters={"fast": "5"},
            statistics={"Sharpe Ratio": "1.2"},
        ),
    )
    account = {"id": "momentum", "api_key": "4711234", "api_secret": "0123456789abcdef"}
    async with gateway() as web:
        await web.post("/api/quantconnect/config", json={**account, "target": "sandbox"})
        made = await web.post("/api/quantconnect/config/momentum/webhook")
    token: str = made.json()["token"]
    return token


async def prepare_models(gateway: Any) -> None:
    """Everything that the examples speak of is there."""
    gateway.service.answers |= {("llm-decider", verb): a for verb, a in LLM_ANSWERS.items()}
    signal = a_signal(
        source_type=SourceType.LLM, source_id="gpt", own_id="example", target=Target.SANDBOX
    )
    score = OutcomeScore(
        signal_id=signal.signal_id,
        source_type=SourceType.LLM,
        source_id="gpt",
        symbol="AAPL",
        action=signal.action,
        confidence=D("0.7"),
        horizon_s=3600,
        entry_price=D("210.50"),
        exit_price=D("211.00"),
        forward_return=D("0.002375"),
        at=NOON,
    )
    moment = a_moment()
    gateway.feed(
        moment.event(LlmDecisionMade, DECISION),
        moment.event(SignalRaised, signal),
        moment.event(OutcomeScored, score),
        state(
            "llm-decider",
            "connection",
            "gpt",
            connected=True,
            last_ok_at=WALL.isoformat(),
            next_at=NOON.isoformat(),
            warnings=["a-model is deprecated: the provider will retire it."],
            left_out=["temperature"],
        ),
    )
    async with gateway() as web:
        await web.post("/api/ai-trading/config", json=MODEL)
        prompt = {"id": "mine", "user": "{{market}}"}
        for words in ("first", "second"):
            await web.post("/api/ai-trading/prompts", json=prompt | {"system": words})
        await web.post("/api/ai-trading/config", json={"id": "gpt", "prompt_template": "mine"})


def halt() -> AlertRaised:
    """The executor cannot be sure any more."""
    said = Alert(
        severity=Severity.CRITICAL,
        code="key_halted",
        about="key:alpha/AAPL",
        message="It is halted.",
        service="executor",
        at=NOON,
        occurrence="6",
    )
    return a_moment().event(AlertRaised, said)


async def prepare_ledger(gateway: Any, told: Any) -> None:
    """A lot was bought and sold, a token is there, and the market clock runs."""
    wall = wall_now()
    gateway.service.clock.take(
        ClockReading(epoch=1, market_at=NOON, wall_at=wall, speed=1, replay=False, position=0)
        .model_dump_json()
        .encode()
    )
    gateway.feed(*told.all(), told.exit(), told.equity("99900", "2"))
    token = ApiToken(
        id="0123456789abcdef",
        name="tradingview",
        hash="0" * 64,
        scopes=(Scope.WRITE_SIGNALS,),
        created_by="admin",
        created_at=wall,
        expires_at=wall + timedelta(days=1),
    )
    with gateway.service.db.begin() as sql:
        token_store.add(sql, token)
    async with gateway() as web:
        await web.post("/api/accounts", json={"id": "paper-alpha"})
        await web.post("/api/bots", json={"id": "alpha", "account": "paper-alpha"})


def test_every_operation_has_an_example(gateway: Any) -> None:
    assert set(operations(gateway.app.openapi())) == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
async def test_an_example_is_answered_as_it_says(
    gateway: Any, story: Callable[..., Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_BETWEEN_S", 0)
    monkeypatch.setattr(ai_trading, "wall_now", lambda: WALL)
    document, example = gateway.app.openapi(), EXAMPLES[name]
    method, path, operation = operations(document)[name]
    async with gateway() as web:
        if name in MODELS:
            await prepare_models(gateway)
        elif name in urgent.EXAMPLES:
            gateway.feed(*story().all(), halt())
        elif name in ledger.EXAMPLES:
            await prepare_ledger(gateway, story())
        else:
            token = await prepare_quantconnect(gateway, story())
            if path.startswith("/hooks/"):
                web.headers["authorization"] = f"Bearer {token}"
        answer = await web.request(**request_of(method, path, operation))
    assert answer.status_code == example.status, answer.text
    if example.answer is None:
        assert answer.content == b""
        return
    shown = operation["responses"][str(example.status)]["content"]["application/json"]
    judge = Draft202012Validator({**shown["schema"], "components": document["components"]})
    judge.validate(answer.json())
    judge.validate(shown["example"])
    assert shape(shown["example"]) == shape(answer.json())
