"""A flip: what a word closes is filled first, then the entry of the same verdict follows."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from executor.adapters.tables import metadata
from executor.adapters.tables import orders as order_rows
from executor.domain.flip import barred, due, follower
from executor.domain.orders import Execution, Follow, Recall, Submission, Ticket, advance, filled
from executor.domain.plan import plan
from executor.domain.scene import Intent, Scene
from executor.handlers.withdrawals import build_handlers
from signalbox.contracts import ids
from signalbox.contracts.accounts import KillSwitch
from signalbox.contracts.limits import Exits, Limits
from signalbox.contracts.payloads import Order
from signalbox.contracts.values import Action, OrderState
from signalbox.testing.examples import (
    NOON,
    a_bot,
    a_signal,
    a_verdict,
    a_withdrawal,
    an_order,
    withdrawn,
)
from signalbox.testing.runner import run

D = Decimal
S = OrderState
BUY, SELL, CLOSE = Action.BUY, Action.SELL, Action.CLOSE
POST = "alpaca/post/v2/orders"
HOUR = timedelta(hours=1)
Shop = Any  # what conftest.py makes
Open = Callable[..., AbstractAsyncContextManager[Any]]


@pytest.fixture
def flat(shop_with: Callable[..., Shop]) -> Shop:
    """A bot that may sell short, and a fresh quote."""
    shop = shop_with(allow_short=True)
    shop.quote()
    return shop


@pytest.fixture
def waits(flat: Shop) -> Shop:
    """Its long position is to be sold and sold short, as soon as a quote comes again."""
    flat.accept(BUY)
    flat.later(minutes=2)
    flat.accept(SELL, valid_until=flat.now + HOUR)
    assert [t.follow is None for t in flat.memory.waiting.values()] == [False]
    return flat


def of_verdicts(shop: Shop) -> list[Order]:
    """All orders, in the order in which they were planned, then of their legs."""
    query = select(order_rows.c.order_id).order_by(order_rows.c.planned_at, order_rows.c.leg)
    with shop.db.begin() as sql:
        names = list(sql.scalars(query))
    return [shop.order(name) for name in names]


async def meet(shop: Shop, **over: Any) -> list[Order]:
    """A fresh quote comes, and everything that waits for it is tried until nothing more moves."""
    shop.quote(**over)
    while shop.memory.quoted:
        symbols, shop.memory.quoted = shop.memory.quoted, set()
        await shop.floor.fill(symbols)
    return of_verdicts(shop)


@pytest.mark.parametrize(
    ("first", "then", "bot", "symbol", "follows"),
    [
        pytest.param(BUY, SELL, {"allow_short": True}, "AAPL", True, id="long to short"),
        pytest.param(SELL, BUY, {"allow_short": True}, "AAPL", True, id="short to long"),
        pytest.param(BUY, SELL, {}, "AAPL", False, id="may not sell short"),
        pytest.param(BUY, SELL, {"allow_short": True}, "BTC/USD", False, id="a spot pair"),
        pytest.param(BUY, CLOSE, {"allow_short": True}, "AAPL", False, id="a close is no flip"),
        pytest.param(
            BUY, SELL, {"allow_short": True, "symbols": ("MSFT",)}, "AAPL", False, id="not listed"
        ),
    ],
)
def test_what_follows_an_exit(
    flat: Shop, first: Action, then: Action, bot: dict[str, Any], symbol: str, *, follows: bool
) -> None:
    flat.quote(symbol=symbol)
    flat.accept(first, symbol=symbol)
    account = flat.config.accounts[0]
    scene = Scene(a_bot(**bot), account, flat.book(), flat.quote(symbol=symbol), NOON)
    signal = a_signal(action=then, symbol=symbol, stop_price=D(220), raised_at=NOON)
    intent = plan(a_verdict(signal), 1, scene)
    assert isinstance(intent, Intent)
    assert not intent.entry
    assert (intent.follow is not None) is follows
    if intent.follow is not None:
        assert intent.follow.until == signal.valid_until
        assert intent.follow.guard is not None
        assert intent.follow.guard.stop_price == D(220)


async def test_a_long_position_becomes_a_short_one_by_two_orders(flat: Shop) -> None:
    flat.configure(a_bot(allow_short=True, exits=Exits(stop=D("0.1"))))
    flat.accept(BUY)
    flat.later(seconds=1)
    sell = flat.verdict(SELL, stop_price=D(220))
    events = flat.handle(sell)
    entered = [e.data for e in events if isinstance(e.data, Order)][-1]
    assert (entered.state, entered.quantity) == (S.ACCEPTED, None)
    _, closed, opened = await meet(flat)
    assert (closed.purpose, closed.leg, closed.state) == ("exit", 0, S.FILLED)
    assert (opened.purpose, opened.leg, opened.state) == ("entry", 1, S.FILLED)
    assert (opened.side, opened.quantity) == ("sell", D(4))
    assert opened.intent_id == closed.intent_id == sell.id
    assert opened.signal_id == sell.data.signal.signal_id
    name = ids.client_order_id("paper-alpha", str(opened.signal_id), "alpha", 1, 0)
    assert (opened.order_id, opened.source_id) == (name, "sma-cross")
    (lot,) = flat.book().holdings["AAPL"].lots
    assert (lot.quantity, lot.protection.stop_price) == (D(-4), D(220))
    flat.accept(BUY)
    *_, covered, bought = await meet(flat)
    assert (covered.quantity, bought.side, bought.state) == (D(4), "buy", S.FILLED)
    assert flat.held() == bought.quantity


async def test_a_bot_that_may_not_sell_short_ends_flat(shop: Shop) -> None:
    shop.quote()
    shop.accept(BUY)
    shop.later(seconds=1)
    shop.accept(SELL)
    assert [o.purpose for o in await meet(shop)] == ["entry", "exit"]
    assert shop.held() == 0


async def test_it_survives_a_restart_before_each_half(waits: Shop) -> None:
    await waits.restart()
    waits.quote()
    await waits.floor.fill({"AAPL"})  # the exit
    assert waits.held() == 0
    await waits.restart()
    _, closed, opened = await meet(waits)
    assert (closed.state, opened.state, waits.held()) == (S.FILLED, S.FILLED, D(-4))
    await waits.restart()
    assert len(await meet(waits)) == 3  # once


def test_a_repeated_verdict_makes_no_second_entry(flat: Shop) -> None:
    flat.accept(BUY)
    sell = flat.verdict(SELL)
    flat.handle(sell)
    assert len(of_verdicts(flat)) == 3
    flat.handle(sell)
    flat.handle(sell.model_copy(update={"id": UUID(int=1)}))
    assert [o.leg for o in of_verdicts(flat) if o.state is not S.DENIED] == [0, 0, 1]


def take_back(shop: Shop, order: Order, until: datetime) -> None:
    """The source of the order's signal takes it back."""
    taken = a_withdrawal(a_signal(), valid_until=until)
    event = withdrawn(taken.model_copy(update={"signal_id": order.signal_id}), shop.moment())
    run(build_handlers(shop.memory), shop.db, metadata, [event], shop.moment())


@pytest.mark.parametrize("late", [False, True])
async def test_a_withdrawn_signal_opens_nothing(waits: Shop, late: bool) -> None:
    (exit_,) = waits.memory.waiting.values()
    if late:  # the exit is filled, and the entry waits for the next turn
        waits.quote()
        await waits.floor.fill({"AAPL"})
    take_back(waits, exit_.order, waits.now)
    last = (await meet(waits))[-1]
    assert (waits.held(), len(waits.memory.waiting)) == (0, 0)
    ended = (S.CANCELED, "signal_withdrawn") if late else (S.DENIED, "stale_signal")
    assert (last.leg, last.state, last.reason) == (1, *ended)


async def test_a_shortened_signal_opens_nothing_after_its_new_end(waits: Shop) -> None:
    (exit_,) = waits.memory.waiting.values()
    end = waits.now + timedelta(minutes=1)
    take_back(waits, exit_.order, end)
    assert [t.follow.until for t in waits.memory.waiting.values() if t.follow] == [end]
    waits.later(minutes=1)
    denied = (await meet(waits))[-1]
    assert (denied.state, denied.reason, waits.held()) == (S.DENIED, "stale_signal", 0)


async def stop_everything(shop: Shop) -> None:
    shop.engage()
    await shop.floor.end_overdue(shop.moment())
    await shop.restart()
    shop.configure(kill_switch=KillSwitch())  # and trading goes on


async def switch_off(shop: Shop) -> None:
    shop.configure(a_bot(allow_short=True, enabled=False))


async def forbid_shorts(shop: Shop) -> None:
    shop.configure(a_bot())


async def slow_down(shop: Shop) -> None:
    limits = Limits(max_orders_per_minute=1)
    shop.configure(a_bot(allow_short=True, limits=limits))
    shop.accept(BUY, symbol="MSFT")


async def restrict(shop: Shop) -> None:
    shop.configure(a_bot(allow_short=True, limits=Limits(restricted=frozenset({"AAPL"}))))


async def close_it(shop: Shop) -> None:
    shop.accept(CLOSE)


async def speak_against(shop: Shop) -> None:
    shop.configure(a_bot(allow_short=True, limits=Limits(max_orders_per_minute=1)))
    shop.accept(BUY, symbol="MSFT")
    shop.accept(BUY)  # denied, and yet it is the newest word


async def lose(shop: Shop) -> None:
    limits = Limits(loss_cooldown_s=60)
    shop.configure(a_bot(allow_short=True, limits=limits))


@pytest.mark.parametrize(
    ("change", "price", "reason"),
    [
        (stop_everything, 210, None),
        (switch_off, 210, "bot_disabled"),
        (forbid_shorts, 210, "not_shortable"),
        (slow_down, 210, "order_rate"),
        (restrict, 210, "restricted"),
        (close_it, 210, None),
        (speak_against, 210, None),
        (lose, 200, "loss_cooldown"),
    ],
)
async def test_what_has_changed_meanwhile_lets_nothing_follow(
    waits: Shop, change: Any, price: int, reason: str | None
) -> None:
    await change(waits)
    made = [o for o in await meet(waits, bid=D(price), ask=D(price)) if o.symbol == "AAPL"]
    assert waits.held() == 0
    second = [o for o in made if o.leg == 1]
    assert [(o.state in {S.DENIED, S.REJECTED}, o.reason) for o in second] == (
        [(True, reason)] if reason else []
    )
    assert all(o.message for o in second)


async def test_what_its_own_loss_halts_does_not_follow(flat: Shop) -> None:
    limits = Limits(halt_daily_loss=D("0.0001"), max_daily_loss=D(1))
    flat.configure(a_bot(allow_short=True, limits=limits))
    flat.accept(BUY)
    flat.later(seconds=1)
    flat.quote(bid=D(205), ask=D(205))
    flat.accept(SELL)
    denied = of_verdicts(flat)[-1]
    assert (denied.leg, denied.state, denied.reason) == (1, S.DENIED, "trading_halted")


@pytest.mark.parametrize("how", ["by hand", "cancelled"])
async def test_an_exit_that_did_not_close_the_position_is_not_followed(
    waits: Shop, how: str
) -> None:
    (exit_,) = waits.memory.waiting.values()
    if how == "by hand":
        await waits.commands.close(waits.command(bot="alpha", symbol="AAPL"))
    else:
        await waits.commands.cancel(waits.command(order_id=exit_.order.order_id))
    made = await meet(waits)
    assert [o.leg for o in made if o.purpose == "entry"] == [0]
    assert waits.order(exit_.order.order_id).state is S.CANCELED


LOT = UUID(int=7)


def an_exit(state: OrderState, recall: Recall | None = None) -> Ticket:
    """The first half of a flip, as it is before its last fill."""
    order = an_order(purpose="exit", side="sell", quantity=D(3), state=state)
    sent = Submission(posts=1, recall=recall)
    follow = Follow(NOON + HOUR)
    return Ticket(order, LOT, 1, NOON, targets=(LOT,), submission=sent, follow=follow)


RECALL = Recall(S.CANCELED, "canceled_by_user", "", {})


@pytest.mark.parametrize(
    ("state", "end", "recall", "follows"),
    [
        (S.ACCEPTED, None, None, True),
        (S.UNKNOWN, None, None, True),
        (S.CANCEL_PENDING, None, RECALL, False),
        *((S.ACCEPTED, end, None, False) for end in (S.CANCELED, S.EXPIRED, S.REJECTED)),
        (S.UNKNOWN, S.ABANDONED, None, False),
    ],
)
def test_what_follows_its_last_fill(
    state: OrderState, end: OrderState | None, recall: Recall | None, *, follows: bool
) -> None:
    ticket = an_exit(state, recall)
    if end is not None:
        ticket = advance(ticket, end, NOON)
    assert due(ticket) is None
    part = filled(ticket, Execution(D(1), D(210)), (), NOON)
    assert due(part) is None
    whole = filled(part, Execution(D(2), D(210)), (), NOON)
    assert whole.order.state is S.FILLED
    assert (due(whole) is not None) is follows


def test_what_is_left_of_the_position_forbids_what_follows(flat: Shop) -> None:
    flat.accept(BUY)
    (lot,) = flat.book().holdings["AAPL"].lots
    done = filled(an_exit(S.ACCEPTED), Execution(D(3), D(210)), (), NOON)
    scene = Scene(flat.config.bots[0], flat.config.accounts[0], flat.book(), flat.quote(), NOON)
    entry = follower(done, Follow(NOON + HOUR), scene, 1)
    assert barred(entry, done, scene) is None
    why = barred(entry, replace(done, targets=(LOT, lot.lot_id)), scene)
    assert why is not None
    assert why.code == "close_incomplete"
