"""What QuantConnect's algorithms have said, and releasing what waits for a person."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, JsonValue

from gateway.adapters.views import signals
from gateway.adapters.views.signals import QuantConnectFilter
from gateway.domain.approval import Released, nothing_waits, waiting
from gateway.domain.book_views import QuantConnectSignalView
from gateway.domain.views import Listing, VerdictView, View
from gateway.routes.access import Trader, Viewer
from gateway.routes.context import GetContext, GetKey
from gateway.routes.query import GetPage, GetSpan, Id, Word
from gateway.routes.verdicts import judge
from signalbox.contracts.errors import Conflict, NotFound
from signalbox.contracts.values import Action, Slug

router = APIRouter(prefix="/api/quantconnect/signals", tags=["quantconnect"])


class QuantConnectSignalDetail(QuantConnectSignalView):
    """A signal with what every bot made of it."""

    verdicts: tuple[VerdictView, ...]


class FetchBody(BaseModel):
    """Which account to read; none reads all active ones."""

    model_config = ConfigDict(extra="forbid")

    config_id: Slug | None = None


class Fetched(View):
    """What reading now brought."""

    fetched: int
    raised: int


class Processed(View):
    """What became of the rounds that waited."""

    signal_id: str
    rounds: tuple[Released, ...]


def get_quantconnect_filter(
    span: GetSpan,
    *,
    config: Word = None,
    symbol: Word = None,
    action: Annotated[Action | None, Query()] = None,
    processed: bool | None = None,
) -> QuantConnectFilter:
    """Which signals are wanted."""
    return QuantConnectFilter(
        config_id=config, symbol=symbol, action=action, processed=processed, span=span
    )


QuantConnectWanted = Annotated[QuantConnectFilter, Depends(get_quantconnect_filter)]


@router.get("", operation_id="list_quantconnect_signals")
async def list_signals(
    context: GetContext, _who: Viewer, page: GetPage, wanted: QuantConnectWanted
) -> Listing[QuantConnectSignalView]:
    """Signals by their own time. Not processed: no verdict yet, or a bot waits for a person."""
    return await context.read(lambda sql: signals.list_quantconnect(sql, wanted, page))


@router.get("/{signal_id}", operation_id="read_quantconnect_signal")
async def read_signal(signal_id: Id, context: GetContext, _who: Viewer) -> QuantConnectSignalDetail:
    """One signal with what every bot made of it."""
    found = await context.read(lambda sql: signals.one_quantconnect(sql, signal_id))
    if found is None:
        raise NotFound(f"there is no QuantConnect signal {signal_id}")
    reached = await context.read(lambda sql: signals.verdicts_of(sql, signal_id))
    return QuantConnectSignalDetail(**found.model_dump(), verdicts=reached)


@router.post("/fetch", operation_id="fetch_quantconnect_signals")
async def fetch_signals(
    context: GetContext, who: Trader, key: GetKey, body: FetchBody | None = None
) -> Fetched:
    """Read QuantConnect now instead of at the next poll."""
    wanted: dict[str, JsonValue] = {}
    if body and body.config_id:
        wanted["config_id"] = body.config_id
    answer = await context.ask("qc-ingest", "fetch", wanted, by=who.person, key=key, timeout_s=30)
    return Fetched.model_validate(answer)


@router.post("/{signal_id}/process", operation_id="process_quantconnect_signal")
async def process_signal(
    signal_id: Id, context: GetContext, who: Trader, key: GetKey, bot: Word = None
) -> Processed:
    """Release every round that waits for a person, or one bot's. 409 with the reason otherwise."""
    if await context.read(lambda sql: signals.one_quantconnect(sql, signal_id)) is None:
        raise NotFound(f"there is no QuantConnect signal {signal_id}")
    reached = await context.read(lambda sql: signals.verdicts_of(sql, signal_id))
    pending = waiting(reached, bot)
    if not pending:
        raise Conflict(nothing_waits(reached, bot))
    rounds: list[Released] = []
    refusals: list[Conflict] = []
    for verdict in pending:
        try:
            judged = await judge(context, "approve", verdict.id, who.person, key)
        except Conflict as error:
            refusals.append(error)
            rounds.append(Released(bot=verdict.bot, problem=str(error)))
        else:
            rounds.append(Released(bot=verdict.bot, **judged.model_dump()))
    if len(refusals) == len(pending):
        raise refusals[0]
    return Processed(signal_id=signal_id, rounds=tuple(rounds))
