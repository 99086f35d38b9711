"""Orders, their fills, the lots those opened and closed, and a signal's whole chain."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select

from gateway.adapters.book_tables import slices, trades
from gateway.adapters.primary_tables import events
from gateway.adapters.read_tables import order_steps, orders
from gateway.adapters.views import bodies, signals
from gateway.adapters.views.paging import ALWAYS, Span, cut, equal
from gateway.domain.cursor import Page
from gateway.domain.lots import history
from gateway.domain.views import (
    ChainView,
    Listing,
    LotHistory,
    LotSliceView,
    OrderDetail,
    OrderView,
    SliceView,
    StepView,
    TradeView,
)


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders or trades are wanted; none takes all."""

    bot: str | None = None
    symbol: str | None = None
    source_type: str | None = None
    source_id: str | None = None
    state: str | None = None
    final: bool | None = None
    side: str | None = None
    signal_id: str | None = None
    order_id: str | None = None
    span: Span = ALWAYS


_LATEST = select(orders.c.id, orders.c.at, events.c.body).join(
    events, events.c.id == orders.c.event_id
)


def list_orders(sql: Connection, wanted: OrderFilter, page: Page) -> Listing[OrderView]:
    """Orders by the time of their first state."""
    query = _LATEST.where(
        *equal(
            [
                (orders.c.bot, wanted.bot),
                (orders.c.symbol, wanted.symbol),
                (orders.c.source_type, wanted.source_type),
                (orders.c.source_id, wanted.source_id),
                (orders.c.state, wanted.state),
                (orders.c.final, wanted.final),
                (orders.c.side, wanted.side),
                (orders.c.signal_id, wanted.signal_id),
            ]
        ),
        *wanted.span.within(orders.c.at),
    )
    rows, following = cut(sql, query, orders.c.at, orders.c.id, page)
    items = tuple(bodies.order_view(row.body, row.at) for row in rows)
    return Listing(items=items, next_cursor=following)


def one_order(sql: Connection, order_id: str) -> OrderDetail | None:
    """One order with everything that happened to it."""
    found = _details(sql, [orders.c.id == order_id])
    return found[0] if found else None


def list_trades(sql: Connection, wanted: OrderFilter, page: Page) -> Listing[TradeView]:
    """Fills by their time."""
    query = select(*trades.c).where(
        *equal(
            [
                (trades.c.bot, wanted.bot),
                (trades.c.symbol, wanted.symbol),
                (trades.c.source_type, wanted.source_type),
                (trades.c.source_id, wanted.source_id),
                (trades.c.side, wanted.side),
                (trades.c.signal_id, wanted.signal_id),
                (trades.c.order_id, wanted.order_id),
            ]
        ),
        *wanted.span.within(trades.c.at),
    )
    rows, following = cut(sql, query, trades.c.at, trades.c.id, page)
    return Listing(items=_with_slices(sql, rows), next_cursor=following)


def chain(sql: Connection, signal_id: str) -> ChainView | None:
    """A signal and all that followed, as far as they are archived; none when nothing is."""
    signal = signals.one_signal(sql, signal_id)
    reached = signals.verdicts_of(sql, signal_id)
    placed = _details(sql, [orders.c.signal_id == signal_id])
    if signal is None and not reached and not placed:
        return None
    return ChainView(
        signal=signal,
        verdicts=reached,
        orders=placed,
        lots=_touched(sql, placed),
        outcomes=signals.outcomes_of(sql, signal_id),
    )


def order_alone(sql: Connection, order_id: str) -> ChainView | None:
    """An order that no signal asked for, with the lots it touched."""
    placed = _details(sql, [orders.c.id == order_id])
    if not placed:
        return None
    lots = _touched(sql, placed)
    return ChainView(signal=None, verdicts=(), orders=placed, lots=lots, outcomes=())


def _touched(sql: Connection, placed: Iterable[OrderDetail]) -> tuple[LotHistory, ...]:
    return _lots(
        sql, (part.lot_id for order in placed for trade in order.trades for part in trade.slices)
    )


def _details(sql: Connection, where: Iterable[ColumnElement[bool]]) -> tuple[OrderDetail, ...]:
    rows = list(sql.execute(_LATEST.where(*where).order_by(orders.c.at, orders.c.id)))
    ids = [row.id for row in rows]
    steps, fills = _steps(sql, ids), _trades(sql, ids)
    return tuple(
        OrderDetail.model_validate(
            {
                **bodies.order_fields(row.body, row.at),
                "steps": steps[row.id],
                "trades": fills[row.id],
            }
        )
        for row in rows
    )


def _steps(sql: Connection, order_ids: Sequence[str]) -> Mapping[str, list[StepView]]:
    query = (
        select(order_steps.c.order_id, events.c.body)
        .join(events, events.c.id == order_steps.c.event_id)
        .where(order_steps.c.order_id.in_(order_ids))
        .order_by(events.c.seq)
    )
    steps: defaultdict[str, list[StepView]] = defaultdict(list)
    for row in sql.execute(query):
        steps[row.order_id].append(StepView.model_validate(bodies.data_of(row.body)))
    return steps


def _trades(sql: Connection, order_ids: Sequence[str]) -> Mapping[str, list[TradeView]]:
    query = (
        select(trades).where(trades.c.order_id.in_(order_ids)).order_by(trades.c.at, trades.c.id)
    )
    found: defaultdict[str, list[TradeView]] = defaultdict(list)
    for view in _with_slices(sql, list(sql.execute(query))):
        found[view.order_id].append(view)
    return found


def _with_slices(sql: Connection, rows: Sequence[Row[Any]]) -> tuple[TradeView, ...]:
    query = select(slices).where(slices.c.fill_id.in_([row.id for row in rows]))
    parts: defaultdict[str, list[SliceView]] = defaultdict(list)
    for part in sql.execute(query.order_by(slices.c.effect, slices.c.lot_id)):
        parts[part.fill_id].append(SliceView.model_validate(part._asdict()))
    return tuple(
        TradeView.model_validate({**row._asdict(), "slices": parts[row.id]}) for row in rows
    )


def _lots(sql: Connection, lot_ids: Iterable[str]) -> tuple[LotHistory, ...]:
    query = select(slices).where(slices.c.lot_id.in_(sorted(set(lot_ids))))
    found: defaultdict[str, list[LotSliceView]] = defaultdict(list)
    for row in sql.execute(query.order_by(slices.c.at, slices.c.effect.desc(), slices.c.fill_id)):
        found[row.lot_id].append(LotSliceView.model_validate(row._asdict()))
    return tuple(history(parts) for _, parts in sorted(found.items()))
