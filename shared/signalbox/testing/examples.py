"""One valid example of every contract; tests change what they are about."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from signalbox.contracts import ids
from signalbox.contracts import payloads as p
from signalbox.contracts.accounts import AccountConfig
from signalbox.contracts.assessments import LlmDecision
from signalbox.contracts.config import BotConfig, SourceRule
from signalbox.contracts.events import SignalRaised, SignalWithdrawn, VerdictReached
from signalbox.contracts.values import (
    Action,
    OrderState,
    Outcome,
    Reason,
    Side,
    SourceType,
    Target,
)
from signalbox.runtime.moment import Moment

NOON = datetime(2026, 8, 3, 16, 0, tzinfo=UTC)  # twelve o'clock in New York
D = Decimal


def a_signal(**over: Any) -> p.Signal:
    """A strategy's buy of AAPL at noon, good for five minutes."""
    fields: dict[str, Any] = {
        "source_type": SourceType.STRATEGY,
        "source_id": "sma-cross",
        "own_id": "1",
        "symbol": "AAPL",
        "action": Action.BUY,
        "confidence": D("0.7"),
        "raised_at": NOON,
        "valid_until": over.get("raised_at", NOON) + timedelta(minutes=5),
        "price": D("210.50"),
    } | over
    key = (fields["source_type"], fields["source_id"], fields["own_id"])
    fields.setdefault("signal_id", ids.signal_id(*key))
    return p.Signal(**fields)


def a_withdrawal(signal: p.Signal | None = None, **over: Any) -> p.Withdrawal:
    """The source of `signal` takes it back at noon and one minute."""
    signal = signal or a_signal()
    fields: dict[str, Any] = {
        "signal_id": signal.signal_id,
        "source_type": signal.source_type,
        "source_id": signal.source_id,
        "symbol": signal.symbol,
        "valid_until": NOON + timedelta(minutes=1),
        "reason": "cancelled",
    }
    return p.Withdrawal(**(fields | over))


def a_verdict(signal: p.Signal | None = None, **over: Any) -> p.Verdict:
    """The signal is accepted for bot alpha."""
    signal = signal or a_signal()
    fields: dict[str, Any] = {
        "signal": signal,
        "bot": "alpha",
        "account": "paper-alpha",
        "round": 0,
        "outcome": Outcome.ACCEPTED,
        "reason": Reason.LEADS,
        "rule": "priority",
        "evaluated_at": signal.raised_at,
    } | over
    key = (signal.signal_id, fields["bot"], fields["round"])
    fields.setdefault("verdict_id", ids.verdict_id(*key))
    return p.Verdict(**fields)


def a_decision(**over: Any) -> LlmDecision:
    """A model's buy of AAPL at noon that has become no signal; it cost a tenth of a cent."""
    fields: dict[str, Any] = {
        "config_id": "gpt",
        "target": Target.SANDBOX,
        "symbol": "AAPL",
        "provider": "openai",
        "model": "a-model",
        "prompt_version": "standard@1",
        "outcome": "answered",
        "action": Action.BUY,
        "confidence": D("0.7"),
        "reasoning": "Momentum is up.",
        "horizon_s": 3600,
        "price": D("210.50"),
        "snapshot": {"price": "210.50"},
        "tokens_in": 1000,
        "tokens_out": 100,
        "attempts": 1,
        "cost_usd": D("0.001"),
        "latency_ms": 800,
        "at": NOON,
        "wall_at": datetime(2026, 11, 20, 9, 0, tzinfo=UTC),
    } | over
    key = (fields["config_id"], over.get("trigger_key", fields["at"]), fields["symbol"])
    fields.pop("trigger_key", None)
    fields.setdefault("decision_id", ids.derive("llm", *key))
    fields.setdefault("call_id", ids.derive("llm", "call", *key))
    return LlmDecision(**fields)


def an_order(**over: Any) -> p.Order:
    """A planned buy of ten AAPL."""
    signal = a_signal()
    verdict = a_verdict(signal)
    fields: dict[str, Any] = {
        "order_id": ids.client_order_id("paper-alpha", str(signal.signal_id), "alpha", 0, 0),
        "intent_id": verdict.verdict_id,
        "bot": "alpha",
        "account": "paper-alpha",
        "mode": "paper",
        "symbol": "AAPL",
        "side": Side.BUY,
        "quantity": D(10),
        "filled": D(0),
        "state": OrderState.PLANNED,
        "source_type": SourceType.STRATEGY,
        "source_id": "sma-cross",
        "confidence": D("0.7"),
        "signal_id": signal.signal_id,
        "verdict_id": verdict.verdict_id,
        "broker": "paper",
        "at": NOON,
    }
    return p.Order(**(fields | over))


def a_quote(**over: Any) -> p.Quote:
    """AAPL at noon, two basis points wide."""
    fields: dict[str, Any] = {
        "symbol": "AAPL",
        "bid": D("210.48"),
        "ask": D("210.52"),
        "at": NOON,
        "epoch": 1,
        "origin": "test",
        "session_open": True,
        "session_closes_at": NOON + timedelta(hours=4),
        "volume": D(100_000),
    }
    return p.Quote(**(fields | over))


def a_bar(**over: Any) -> p.Bar:
    """The minute of AAPL before noon."""
    opened = over.get("opened_at", NOON - timedelta(minutes=1))
    fields: dict[str, Any] = {
        "symbol": "AAPL",
        "interval": "1m",
        "open": D("210.10"),
        "high": D("210.90"),
        "low": D("210.00"),
        "close": D("210.50"),
        "volume": D(100_000),
        "opened_at": opened,
        "closed_at": opened + timedelta(minutes=1),
        "epoch": 1,
        "origin": "test",
        "true_opened_at": opened,
    }
    return p.Bar(**(fields | over))


def a_series(*closes: D, **over: Any) -> tuple[p.Bar, ...]:
    """Minutes of AAPL up to noon with these closes, each opening at the close before."""
    first = NOON - timedelta(minutes=len(closes))
    return tuple(
        a_bar(
            open=before,
            high=max(before, close),
            low=min(before, close),
            close=close,
            opened_at=first + timedelta(minutes=minute),
            **over,
        )
        for minute, (before, close) in enumerate(zip((closes[:1] + closes), closes, strict=False))
    )


def a_bot(**over: Any) -> BotConfig:
    """Bot alpha listens to every source type on every symbol."""
    fields: dict[str, Any] = {
        "id": "alpha",
        "name": "Alpha",
        "account": "paper-alpha",
        "sources": tuple(SourceRule(source_type=kind) for kind in SourceType),
    }
    return BotConfig(**(fields | over))


def an_account(**over: Any) -> AccountConfig:
    """The paper account of bot alpha."""
    return AccountConfig(**({"id": "paper-alpha", "name": "Paper Alpha"} | over))


def a_moment(config: Any = None, **over: Any) -> Moment[Any]:
    """Noon on the market clock, under configuration 1, prices replayed."""
    fields: dict[str, Any] = {
        "service": "test",
        "now": NOON,
        "wall": datetime(2026, 11, 20, 9, 0, tzinfo=UTC),
        "config": config,
        "version": 1,
        "epoch": 1,
        "speed": 60.0,
        "replay": True,
        "fence": 1,
    }
    return Moment(**(fields | over))


def raised(signal: p.Signal | None = None, moment: Moment[Any] | None = None) -> SignalRaised:
    """The event of a signal."""
    return (moment or a_moment()).event(SignalRaised, signal or a_signal())


def withdrawn(
    withdrawal: p.Withdrawal | None = None, moment: Moment[Any] | None = None
) -> SignalWithdrawn:
    """The event of a withdrawal."""
    return (moment or a_moment()).event(SignalWithdrawn, withdrawal or a_withdrawal())


def reached(
    verdict: p.Verdict | None = None, sequence: int = 1, moment: Moment[Any] | None = None
) -> VerdictReached:
    """The event of a verdict, following its signal."""
    verdict = verdict or a_verdict()
    at = moment or a_moment()
    cause = at.event(SignalRaised, verdict.signal)
    return at.event(VerdictReached, verdict, cause=cause, sequence=sequence)
