"""Equity over time, and all that performance is derived from."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Float,
    and_,
    cast,
    func,
    or_,
    select,
    type_coerce,
)

from gateway.adapters.book_tables import books, earnings, equity, equity_days, lots
from gateway.adapters.llm_tables import llm_usage
from gateway.adapters.primary_tables import bots, events
from gateway.adapters.read_tables import order_steps, orders, rounds, verdicts
from gateway.adapters.views.paging import ALWAYS, Span, cut, equal
from gateway.domain.book_views import EquityView
from gateway.domain.cursor import Page
from gateway.domain.curve import STRETCH, Stretch, drawdowns, thinned
from gateway.domain.performance import Owner, Tally
from gateway.domain.reports import Earned, Ledger, Open, Took, rounded
from gateway.domain.stages import Steps, timed
from gateway.domain.views import Listing
from signalbox.contracts.values import OrderState

_OWNER = tuple(field.name for field in fields(Owner))
_TALLY = tuple(field.name for field in fields(Tally))
_TIMED = 500  # newest orders that stages are timed of
_CHUNK = 900  # values in one IN list


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """Which part of the ledger is wanted; none takes all."""

    bot: str | None = None
    symbol: str | None = None
    span: Span = ALWAYS


def list_equity(
    sql: Connection,
    page: Page,
    *,
    bot: str | None,
    account: str | None,
    span: Span,
    step_s: int | None,
) -> Listing[EquityView]:
    """The curve, newest first; with a step the last point of each span of so many seconds."""
    query = select(*equity.c).where(*_one_curve(sql, bot, account), *span.within(equity.c.at))
    if step_s:
        at = type_coerce(equity.c.at, BigInteger)
        names = (equity.c.bot, equity.c.account)
        newest = (
            select(*names, func.max(equity.c.at).label("at"))
            .where(*_one_curve(sql, bot, account), *span.within(equity.c.at))
            .group_by(*names, at // (step_s * 1_000_000))
            .subquery()
        )
        query = query.join(
            newest,
            and_(*(newest.c[name] == equity.c[name] for name in ("bot", "account", "at"))),
        )
    rows, following = cut(sql, query, equity.c.at, equity.c.id, page)
    items = tuple(EquityView.model_validate(row._asdict()) for row in rows)
    return Listing(items=items, next_cursor=following)


def equity_series(
    sql: Connection, most: int, *, bot: str, account: str | None, span: Span
) -> Listing[EquityView]:
    """A bot's whole curve on one account in at most so many points, newest first, each with how far
    it is below the highest so far. Extremes of the curve and of the drawdown are among them.
    """
    where = [*_one_curve(sql, bot, account), *span.within(equity.c.at)]
    query = select(equity.c.id, cast(equity.c.equity, Float).label("worth")).where(*where)
    rows = sql.execute(query.order_by(equity.c.at, equity.c.id)).all()
    worth = [row.worth for row in rows]
    fallen = drawdowns(worth)
    kept = {rows[index].id: fallen[index] for index in thinned(worth, most)}
    whole = select(equity).where(equity.c.id.in_(kept))
    items = tuple(
        EquityView.model_validate({**row._asdict(), "drawdown": rounded(kept[row.id])})
        for row in sql.execute(whole.order_by(equity.c.at.desc(), equity.c.id.desc()))
    )
    return Listing(items=items)


def _one_curve(
    sql: Connection, bot: str | None, account: str | None
) -> list[ColumnElement[bool]]:
    """One account of each bot: the given one, else the one that it has now or had last."""
    named = equal([(equity.c.bot, bot), (equity.c.account, account)])
    if account is not None:
        return named
    present = accounts(sql, bot)
    return [*named, _of_accounts(present, equity.c.bot, equity.c.account)]


def _of_accounts(
    present: Mapping[str, str], bot: Column[Any], account: Column[Any]
) -> ColumnElement[bool]:
    return or_(False, *(and_(bot == key, account == one) for key, one in present.items()))


def accounts(sql: Connection, bot: str | None = None) -> Mapping[str, str]:
    """The account of each bot that has a book: the one it has now, after its end the last one."""
    last = select(books.c.bot, books.c.account).where(*equal([(books.c.bot, bot)]))
    now = select(bots.c.id, bots.c.account).where(*equal([(bots.c.id, bot)]))
    found = {row.bot: row.account for row in sql.execute(last.order_by(books.c.at))}
    return found | {row.id: row.account for row in sql.execute(now)}


def ledger(sql: Connection, wanted: LedgerFilter, marks: Mapping[str, Decimal]) -> Ledger:
    """What was earned in whole market days, the curves, what is open, and how long orders took.

    Open lots are valued at the newest quotes, else at their entry.
    """
    return Ledger(
        earned=_earned(sql, wanted),
        days=_days(sql, wanted),
        open=_open(sql, wanted, marks),
        took=_took(sql, wanted),
    )


def everything_earned(sql: Connection) -> Ledger:
    """What was earned and the curves, since the beginning."""
    return Ledger(earned=_earned(sql, LedgerFilter()), days=_days(sql, LedgerFilter()))


def llm_cost(sql: Connection) -> Decimal:
    """What all models were paid so far, in US dollars."""
    return sum(sql.scalars(select(llm_usage.c.cost_usd)), Decimal(0))


def _earned(sql: Connection, wanted: LedgerFilter) -> list[Earned]:
    query = select(earnings).where(
        *equal([(earnings.c.bot, wanted.bot), (earnings.c.symbol, wanted.symbol)]),
        *wanted.span.within(earnings.c.day),
    )
    return [
        Earned(
            row["day"],
            Owner(*(row[name] for name in _OWNER)),
            Tally(*(row[name] for name in _TALLY)),
        )
        for row in sql.execute(query.order_by(earnings.c.day)).mappings()
    ]


def _days(
    sql: Connection, wanted: LedgerFilter
) -> Mapping[str, list[tuple[Any, Stretch]]]:
    table = equity_days
    query = select(table).where(
        _of_accounts(accounts(sql, wanted.bot), table.c.bot, table.c.account),
        *wanted.span.within(table.c.day),
    )
    days: defaultdict[str, list[tuple[Any, Stretch]]] = defaultdict(list)
    for row in sql.execute(query.order_by(table.c.day)).mappings():
        days[row["bot"]].append((row["day"], Stretch(*(row[name] for name in STRETCH))))
    return days


def _open(sql: Connection, wanted: LedgerFilter, marks: Mapping[str, Decimal]) -> list[Open]:
    query = select(lots).where(
        *equal([(lots.c.bot, wanted.bot), (lots.c.symbol, wanted.symbol)])
    )
    return [
        Open(
            Owner(*(row[name] for name in _OWNER)),
            row["quantity"] * marks.get(row["symbol"], row["entry_price"]),
        )
        for row in sql.execute(query).mappings()
    ]


def _took(sql: Connection, wanted: LedgerFilter) -> list[Took]:
    """The stages of the newest orders that a signal led to."""
    query = (
        select(orders)
        .where(
            orders.c.signal_id.is_not(None),
            orders.c.state != OrderState.DENIED.value,
            *equal([(orders.c.bot, wanted.bot), (orders.c.symbol, wanted.symbol)]),
            *wanted.span.within(orders.c.at),
        )
        .order_by(orders.c.at.desc(), orders.c.id.desc())
        .limit(_TIMED)
    )
    rows = {row["id"]: row for row in sql.execute(query).mappings()}
    steps = {
        key: Steps(first_round=row["verdict_id"] is None) for key, row in rows.items()
    }
    return []
