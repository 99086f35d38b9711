"""Orders that wait for a quote: filled, in part or whole, replaced, cancelled or expired."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from executor.domain.plan import settle
from executor.handlers import waiting
from executor.handlers.audit import audit
from signalbox.contracts.accounts import PaperSettings
from signalbox.contracts.errors import InvariantBroken
from signalbox.contracts.events import AlertRaised
from signalbox.contracts.limits import Limits, Sizing
from signalbox.contracts.values import Action, OrderState, SourceType
from signalbox.runtime.fence import FenceLost
from signalbox.testing.examples import NOON, a_bot, an_account

D = Decimal
S = OrderState
BUY, SELL, CLOSE = Action.BUY, Action.SELL, Action.CLOSE
QC = {"source_type": SourceType.QUANTCONNECT, "source_id": "4711"}
WAITS = [(S.PLANNED, ""), (S.ACCEPTED, "")]
Shop = Any  # what conftest.py makes


@pytest.mark.parametrize(
    ("quote", "over"),
    [
        pytest.param(None, {}, id="no quote at all"),
        pytest.param({"at": NOON - timedelta(seconds=61)}, {}, id="too old"),
        pytest.param({"session_open": False}, {}, id="market closed"),
        pytest.param({"epoch": 0}, {}, id="of the loop before"),
        pytest.param({}, {"frozen": True}, id="the clock stands still"),
        pytest.param({"volume": D(0)}, {}, id="nothing was traded in the bar"),
    ],
)
async def test_without_a_good_quote_an_order_waits_and_the_next_one_fills_it(
    shop: Shop, states: Any, quote: dict[str, Any] | None, over: dict[str, Any]
) -> None:
    shop.over = over
    if quote is not None:
        shop.quote(**quote)
    planned = shop.accept(BUY)
    assert states(planned) == WAITS
    assert await shop.fill() == [planned[-1].data]
    shop.over = {}
    shop.later(seconds=30)
    shop.quote(ask=D("210.60"))
    (order,) = await shop.fill()
    assert (order.state, order.average_price) == (S.FILLED, D("210.60"))
    assert shop.held() == order.filled == order.quantity
    assert shop.memory.waiting == {}


async def test_an_order_is_sized_by_the_quote_that_fills_it(shop: Shop) -> None:
    planned = shop.accept(BUY)[0].data
    assert planned.quantity is None
    shop.quote()
    (order,) = await shop.fill()
    assert order.quantity == D("4.7501")


async def test_a_filled_waiting_order_follows_its_verdict(shop: Shop) -> None:
    verdict = shop.verdict(BUY)
    shop.handle(verdict)
    made: list[Any] = []
    shop.quote()
    transact = shop.transact

    async def hear(work: Any) -> Any:
        made.extend(await transact(work))

    shop.transact = hear
    await shop.fill()
    filled, position, equity = made
    assert (filled.correlationid, filled.causationid) == (verdict.correlationid, verdict.id)
    assert {position.causationid, equity.causationid} == {filled.id}


@pytest.mark.parametrize(
    ("limits", "quote", "code"),
    [
        pytest.param({"max_order_notional": D(10)}, {}, "max_order_notional", id="limit"),
        pytest.param({}, {"ask": D(230)}, "wide_spread", id="spread"),
    ],
)
async def test_limits_are_looked_at_when_the_quote_comes(
    shop_with: Callable[..., Shop], limits: dict[str, Any], quote: dict[str, Any], code: str
) -> None:
    shop = shop_with(limits=Limits(**limits))
    shop.accept(BUY)
    shop.quote(**quote)
    (order,) = await shop.fill()
    assert (order.state, order.reason) == (S.REJECTED, code)
    assert order.numbers.keys() == {"limit", "observed"}


async def test_a_thin_bar_fills_a_part_and_later_ones_the_rest(shop: Shop) -> None:
    shop.quote(volume=D(20))  # a tenth of it
    first = shop.accept(BUY)[2].data
    assert (first.state, first.filled, first.quantity) == (S.PARTIALLY_FILLED, 2, D("4.7501"))
    assert [o.filled for o in await shop.fill()] == [D(2)]  # the same quote gives no more
    shop.later(seconds=20)
    shop.quote(volume=D(20))
    assert [o.filled for o in await shop.fill()] == [D(4)]
    shop.later(seconds=20)
    shop.quote(volume=D(20))
    (order,) = await shop.fill()
    assert (order.state, order.filled) == (S.FILLED, D("4.7501"))
    assert [row.quantity for row in shop.fills()] == [D(2), D(2), D("0.7501")]
    assert shop.held() == D("4.7501")


async def test_what_is_not_filled_in_time_expires(shop: Shop) -> None:
    shop.quote(volume=D(20))
    shop.accept(BUY)
    shop.later(minutes=5)
    await shop.floor.end_overdue(shop.moment())
    (order,) = [shop.order(row.order_id) for row in shop.fills()]
    assert (order.state, order.reason, order.filled) == (S.EXPIRED, "expired", D(2))
    assert (shop.held(), shop.memory.waiting) == (D(2), {})


async def test_a_quote_that_comes_too_late_does_not_fill(shop: Shop) -> None:
    shop.accept(BUY)
    shop.later(minutes=5)
    shop.quote()
    (order,) = await shop.fill()
    assert (order.state, order.filled) == (S.EXPIRED, 0)


async def test_the_kill_switch_cancels_entries_and_leaves_exits(shop: Shop) -> None:
    shop.quote()
    shop.accept(BUY)
    shop.later(minutes=2)
    exit_ = shop.accept(SELL)[0].data
    entry = shop.accept(BUY, source_id="rsi")[0].data
    shop.engage()
    await shop.floor.end_overdue(shop.moment())
    assert (shop.order(entry.order_id).state, shop.order(entry.order_id).reason) == (
        S.CANCELED,
        "trading_halted",
    )
    assert shop.order(exit_.order_id).state is S.ACCEPTED
    shop.quote()
    await shop.fill()
    assert shop.order(exit_.order_id).state is S.FILLED
    assert shop.held() == 0


async def test_an_entry_on_a_left_account_is_cancelled(shop: Shop) -> None:
    entry = shop.accept(BUY)[0].data
    shop.configure(a_bot(account="paper-two", bound_version=2))
    await shop.floor.end_overdue(shop.moment())
    order = shop.order(entry.order_id)
    assert (order.state, order.reason) == (S.CANCELED, "config_changed")


async def test_an_entry_of_a_bot_that_is_switched_off_is_cancelled(shop: Shop) -> None:
    entry = shop.accept(BUY)[0].data
    shop.configure(a_bot(enabled=False))
    await shop.floor.end_overdue(shop.moment())
    order = shop.order(entry.order_id)
    assert (order.state, order.reason) == (S.CANCELED, "bot_disabled")


async def test_an_entry_of_a_removed_bot_is_cancelled(shop: Shop) -> None:
    shop.accept(BUY)
    shop.configure(bots=())
    shop.quote()
    (order,) = await shop.fill()
    assert (order.state, order.reason) == (S.CANCELED, "unknown_bot")


async def test_a_newer_word_of_the_same_source_replaces_what_waits(shop: Shop, states: Any) -> None:
    first = shop.accept(BUY)[0].data
    events = shop.accept(BUY)
    assert states(events) == [(S.REPLACED, "superseded"), *WAITS]
    assert shop.order(first.order_id).state is S.REPLACED
    shop.quote()
    await shop.fill()
    assert shop.held() == D("4.7501")  # once


async def test_a_sell_ends_a_waiting_buy_even_with_nothing_to_sell(shop: Shop, states: Any) -> None:
    shop.accept(BUY)
    events = shop.accept(SELL)
    assert states(events) == [(S.CANCELED, "superseded"), (S.DENIED, "nothing_to_change")]
    shop.quote()
    assert await shop.fill() == []
    assert shop.held() == 0


@pytest.mark.parametrize(
    ("action", "by", "flatten", "ended"),
    [
        pytest.param(SELL, QC, True, True, id="a higher source's sell"),
        pytest.param(SELL, QC, False, False, id="books kept apart"),
        pytest.param(CLOSE, QC, True, False, id="a close is about its own"),
        pytest.param(SELL, {"source_id": "rsi"}, True, False, id="an equal source"),
    ],
)
async def test_whose_waiting_entries_a_word_ends(
    shop_with: Callable[..., Shop], *, action: Action, by: Any, flatten: bool, ended: bool
) -> None:
    shop = shop_with(flatten_lower=flatten)
    entry = shop.accept(BUY)[0].data
    shop.accept(action, **by)
    assert (shop.order(entry.order_id).state is S.CANCELED) is ended


async def test_an_exit_whose_lots_are_gone_is_cancelled(shop: Shop) -> None:
    shop.quote()
    shop.accept(BUY)
    shop.later(minutes=2)
    shop.accept(SELL)
    shop.accept(SELL, **QC)  # both wait for the same lots
    shop.quote()
    first, second = sorted((o.state, o.reason) for o in await shop.fill())
    assert first == (S.CANCELED, "nothing_to_change")
    assert second == (S.FILLED, "")
    assert shop.held() == 0


@pytest.mark.parametrize("volume", [None, D(1000)])
async def test_a_part_filled_exit_takes_what_another_has_left(
    shop_with: Callable[..., Shop], volume: Decimal | None
) -> None:
    shop = shop_with(sizing=Sizing(increment=D("0.01")))
    shop.quote()
    shop.accept(BUY)
    assert shop.held() == D("4.75")
    shop.later(seconds=20)
    shop.quote(volume=D(10))
    higher = shop.accept(SELL, **QC)[2].data
    assert (higher.filled, higher.quantity) == (1, D("4.75"))
    shop.later(seconds=20)
    shop.quote(volume=D(35))
    own = shop.accept(CLOSE)[2].data
    assert (own.filled, own.quantity, shop.held()) == (D("3.5"), D("3.75"), D("0.25"))
    shop.later(seconds=20)
    shop.quote(volume=volume)
    await shop.fill()
    higher, own = shop.order(higher.order_id), shop.order(own.order_id)
    assert (higher.state, higher.filled, higher.quantity) == (S.FILLED, D("1.25"), D("1.25"))
    assert (own.state, own.reason, own.filled) == (S.CANCELED, "nothing_to_change", D("3.5"))
    assert [row.quantity for row in shop.fills()] == [D("4.75"), 1, D("3.5"), D("0.25")]
    assert (shop.held(), shop.memory.waiting) == (0, {})
    with shop.db.begin() as sql:
        assert list(audit(sql, shop.moment())) == []


async def test_an_exit_outlives_its_signal_and_is_filled_the_next_morning(shop: Shop) -> None:
    shop.quote()
    shop.accept(BUY)
    shop.later(hours=4)  # the session's end
    shop.quote(session_closes_at=shop.now)
    exit_ = shop.accept(SELL)[-1].data
    assert exit_.state is S.ACCEPTED
    shop.later(hours=17)
    await shop.floor.end_overdue(shop.moment())
    shop.quote(session_closes_at=shop.now + timedelta(hours=7))
    (order,) = await shop.fill()
    assert (order.order_id, order.state, shop.held()) == (exit_.order_id, S.FILLED, 0)


async def test_an_order_that_cannot_be_filled_does_not_stop_the_others(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = shop.accept(BUY)[0].data, shop.accept(BUY, symbol="MSFT")[0].data
    made, transact = list[Any](), shop.transact

    def fail(ticket: Any, *others: Any) -> Any:
        if ticket.order.symbol == "AAPL":
            raise InvariantBroken("two and two are five")
        return settle(ticket, *others)

    async def hear(work: Any) -> Any:
        made.extend(await transact(work))

    shop.transact = hear
    with monkeypatch.context() as patch:
        patch.setattr(waiting, "settle", fail)
        for _ in range(2):
            shop.quote(), shop.quote(symbol="MSFT")
            await shop.fill("AAPL", "MSFT")
    assert shop.order(good.order_id).state is S.FILLED
    assert shop.order(bad.order_id).state is S.ACCEPTED
    shop.quote()
    await shop.fill()
    assert shop.order(bad.order_id).state is S.FILLED
    alerts = [event.data for event in made if isinstance(event, AlertRaised)]
    assert [(a.code, a.about, a.active) for a in alerts] == [
        ("fill_failed", "key:alpha/AAPL", True),
        ("fill_failed", "key:alpha/AAPL", False),
    ]
    assert "two and two are five" in alerts[0].message


@pytest.mark.parametrize(
    "error", [FenceLost("taken over"), OperationalError("SELECT", {}, OSError("gone"))]
)
async def test_without_a_database_or_the_fence_no_order_is_blamed(
    shop: Shop, error: Exception
) -> None:
    shop.accept(BUY)
    shop.quote()
    tries: list[Any] = []

    async def fail(work: Any) -> Any:
        tries.append(work)
        raise error

    shop.transact = fail
    with pytest.raises(type(error)):
        await shop.fill()
    assert len(tries) == 1


async def test_quotes_cost_nothing_where_nothing_waits(shop: Shop) -> None:
    shop.quote(), shop.quote(symbol="MSFT")
    assert not shop.memory.wake.is_set()
    shop.accept(BUY, symbol="TSLA")
    shop.later(seconds=1)
    shop.quote()
    await shop.fill("AAPL", "TSLA")
    assert shop.transactions == 0


async def test_a_quote_that_came_while_an_order_was_planned_is_tried(shop: Shop) -> None:
    shop.accept(BUY)
    assert shop.memory.wake.is_set()
    assert shop.memory.quoted == {"AAPL"}


async def test_a_quote_of_a_removed_account_fills_nothing(shop: Shop) -> None:
    shop.quote()
    shop.accept(BUY)
    shop.later(minutes=2)
    exit_ = shop.accept(SELL)[0].data
    shop.configure(accounts=())
    shop.quote()
    await shop.fill()
    assert shop.order(exit_.order_id).state is S.ACCEPTED
    shop.configure(accounts=(an_account(paper=PaperSettings()),))
    await shop.fill()
    assert shop.order(exit_.order_id).state is S.FILLED
