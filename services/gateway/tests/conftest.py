"""A gateway without a server: its own database and routes, everything around it played."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Connection

from gateway.adapters import user_store
from gateway.adapters.passwords import Passwords
from gateway.adapters.tables import metadata
from gateway.domain.roles import Person, Role
from gateway.handlers import build_handlers
from gateway.routes.api import build_api
from gateway.routes.context import Context
from signalbox.contracts import ids
from signalbox.contracts import payloads as p
from signalbox.contracts.commands import Command
from signalbox.contracts.config import GatewayConfig
from signalbox.contracts.events import (
    EquityMarked,
    Event,
    OrderChanged,
    PositionChanged,
    SignalRaised,
    VerdictReached,
)
from signalbox.contracts.values import Action, OrderState, Outcome, Reason, Side, SourceType
from signalbox.runtime import ledger
from signalbox.runtime.clock import wall_now
from signalbox.runtime.db import Database
from signalbox.runtime.handlers import Handlers
from signalbox.runtime.moment import Outgoing
from signalbox.runtime.secrets import SecretBox, new_key_pair
from signalbox.runtime.service import Service
from signalbox.runtime.settings import ServiceSettings
from signalbox.testing.examples import NOON, a_moment, a_signal, a_verdict

PASSWORD = "correct horse battery"
HTTP = "http://gateway"


class PlayedService(Service[GatewayConfig]):
    """A service whose bus is this object."""

    def __init__(self, home: Path) -> None:
        super().__init__(
            "gateway",
            ServiceSettings(home=home, _env_file=None),
            config=GatewayConfig,
            metadata=metadata,
            needs_clock=False,
        )
        self.open_database()
        private, public = new_key_pair()
        self.ingest_box = SecretBox(private)
        llm_private, llm_public = new_key_pair()
        self.llm_box = SecretBox(llm_private)
        executor_private, executor_public = new_key_pair()
        self.executor_box = SecretBox(executor_private)
        own_private, own_public = new_key_pair()
        self.box = SecretBox(own_private)
        self.buckets: dict[tuple[str, str], bytes] = {
            ("KEYS", "qc-ingest"): public.encode(),
            ("KEYS", "llm-decider"): llm_public.encode(),
            ("KEYS", "executor"): executor_public.encode(),
            ("KEYS", "gateway"): own_public.encode(),
        }
        self.sent: list[Outgoing] = []
        self.said: list[Event] = []
        self.asked: list[tuple[str, str, dict[str, Any], str, str | None]] = []
        self.answers: dict[tuple[str, str], Any] = {}

    async def transact(self, work: Any) -> list[Event]:
        assert self.db is not None
        moment = self.moment()
        made = await self.db.write(lambda sql: list(work(sql, moment)))
        for message in made:
            if isinstance(message, Outgoing):
                self.sent.append(message)
                _, bucket, key = message.subject.split(".", 2)
                self.buckets[bucket, key] = message.body
        self.said += [m for m in made if isinstance(m, Event)]
        return [m for m in made if isinstance(m, Event)]

    async def bucket_get(self, bucket: str, key: str) -> bytes | None:
        return self.buckets.get((bucket, key))

    async def ask(
        self, other: str, verb: str, body: dict[str, Any] | None = None, **options: Any
    ) -> dict[str, Any]:
        request_id, by = options["request_id"], options["by"]
        Command(request_id=request_id, by=by, deadline=wall_now(), body=body or {})  # as the bus
        self.asked.append((other, verb, body or {}, by, request_id))
        answer = self.answers.get((other, verb), {})
        found = answer(body) if callable(answer) else answer
        if isinstance(found, Exception):
            raise found
        return dict(found)


class Gateway:
    """The application with people who may use it."""

    def __init__(self, home: Path, app: FastAPI) -> None:
        self.service = PlayedService(home)
        self.context = Context(self.service)
        self.handlers: list[Handlers[Any]] = [*build_handlers(self.context.hub.tell)]
        self.app = app
        app.state.context = self.context
        self.tokens: dict[str, str] = {}

    def __call__(self, role: Role | str | None = Role.ADMIN, **headers: str) -> httpx.AsyncClient:
        """A client that is signed in with this role, or not at all."""
        if role is not None:
            headers["authorization"] = f"Bearer {self.tokens[role]}"
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=HTTP, headers=headers)

    def feed(self, *events: Event) -> None:
        """Bring events in as the streams would, each stream's in order."""
        assert self.service.db is not None
        for handlers in self.handlers:
            mine = [event for event in events if handlers.stream == event.STREAM]
            if not mine:
                continue
            with self.service.db.begin() as sql:
                _, _, state = ledger.handle(sql, metadata, handlers, mine, a_moment())
            if handlers.after and state is not None:
                handlers.after(state)


@asynccontextmanager
async def no_lifespan(_app: FastAPI) -> AsyncIterator[None]:
    yield


@pytest.fixture(scope="session")
def password_hash() -> str:
    """The hash of everybody's password; made once, since it takes its time."""
    return asyncio.run(Passwords().hash(PASSWORD))


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose database has its tables and nothing in them."""
    home = tmp_path_factory.mktemp("home")
    db = Database.open("gateway", home=home, url=None)
    with db.begin() as sql:
        metadata.create_all(sql)
    db.close()
    return home


@pytest.fixture(scope="session")
def app(empty_home: Path) -> FastAPI:
    """All routes; each test gives them its own gateway."""
    service = PlayedService(empty_home)
    assert service.db is not None
    service.db.close()
    return build_api(Context(service), lifespan=no_lifespan, extra=service.routes())


@pytest.fixture
async def gateway(
    tmp_path: Path, empty_home: Path, app: FastAPI, password_hash: str
) -> AsyncIterator[Gateway]:
    """Ready, with one user of each role, who is called by it, and configuration 1."""
    shutil.copytree(empty_home, tmp_path, dirs_exist_ok=True)
    gateway = Gateway(tmp_path, app)
    db = gateway.service.db
    assert db is not None

    def people(sql: Connection) -> None:
        for role in Role:
            person = Person(user_id=f"id-{role}", username=role.value, role=role)
            user_store.add(sql, person, password_hash, wall_now())
            gateway.tokens[role] = f"token-{role}"
            user_store.open_session(sql, person, gateway.tokens[role], wall_now())

    await db.write(people)
    await gateway.context.configuration.restore()
    gateway.context.ready = True
    yield gateway
    db.close()


class Story:
    """A QuantConnect signal that one bot trades and one asks about, with all that follows."""

    def __init__(self, *, own_id: str = "q1", symbol: str = "AAPL", minute: int = 0) -> None:
        self.at = NOON + timedelta(minutes=minute)
        self.signal = a_signal(
            source_type=SourceType.QUANTCONNECT,
            source_id="4711",
            own_id=own_id,
            symbol=symbol,
            raised_at=self.at,
            details={"configId": "demo"},
        )
        self.accepted = a_verdict(self.signal)
        self.pending = a_verdict(
            self.signal, bot="beta", outcome=Outcome.PENDING, reason=Reason.AWAITS_APPROVAL
        )
        key = ids.client_order_id("paper-alpha", str(self.signal.signal_id), "alpha", 0, 0)
        self.order_id = key
        self.lot_id = ids.lot_id(f"{key}-1")

    def raised(self) -> SignalRaised:
        return a_moment().event(SignalRaised, self.signal)

    def verdicts(self) -> list[VerdictReached]:
        cause = self.raised()
        return [
            a_moment().event(VerdictReached, verdict, cause=cause, sequence=1)
            for verdict in (self.accepted, self.pending)
        ]

    def approved(self) -> VerdictReached:
        verdict = a_verdict(
            self.signal, bot="beta", round=1, reason=Reason.APPROVED, decided_by="trader"
        )
        return a_moment().event(VerdictReached, verdict, cause=self.raised(), sequence=2)

    def order(self, state: OrderState, fill: p.Fill | None = None, **over: Any) -> OrderChanged:
        fields: dict[str, Any] = {
            "order_id": self.order_id,
            "intent_id": self.accepted.verdict_id,
            "bot": "alpha",
            "account": "paper-alpha",
            "mode": "paper",
            "symbol": self.signal.symbol,
            "side": Side.BUY,
            "quantity": D(10),
            "filled": fill.quantity if fill else D(0),
            "average_price": fill.price if fill else None,
            "state": state,
            "source_type": SourceType.QUANTCONNECT,
            "source_id": "4711",
            "confidence": D("0.7"),
            "signal_id": self.signal.signal_id,
            "verdict_id": self.accepted.verdict_id,
            "broker": "paper",
            "at": self.at,
            "fill": fill,
        }
        order = p.Order(**(fields | over))
        return a_moment().event(OrderChanged, order, cause=self.verdicts()[0])

    def orders(self) -> list[OrderChanged]:
        return [
            self.order(OrderState.PLANNED),
            self.order(OrderState.ACCEPTED),
            self.order(OrderState.FILLED, self.opening()),
        ]

    def slice(self, effect: Any, pnl: str) -> p.LotSlice:
        return p.LotSlice(
            lot_id=self.lot_id,
            source_type=SourceType.QUANTCONNECT,
            source_id="4711",
            effect=effect,
            quantity=D(10),
            entry_price=D(200),
            realised_pnl=D(pnl),
        )

    def opening(self) -> p.Fill:
        part = self.slice("opened", "-1")
        return p.Fill(
            fill_id=f"{self.order_id}-1", quantity=D(10), price=D(200), fee=D(1), slices=(part,)
        )

    def exit(self, price: str = "210", pnl: str = "99") -> OrderChanged:
        """The lot is sold: ten dollars each more, less a dollar for the broker."""
        key = ids.client_order_id("paper-alpha", f"exit|{self.lot_id}|stop", "alpha", 0, 0)
        fill = p.Fill(
            fill_id=f"{key}-1",
            quantity=D(10),
            price=D(price),
            fee=D(1),
            slices=(self.slice("closed", pnl),),
        )
        return self.order(
            OrderState.FILLED, fill, order_id=key, side=Side.SELL, purpose="exit", signal_id=None
        )

    def lot(self) -> p.Lot:
        return p.Lot(
            lot_id=self.lot_id,
            source_type=SourceType.QUANTCONNECT,
            source_id="4711",
            confidence=D("0.7"),
            quantity=D(10),
            entry_price=D(200),
            opened_at=self.at,
            order_id=self.order_id,
        )

    def book(self) -> list[Event]:
        return [self.position((self.lot(),)), self.equity("99999")]

    def hedged(self) -> PositionChanged:
        """As much long as short: lots that add up to nothing."""
        long = self.lot()
        short = long.model_copy(update={"lot_id": ids.lot_id("short"), "quantity": -long.quantity})
        return self.position((long, short), "3")

    def position(self, lots: tuple[p.Lot, ...], cause: str = "1") -> PositionChanged:
        held = p.Position(
            bot="alpha",
            account="paper-alpha",
            symbol=self.signal.symbol,
            quantity=sum((lot.quantity for lot in lots), D(0)),
            average_price=D(200) if lots else None,
            lots=lots,
            realised_pnl=D(-1),
            at=self.at,
            cause=f"{self.order_id}-{cause}",
        )
        return a_moment().event(PositionChanged, held)

    def equity(self, worth: str, cause: str = "1", *, account: str = "paper-alpha") -> EquityMarked:
        marked = p.Equity(
            bot="alpha",
            account=account,
            equity=D(worth),
            cash=D(97999),
            exposure_gross=D(2000),
            exposure_net=D(2000),
            realised_pnl=D(-1),
            unrealised_pnl=D(0),
            fees=D(1),
            at=self.at,
            cause=f"{self.order_id}-{cause}",
        )
        return a_moment().event(EquityMarked, marked)

    def all(self) -> list[Event]:
        """Everything, in the order in which it happens."""
        return [self.raised(), *self.verdicts(), *self.orders(), *self.book()]


@pytest.fixture
def story() -> Callable[..., Story]:
    """Makes stories."""
    return Story


def a_hold(minute: int) -> SignalRaised:
    """A strategy's hold; many of them fill a list."""
    at = NOON + timedelta(minutes=minute)
    signal = a_signal(own_id=f"h{minute}", action=Action.HOLD, raised_at=at)
    return a_moment().event(SignalRaised, signal)


@pytest.fixture
def holds() -> Callable[[int], list[SignalRaised]]:
    """Makes so many signals, a minute apart."""
    return lambda count: [a_hold(minute) for minute in range(count)]
