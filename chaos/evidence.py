"""What is known from outside at the end of a run: streams, archive, and what REST answers."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import TypeVar
from uuid import UUID

from chaos.documents import Documents
from chaos.outside import BrokerBooks, Outside
from chaos.rest import Gateway
from chaos.streams import Stored, backlog, quiet, stored
from chaos.voices import Voices
from signalbox.contracts.assessments import LlmDecision
from signalbox.contracts.config import BotConfig
from signalbox.contracts.events import (
    EquityMarked,
    Event,
    LlmDecisionMade,
    MessageDeadLettered,
    OrderChanged,
    PositionChanged,
    SignalRaised,
    VerdictReached,
)
from signalbox.contracts.subjects import ARCHIVED
from signalbox.runtime.bus import Bus

E = TypeVar("E", bound=Event)
Place = tuple[str, str, str]  # bot, account, symbol
Book = tuple[str, str]  # bot, account
_ARCHIVE_S = 60.0
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Answers:
    """What REST said."""

    positions: Mapping[Place, Decimal]
    lots: Mapping[Place, Decimal]
    cash: Mapping[Book, Decimal]
    started_with: Mapping[str, Decimal]  # by account
    verdicts: frozenset[str]
    orders: frozenset[str]
    fills: frozenset[str]
    dead_letters: int


@dataclass(frozen=True)
class Evidence:
    """Everything that the invariants look at."""

    streams: Mapping[str, Sequence[Stored]]
    archive: frozenset[str]  # ids of archived events
    answers: Answers
    bots: Callable[[int], Sequence[BotConfig] | None]  # by version of the configuration
    acknowledged: frozenset[UUID] = field(default=frozenset())  # signals that a stream has taken
    backlog: Mapping[str, int] = field(default_factory=dict)  # what was never handled
    broker: BrokerBooks | None = None  # of the account there, where one is traded
    asked: int | None = None  # questions that have reached models of OpenAI's form
    stands_at: datetime | None = None  # the market clock, where it stands still
    ran_to: datetime | None = None  # as far may a clock have run that heard of that late

    def events(self, kind: type[E]) -> list[E]:
        """Every event of a kind, once each, in the order of its stream."""
        found = {
            one.event.id: one.event
            for one in self.streams.get(kind.STREAM, ())
            if isinstance(one.event, kind)
        }
        return list(found.values())

    @cached_property
    def signals(self) -> dict[UUID, SignalRaised]:
        """By signal id."""
        return {event.data.signal_id: event for event in self.events(SignalRaised)}

    @cached_property
    def verdicts(self) -> list[VerdictReached]:
        """In stream order."""
        return self.events(VerdictReached)

    @cached_property
    def orders(self) -> list[OrderChanged]:
        """In stream order."""
        return self.events(OrderChanged)

    @cached_property
    def decisions(self) -> list[LlmDecision]:
        """What models have answered."""
        return [event.data for event in self.events(LlmDecisionMade)]

    @cached_property
    def dead(self) -> list[MessageDeadLettered]:
        """Messages that were set aside."""
        return self.events(MessageDeadLettered)

    def fills(self) -> Iterator[OrderChanged]:
        """The order events that carry a fill."""
        return (event for event in self.orders if event.data.fill is not None)

    @cached_property
    def positions(self) -> dict[Place, PositionChanged]:
        """The last word on each position."""
        found = self.events(PositionChanged)
        return {(e.data.bot, e.data.account, e.data.symbol): e for e in found}

    @cached_property
    def equity(self) -> dict[Book, EquityMarked]:
        """The last word on each book."""
        return {(e.data.bot, e.data.account): e for e in self.events(EquityMarked)}


async def gather(
    voices: Voices,
    gateway: Gateway,
    documents: Documents,
    acknowledged: frozenset[UUID] = frozenset(),
    *,
    within_s: float = 60.0,
    outside: Outside | None = None,
) -> Evidence:
    """Wait until the system is quiet and read everything; again when something came meanwhile. One
    that does not come to rest in time is read as it is.
    """
    reader, provision = await voices.bus("reader"), await voices.bus("provision")
    for _ in range(_TRIES):
        before = await rest(provision, within_s)
        streams = {name: await stored(reader, name) for name in ARCHIVED}
        wanted = {str(one.event.id) for found in streams.values() for one in found if one.event}
        archive = await archived_ids(gateway, wanted)
        answers = await ask(gateway)
        books = await outside.broker_books() if outside else None
        asked = await outside.asked() if outside else None
        if before is None or await rest(provision, within_s) == before:
            break
    await documents.catch_up(voices)
    left = {} if before else await backlog(provision)
    if books is not None:
        answers = replace(answers, started_with=with_broker(answers.started_with, books))
    reading = voices.clock.reading
    stood = reading if reading and not reading.speed else None
    return Evidence(
        streams,
        archive,
        answers,
        documents.bots,
        acknowledged,
        left,
        broker=books,
        asked=asked,
        stands_at=stood.market_at if stood else None,
        ran_to=stood.limit_at if stood else None,
    )


def with_broker(started_with: Mapping[str, Decimal], books: BrokerBooks) -> dict[str, Decimal]:
    """What accounts began with; the one at the broker as it says."""
    return {**started_with, books.account: books.started_with}


async def rest(bus: Bus, within_s: float) -> dict[str, int] | None:
    """Where the streams end once all is quiet; None when it never is."""
    try:
        return await quiet(bus, within_s)
    except AssertionError:
        return None


async def archived_ids(gateway: Gateway, wanted: set[str]) -> frozenset[str]:
    """Ids of archived events: all that are wanted, or as many as come in time."""
    missing, found = set(wanted), set[str]()
    with suppress(TimeoutError):
        async with asyncio.timeout(_ARCHIVE_S):
            await _collect(gateway, missing, found)
    return frozenset(found)


async def _collect(gateway: Gateway, missing: set[str], found: set[str]) -> None:
    """Move ids from `missing` to `found` until none is missing."""
    async for event in gateway.archived():
        found.add(event["id"])
        missing.discard(event["id"])
        if not missing:
            return


async def ask(gateway: Gateway) -> Answers:
    """What REST says of verdicts, orders, fills and books."""
    positions = await gateway.every("/api/positions")
    equity = (await gateway.get("/api/equity/now"))["items"]
    accounts = (await gateway.get("/api/accounts"))["items"]
    verdicts = await gateway.every("/api/verdicts")
    orders = await gateway.every("/api/orders")
    fills = await gateway.every("/api/trades")
    dead = await gateway.every("/api/dead-letters")
    return Answers(
        positions={_place(p): Decimal(p["quantity"]) for p in positions},
        lots={_place(p): _sum(lot["quantity"] for lot in p["lots"]) for p in positions},
        cash={(e["bot"], e["account"]): Decimal(e["cash"]) for e in equity},
        started_with={a["id"]: Decimal(a["paper"]["starting_cash"]) for a in accounts},
        verdicts=frozenset(v["id"] for v in verdicts),
        orders=frozenset(o["id"] for o in orders),
        fills=frozenset(f["id"] for f in fills),
        dead_letters=len(dead),
    )


def _place(position: Mapping[str, str]) -> Place:
    return position["bot"], position["account"], position["symbol"]


def _sum(texts: Iterable[str]) -> Decimal:
    return sum(map(Decimal, texts), Decimal(0))
