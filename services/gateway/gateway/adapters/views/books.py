"""Positions, equity and performance."""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from sqlalchemy import BigInteger, Connection, func, select, type_coerce

from gateway.adapters.book_tables import books, earnings, equity, lots, positions
from gateway.adapters.primary_tables import bots
from gateway.adapters.read_tables import orders
from gateway.adapters.views.paging import Span, cut, equal
from gateway.domain.book_views import EquityView, PerformanceView, PositionView
from gateway.domain.cursor import Page
from gateway.domain.performance import Grouping, Owner, Tally, group
from gateway.domain.views import Listing, LotView

_SUMS = (
    "realised_pnl",
    "fees",
    "gross_profit",
    "gross_loss",
    "trades",
    "wins",
    "losses",
    "fills",
)


def list_positions(
    sql: Connection,
    marks: Mapping[str, Decimal],
    *,
    bot: str | None = None,
    symbol: str | None = None,
) -> tuple[PositionView, ...]:
    """What is held now, valued at the newest quotes."""
    where = equal([(positions.c.bot, bot), (positions.c.symbol, symbol)])
    query = select(positions).where(positions.c.open.is_(True), *where)
    order = (positions.c.bot, positions.c.symbol, positions.c.account)
    owned: defaultdict[tuple[str, str, str], list[LotView]] = defaultdict(list)
    for lot in sql.execute(select(lots).order_by(lots.c.at, lots.c.id)):
        view = LotView.model_validate({**lot._asdict(), "opened_at": lot.at})
        owned[lot.bot, lot.account, lot.symbol].append(view)
    views = []
    for row in sql.execute(query.order_by(*order)):
        mark = marks.get(row.symbol)
        gain = (mark - row.average_price) * row.quantity if mark and row.average_price else None
        fields = {
            **row._asdict(),
            "mark_price": mark,
            "unrealised_pnl": gain,
            "lots": owned[row.bot, row.account, row.symbol],
        }
        views.append(PositionView.model_validate(fields))
    return tuple(views)


def open_symbols(
    sql: Connection, *, bot: str | None = None, account: str | None = None
) -> list[str]:
    """Symbols with open positions or working orders."""
    held = select(positions.c.symbol).where(
        positions.c.open.is_(True),
        *equal([(positions.c.bot, bot), (positions.c.account, account)]),
    )
    working = select(orders.c.symbol).where(
        orders.c.final.is_(False), *equal([(orders.c.bot, bot), (orders.c.account, account)])
    )
    return sorted({*sql.scalars(held), *sql.scalars(working)})


def list_equity(
    sql: Connection, page: Page, *, bot: str | None, span: Span, step_s: int | None
) -> Listing[EquityView]:
    """The curve, newest first; with a step the last point of each span of so many seconds."""
    where = [*equal([(equity.c.bot, bot)]), *span.within(equity.c.at)]
    query = select(*equity.c).where(*where)
    if step_s:
        at = type_coerce(equity.c.at, BigInteger)
        newest = (
            select(equity.c.bot, func.max(equity.c.at).label("at"))
            .where(*where)
            .group_by(equity.c.bot, at // (step_s * 1_000_000))
            .subquery()
        )
        query = query.join(newest, (newest.c.bot == equity.c.bot) & (newest.c.at == equity.c.at))
    rows, following = cut(sql, query, equity.c.at, equity.c.id, page)
    items = tuple(EquityView.model_validate(row._asdict()) for row in rows)
    return Listing(items=items, next_cursor=following)


def list_books(sql: Connection) -> tuple[EquityView, ...]:
    """What every bot is worth now, on the account that it has now."""
    present = (bots.c.id == books.c.bot) & (bots.c.account == books.c.account)
    rows = sql.execute(select(books).join(bots, present).order_by(books.c.bot))
    return tuple(EquityView.model_validate(row._asdict()) for row in rows)


def performance(
    sql: Connection, by: Grouping, *, bot: str | None, symbol: str | None, span: Span
) -> tuple[PerformanceView, ...]:
    """What each source, bot or symbol has earned, in whole market days."""
    query = select(earnings).where(
        *equal([(earnings.c.bot, bot), (earnings.c.symbol, symbol)]), *span.within(earnings.c.day)
    )
    sums = [
        (
            Owner(row["bot"], row["symbol"], row["source_type"], row["source_id"]),
            Tally(**{name: row[name] for name in _SUMS}),
        )
        for row in sql.execute(query).mappings()
    ]
    names = {"source": ("source_type", "source_id"), "bot": ("bot",), "symbol": ("symbol",)}[by]
    return tuple(
        PerformanceView.model_validate(
            {
                **dict(zip(names, key, strict=True)),
                **{name: getattr(tally, name) for name in _SUMS},
                "win_rate": tally.win_rate,
                "profit_factor": tally.profit_factor,
            }
        )
        for key, tally in group(sums, by).items()
    )
