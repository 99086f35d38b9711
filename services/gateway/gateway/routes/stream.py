"""Everything that happens, as it happens: server-sent events that resume where they broke off."""

import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from gateway.adapters import archive
from gateway.adapters.hub import CONFIGURATION, Listener, Wish, frame_of
from gateway.adapters.user_store import Session
from gateway.routes.access import Viewer
from gateway.routes.context import Context, GetContext
from gateway.routes.query import Word
from signalbox.contracts.errors import Malformed
from signalbox.contracts.events import EVENTS
from signalbox.runtime.clock import wall_now

router = APIRouter(prefix="/api", tags=["stream"])
_HEARTBEAT_S = 15.0
_PAGE = 500
_RETRY_MS = 2000
_HEADERS = {"X-Accel-Buffering": "no"}
_STREAM: dict[int | str, dict[str, object]] = {
    200: {"description": "CloudEvents, one a frame", "content": {"text/event-stream": {}}}
}


@router.get(
    "/stream",
    operation_id="open_stream",
    response_class=StreamingResponse,
    responses=_STREAM,
)
async def open_stream(
    context: GetContext,
    who: Viewer,
    *,
    types: Annotated[
        str | None,
        Query(max_length=400, description="Names such as `VerdictReached,OrderChanged`."),
    ] = None,
    symbol: Word = None,
    bot: Word = None,
    last_event_id: Annotated[str | None, Header(max_length=20)] = None,
) -> StreamingResponse:
    """Events from now on, or from where `Last-Event-ID` says. Prices carry no id, and neither does
    `ConfigurationChanged`, which tells that something was configured. The stream begins with
    `hello`, and when nothing else came for 15 seconds it says `beat`: both are no events of the
    system, and come whatever `types` asks for.
    """
    wish = Wish(_kinds(types), symbol, bot)
    after = _number(last_event_id)
    _ = context.db
    return StreamingResponse(
        _frames(context, who, wish, after), media_type="text/event-stream", headers=_HEADERS
    )


def _kinds(types: str | None) -> frozenset[str] | None:
    if types is None:
        return None
    known = {CONFIGURATION, *(archive.kind_of(kind.TYPE) for kind in EVENTS)}
    wanted = frozenset(name.strip() for name in types.split(",") if name.strip())
    unknown = sorted(wanted - known)
    if unknown:
        raise Malformed(
            f"types: there is no event {unknown[0]}; known are {', '.join(sorted(known))}"
        )
    return wanted


def _number(last_event_id: str | None) -> int | None:
    if last_event_id is None:
        return None
    if not (last_event_id.isascii() and last_event_id.isdigit() and int(last_event_id) < 1 << 62):
        raise Malformed("Last-Event-ID is not one that this stream gave")
    return int(last_event_id)


async def _frames(
    context: Context, who: Session, wish: Wish, after: int | None
) -> AsyncIterator[bytes]:
    listener = context.hub.open(wish, who.hash)
    try:
        newest = await context.read(archive.last_seq)
        start = newest if after is None else min(after, newest)
        yield f"retry: {_RETRY_MS}\n\n".encode()
        yield frame_of("hello", json.dumps({"seq": start}), start)
        async for frame in _missed(context, wish, start, newest):
            yield frame
        async for frame in _live(listener, who, newest):
            yield frame
    finally:
        context.hub.close(listener)


async def _missed(context: Context, wish: Wish, after: int, newest: int) -> AsyncIterator[bytes]:
    """What was archived after a number, up to the newest when the stream was opened."""
    while after < newest:
        start = after
        page = await context.read(lambda sql, start=start: archive.page(sql, start, _PAGE))  # type: ignore[misc]  # bound per round
        for event in page:
            if event.seq <= newest and wish.takes(event.kind, event.symbol, event.bot):
                yield frame_of(event.kind, event.body, event.seq)
        if not page:
            return
        after = page[-1].seq


async def _live(listener: Listener, who: Session, newest: int) -> AsyncIterator[bytes]:
    """What is told from now on; ends with the session, or when the reader is too slow."""
    while True:
        left_s = (who.expires_at - wall_now()).total_seconds()
        if left_s <= 0:
            return
        try:
            found = await listener.next(min(_HEARTBEAT_S, left_s))
        except TimeoutError:
            yield frame_of("beat", "{}")
            continue
        if found is None:
            return
        seq, frame = found
        if seq == 0 or seq > newest:
            yield frame
