"""What belongs together, found by any of its parts: signal, verdict, order, fill or lot."""

from sqlalchemy import Connection, select

from gateway.adapters.book_tables import slices, trades
from gateway.adapters.read_tables import orders, verdicts
from gateway.adapters.views.orders import chain, order_alone
from gateway.domain.views import ChainView


def chain_of(sql: Connection, part_id: str) -> ChainView | None:
    """The whole of which this is a part; none when nothing has this id."""
    of_verdict = select(verdicts.c.signal_id).where(verdicts.c.id == part_id)
    found = chain(sql, sql.scalar(of_verdict) or part_id)
    order_id = None if found else _order_of(sql, part_id)
    if order_id is None:
        return found
    signal_id = sql.scalar(select(orders.c.signal_id).where(orders.c.id == order_id))
    return chain(sql, signal_id) if signal_id else order_alone(sql, order_id)


def _order_of(sql: Connection, part_id: str) -> str | None:
    """The order that is this, has this fill, or opened this lot."""
    by_fill = select(trades.c.order_id)
    opened = by_fill.join(slices, slices.c.fill_id == trades.c.id).where(
        slices.c.lot_id == part_id, slices.c.effect == "opened"
    )
    return (
        sql.scalar(select(orders.c.id).where(orders.c.id == part_id))
        or sql.scalar(by_fill.where(trades.c.id == part_id))
        or sql.scalar(opened.order_by(trades.c.at).limit(1))
    )
