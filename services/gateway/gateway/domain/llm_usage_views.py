"""What the REST interface answers about the cost of language models."""

from gateway.domain.llm_usage import Usage
from gateway.domain.views import Number, View


class UsageView(View):
    """Sums over decisions. Money in US dollars."""

    cost_usd: Number
    estimated_usd: Number  # of cost_usd: what no provider has counted
    cost_per_decision: Number | None
    decisions: int
    answered: int
    refused: int
    truncated: int
    invalid: int
    failed: int
    over_budget: int
    buys: int
    sells: int
    closes: int
    holds: int
    abstained: int
    cached: int
    dry_runs: int
    signals: int
    tokens_in: int
    tokens_out: int
    tokens_cached: int
    tokens_reasoning: int
    validity: Number | None  # answers that fit, of those that came
    cached_share: Number | None  # of the input, read from the provider's own cache
    mean_latency_ms: float | None


def usage_fields(usage: Usage) -> dict[str, object]:
    """The fields of a `UsageView`."""
    return {
        **usage.amounts(),
        "cost_per_decision": usage.cost_per_decision,
        "validity": usage.validity,
        "cached_share": usage.cached_share,
        "mean_latency_ms": usage.latency_ms / usage.decisions if usage.decisions else None,
    }


class CostView(UsageView):
    """One day or month of wall time, UTC."""

    period: str  # 2026-11-23 or 2026-11
    calls: int  # of providers
    limit_usd: Number | None  # of the present period only; null: no limit, or gone by
    left_usd: Number | None


class EarnedView(UsageView):
    """What was used, and what it earned: known by config or symbol, over the whole time."""

    fills: int | None
    realised_pnl: Number | None  # after fees; of all bots together
    pnl_after_cost: Number | None
    cost_per_fill: Number | None


class BreakdownView(EarnedView):
    """What one model, provider, config, symbol or prompt version has used."""

    key: str
    name: str
    target: str | None  # real or sandbox; null where it is both, or nobody knows any more
    share: Number | None  # of the whole cost


class Breakdown(View):
    """Parts of what was used, dearest first, and their sum."""

    items: tuple[BreakdownView, ...]
    next_cursor: str | None = None
    total: EarnedView


class SettledView(View):
    """A call whose cost is known now."""

    attempt_id: str
    cost_usd: Number
