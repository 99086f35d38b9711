"""AI against classic against QuantConnect: what each has earned after everything it cost."""

from collections.abc import Sequence
from decimal import Context, Decimal, localcontext

from gateway.domain.book_views import ComparedView, ComparisonView
from gateway.domain.performance import Tally, money, ratio
from gateway.domain.reports import Earned, Ledger, fallen, rounded, too_few, worth_of_part
from gateway.domain.statistics import LEAST_CLOSED, days_a_year, mean_error, rate_interval
from signalbox.contracts.values import SourceType

NAMES = {
    SourceType.LLM: "AI",
    SourceType.STRATEGY: "classic",
    SourceType.QUANTCONNECT: "QuantConnect",
    SourceType.EXTERNAL: "external",
    SourceType.MANUAL: "manual",
}
_ALWAYS = (SourceType.LLM, SourceType.STRATEGY, SourceType.QUANTCONNECT)
_WIDE = Context(prec=60)


def compare(ledger: Ledger, *, llm_cost: Decimal) -> ComparisonView:
    """Each kind of source over everything that is known.

    `llm_cost` is what all models were paid so far, in US dollars.
    """
    spoke = {one.owner.source_type for one in ledger.earned}
    items = tuple(
        _one(
            kind,
            [one for one in ledger.earned if one.owner.source_type == kind],
            ledger,
            llm_cost if kind is SourceType.LLM else Decimal(0),
        )
        for kind in NAMES
        if kind in _ALWAYS or kind in spoke
    )
    best, statement = _judge([item for item in items if SourceType(item.source_type) in _ALWAYS])
    return ComparisonView(items=items, best=best, statement=statement)


def _one(kind: SourceType, mine: Sequence[Earned], ledger: Ledger, cost: Decimal) -> ComparedView:
    tally = sum((one.tally for one in mine), Tally())
    worth = worth_of_part(mine, ledger.days, days_a_year(one.owner.symbol for one in mine))
    hits = rate_interval(tally.wins, tally.trades)
    closing = tally.gross_profit - tally.gross_loss
    with localcontext(_WIDE):
        left = tally.realised_pnl - cost
    enough = tally.trades >= LEAST_CLOSED
    missing = {}
    if not enough:
        why = too_few(tally.trades, LEAST_CLOSED, "closed parts of lots")
        missing = {"expectancy_error": why}
    if worth is None:
        why = "it has not traded" if not mine else "the equity of its books is not known"
        missing["max_drawdown"] = why
    if not tally.trades:
        nothing = dict.fromkeys(("hit_rate", "expectancy"), "nothing was closed yet")
        missing |= nothing
    figures = {
        "source_type": kind.value,
        "name": NAMES[kind],
        "realised_pnl": tally.realised_pnl,
        "fees": tally.fees,
        "llm_cost": cost,
        "pnl_after_cost": left,
        "trades": tally.trades,
        "fills": tally.fills,
        "hit_rate": ratio(Decimal(tally.wins), Decimal(tally.trades)),
        "hit_rate_low": rounded(hits[0]) if hits else None,
        "hit_rate_high": rounded(hits[1]) if hits else None,
        "expectancy": money(left, Decimal(tally.trades)),
        "expectancy_error": rounded(mean_error(closing, tally.squares, tally.trades)),
        "days": len(worth.days) if worth else 0,
        "enough": enough,
        "missing": missing,
        **(fallen(worth.fall) if worth else {}),
    }
    return ComparedView.model_validate(figures)


def _judge(items: Sequence[ComparedView]) -> tuple[str | None, str]:
    """Who is ahead by more than chance would give, and in words why or why not."""
    short = [item for item in items if not item.enough]
    if short:
        which = ", ".join(f"{item.name} has {item.trades}" for item in short)
        need = f"each needs {LEAST_CLOSED} closed parts of lots"
        return None, f"Too few to say which is best: {need}; {which}."
    first, second = sorted(items, key=lambda item: -(item.expectancy or 0))[:2]
    if _low(first) > _high(second):
        words = "by more than chance would give, with 95 per cent confidence"
        return first.source_type, f"{first.name} earns most on each closed part, {words}."
    return None, (
        f"{first.name} earns most on each closed part, but the difference to {second.name} may be"
        " chance: their 95 per cent intervals overlap."
    )


def _low(item: ComparedView) -> Decimal:
    return (item.expectancy or Decimal(0)) - (item.expectancy_error or Decimal(0))


def _high(item: ComparedView) -> Decimal:
    return (item.expectancy or Decimal(0)) + (item.expectancy_error or Decimal(0))
