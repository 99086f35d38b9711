"""Signals and their whole chains, and signals that are handed in."""

from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Depends, Query, status

from gateway.adapters.views import orders, signals
from gateway.adapters.views.signals import SignalFilter
from gateway.domain.submissions import KeyMissing, NotStored, SignalBody, SignalTaken
from gateway.domain.views import ChainView, Listing, SignalView
from gateway.routes.access import GetSpeaker, Viewer
from gateway.routes.context import GetContext, GetKey
from gateway.routes.query import GetPage, GetSpan, Id, Word
from signalbox.contracts.values import Action, SourceType

router = APIRouter(prefix="/api/signals", tags=["signals"])


def get_signal_filter(
    span: GetSpan,
    *,
    symbol: Word = None,
    source_type: Annotated[SourceType | None, Query()] = None,
    source_id: Word = None,
    action: Annotated[Action | None, Query()] = None,
) -> SignalFilter:
    """Which signals are wanted."""
    return SignalFilter(
        symbol=symbol, source_type=source_type, source_id=source_id, action=action, span=span
    )


SignalsWanted = Annotated[SignalFilter, Depends(get_signal_filter)]


@router.get("", operation_id="list_signals")
async def list_signals(
    context: GetContext, _who: Viewer, page: GetPage, wanted: SignalsWanted
) -> Listing[SignalView]:
    """What every source has said, by its own time."""
    return await context.read(lambda sql: signals.list_signals(sql, wanted, page))


@router.post("", operation_id="submit_signal", status_code=status.HTTP_202_ACCEPTED)
async def submit_signal(
    body: SignalBody, context: GetContext, who: GetSpeaker, key: GetKey
) -> SignalTaken:
    """Raise a signal: `external` by a program's token with the scope `signals:write`, `manual` by a
    trader. 202 once it is stored; it goes the way of every other signal. A program must send
    `Idempotency-Key`: the same key and body again get the same answer, another body 409.
    """
    if key is None and who.source_type is SourceType.EXTERNAL:
        raise KeyMissing("the header Idempotency-Key is missing")
    _ = context.db  # not before users and configuration are there
    return await context.intake.submit(who, body, key or str(uuid4()))


@router.get("/{signal_id}", operation_id="read_signal")
async def read_signal(signal_id: Id, context: GetContext, _who: Viewer) -> ChainView:
    """A signal and all that followed: verdicts, orders, fills, lots, outcomes."""
    chain = await context.read(lambda sql: orders.chain(sql, signal_id))
    if chain is None or chain.signal is None:
        raise NotStored(f"there is no signal {signal_id}")
    return chain
