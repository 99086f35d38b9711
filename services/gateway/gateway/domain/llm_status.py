"""How language models and their budgets stand, from what llm-decider says and what was counted."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from pydantic import JsonValue, ValidationError

from gateway.domain.book_views import StateView
from gateway.domain.llm import TOTAL, LanguageModel, lacking
from gateway.domain.llm_usage import Asked, Period, Usage, grouped, period_key
from gateway.domain.llm_views import BudgetLine, LlmStatus, lines_of
from signalbox.contracts.config import Budget

PERIODS: tuple[Period, ...] = ("day", "month")
_NOUGHT = Decimal(0)
_TOLD = ("connected", "last_ok_at", "last_error", "trouble", "next_at")


@dataclass(frozen=True, slots=True)
class Counted:
    """What the present wall-clock month has brought so far."""

    now: datetime  # wall time
    month: Sequence[tuple[Asked, Usage]]
    calls_today: Mapping[str, int]  # by config

    def used(self, period: Period) -> dict[str, Usage]:
        """Sums of the present day or month by config, and of all."""
        key = period_key(self.now, period)
        rows = [(asked, usage) for asked, usage in self.month if asked.period(period) == key]
        by_config = grouped(rows, lambda asked: asked.config_id)
        return {**by_config, TOTAL: sum(by_config.values(), Usage())}


def budget_lines(
    limits: Mapping[str, Budget], told: Iterable[StateView], counted: Counted
) -> dict[str, tuple[BudgetLine, ...]]:
    """Day and month of every scope. What llm-decider says goes before what was counted here: it
    knows of calls under way. Limits are those that are configured now.
    """
    said = _said(told)
    lines: dict[str, list[BudgetLine]] = {scope: [] for scope in limits}
    for period in PERIODS:
        key, used = period_key(counted.now, period), counted.used(period)
        for scope, budget in limits.items():
            known = said.get((scope, period, key))
            spent = known.spent_usd if known else used.get(scope, Usage()).cost_usd
            reserved = known.reserved_usd if known else _NOUGHT
            limit = budget.day_usd if period == "day" else budget.month_usd
            left = None if limit is None else max(limit - spent - reserved, _NOUGHT)
            lines[scope].append(
                BudgetLine(
                    scope=scope,
                    period=period,
                    key=key,
                    limit_usd=limit,
                    spent_usd=spent,
                    reserved_usd=reserved,
                    unknown_usd=known.unknown_usd if known else _NOUGHT,
                    left_usd=left,
                )
            )
    return {scope: tuple(found) for scope, found in lines.items()}


def _said(told: Iterable[StateView]) -> dict[tuple[str, str, str], BudgetLine]:
    found: dict[tuple[str, str, str], BudgetLine] = {}
    for state in told:
        try:
            line = BudgetLine.model_validate(state.body)
        except ValidationError:
            continue
        found[line.scope, line.period, line.key] = line
    return found


def statuses(
    models: Sequence[LanguageModel],
    connections: Mapping[str, Mapping[str, JsonValue]],
    lines: Mapping[str, tuple[BudgetLine, ...]],
    counted: Counted,
) -> tuple[LlmStatus, ...]:
    """One entry for each config that is stored, whether or not it was ever asked."""
    today, month = counted.used("day"), counted.used("month")
    views = []
    for model in models:
        used = today.get(model.id, Usage())
        told = connections.get(model.id, {})
        known: dict[str, object] = {
            "config_id": model.id,
            "name": model.name,
            "provider": model.provider,
            "model": model.model,
            "target": model.target.value,
            "is_active": model.active,
            "connected": False,
            "todo": lacking(model),
            "warnings": lines_of(told, "warnings"),
            "calls_today": counted.calls_today.get(model.id, 0),
            "decisions_today": used.decisions,
            "tokens_today": used.tokens_in + used.tokens_out,
            "cost_today_usd": used.cost_usd,
            "cost_month_usd": month.get(model.id, Usage()).cost_usd,
            "budget": lines.get(model.id, ()),
        }
        views.append(_status(known, told))
    return tuple(views)


def _status(known: Mapping[str, object], told: Mapping[str, JsonValue]) -> LlmStatus:
    said = {name: told[name] for name in _TOLD if told.get(name) not in (None, "")}
    try:
        return LlmStatus.model_validate({**known, **said})
    except ValidationError:
        return LlmStatus.model_validate(known)
