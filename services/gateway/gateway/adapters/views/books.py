"""Positions, and what every bot is worth now."""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from sqlalchemy import Connection, select

from gateway.adapters.book_tables import books, lots, positions
from gateway.adapters.primary_tables import bots
from gateway.adapters.read_tables import orders
from gateway.adapters.views.paging import equal
from gateway.domain.book_views import EquityView, PositionView
from gateway.domain.views import LotView


def list_positions(
    sql: Connection,
    marks: Mapping[str, Decimal],
    *,
    bot: str | None = None,
    symbol: str | None = None,
    with_lots: bool = True,
) -> tuple[PositionView, ...]:
    """What is held now, by bot and symbol, valued at the newest quotes."""
    where = equal([(positions.c.bot, bot), (positions.c.symbol, symbol)])
    query = select(positions).where(positions.c.open.is_(True), *where)
    order = (positions.c.bot, positions.c.symbol, positions.c.account)
    owned: defaultdict[tuple[str, str, str], list[LotView]] = defaultdict(list)
    for lot in list_lots(sql, bot=bot, symbol=symbol) if with_lots else ():
        owned[lot.bot, lot.account, lot.symbol].append(lot)
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


def list_lots(
    sql: Connection, *, bot: str | None = None, symbol: str | None = None
) -> tuple[LotView, ...]:
    """The open lots, by bot and symbol, then oldest first."""
    query = select(lots).where(*equal([(lots.c.bot, bot), (lots.c.symbol, symbol)]))
    order = (lots.c.bot, lots.c.symbol, lots.c.at, lots.c.id)
    return tuple(
        LotView.model_validate({**row._asdict(), "opened_at": row.at})
        for row in sql.execute(query.order_by(*order))
    )


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


def list_books(sql: Connection) -> tuple[EquityView, ...]:
    """What every bot is worth now, on the account that it has now."""
    present = (bots.c.id == books.c.bot) & (bots.c.account == books.c.account)
    rows = sql.execute(select(books).join(bots, present).order_by(books.c.bot))
    return tuple(EquityView.model_validate(row._asdict()) for row in rows)
