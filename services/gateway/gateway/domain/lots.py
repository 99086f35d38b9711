"""A lot from its opening to now, put together from its slices."""

from collections.abc import Sequence
from decimal import Decimal

from gateway.domain.views import LotHistory, LotSliceView


def history(slices: Sequence[LotSliceView]) -> LotHistory:
    """One lot's slices, in the order of time, as one history. There is at least one."""
    first = slices[0]
    opened = sum((s.quantity for s in slices if s.effect == "opened"), Decimal(0))
    closed = sum((s.quantity for s in slices if s.effect == "closed"), Decimal(0))
    return LotHistory(
        id=first.lot_id,
        source_type=first.source_type,
        source_id=first.source_id,
        opened=opened,
        closed=closed,
        entry_price=first.entry_price,
        realised_pnl=sum((s.realised_pnl for s in slices), Decimal(0)),
        open=closed < opened,
        slices=tuple(slices),
    )
