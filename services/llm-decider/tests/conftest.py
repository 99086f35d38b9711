"""An llm-decider on a database of its own, with a market that the test sets and a model that says
what the test scripts.
"""

import asyncio
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from llm_decider.adapters import tables
from llm_decider.answering import Answerer
from llm_decider.calling import Caller, Timing
from llm_decider.commands import Commands, check
from llm_decider.domain.shapes import Ask, Ending, Failure, ModelCheck, Reply, Usage
from llm_decider.handlers import build_handlers
from llm_decider.reading import Reader
from llm_decider.status import Reporter
from llm_decider.worker import Worker
from signalbox.contracts.commands import Command
from signalbox.contracts.config import (
    Budget,
    LlmConfig,
    LlmDeciderConfig,
    PromptVersion,
    TokenPrice,
)
from signalbox.contracts.errors import PermanentError, TransientError
from signalbox.contracts.events import BarClosed, Event, LlmDecisionMade, SignalRaised
from signalbox.contracts.payloads import Bar
from signalbox.contracts.values import Target
from signalbox.runtime import ledger
from signalbox.runtime.db import Database
from signalbox.runtime.migrating import migrate
from signalbox.runtime.moment import Moment
from signalbox.testing.examples import NOON, a_bar
from signalbox.testing.wait import until

D = Decimal
CLOSE = D("210.50")
PROMPT = PromptVersion(
    prompt_id="standard",
    version=3,
    name="Standard",
    system="You trade {{interval}} bars.",
    user="Decide on {{symbols}} at {{time}}.\n{{market}}\n{{position}}\n{{news}}\n{{signals}}",
)
Said = Reply | Failure | BaseException | Callable[[Ask], Any]


def config(**over: Any) -> LlmConfig:
    """A model that is asked about AAPL at every bar; a million tokens cost a dollar, out two."""
    fields: dict[str, Any] = {
        "id": "demo",
        "name": "Demo",
        "provider": "openai",
        "target": Target.SANDBOX,
        "key_sealed": "sealed",
        "model": "test-model",
        "prompt_id": "standard",
        "symbols": ("AAPL",),
        "every": 1,
        "price": TokenPrice(input_usd=D(1), output_usd=D(2)),
        "cache_s": 0,
        "budget": Budget(day_usd=D(10), month_usd=D(100)),
    }
    return LlmConfig(**(fields | over))


def opinion(symbol: str, **over: Any) -> dict[str, Any]:
    """A buy of one symbol, as a model says it."""
    return {
        "symbol": symbol,
        "data_ok": True,
        "suspicious_input": False,
        "reasoning": "The trend is up.",
        "evidence": [],
        "action": "BUY",
        "confidence": 0.7,
        "horizon_minutes": 30,
        "stop_loss": None,
        "take_profit": None,
        "invalidation": None,
    } | over


def answer(*opinions: dict[str, Any], **over: Any) -> Reply:
    """A whole answer that used 1,000 tokens in and 100 out."""
    text = json.dumps({"schema_version": "1", "decisions": list(opinions)})
    fields: dict[str, Any] = {
        "ending": Ending.COMPLETE,
        "text": text,
        "served_model": "test-model-1",
        "usage": Usage(input_total=1000, output_total=100),
        "request_id": "req-1",
    }
    return Reply(**(fields | over))


def agreeing(ask: Ask) -> Reply:
    """A buy of everything that is asked about."""
    return answer(*(opinion(symbol) for symbol in ask.question.symbols))


@dataclass
class Model:
    """Says what is scripted, then agrees; remembers what it was asked."""

    script: list[Said] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)
    connected: bool = True

    async def ask(self, ask: Ask) -> Reply | Failure:
        self.asks.append(ask)
        said = self.script.pop(0) if self.script else agreeing
        if isinstance(said, BaseException):
            raise said
        if callable(said):
            said = said(ask) or agreeing(ask)
        if asyncio.isfuture(said) or asyncio.iscoroutine(said):
            said = await said
        assert isinstance(said, Reply | Failure)
        return said

    async def check(self, model: str) -> ModelCheck:
        return ModelCheck(self.connected, "fine" if self.connected else "The key is wrong.")


class Host:
    """Stands for the service: a database, clocks that the test sets, and ears for what is said."""

    def __init__(self, db: Database) -> None:
        self.db: Database | None = db
        self.document = LlmDeciderConfig(models=(config(),), prompts=(PROMPT,))
        self.now = NOON
        self.wall = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
        self.frozen = False
        self.replay = True
        self.speed = 1.0
        self.epoch = 1
        self.origin = "test"
        self.said: list[Event] = []
        self.closes: dict[str, Decimal] = {}
        self.asked: list[tuple[str, int]] = []
        self.is_market_away = False
        self.requests = itertools.count()
        self.stored: dict[str, bytes] = {}

    def moment(self) -> Moment[LlmDeciderConfig]:
        return Moment(
            service="llm-decider",
            now=self.now,
            wall=self.wall,
            config=self.document,
            version=1,
            epoch=self.epoch,
            speed=self.speed,
            replay=self.replay,
            frozen=self.frozen,
        )

    async def write(self, work: Callable[..., Any]) -> Any:
        assert self.db
        moment = self.moment()
        return await self.db.write(lambda sql: work(sql, moment))

    async def transact(self, work: Callable[..., Iterable[Event]]) -> list[Event]:
        made: list[Event] = await self.write(lambda sql, moment: list(work(sql, moment)))
        self.said += made
        return made

    async def ask(self, other: str, verb: str, body: Any = None, **_: Any) -> dict[str, Any]:
        assert (other, verb) == ("market-data", "bars")
        self.asked.append((body["symbol"], body["count"]))
        if self.is_market_away:
            raise TransientError("market-data is not running")
        close = self.closes.get(body["symbol"], CLOSE)
        if not close:
            return {"bars": []}
        count = min(body["count"], 40)
        bars = [self.bar(body["symbol"], n, close) for n in range(count, 0, -1)]
        return {"bars": [bar.model_dump(mode="json") for bar in bars]}

    @property
    def bus(self) -> "Host":
        return self

    async def last(self, _stream: str, _subject: str) -> bytes | None:
        return None

    async def newest(self, stream: str, *filters: str) -> list[bytes]:
        """The last message on each subject that was stored."""
        assert filters
        return [raw for at, raw in self.stored.items() if at.startswith(f"{stream} ")]

    def bar(self, symbol: str, ago: int = 1, close: Decimal = CLOSE) -> Bar:
        """The minute of a symbol that closed so many minutes ago, less one."""
        opened = self.now - timedelta(minutes=ago)
        return a_bar(
            symbol=symbol, close=close, high=close + 1, low=close - 1, open=close,
            opened_at=opened, epoch=self.epoch, origin=self.origin,
        )  # fmt: skip

    def of(self, kind: type[Event]) -> list[Any]:
        """The data of what was said of a kind."""
        return [event.data for event in self.said if isinstance(event, kind)]


class Process:
    """One replica: what dies when it is killed."""

    def __init__(
        self, host: Host, models: dict[str, Model], holder: str, dice: float = 1.0
    ) -> None:
        self.pauses: list[float] = []
        self.models = models
        self.host = host
        self.reader = Reader(host)
        timing = Timing(sleep=self._sleep, dice=lambda: dice)
        self.caller = Caller(host, self.open, timing)
        answerer = Answerer(host, self.reader, self.caller, self._sleep)
        self.worker = Worker(host, answerer, holder)
        self.reporter = Reporter(host, lambda one: check(self.open, one))
        self.commands = Commands(
            host, self.worker, self.reporter, self.reader, self.open, self.caller.mend
        )

    def open(self, one: LlmConfig) -> Model:
        if one.key_sealed == "shut":
            raise PermanentError("sealed to another service")
        return self.models.setdefault(one.id, Model())

    async def _sleep(self, seconds: float) -> None:
        """Wait by the test's clock."""
        self.pauses.append(seconds)
        self.host.wall += timedelta(seconds=seconds)

    async def work(self) -> None:
        """Take what is due and see it through."""
        await self.worker.look()
        await self.worker.idle()

    async def command(self, verb: str, **body: Any) -> dict[str, Any]:
        """Ask this replica."""
        id_ = body.pop("request_id", None) or f"r{next(self.host.requests)}"
        deadline = self.host.wall + timedelta(seconds=5)
        given = Command(request_id=id_, by="admin", deadline=deadline, body=body)
        found: dict[str, Any] = await getattr(self.commands, verb)(given)
        return found


@dataclass
class Station:
    """Everything that a test needs."""

    host: Host
    models: dict[str, Model] = field(default_factory=dict)
    processes: list[Process] = field(default_factory=list)

    def process(self, dice: float = 1.0) -> Process:
        """One more replica, or the same service after a restart."""
        holder = f"replica-{len(self.processes)}"
        self.processes.append(Process(self.host, self.models, holder, dice))
        return self.processes[-1]

    def model(self, config_id: str = "demo") -> Model:
        """The model behind a config."""
        return self.models.setdefault(config_id, Model())

    def configure(self, *configs: LlmConfig, **over: Any) -> None:
        """Put these configs in force."""
        fields = {"models": configs, "prompts": (PROMPT,)} | over
        self.host.document = LlmDeciderConfig(**fields)

    async def decide(self, *script: Said, process: Process | None = None, **body: Any) -> Any:
        """Ask about everything, with these answers; the decisions by symbol."""
        self.model().script += script
        doing = process or self.process()
        asked = await doing.command("decide", **{"config_id": "demo"} | body)
        await doing.work()
        wanted = set(asked["decision_ids"].values())
        made = [d for d in self.decisions if str(d.decision_id) in wanted]
        return {decision.symbol: decision for decision in made}

    config = staticmethod(config)
    answer = staticmethod(answer)
    agree = staticmethod(agreeing)
    usage = Usage
    opinion = staticmethod(opinion)

    @staticmethod
    def agreed(*symbols: str) -> Reply:
        """A buy of these."""
        return answer(*map(opinion, symbols))

    @staticmethod
    def price(input_usd: str, output_usd: str) -> TokenPrice:
        """A price of one's own."""
        return TokenPrice(input_usd=D(input_usd), output_usd=D(output_usd))

    @property
    def decisions(self) -> Sequence[Any]:
        """Every decision that was told."""
        return self.host.of(LlmDecisionMade)

    @property
    def signals(self) -> Sequence[Any]:
        """Every signal that was raised."""
        return self.host.of(SignalRaised)

    async def close_bars(self, *symbols: str) -> None:
        """A minute of these symbols has closed, and is heard."""
        moment = self.host.moment()
        events = [moment.event(BarClosed, self.host.bar(symbol)) for symbol in symbols]
        handlers = build_handlers(lambda: None)
        assert self.host.db
        await self.host.db.write(
            lambda sql: ledger.handle(sql, tables.metadata, handlers, events, moment)
        )

    def pass_time(self, seconds: float) -> None:
        """Wall time passes, and market time with it."""
        self.host.wall += timedelta(seconds=seconds)
        self.host.now += timedelta(seconds=seconds * self.host.speed)

    async def killed(self, **body: Any) -> tuple[Any, dict[str, Any]]:
        """A process dies while the model thinks, after it was asked: what would end its thinking,
        and the answer to the command.
        """
        process = self.process()
        thinking = asyncio.get_running_loop().create_future()
        before = len(self.model().asks)
        self.model().script.append(lambda _ask: thinking)
        asked = await process.command("decide", **{"config_id": "demo"} | body)
        await process.worker.look()
        await until(lambda: len(self.model().asks) > before)
        return thinking, asked

    async def rows(self, table: str, **where: Any) -> list[Any]:
        """Rows of one of llm-decider's tables."""
        found = tables.metadata.tables[table]
        query = select(found).filter_by(**where)
        assert self.host.db
        return await self.host.db.read(lambda sql: list(sql.execute(query)))

    async def purse(self, scope: str = "total", period: str = "day") -> Any:
        """A budget as it stands."""
        (found,) = await self.rows("purses", scope=scope, period=period)
        return found


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    """A host on SQLite, and processes as asked for."""
    with _on(tmp_path, None) as found:
        yield found


@pytest.fixture
def stored(tmp_path: Path, database_url: str | None) -> Iterator[Station]:
    """The same on SQLite and on PostgreSQL."""
    with _on(tmp_path, database_url) as found:
        yield found


@contextmanager
def _on(home: Path, url: str | None) -> Iterator[Station]:
    migrate("llm-decider", home=home, url=url)
    db = Database.open("llm-decider", home=home, url=url)
    try:
        yield Station(Host(db))
    finally:
        db.close()
