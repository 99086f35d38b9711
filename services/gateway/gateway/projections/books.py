"""What every bot holds, and what it is worth."""

from collections.abc import Iterator

from gateway.domain.changes import Change, Extend, New, Put, Replace
from gateway.domain.curve import mark
from gateway.projections.orders import day_of
from signalbox.contracts.events import EquityMarked, PositionChanged


def position(event: PositionChanged) -> Iterator[Change]:
    """The position as it is now, and its lots in place of the old ones."""
    held = event.data
    key = {"bot": held.bot, "account": held.account, "symbol": held.symbol}
    yield Put(
        "positions",
        ("bot", "account", "symbol"),
        {
            **key,
            "quantity": held.quantity,
            "average_price": held.average_price,
            "realised_pnl": held.realised_pnl,
            "open": bool(held.lots) or held.quantity != 0,  # long and short may be equal
            "at": held.at,
        },
    )
    lots = tuple(
        {
            **key,
            "id": str(lot.lot_id),
            "source_type": lot.source_type.value,
            "source_id": lot.source_id,
            "confidence": lot.confidence,
            "quantity": lot.quantity,
            "entry_price": lot.entry_price,
            "order_id": lot.order_id,
            "protection": lot.protection and lot.protection.model_dump(mode="json"),
            "at": lot.opened_at,
        }
        for lot in held.lots
    )
    yield Replace("lots", key, lots)


def equity(event: EquityMarked) -> Iterator[Change]:
    """One point of the curve, of its market day and of the whole, and the newest of its bot on this
    account.
    """
    marked = event.data
    row = {
        "bot": marked.bot,
        "account": marked.account,
        "at": marked.at,
        "equity": marked.equity,
        "cash": marked.cash,
        "exposure_gross": marked.exposure_gross,
        "exposure_net": marked.exposure_net,
        "realised_pnl": marked.realised_pnl,
        "unrealised_pnl": marked.unrealised_pnl,
        "fees": marked.fees,
    }
    yield New("equity", {"id": str(event.id), **row})
    yield Put("books", ("bot", "account"), row)
    key = {"bot": marked.bot, "account": marked.account}
    point = mark(marked.equity, marked.exposure_gross, marked.at)
    yield Extend("equity_days", {"day": day_of(marked.at), **key}, point)
    yield Extend("equity_curves", key, point)
