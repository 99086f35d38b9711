"""Equity over time, one account of each bot."""

from collections.abc import Mapping
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
    false,
    func,
    or_,
    select,
    type_coerce,
)

from gateway.adapters.book_tables import books, equity
from gateway.adapters.primary_tables import bots, events
from gateway.adapters.views.paging import Span, cut, equal
from gateway.domain.book_views import EquityView
from gateway.domain.cursor import Page
from gateway.domain.curve import drawdowns, thinned
from gateway.domain.reports import rounded
from gateway.domain.views import Listing

_FINE = Decimal("0.000001")  # a curve of a quiet day is drawn over its whole height


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
    points = select(equity.c.id, cast(equity.c.equity, Float).label("worth"))
    in_order = points.join(events, events.c.id == equity.c.id).order_by(equity.c.at, events.c.seq)
    rows = sql.execute(in_order.where(*where)).all()
    worth = [row.worth for row in rows]
    fallen = drawdowns(worth)
    kept = [(rows[index].id, fallen[index]) for index in reversed(thinned(worth, most))]
    whole = select(equity).where(equity.c.id.in_([key for key, _ in kept]))
    found = {row["id"]: row for row in sql.execute(whole).mappings()}
    items = tuple(
        EquityView.model_validate({**found[key], "drawdown": rounded(below, _FINE)})
        for key, below in kept
    )
    return Listing(items=items)


def _one_curve(sql: Connection, bot: str | None, account: str | None) -> list[ColumnElement[bool]]:
    """One account of each bot: the given one, else the one that it has now or had last."""
    named = equal([(equity.c.bot, bot), (equity.c.account, account)])
    if account is not None:
        return named
    present = accounts(sql, bot)
    return [*named, of_accounts(present, equity.c.bot, equity.c.account)]


def of_accounts(
    present: Mapping[str, str], bot: Column[Any], account: Column[Any]
) -> ColumnElement[bool]:
    """The condition that a row is of one of these accounts, by bot."""
    return or_(false(), *(and_(bot == key, account == one) for key, one in present.items()))


def accounts(sql: Connection, bot: str | None = None) -> Mapping[str, str]:
    """The account of each bot that has a book: the one it has now, after its end the last one."""
    last = select(books.c.bot, books.c.account).where(*equal([(books.c.bot, bot)]))
    now = select(bots.c.id, bots.c.account).where(*equal([(bots.c.id, bot)]))
    found = {row.bot: row.account for row in sql.execute(last.order_by(books.c.at))}
    return found | {row.id: row.account for row in sql.execute(now)}
