"""What the executor has stored about orders and holdings at brokers over the network."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Connection, insert, select

from executor.adapters import tables
from executor.adapters.rows import ticket_of
from executor.domain.money import ZERO, add
from executor.domain.orders import Ticket
from executor.domain.scene import Denial
from signalbox.contracts.values import OrderKind, OrderState
from signalbox.runtime.db import upsert

_AT_ONCE = 400  # parameters of one statement
_LOST = 50
_TAKEN = (OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED, OrderState.FILLED)
_PUT_CURSOR = upsert(tables.brokers, ["account"])


def by_client_id(sql: Connection, account: str, names: Collection[str]) -> dict[str, Ticket]:
    """Our orders of these names, whatever their state."""
    return _found(sql, account, "order_id", names)


def by_broker_id(sql: Connection, account: str, names: Collection[str]) -> dict[str, Ticket]:
    """Our orders that the broker knows by these ids, whatever their state."""
    return _found(sql, account, "broker_order_id", names)


def _found(sql: Connection, account: str, column: str, names: Collection[str]) -> dict[str, Ticket]:
    orders, found = tables.orders.c, dict[str, Ticket]()
    wanted = sorted(set(names))
    for first in range(0, len(wanted), _AT_ONCE):
        part = wanted[first : first + _AT_ONCE]
        query = select(tables.orders).where(
            orders[column].in_(part), orders.account == account, orders.submission.is_not(None)
        )
        for row in sql.execute(query).all():
            found[row._mapping[column]] = ticket_of(row)
    return found


def abandoned(sql: Connection, account: str) -> list[str]:
    """The names of the newest orders that were given up, to be looked for once more."""
    orders = tables.orders.c
    query = select(orders.order_id).where(
        orders.account == account,
        orders.state == OrderState.ABANDONED,
        orders.submission.is_not(None),
        orders.broker_order_id == "",
    )
    return list(sql.scalars(query.order_by(orders.planned_at.desc()).limit(_LOST)))


def ever_sent(sql: Connection, account: str, bot: str) -> bool:
    """Whether an order of this bot has ever been on its way to the account's broker."""
    orders = tables.orders.c
    mine = orders.account == account, orders.bot == bot, orders.submission.is_not(None)
    return sql.execute(select(orders.order_id).where(*mine).limit(1)).first() is not None


def held(sql: Connection, account: str) -> dict[str, Decimal]:
    """What all books of an account hold together, by symbol."""
    total: dict[str, Decimal] = {}
    rows = tables.positions
    for row in sql.execute(select(rows).where(rows.c.account == account)):
        total[row.symbol] = add(total.get(row.symbol, ZERO), row.quantity)
    return total


def open_lots(sql: Connection, lots: Collection[UUID]) -> set[UUID]:
    """Those of these lots that are not closed."""
    rows = tables.lots.c
    query = select(rows.lot_id).where(rows.lot_id.in_([str(lot_id) for lot_id in lots]))
    return {UUID(lot_id) for lot_id in sql.scalars(query)}


def closed_later(sql: Connection, ticket: Ticket) -> set[UUID]:
    """The lots that an exit closes, or has closed, which was planned after this one and which the
    broker has taken.
    """
    orders, order = tables.orders.c, ticket.order
    query = select(orders.targets).where(
        orders.account == order.account,
        orders.symbol == order.symbol,
        orders.submission.is_not(None),
        orders.state.in_(_TAKEN),
        orders.purpose != "entry",
        orders.kind != OrderKind.STOP,
        orders.planned_at >= ticket.planned_at,
        orders.order_id != order.order_id,
    )
    return {UUID(lot_id) for targets in sql.scalars(query) for lot_id in targets}


def denied_last(sql: Connection, ticket: Ticket) -> Denial | None:
    """Why an exit of the symbol was denied last, from this one on."""
    orders, order = tables.orders.c, ticket.order
    query = select(orders.reason, orders.message, orders.numbers).where(
        orders.account == order.account,
        orders.symbol == order.symbol,
        orders.state == OrderState.DENIED,
        orders.purpose != "entry",
        orders.planned_at >= ticket.planned_at,
    )
    row = sql.execute(query.order_by(orders.planned_at.desc()).limit(1)).first()
    return row and Denial(*row)


def bots_of(sql: Connection, account: str) -> list[str]:
    """Bots that have, or had, a book in an account."""
    rows = tables.books.c
    return list(sql.scalars(select(rows.bot).where(rows.account == account).order_by(rows.bot)))


def bound_to(sql: Connection, account: str, broker_id: str) -> str:
    """The broker's id of the account that this one is bound to: from the first time on."""
    rows = tables.broker_accounts
    bound = sql.execute(select(rows.c.broker_id).where(rows.c.account == account)).scalar()
    if bound is None:
        sql.execute(insert(rows), [{"account": account, "broker_id": broker_id}])
    return bound or broker_id


def booked_until(sql: Connection, account: str) -> datetime | None:
    """Wall time of the newest execution that has been looked at; None before the first look."""
    rows = tables.brokers
    return sql.execute(select(rows.c.filled_at).where(rows.c.account == account)).scalar()


def note_booked(sql: Connection, account: str, at: datetime) -> None:
    """Remember up to where executions have been looked at."""
    sql.execute(_PUT_CURSOR, [{"account": account, "filled_at": at}])
