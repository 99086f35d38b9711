"""From what came of a call to one decision record per symbol, with its exact share of the cost."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal, TypedDict

from pydantic import JsonValue

from llm_decider.domain import budget, signals
from llm_decider.domain.answer import Judged
from llm_decider.domain.attempts import Attempt, Call, Totals
from llm_decider.domain.shapes import Question
from llm_decider.domain.signals import Now
from signalbox.contracts.assessments import LlmDecision
from signalbox.contracts.config import LlmConfig
from signalbox.contracts.payloads import Signal

Outcome = Literal["answered", "refused", "truncated", "invalid", "failed", "over_budget"]
_MOST_ERROR = 2000  # characters


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a call, at one provider or another."""

    answering: LlmConfig  # whose provider answered or failed last
    outcome: Outcome
    kind: str = ""  # one word for what went wrong
    message: str = ""  # the same in words
    judged: Mapping[str, Judged] = field(default_factory=dict)
    served_model: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, by which config, through which prompt, at which market time."""

    config: LlmConfig
    call: Call
    at: datetime
    prompt_version: str = ""
    question: Question | None = None
    messages: Mapping[str, JsonValue] = field(default_factory=dict)  # as they were sent
    is_gone: bool = False  # the config is a stand-in for one that was deleted


class _Share(TypedDict):
    """The fields that tell what a decision has cost."""

    attempts: int
    cost_usd: Decimal
    cost_is_estimated: bool
    latency_ms: float
    tokens_in: int
    tokens_out: int
    tokens_cached: int
    tokens_reasoning: int


def cache_key(asked: Asked, question: Question) -> str:
    """What two calls must share to get the same answer: all that shapes it."""
    config = asked.config
    parts = (
        *(config.provider, config.wire, config.target.value, config.base_url, config.model),
        *(config.max_tokens, config.temperature, config.effort),
        *(asked.prompt_version, question.hash, *asked.call.symbols),
    )
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()


def of_deleted(call: Call, made: Sequence[Attempt]) -> Asked:
    """A call whose config was deleted, as far as its attempts tell whom it asked."""
    last = next((one for one in reversed(made) if one.config_id == call.config_id), made[-1])
    known = {
        "id": call.config_id,
        "name": call.config_id,
        "provider": last.provider,
        "model": last.model,
        "key_sealed": "",
        "prompt_id": "deleted",
        "symbols": call.symbols,
    }
    return Asked(LlmConfig.model_validate(known), call, call.at, is_gone=True)


def decisions(asked: Asked, result: Result, used: Totals, now: Now) -> list[LlmDecision]:
    """One record per symbol; their costs and tokens add up to the call's."""
    call, shares = asked.call, _shares(used, len(asked.call.symbols))
    made = []
    for symbol, share in zip(call.symbols, shares, strict=True):
        decision = LlmDecision(
            decision_id=call.decision_id(symbol),
            config_id=asked.config.id,
            target=None if asked.is_gone else result.answering.target,
            symbol=symbol,
            provider=result.answering.provider,
            model=result.answering.model,
            served_model=result.served_model,
            prompt_version=asked.prompt_version,
            trigger=call.trigger,
            call_id=call.call_id,
            fallback_for=asked.config.id if result.answering.id != asked.config.id else None,
            outcome=result.outcome,
            error=result.message[:_MOST_ERROR],
            error_kind=result.kind,
            notes=result.notes,
            **share,
            dry_run=call.dry_run,
            asked_by=call.asked_by,
            at=asked.at,
            wall_at=now.wall,
        )
        if asked.question is not None:
            decision = decision.model_copy(update=_shown(asked.question, symbol, result.notes))
            decision = decision.model_copy(update=_said(decision, result.judged.get(symbol)))
        made.append(decision)
    return made


def _shares(used: Totals, count: int) -> list[_Share]:
    """What each record of a call bears of its cost."""
    costs = budget.split(used.cost_usd, count)
    tokens = [
        budget.split_count(total, count)
        for total in (used.tokens_in, used.tokens_out, used.tokens_cached, used.tokens_reasoning)
    ]
    return [
        _Share(
            attempts=used.attempts,
            cost_usd=costs[place],
            cost_is_estimated=used.is_estimated,
            latency_ms=used.latency_ms,
            tokens_in=tokens[0][place],
            tokens_out=tokens[1][place],
            tokens_cached=tokens[2][place],
            tokens_reasoning=tokens[3][place],
        )
        for place in range(count)
    ]


def repeated(
    asked: Asked, first: Mapping[str, LlmDecision], used: Totals, now: Now
) -> list[LlmDecision]:
    """The records of a call that an earlier answer answers: the same words, at no cost but that of
    an attempt that was begun by a process that has died since.
    """
    call = asked.call
    return [
        first[symbol].model_copy(
            update={
                "decision_id": call.decision_id(symbol),
                "config_id": asked.config.id,
                "call_id": call.call_id,
                "trigger": call.trigger,
                **share,
                "cached": True,
                "cached_from": first[symbol].cached_from or first[symbol].decision_id,
                "dry_run": call.dry_run,
                "asked_by": call.asked_by,
                "signal_id": None,
                "at": asked.at,
                "wall_at": now.wall,
            }
        )
        for symbol, share in zip(call.symbols, _shares(used, len(call.symbols)), strict=True)
    ]


def judge(
    asked: Asked,
    made: LlmDecision,
    now: Now,
    *,
    first: LlmDecision | None = None,
    off: bool = False,
) -> tuple[LlmDecision, Signal | None]:
    """Whether a decision becomes a signal; none of a model that is `off` by now. `first` is the one
    that it repeats, if it does: a word that was given already is not given again.
    """
    call = asked.call
    stale = signals.is_stale(asked.config, made, now, epoch=call.epoch, deadline=call.deadline)
    why = signals.not_traded(made, stale=stale)
    if not why and first is not None and first.signal_id and first.config_id == made.config_id:
        why = "cached"
    if not why and off:
        why = "switched_off"
    if why:
        return made.model_copy(update={"not_traded": why, "signal_id": None}), None
    signal = signals.signal_of(asked.config, made, now)
    return made.model_copy(update={"signal_id": signal.signal_id, "not_traded": ""}), signal


def failed(answering: LlmConfig, kind: str, message: str) -> Result:
    """Nothing was answered."""
    return Result(answering, "failed", kind=kind, message=message)


def _shown(question: Question, symbol: str, notes: tuple[str, ...]) -> dict[str, object]:
    """What the model was shown of a symbol."""
    found: dict[str, object] = {"prompt_hash": question.hash, "notes": (*question.notes, *notes)}
    if symbol in question.prices:
        snapshot = dict(question.snapshots[symbol])
        return found | {"price": question.prices[symbol], "snapshot": snapshot}
    words = f"No price of {symbol} is known, so the model was not asked about it."
    return found | {"outcome": "failed", "error": words, "error_kind": "no_price"}


def _said(decision: LlmDecision, judged: Judged | None) -> dict[str, object]:
    """What the model has said of a symbol."""
    if judged is None:
        return {}
    notes = (*decision.notes, *judged.notes)
    if judged.outcome == "invalid":
        words = " ".join(judged.problems)[:_MOST_ERROR]
        return {"outcome": "invalid", "error": words, "error_kind": "invalid", "notes": notes}
    return {
        "action": judged.action,
        "abstained": judged.abstained,
        "confidence": judged.confidence,
        "reasoning": judged.reasoning,
        "horizon_s": judged.horizon_s,
        "stop_price": judged.stop,
        "target_price": judged.target,
        "evidence": judged.evidence,
        "invalidation": judged.invalidation,
        "suspicious": judged.suspicious,
        "notes": notes,
    }
