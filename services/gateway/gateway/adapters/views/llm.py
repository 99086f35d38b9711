"""What language models answered."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Row, func, select, type_coerce

from gateway.adapters.book_tables import earnings
from gateway.adapters.llm_tables import llm_trading_decisions, llm_usage
from gateway.adapters.primary_tables import events
from gateway.adapters.views import bodies
from gateway.adapters.views.paging import ALWAYS, Span, cut, equal
from gateway.domain.cursor import Page
from gateway.domain.llm_usage import Asked, Calls, Earned, Usage
from gateway.domain.llm_views import DecisionView
from gateway.domain.llm_words import explain
from gateway.domain.views import Listing
from signalbox.contracts.assessments import LlmDecision
from signalbox.contracts.values import SourceType

AnyRow = Row[*tuple[Any, ...]]
_DAY_US = 86_400 * 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TABLE = llm_trading_decisions
_FOUND = select(_TABLE.c.id, _TABLE.c.processed, _TABLE.c.created_at, events.c.body).join(
    events, events.c.id == _TABLE.c.id
)


@dataclass(frozen=True, slots=True)
class DecisionFilter:
    """Which decisions are wanted; none takes all."""

    config_id: str | None = None
    symbol: str | None = None
    outcome: str | None = None
    action: str | None = None
    dry_run: bool | None = None
    processed: bool | None = None
    model: str | None = None
    prompt_version: str | None = None
    text: str | None = None  # in the reasoning
    span: Span = ALWAYS

    def conditions(self) -> list[ColumnElement[bool]]:
        """As SQL."""
        where = equal(
            [
                (_TABLE.c.config_id, self.config_id),
                (_TABLE.c.symbol, self.symbol),
                (_TABLE.c.outcome, self.outcome),
                (_TABLE.c.decision, self.action),
                (_TABLE.c.dry_run, self.dry_run),
                (_TABLE.c.processed, self.processed),
                (_TABLE.c.model, self.model),
                (_TABLE.c.prompt_version, self.prompt_version),
            ]
        )
        if self.text:
            where.append(_TABLE.c.reasoning.icontains(self.text, autoescape=True))
        return [*where, *self.span.within(_TABLE.c.created_at)]


def list_decisions(
    sql: Connection, wanted: DecisionFilter, page: Page, targets: Mapping[str, str]
) -> Listing[DecisionView]:
    """Decisions by the wall time of the answer. `targets` says where each config lives."""
    query = _FOUND.where(*wanted.conditions())
    rows, following = cut(sql, query, _TABLE.c.created_at, _TABLE.c.id, page)
    items = tuple(_view(row, _made(row), targets) for row in rows)
    return Listing(items=items, next_cursor=following)


def decisions_of(
    sql: Connection, ids: Iterable[str], targets: Mapping[str, str]
) -> tuple[DecisionView, ...]:
    """Those of these decisions that are there, by symbol."""
    rows = sql.execute(_FOUND.where(_TABLE.c.id.in_(list(ids))).order_by(_TABLE.c.symbol))
    return tuple(_view(row, _made(row), targets) for row in rows)


def one_decision(
    sql: Connection, decision_id: str, targets: Mapping[str, str]
) -> tuple[DecisionView, LlmDecision] | None:
    """One decision, and all that was recorded of it."""
    row = sql.execute(_FOUND.where(_TABLE.c.id == decision_id)).one_or_none()
    if row is None:
        return None
    made = _made(row)
    return _view(row, made, targets), made


def _made(row: AnyRow) -> LlmDecision:
    return LlmDecision.model_validate(bodies.data_of(row.body))


def _view(row: AnyRow, made: LlmDecision, targets: Mapping[str, str]) -> DecisionView:
    return DecisionView.model_validate(
        {
            **made.model_dump(mode="json"),
            "id": row.id,
            "target": made.target.value if made.target else targets.get(made.config_id),
            "explanation": explain(made),
            "processed": row.processed,
            "created_at": row.created_at,
        }
    )


def usage(
    sql: Connection,
    span: Span = ALWAYS,
    *,
    config_id: str | None = None,
    target: str | None = None,
    prompt: str | None = None,
) -> list[tuple[Asked, Usage]]:
    """Sums by whole wall-clock days; `prompt` takes every version of one."""
    query = select(llm_usage).where(
        *equal([(llm_usage.c.config_id, config_id), (llm_usage.c.target, target)]),
        *span.within(llm_usage.c.day),
    )
    if prompt is not None:
        query = query.where(llm_usage.c.prompt_version.startswith(f"{prompt}@", autoescape=True))
    found = []
    for row in sql.execute(query).mappings():
        asked = Asked(**{field.name: row[field.name] for field in fields(Asked)})
        found.append((asked, Usage(**{field.name: row[field.name] for field in fields(Usage)})))
    return found


def days(
    sql: Connection, span: Span, *, config_id: str | None, target: str | None
) -> list[datetime]:
    """Days on which something was asked, newest first."""
    query = select(llm_usage.c.day).distinct()
    query = query.where(
        *equal([(llm_usage.c.config_id, config_id), (llm_usage.c.target, target)]),
        *span.within(llm_usage.c.day),
    )
    return list(sql.scalars(query.order_by(llm_usage.c.day.desc())))


def calls(
    sql: Connection, span: Span, *, config_id: str | None = None, target: str | None = None
) -> list[Calls]:
    """How many calls of providers were made. The decisions of one call all name the attempts that
    were made for it, so it counts once.
    """
    day = type_coerce(_TABLE.c.created_at, BigInteger) // _DAY_US
    each = (
        select(
            _TABLE.c.config_id,
            func.min(day).label("day"),
            func.max(_TABLE.c.attempts).label("attempts"),
        )
        .where(
            *equal([(_TABLE.c.config_id, config_id), (_TABLE.c.target, target)]),
            *span.within(_TABLE.c.created_at),
        )
        .group_by(_TABLE.c.config_id, func.coalesce(_TABLE.c.call_id, _TABLE.c.id))
        .subquery()
    )
    made = func.sum(each.c.attempts)
    query = select(each.c.config_id, each.c.day, made).group_by(each.c.config_id, each.c.day)
    return [
        Calls(config, _EPOCH + timedelta(days=int(number)), int(count))
        for config, number, count in sql.execute(query)
    ]


def earned(sql: Connection, bot: str | None = None) -> list[Earned]:
    """What the fills of language models have earned, by config and symbol, over the whole time."""
    query = select(earnings).where(
        earnings.c.source_type == SourceType.LLM.value, *equal([(earnings.c.bot, bot)])
    )
    return [
        Earned(row.source_id, row.symbol, row.realised_pnl, row.fills) for row in sql.execute(query)
    ]
