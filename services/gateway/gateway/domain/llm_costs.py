"""What asking language models costs, by time and by part, and what is left of what it earned."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Context, Decimal, localcontext

from gateway.domain.llm_usage import (
    EARNING,
    Asked,
    Breakdown,
    Calls,
    Earned,
    Period,
    Usage,
    grouped,
    per,
    period_key,
)
from gateway.domain.llm_usage_views import BreakdownView, CostView, EarnedView, usage_fields
from gateway.domain.llm_views import BudgetLine
from gateway.domain.performance import ratio

_WIDE = Context(prec=60)
_NOTHING = Earned("", "", Decimal(0), 0)


def periods_of(days: Iterable[datetime], period: Period) -> list[str]:
    """The days or months that these days belong to, in the same order, each once."""
    return list(dict.fromkeys(period_key(day, period) for day in days))


def bounds(keys: Sequence[str]) -> tuple[datetime, datetime]:
    """From the start of the oldest period to the end of the newest one; keys are newest first."""
    start, newest = _start(keys[-1]), _start(keys[0])
    if _is_day(keys[0]):
        return start, newest + timedelta(days=1)
    return start, (newest + timedelta(days=31)).replace(day=1)


def _is_day(key: str) -> bool:
    return len(key) > len("2026-11")


def _start(key: str) -> datetime:
    day = key if _is_day(key) else f"{key}-01"
    return datetime.fromisoformat(f"{day}T00:00:00+00:00")


def costs(
    keys: Sequence[str],
    period: Period,
    rows: Iterable[tuple[Asked, Usage]],
    calls: Iterable[Calls],
    *,
    present: BudgetLine | None,
) -> tuple[CostView, ...]:
    """One view a period, in the order of the keys; `present` is the budget of the present one."""
    sums = grouped(rows, lambda asked: asked.period(period))
    made: dict[str, int] = {}
    for one in calls:
        key = period_key(one.day, period)
        made[key] = made.get(key, 0) + one.count
    return tuple(
        CostView.model_validate(
            {
                **usage_fields(sums.get(key, Usage())),
                "period": key,
                "calls": made.get(key, 0),
                "limit_usd": present.limit_usd if present and present.key == key else None,
                "left_usd": present.left_usd if present and present.key == key else None,
            }
        )
        for key in keys
    )


def breakdown(
    rows: Sequence[tuple[Asked, Usage]],
    by: Breakdown,
    *,
    names: Mapping[str, str],
    earned: Iterable[Earned] | None,
) -> tuple[tuple[BreakdownView, ...], EarnedView]:
    """The parts, dearest first, and the whole. `earned` is given where whole lives are compared."""
    total = sum((usage for _, usage in rows), Usage())
    gains, targets = _gains(earned, by), _targets(rows, by)
    views = [
        BreakdownView.model_validate(
            {
                **usage_fields(usage),
                "key": key,
                "name": names.get(key, key) if by == "config" else key,
                "target": targets[key],
                "share": ratio(usage.cost_usd, total.cost_usd),
                **_after_cost(usage, None if gains is None else gains.get(key, _NOTHING)),
            }
        )
        for key, usage in grouped(rows, lambda asked: asked.part(by)).items()
    ]
    views.sort(key=lambda view: (-view.cost_usd, view.key))
    whole = None if gains is None else _together(gains.values())
    return tuple(views), EarnedView.model_validate(
        {**usage_fields(total), **_after_cost(total, whole)}
    )


def _targets(rows: Iterable[tuple[Asked, Usage]], by: Breakdown) -> dict[str, str | None]:
    """Where each part lives; none where it is both, or nobody said."""
    found: dict[str, set[str]] = {}
    for asked, _ in rows:
        found.setdefault(asked.part(by), set()).add(asked.target)
    return {key: min(one) or None if len(one) == 1 else None for key, one in found.items()}


def _gains(earned: Iterable[Earned] | None, by: Breakdown) -> dict[str, Earned] | None:
    """Fills and profit by config or symbol; lots name no model and no prompt."""
    if earned is None or by not in EARNING:
        return None
    found: dict[str, Earned] = {}
    for one in earned:
        key = one.config_id if by == "config" else one.symbol
        found[key] = _together((found.get(key, _NOTHING), one))
    return found


def _together(gains: Iterable[Earned]) -> Earned:
    """Their sum, of no config or symbol."""
    fills, pnl = 0, Decimal(0)
    with localcontext(_WIDE):
        for gain in gains:
            fills, pnl = fills + gain.fills, pnl + gain.realised_pnl
    return replace(_NOTHING, realised_pnl=pnl, fills=fills)


def _after_cost(usage: Usage, gain: Earned | None) -> dict[str, object]:
    if gain is None:
        return dict.fromkeys(("fills", "realised_pnl", "pnl_after_cost", "cost_per_fill"))
    with localcontext(_WIDE):
        left = gain.realised_pnl - usage.cost_usd
    return {
        "fills": gain.fills,
        "realised_pnl": gain.realised_pnl,
        "pnl_after_cost": left,
        "cost_per_fill": per(usage.cost_usd, gain.fills),
    }
