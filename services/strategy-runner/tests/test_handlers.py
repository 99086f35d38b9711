"""Every outcome of a closed bar, and what the runner makes of its configuration."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from pydantic import JsonValue

from signalbox.contracts.config import StrategyConfig, StrategyInstance
from signalbox.contracts.errors import NotFound, TransientError
from signalbox.contracts.events import BarClosed, Event, SignalRaised, StateChanged
from signalbox.contracts.payloads import Bar
from signalbox.contracts.values import Action, Severity
from signalbox.runtime.moment import Moment
from signalbox.testing.examples import NOON, a_bar, a_moment
from signalbox.testing.wait import until
from strategy_runner.handlers import Runner, build_handlers

Bars = Callable[..., list[Bar]]
CROSS = StrategyInstance(
    id="cross", strategy="sma_cross", symbols=("AAPL",), parameters={"fast": D(1), "slow": D(2)}
)
FALLING = [9, 8, 7, 6]  # a rise after these crosses upwards
RISE = NOON + timedelta(minutes=len(FALLING))


class FakeHost:
    """A service without a bus, and market-data's answers."""

    def __init__(self, *instances: StrategyInstance) -> None:
        config = StrategyConfig(instances=instances)
        self.now = a_moment(config, service="strategy-runner")
        self.history: list[Bar] | None = []  # None: market-data does not run
        self.asked: list[dict[str, JsonValue]] = []
        self.sent: list[Event] = []
        self.alerts: list[tuple[str, str, bool]] = []

    def moment(self) -> Moment[StrategyConfig]:
        return self.now

    def configure(self, *instances: StrategyInstance) -> None:
        config = StrategyConfig(instances=instances)
        self.now = replace(self.now, config=config, version=self.now.version + 1)

    async def publish(self, events: Iterable[Event]) -> None:
        self.sent += events

    async def ask(
        self, other: str, verb: str, body: dict[str, JsonValue] | None = None, **_options: Any
    ) -> dict[str, Any]:
        assert (other, verb) == ("market-data", "bars")
        self.asked.append(body or {})
        if self.history is None:
            raise TransientError("market-data is not running")
        if self.asked[-1]["symbol"] == "NONE":
            raise NotFound("there are no 1m bars of NONE")
        return {"bars": [bar.model_dump(mode="json") for bar in self.history]}

    async def alert(
        self,
        severity: Severity,
        code: str,
        about: str,
        message: str,
        *,
        occurrence: str,
        active: bool = True,
    ) -> None:
        self.alerts.append((about, message, active))

    def statuses(self) -> list[JsonValue]:
        return [e.data.body["status"] for e in self.sent if isinstance(e, StateChanged)]


def hear(runner: Runner, host: FakeHost, *bars: Bar) -> list[SignalRaised]:
    """What the handler makes of these bars, one after the other."""
    handler = build_handlers(runner).by_type[BarClosed]
    made: list[SignalRaised] = []
    for bar in bars:
        event = host.now.event(BarClosed, bar)
        made += [e for e in handler(event, None, host.now) or () if isinstance(e, SignalRaised)]
    return made


@pytest.fixture
def host(bars: Bars) -> FakeHost:
    host = FakeHost(CROSS)
    host.history = bars(FALLING)
    return host


@pytest.fixture
def runner(host: FakeHost) -> Runner:
    return Runner(host)


def risen(**over: Any) -> Bar:
    return a_bar(**({"opened_at": RISE, "close": D("8"), "low": D(1)} | over))


async def test_a_signal_is_raised_when_a_strategy_speaks(runner: Runner, host: FakeHost) -> None:
    await runner.start()
    (event,) = hear(runner, host, risen())
    assert event.subject == "sb.v1.signals.strategy.cross.AAPL"
    assert event.data.action is Action.BUY
    assert event.data.valid_until == risen().closed_at + timedelta(hours=2)
    assert event.causationid == BarClosed.key(risen())
    assert host.asked == [{"symbol": "AAPL", "interval": "1m", "count": 1000}]


async def test_nothing_is_raised_when_no_strategy_speaks(runner: Runner, host: FakeHost) -> None:
    await runner.start()
    assert not hear(runner, host, risen(close=D(5)))


@pytest.mark.parametrize(
    "over",
    [
        pytest.param({"symbol": "IBM"}, id="another symbol"),
        pytest.param({"interval": "1d"}, id="another interval"),
    ],
)
async def test_nothing_is_raised_when_no_strategy_listens(
    runner: Runner, host: FakeHost, over: dict[str, str]
) -> None:
    await runner.start()
    assert not hear(runner, host, risen(**over))


async def test_nothing_is_raised_by_an_instance_that_is_switched_off(bars: Bars) -> None:
    host = FakeHost(CROSS.model_copy(update={"active": False}))
    runner = Runner(host)
    await runner.start()
    assert not hear(runner, host, risen())
    assert not host.asked


async def test_the_same_signal_is_raised_when_the_bar_comes_again(
    runner: Runner, host: FakeHost
) -> None:
    await runner.start()
    first, again = hear(runner, host, risen(), risen())
    assert (first.id, first.data) == (again.id, again.data)


async def test_a_bar_of_the_history_is_answered_from_memory(runner: Runner, host: FakeHost) -> None:
    """What was not acknowledged before a restart comes again, and is in the history too."""
    host.history = [*(host.history or []), risen()]
    await runner.start()
    (event,) = hear(runner, host, risen())
    assert event.data.action is Action.BUY


async def test_an_older_bar_is_skipped(runner: Runner, host: FakeHost) -> None:
    await runner.start()
    assert not hear(runner, host, a_bar(opened_at=NOON - timedelta(hours=1), close=D(99)))


async def test_a_bar_waits_while_its_strategy_is_not_warm(runner: Runner, host: FakeHost) -> None:
    with pytest.raises(TransientError, match="AAPL 1m are warming up"):
        hear(runner, host, risen())
    await runner.catch_up()
    assert len(hear(runner, host, risen())) == 1


async def test_a_bar_waits_after_a_gap_until_history_has_closed_it(
    runner: Runner, host: FakeHost, bars: Bars
) -> None:
    await runner.start()
    hear(runner, host, risen(close=D(5)))
    after = risen(opened_at=RISE + timedelta(minutes=2))
    with pytest.raises(TransientError):
        hear(runner, host, after)
    host.history = bars([*FALLING, 5, 4])
    await runner.catch_up()
    assert len(hear(runner, host, after)) == 1
    assert len(host.asked) == 2


async def test_a_bar_waits_when_a_new_loop_begins(
    runner: Runner, host: FakeHost, bars: Bars
) -> None:
    await runner.start()
    week = timedelta(days=7)
    fresh = risen(opened_at=RISE + week, epoch=2)
    with pytest.raises(TransientError):
        hear(runner, host, fresh)
    host.history = bars(FALLING, first=NOON + week, epoch=2)
    await runner.catch_up()
    assert len(hear(runner, host, fresh)) == 1


async def test_nothing_is_lost_while_market_data_is_away(runner: Runner, host: FakeHost) -> None:
    kept, host.history = host.history, None
    with pytest.raises(TransientError):
        await runner.start()
    with pytest.raises(TransientError):
        hear(runner, host, risen())
    host.history = kept
    await runner.start()
    assert len(hear(runner, host, risen())) == 1


async def test_one_instance_that_waits_takes_no_word_from_another(
    runner: Runner, host: FakeHost
) -> None:
    await runner.start()
    host.configure(CROSS, CROSS.model_copy(update={"id": "second"}))
    with pytest.raises(TransientError):
        hear(runner, host, risen())
    await runner.catch_up()
    assert [e.data.source_id for e in hear(runner, host, risen())] == ["cross", "second"]


async def test_a_series_without_history_begins_with_its_first_bar(bars: Bars) -> None:
    host = FakeHost(CROSS.model_copy(update={"symbols": ("NONE",)}))
    runner = Runner(host)
    await runner.start()
    row = bars([*FALLING, 8], symbol="NONE")
    assert [e.data.symbol for e in hear(runner, host, *row)] == ["NONE"]


async def test_changed_parameters_warm_up_again(runner: Runner, host: FakeHost) -> None:
    await runner.start()
    host.configure(CROSS.model_copy(update={"parameters": {"fast": D(2), "slow": D(3)}}))
    with pytest.raises(TransientError):
        hear(runner, host, risen())
    await runner.catch_up()
    (event,) = hear(runner, host, risen(close=D(20)))
    assert (event.data.details["fast"], event.data.details["slow"]) == ("2", "3")


async def test_a_removed_instance_says_nothing_more(runner: Runner, host: FakeHost) -> None:
    await runner.start()
    host.configure()
    await runner.catch_up()
    assert not hear(runner, host, risen())
    assert host.statuses() == ["running", "stopped"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        pytest.param({"strategy": "momentum"}, "no strategy momentum", id="unknown strategy"),
        pytest.param({"parameters": {"fast": D(9), "slow": D(3)}}, "not below", id="parameters"),
        pytest.param({"interval": "soon"}, "interval is 'soon'", id="interval"),
    ],
)
async def test_a_refused_instance_is_told_once_and_stops_nobody(
    runner: Runner, host: FakeHost, change: dict[str, Any], problem: str
) -> None:
    wrong = CROSS.model_copy(update={"id": "wrong", **change})
    host.configure(wrong, CROSS)
    await runner.start()
    await runner.catch_up()
    assert [e.data.source_id for e in hear(runner, host, risen())] == ["cross"]
    ((about, message, active),) = host.alerts
    assert (about, active) == ("strategy:wrong", True)
    assert problem in message
    assert host.statuses() == ["refused", "running"]

    host.configure(CROSS.model_copy(update={"id": "wrong"}), CROSS)
    await runner.catch_up()
    assert host.alerts[-1] == ("strategy:wrong", "Strategy wrong: it runs now.", False)
    assert len(hear(runner, host, risen())) == 2


async def test_a_refused_instance_that_goes_is_no_trouble_any_more(
    runner: Runner, host: FakeHost
) -> None:
    host.configure(CROSS.model_copy(update={"strategy": "momentum"}))
    await runner.start()
    host.configure()
    await runner.catch_up()
    assert [active for _, _, active in host.alerts] == [True, False]
    assert host.statuses() == ["refused", "stopped"]


async def test_run_warms_up_what_a_bar_was_waiting_for(runner: Runner, host: FakeHost) -> None:
    running = asyncio.create_task(runner.run())
    await until(lambda: len(host.asked) == 1)
    host.configure(CROSS, CROSS.model_copy(update={"id": "second"}))
    runner.hurry()
    await until(lambda: len(host.asked) == 2)
    running.cancel()
    assert len(hear(runner, host, risen())) == 2


async def test_every_kind_is_told_with_its_parameters() -> None:
    host = FakeHost()
    await Runner(host).show_kinds()
    told = {e.data.id: e.data.body for e in host.sent if isinstance(e, StateChanged)}
    assert told["sma-cross"] == {"parameters": {"fast": "10", "slow": "30"}}
    assert {"bollinger", "donchian", "ema-cross", "macd", "rsi-reversion"} <= told.keys()
