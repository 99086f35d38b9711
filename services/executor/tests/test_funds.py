"""What a book can pay for, when an order is planned and when it is filled."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from executor.domain.book import Book, Holding, valued
from executor.domain.funds import under_margin
from signalbox.contracts.events import AlertRaised, OrderChanged
from signalbox.contracts.limits import Limits, Sizing
from signalbox.contracts.payloads import Order
from signalbox.contracts.values import Action, OrderState
from signalbox.testing.examples import an_account

D = Decimal
S = OrderState
BUY, SELL, CLOSE = Action.BUY, Action.SELL, Action.CLOSE
WIDE = Limits(
    max_order_notional=D(10**6),
    max_position_notional=D(10**6),
    max_gross_exposure=D(10**6),
    max_daily_loss=D(1),
    halt_daily_loss=D(1),
    max_drawdown=D(1),
)
Shop = Any  # what conftest.py makes
Make = Callable[..., Shop]


def make(shop_with: Make, notional: int, cash: int = 1000, **paper: Any) -> Shop:
    sizing = Sizing(notional=D(notional), increment=D(1))
    shop = shop_with(sizing=sizing, limits=WIDE, allow_short=True)
    settings = {"slippage_bps": 0, "impact_bps": 0, "starting_cash": cash} | paper
    shop.configure(accounts=(an_account(paper=settings),))
    return shop


def quote(shop: Shop, price: str, **over: Any) -> None:
    shop.later(seconds=1)
    shop.quote(bid=D(price), ask=D(price), **over)


def last(events: list[Any]) -> Order:
    found: list[Order] = [event.data for event in events if isinstance(event, OrderChanged)]
    return found[-1]


@pytest.mark.parametrize(
    ("notional", "paper", "state"),
    [
        pytest.param(970, {}, S.FILLED, id="3 % are left"),
        pytest.param(980, {}, S.DENIED, id="they are not"),
        pytest.param(970, {"fee_per_share": "0.1"}, S.DENIED, id="the fee comes on top"),
    ],
)
def test_a_buy_at_the_market_needs_three_per_cent_more(
    shop_with: Make, notional: int, paper: dict[str, Any], state: OrderState
) -> None:
    shop = make(shop_with, notional, **paper)
    quote(shop, "1")
    order = last(shop.accept(BUY))
    assert (order.state, order.reason) == (state, "" if state is S.FILLED else "buying_power")


def test_a_limit_order_needs_what_it_may_cost(shop_with: Make) -> None:
    shop = make(shop_with, 1000)
    limits = WIDE.model_copy(update={"limit_bps": D(0)})
    shop.configure(shop.config.bots[0].model_copy(update={"limits": limits}))
    quote(shop, "1")
    assert last(shop.accept(BUY)).state is S.FILLED
    assert shop.book().cash == 0


@pytest.mark.parametrize(
    ("bps", "fee", "observed"),
    [
        pytest.param(400, "0", "1008.8", id="its price"),
        pytest.param(305, "0.0005", "1000.07", id="its price and fee"),
    ],
)
def test_a_fill_that_slips_beyond_the_cash_is_not_made(
    shop_with: Make, bps: int, fee: str, observed: str
) -> None:
    shop = make(shop_with, 970, slippage_bps=bps, fee_per_share=fee)
    quote(shop, "1")
    order = last(shop.accept(BUY))
    assert (order.state, order.reason, order.filled) == (S.REJECTED, "buying_power", D(0))
    assert order.numbers == {"limit": "1000", "observed": observed}
    assert shop.book().cash == 1000


async def test_a_rest_that_has_become_too_dear_ends(shop_with: Make) -> None:
    shop = make(shop_with, 900)
    quote(shop, "1", volume=D(5000))
    first = last(shop.accept(BUY))
    assert (first.state, first.filled) == (S.PARTIALLY_FILLED, D(500))
    quote(shop, "1.3")
    (order,) = await shop.fill()
    assert (order.state, order.reason, order.filled) == (S.REJECTED, "buying_power", D(500))
    assert shop.book().cash == 500


async def test_what_other_orders_reserve_is_not_spent(shop_with: Make) -> None:
    shop = make(shop_with, 400)
    quote(shop, "1", volume=D(1000))
    assert last(shop.accept(BUY)).filled == 100  # 300 wait, so 309 are reserved
    quote(shop, "1", symbol="MSFT")
    assert last(shop.accept(BUY, symbol="MSFT")).state is S.FILLED
    assert last(shop.accept(BUY, symbol="MSFT")).reason == "buying_power"  # 191 are free


@pytest.mark.parametrize(
    ("notional", "state"), [(2000, S.FILLED), (2001, S.DENIED)], ids=["just", "more"]
)
def test_a_short_sale_needs_half_of_its_worth(
    shop_with: Make, notional: int, state: OrderState
) -> None:
    shop = make(shop_with, notional)
    quote(shop, "1")
    order = last(shop.accept(SELL))
    assert (order.state, order.reason) == (state, "" if state is S.FILLED else "buying_power")


async def test_short_sales_that_wait_keep_their_margin(shop_with: Make) -> None:
    shop = make(shop_with, 1500)
    quote(shop, "1", volume=D(10))
    assert last(shop.accept(SELL)).filled == 1  # 1,499 wait
    quote(shop, "1", symbol="MSFT")
    denied = last(shop.accept(SELL, symbol="MSFT"))
    assert (denied.reason, denied.numbers["limit"]) == ("buying_power", "250")


async def test_its_proceeds_buy_nothing(shop_with: Make) -> None:
    shop = make(shop_with, 1000)
    quote(shop, "1")
    quote(shop, "1", symbol="MSFT")
    shop.accept(SELL)
    denied = last(shop.accept(BUY, symbol="MSFT"))
    assert (denied.reason, denied.numbers["limit"]) == ("buying_power", "500")


async def test_a_short_that_outgrows_its_margin_is_told_until_it_is_closed(shop_with: Make) -> None:
    shop = make(shop_with, 2000)
    quote(shop, "1")
    shop.accept(SELL)  # 3,000 of cash, 2,000 short: 150 %
    told: list[Any] = []

    async def marked(price: str) -> list[tuple[str, bool]]:
        shop.later(minutes=1)
        quote(shop, price)
        await shop.floor.mark(shop.moment())
        return [(a.about, a.active) for a in told if a.code == "margin_low"]

    transact = shop.transact

    async def listened(work: Any) -> list[Any]:
        events: list[Any] = await transact(work)
        told.extend(event.data for event in events if isinstance(event, AlertRaised))
        return events

    shop.transact = listened
    assert await marked("1.15") == []  # 130.4 %
    assert await marked("1.16") == [("bot:alpha", True)]  # 129.3 %
    assert "129 %" in next(a for a in told if a.code == "margin_low").message
    assert len(shop.fills()) == 1  # nothing is bought back by itself
    assert last(shop.accept(SELL, source_id="another")).reason == "buying_power"
    assert await marked("1.17") == [("bot:alpha", True)]  # said once
    await shop.restart()
    shop.accept(BUY, source_id="sma-cross")
    assert (await marked("1"))[-1] == ("bot:alpha", False)


@pytest.mark.parametrize(
    ("cash", "long", "low"),
    [
        pytest.param(1300, 0, False, id="130 %"),
        pytest.param(1299, 0, True, id="less"),
        pytest.param(900, 400, False, id="what is long counts"),
        pytest.param(900, 399, True, id="as far as it goes"),
    ],
)
def test_under_margin(cash: int, long: int, *, low: bool) -> None:
    holdings = {
        "AAPL": Holding(D(-1000), cost=D(-1000), price=D(1)),
        "MSFT": Holding(D(long), cost=D(long), price=D(1)),
    }
    book = valued(Book("alpha", "a", started_with=D(0), cash=D(cash), holdings=holdings))
    assert bool(under_margin(book)) is low
    alone = {"MSFT": holdings["MSFT"]}
    assert under_margin(valued(Book("alpha", "a", D(0), cash=D(-5), holdings=alone))) == ""
