"""The executor on a real server: verdicts in, orders, positions and equity out."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select
from starlette.applications import Starlette

from executor.adapters.tables import metadata, orders
from executor.app import create_app, create_service
from executor.handlers import memory, verdicts
from executor.settings import Settings
from signalbox.contracts.accounts import KillSwitch
from signalbox.contracts.config import ExecutorConfig
from signalbox.contracts.events import (
    AlertRaised,
    EquityMarked,
    OrderChanged,
    PositionChanged,
    QuoteUpdated,
    VerdictReached,
)
from signalbox.contracts.limits import Limits
from signalbox.contracts.values import Action, OrderState, SourceType
from signalbox.runtime.migrating import migrate
from signalbox.runtime.service import Service
from signalbox.testing.desk import Desk, desk_on, running
from signalbox.testing.examples import (
    NOON,
    a_bot,
    a_moment,
    a_quote,
    a_signal,
    a_verdict,
    a_withdrawal,
    an_account,
    raised,
    reached,
    withdrawn,
)
from signalbox.testing.servers import RunningNats
from signalbox.testing.wait import until

pytestmark = pytest.mark.integration
LIMITS = Limits(max_orders_per_minute=10_000, max_repeats=10_000, loss_streak=0)
CONFIG = ExecutorConfig(bots=(a_bot(limits=LIMITS),), accounts=(an_account(),))
MOMENT = a_moment(CONFIG)


def executor(desk: Desk, url: str | None = None) -> Service[ExecutorConfig]:
    home = desk.nats.home
    migrate("executor", home=home, url=url)
    address = SecretStr(url) if url else None
    return create_service(Settings(home=home, database_url=address))


@pytest.fixture
async def desk(nats_server: RunningNats) -> AsyncIterator[Desk]:
    async with desk_on(nats_server) as desk:
        await desk.configure("executor", CONFIG)
        yield desk


def quote(**over: Any) -> QuoteUpdated:
    return MOMENT.event(QuoteUpdated, a_quote(volume=None, **over))


def verdict(
    number: int, action: Action = Action.BUY, symbol: str = "AAPL", **over: Any
) -> VerdictReached:
    fields = {"own_id": f"{symbol}{number}", "action": action, "symbol": symbol, "price": None}
    signal = a_signal(**(fields | over))
    return reached(a_verdict(signal), number, MOMENT)


def states(desk: Desk) -> list[OrderState]:
    return [event.data.state for event in desk.of(OrderChanged)]


async def attempts(service: Service[ExecutorConfig]) -> int:
    """How many messages have failed at least once."""
    table = metadata.tables["attempts"]
    assert service.db is not None
    return len(await service.db.read(lambda sql: sql.execute(select(table)).all()))


def test_the_app_can_be_made() -> None:
    assert isinstance(create_app(), Starlette)


async def test_a_verdict_becomes_a_fill_a_position_and_an_equity(
    desk: Desk, database_url: str | None
) -> None:
    await desk.say(quote())  # before it starts: it reads the newest quotes of the stream
    async with running(executor(desk, database_url)):
        await desk.say(verdict(1))
        await desk.hear(EquityMarked)
    async with running(executor(desk, database_url)):  # its books agree with its fills
        await desk.say(verdict(2, Action.SELL), verdict(1, symbol="MSFT"))
        await desk.hear(EquityMarked, 2)
        await desk.hear(OrderChanged, 8)
        await desk.ask("executor", "close", {"bot": "alpha", "symbol": "MSFT"})
        await desk.hear(OrderChanged, 9)
    filled = [OrderState.PLANNED, OrderState.ACCEPTED, OrderState.FILLED]
    assert states(desk) == [*filled, *filled, *filled[:2], OrderState.CANCELED]
    assert [p.data.quantity for p in desk.of(PositionChanged)] == [Decimal("4.7501"), 0]
    assert not desk.of(AlertRaised)


async def test_an_order_waits_for_a_quote_and_is_filled_by_it(desk: Desk) -> None:
    async with running(executor(desk)):
        await desk.say(verdict(1))
        await desk.hear(OrderChanged, 2)
        await desk.say(quote())
        await desk.hear(PositionChanged)
    filled = desk.of(OrderChanged)[-1]
    assert filled.data.state is OrderState.FILLED
    assert filled.correlationid == verdict(1).correlationid


async def test_what_waited_before_a_restart_is_filled_after_it(desk: Desk) -> None:
    async with running(executor(desk)):
        await desk.say(verdict(1))
        await desk.hear(OrderChanged, 2)
    await desk.say(quote())
    async with running(executor(desk)):
        await desk.hear(PositionChanged)
    assert states(desk)[-1] is OrderState.FILLED


async def test_what_waits_expires_with_the_market_clock(desk: Desk) -> None:
    async with running(executor(desk)):
        await desk.say(verdict(1))
        await desk.hear(OrderChanged, 2)
        await desk.set_clock(NOON + timedelta(minutes=6))
        await desk.hear(OrderChanged, 3)
    assert states(desk)[-1] is OrderState.EXPIRED


async def test_what_its_source_takes_back_is_not_bought(
    desk: Desk, database_url: str | None
) -> None:
    theirs: dict[str, Any] = {"source_type": SourceType.QUANTCONNECT}  # nobody else does that
    first, late = verdict(1, symbol="S1", **theirs), verdict(1, symbol="LATE", **theirs)
    async with running(executor(desk, database_url)):
        await desk.say(raised(first.data.signal), first)
        await desk.hear(OrderChanged, 2)
        for one in (late, first):  # one before its verdict comes, and heard when the other is
            await desk.say(withdrawn(a_withdrawal(one.data.signal, valid_until=NOON)))
        await desk.hear(OrderChanged, 3)
    await desk.say(quote(symbol="S1"), quote(symbol="LATE"))
    async with running(executor(desk, database_url)):  # it has not forgotten
        await desk.say(late)
        await desk.hear(OrderChanged, 4)
    told = [(o.data.state, o.data.reason) for o in desk.of(OrderChanged)[2:]]
    assert told == [
        (OrderState.CANCELED, "signal_withdrawn"),
        (OrderState.DENIED, "signal_withdrawn"),
    ]


async def test_verdicts_that_come_the_wrong_way_round_are_read_again_in_order(desk: Desk) -> None:
    service = executor(desk)
    await desk.say(quote())
    async with running(service):
        await desk.say(verdict(3), verdict(2, Action.SELL))
        await until(lambda: len(desk.of(VerdictReached)) == 2)
        await desk.say(verdict(1))
        held = [p.data.quantity for p in await desk.hear(PositionChanged, 3)]
        tries = await attempts(service)
    assert held == [Decimal("4.7501"), 0, Decimal("4.7501")]
    assert tries == 0  # waiting for another is no failure
    assert not desk.of(AlertRaised)


async def test_a_verdict_that_never_comes_halts_its_key(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (memory, verdicts):
        monkeypatch.setattr(module, "GAP_PATIENCE_S", 1.5)
    service = executor(desk)
    await desk.say(quote())
    async with running(service):
        await desk.say(verdict(2))
        await desk.hear(AlertRaised)
        await desk.hear(OrderChanged)
        tries = await attempts(service)
    assert [(a.data.code, a.data.about) for a in desk.of(AlertRaised)] == [
        ("key_halted", "key:alpha/AAPL")
    ]
    assert [(o.data.state, o.data.reason) for o in desk.of(OrderChanged)] == [
        (OrderState.DENIED, "trading_halted")
    ]
    assert tries == 0


async def test_the_kill_switch_ends_what_waits_and_lets_nothing_in(desk: Desk) -> None:
    async with running(executor(desk)):
        await desk.say(verdict(1))
        await desk.hear(OrderChanged, 2)
        stopped = CONFIG.model_copy(update={"kill_switch": KillSwitch(everything=True)})
        await desk.configure("executor", stopped, version=2)
        await until(lambda: states(desk)[-1] is OrderState.CANCELED)
        await desk.say(verdict(2))
        await desk.hear(OrderChanged, 4)
    assert states(desk)[-1] is OrderState.DENIED


async def test_flatten_closes_and_a_repeat_gets_the_same_answer(desk: Desk) -> None:
    await desk.say(quote(), quote(symbol="MSFT"))
    async with running(executor(desk)):
        await desk.say(verdict(1), verdict(1, symbol="MSFT"))
        await desk.hear(PositionChanged, 2)
        first = await desk.ask("executor", "flatten", {"bot": "alpha"})
        assert await desk.ask("executor", "flatten", {"bot": "alpha"}) == first
        await desk.hear(PositionChanged, 4)
    assert len(first["body"]["orders"]) == 2
    assert [p.data.quantity for p in desk.of(PositionChanged)[2:]] == [0, 0]


async def test_several_hundred_verdicts_come_out_complete_and_in_order(desk: Desk) -> None:
    symbols = [f"S{n}" for n in range(7)]
    await desk.say(*[quote(symbol=symbol) for symbol in symbols])
    actions = (Action.BUY, Action.SELL)
    sent = [
        verdict(turn + 1, actions[turn % 2], symbol) for turn in range(40) for symbol in symbols
    ]
    service = executor(desk)
    async with running(service):
        await desk.say(*sent)
        done = await desk.hear(PositionChanged, len(sent), 30)
        assert service.db is not None
        stored = await service.db.read(lambda sql: sql.execute(select(orders.c.state)).all())
    assert [row.state for row in stored] == [OrderState.FILLED] * len(sent)
    for symbol in symbols:
        held = [p.data.quantity for p in done if p.data.symbol == symbol]
        assert held == [Decimal("4.7501"), 0] * 20
    assert len(desk.of(OrderChanged)) == 3 * len(sent)
