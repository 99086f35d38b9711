"""When to act: strategies are warmed up on history, then hear every closed bar."""

import asyncio
import logging
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from pydantic import JsonValue, TypeAdapter

from signalbox.contracts.config import StrategyConfig, StrategyInstance
from signalbox.contracts.errors import Malformed, NotFound, TransientError
from signalbox.contracts.events import BarClosed, Event, SignalRaised, StateChanged
from signalbox.contracts.payloads import Bar, State
from signalbox.contracts.values import Severity, SourceType
from signalbox.runtime import metrics
from signalbox.runtime.handlers import Handlers
from signalbox.runtime.hosts import Alerts, Asks
from signalbox.runtime.moment import Moment
from strategy_runner.domain.engine import HISTORY, Engine
from strategy_runner.domain.signals import signal_of
from strategy_runner.domain.strategy import kinds

log = logging.getLogger(__name__)

LOOK_S = 1.0  # what is missing is tried again this often
ASK_TIMEOUT_S = 5.0
_BARS = TypeAdapter(list[Bar])


class Host(Asks, Alerts, Protocol):
    """What the runner needs of the service it runs in."""

    def moment(self) -> Moment[StrategyConfig]:
        """This instant."""

    async def publish(self, events: Iterable[Event]) -> None:
        """Publish and wait until all is stored."""


class Key(NamedTuple):
    """One instance on one symbol."""

    instance: str
    symbol: str


class Runner:
    """Every engine that the configuration asks for. Nothing is stored: history rebuilds it."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._engines: dict[Key, Engine] = {}
        self._refused: dict[str, tuple[StrategyInstance, str]] = {}  # by instance id
        self._shown: dict[str, StrategyInstance] = {}
        self._missing: set[Key] = set()
        self._nudge = asyncio.Event()
        self.problem: str | None = None  # why not every strategy is warm

    def hurry(self) -> None:
        """Look at the configuration now."""
        self._nudge.set()

    def engines(self, config: StrategyConfig, bar: Bar) -> list[Engine]:
        """The engines that hear this bar.

        Raises:
            TransientError: one is not warm for it; it is warmed up now, so the bar may come again.
        """
        listening = [i for i in config.instances if _hears(i, bar) and not self._is_refused(i)]
        found = [self._engines.get(Key(i.id, bar.symbol)) for i in listening]
        ready: list[Engine] = []
        for instance, engine in zip(listening, found, strict=True):
            if engine is None or engine.instance != instance or not engine.takes(bar):
                self._missing.add(Key(instance.id, bar.symbol))
            else:
                ready.append(engine)
        if len(ready) < len(listening):
            self._nudge.set()
            raise TransientError(f"strategies on {bar.symbol} {bar.interval} are warming up")
        return ready

    async def start(self) -> None:
        """Warm up everything before the first bar is heard.

        Raises:
            TransientError: market-data does not answer.
        """
        await self.catch_up()
        if self.problem:
            raise TransientError(self.problem)

    async def run(self) -> None:
        """Keep the engines as the configuration and the bars want them."""
        while True:
            await self.catch_up()
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._nudge.wait()
            except TimeoutError:
                continue
            self._nudge.clear()

    async def catch_up(self) -> None:
        """Warm up what is missing, drop what is no longer configured."""
        wanted = {i.id: i for i in self._host.moment().config.instances if i.active}
        problem: str | None = None
        await self._drop(wanted)
        for instance in wanted.values():
            if self._is_refused(instance):
                continue
            try:
                await self._warm(instance)
            except Malformed as error:
                await self._refuse(instance, str(error))
            except TransientError as error:
                problem = f"no history for {instance.id}: {error}"
        self._missing = {key for key in self._missing if _wants(wanted, key)}
        if problem and not self.problem:
            log.warning(problem)
        self.problem = problem

    async def _drop(self, wanted: dict[str, StrategyInstance]) -> None:
        for key in [key for key in self._engines if not _wants(wanted, key)]:
            del self._engines[key]
        for instance in [i for i in self._shown.values() if i.id not in wanted]:
            if self._refused.pop(instance.id, None):
                await self._tell(instance, "it is not configured any more", active=False)
            await self._show(instance, "stopped", "")
            del self._shown[instance.id]

    async def _warm(self, instance: StrategyInstance) -> None:
        warmed = False
        for symbol in instance.symbols:
            key = Key(instance.id, symbol)
            engine = self._engines.get(key)
            if engine and engine.instance == instance and key not in self._missing:
                continue
            Engine(instance)  # refuses before anything is asked
            self._engines[key] = Engine(instance, await self._history(instance, symbol))
            self._missing.discard(key)
            warmed = True
        if warmed:
            await self._accept(instance)

    async def _history(self, instance: StrategyInstance, symbol: str) -> list[Bar]:
        body: dict[str, JsonValue] = {
            "symbol": symbol,
            "interval": instance.interval,
            "count": HISTORY,
        }
        try:
            answer = await self._host.ask(
                "market-data", "bars", body, by="strategy-runner", timeout_s=ASK_TIMEOUT_S
            )
        except NotFound:
            return []  # a series that begins with the bars to come
        return _BARS.validate_python(answer["bars"])

    def _is_refused(self, instance: StrategyInstance) -> bool:
        refused = self._refused.get(instance.id)
        return refused is not None and refused[0] == instance

    async def _refuse(self, instance: StrategyInstance, problem: str) -> None:
        await self._tell(instance, problem, active=True)
        self._refused[instance.id] = (instance, problem)
        await self._show(instance, "refused", problem)

    async def _accept(self, instance: StrategyInstance) -> None:
        if instance.id in self._refused:
            await self._tell(instance, "it runs now", active=False)
            del self._refused[instance.id]
        await self._show(instance, "running", "")

    async def _tell(self, instance: StrategyInstance, what: str, *, active: bool) -> None:
        message = f"Strategy {instance.id}: {what}."
        if active:
            message += " It gives no signals until its configuration is put right."
        occurrence = f"{instance.id}|{self._host.moment().version}"
        await self._host.alert(
            Severity.WARNING if active else Severity.INFO,
            "strategy_refused",
            f"strategy:{instance.id}",
            message,
            occurrence=occurrence,
            active=active,
        )

    async def _show(self, instance: StrategyInstance, status: str, problem: str) -> None:
        moment = self._host.moment()
        warm: list[JsonValue] = [s for s in instance.symbols if self._is_warm(Key(instance.id, s))]
        body: dict[str, JsonValue] = {
            "strategy": instance.strategy,
            "interval": instance.interval,
            "symbols": list(instance.symbols),
            "parameters": {name: str(value) for name, value in instance.parameters.items()},
            "status": status,
            "problem": problem,
            "warm": warm,
        }
        self._shown[instance.id] = instance
        state = State(
            service=moment.service, kind="strategy", id=instance.id, body=body, at=moment.wall
        )
        await self._host.publish([moment.event(StateChanged, state)])

    async def show_kinds(self) -> None:
        """Tell which strategies there are, with the defaults of their parameters."""
        moment = self._host.moment()
        told: list[Event] = []
        for kind in kinds().values():
            body: dict[str, JsonValue] = {name: str(value) for name, value in kind.defaults.items()}
            name = kind.name.replace("_", "-")
            state = State(
                service=moment.service,
                kind="kind",
                id=name,
                body={"parameters": body},
                at=moment.wall,
            )
            told.append(moment.event(StateChanged, state))
        await self._host.publish(told)

    def _is_warm(self, key: Key) -> bool:
        engine = self._engines.get(key)
        return engine is not None and engine.warm


def build_handlers(runner: Runner) -> Handlers[None]:
    """Everything that happens when a bar closes."""
    handlers: Handlers[None] = Handlers("MARKET", "strategy-runner")

    @handlers.on(BarClosed)
    def on_bar_closed(
        event: BarClosed, _state: None, moment: Moment[StrategyConfig]
    ) -> Iterator[Event]:
        """Outcomes: a signal for each strategy that says something; the same again when the bar
        comes again; nothing when no strategy listens or says anything, or the bar is too old;
        `TransientError` while one is not warm, after a gap, and when a new loop begins.
        """
        bar = event.data
        for engine in runner.engines(moment.config, bar):
            opinion = engine.hear(bar)
            if opinion is None:
                continue
            signal = signal_of(
                engine.instance, bar, opinion, replay=moment.replay, speed=moment.speed
            )
            metrics.SIGNALS.labels(SourceType.STRATEGY, signal.source_id, "raised").inc()
            metrics.LAST_SIGNAL.labels(signal.source_id).set(moment.wall.timestamp())
            yield moment.event(SignalRaised, signal, cause=event)

    return handlers


def _hears(instance: StrategyInstance, bar: Bar) -> bool:
    return instance.active and instance.interval == bar.interval and bar.symbol in instance.symbols


def _wants(wanted: dict[str, StrategyInstance], key: Key) -> bool:
    return key.instance in wanted and key.symbol in wanted[key.instance].symbols
