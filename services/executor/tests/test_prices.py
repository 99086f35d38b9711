"""At which price an entry is made, and that no fill is ever beyond its limit."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.domain.alpaca import order_body, parse_order
from executor.domain.broker import contradiction
from executor.domain.orders import Ticket
from executor.domain.paper import execute
from executor.domain.prices import at_tick, dearest, limit_of, priced
from executor.domain.scene import Scene
from signalbox.contracts.accounts import PaperSettings
from signalbox.contracts.limits import Limits
from signalbox.contracts.values import OrderKind, OrderState, Side
from signalbox.testing.examples import NOON, a_bot, a_quote, an_account, an_order

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
PLAIN = PaperSettings(slippage_bps=D(0), impact_bps=D(0))
LIMITED = Limits(limit_bps=D(10))


@pytest.mark.parametrize(
    ("side", "price", "bps", "limit"),
    [
        pytest.param(BUY, "200", "10", "200.20", id="a buy goes up"),
        pytest.param(SELL, "200", "10", "199.80", id="a sell goes down"),
        pytest.param(BUY, "210.52", "10", "210.73", id="a buy is rounded down to the cent"),
        pytest.param(SELL, "210.52", "10", "210.31", id="a sell up"),
        pytest.param(BUY, "200", "0", "200", id="at the quote"),
        pytest.param(BUY, "0.5001", "10", "0.5006", id="four places below a dollar"),
        pytest.param(SELL, "1", "10", "0.999", id="the side of a dollar that counts is its own"),
        pytest.param(SELL, "0.00001", "1000", "0.0001", id="at least a tick"),
    ],
)
def test_a_limit_is_so_far_beyond_the_quote_and_no_further(
    side: Side, price: str, bps: str, *, limit: str
) -> None:
    quote = a_quote(bid=D(price), ask=D(price))
    assert limit_of(side, quote, Limits(limit_bps=D(bps))) == D(limit)


def test_pairs_have_finer_prices() -> None:
    small = a_quote(symbol="SHIB/USD", bid=D("0.00001234"), ask=D("0.00001234"))
    assert limit_of(BUY, small, LIMITED) == D("0.00001235")
    large = a_quote(symbol="BTC/USD", bid=D("50000.12"), ask=D("50000.12"))
    assert limit_of(BUY, large, LIMITED) == D("50050.1201")


def test_an_entry_is_sized_at_the_highest_price_it_may_get() -> None:
    quote = a_quote(bid=D(199), ask=D(200))
    assert dearest(BUY, quote, LIMITED) == D("200.2")
    assert dearest(SELL, quote, LIMITED) == D(199)  # a short sale gets its limit or more
    assert dearest(BUY, quote, Limits()) == D(200)


def a_ticket(**over: Any) -> Ticket:
    order = an_order(**({"state": OrderState.PLANNED, "quantity": None} | over))
    return Ticket(order, UUID(int=1), 1, NOON, arrival=D(200))


SCENE = Scene(
    bot=a_bot(limits=LIMITED),
    account=an_account(),
    book=None,  # type: ignore[arg-type]  # prices do not look at it
    quote=a_quote(bid=D(199), ask=D(200)),
    now=NOON,
)


def test_what_gets_its_size_now_gets_its_limit_now() -> None:
    order = priced(a_ticket(), SCENE).order
    assert (order.kind, order.limit_price) == (OrderKind.LIMIT, D("200.2"))


@pytest.mark.parametrize(
    ("ticket", "scene"),
    [
        pytest.param(a_ticket(purpose="exit", quantity=D(5)), SCENE, id="an exit"),
        pytest.param(a_ticket(purpose="protective"), SCENE, id="a stop"),
        pytest.param(a_ticket(quantity=D(5)), SCENE, id="what has its size"),
        pytest.param(a_ticket(), replace(SCENE, bot=a_bot()), id="a bot of market orders"),
        pytest.param(a_ticket(), replace(SCENE, quote=None), id="no quote"),
    ],
)
def test_others_stay_as_they_are(ticket: Ticket, scene: Scene) -> None:
    assert priced(ticket, scene) is ticket


def test_a_venue_with_coarser_prices_gets_them() -> None:
    ticket = a_ticket(symbol="BTC/USD", kind=OrderKind.LIMIT, limit_price=D("50050.1201"))
    assert at_tick(ticket, D("0.5")).order.limit_price == D(50050)
    sell = a_ticket(side=SELL, kind=OrderKind.LIMIT, limit_price=D("50050.1201"))
    assert at_tick(sell, D("0.5")).order.limit_price == D("50050.5")
    assert at_tick(ticket, D(0)) is ticket


def sent(kind: OrderKind = OrderKind.LIMIT, **prices: str) -> Ticket:
    told = {name: D(price) for name, price in prices.items()}
    return a_ticket(kind=kind, quantity=D(5), **told)


@pytest.mark.parametrize(
    ("ticket", "body"),
    [
        pytest.param(
            sent(limit_price="200.20"),
            {"type": "limit", "limit_price": "200.2", "time_in_force": "day"},
            id="a limit order is for the day",
        ),
        pytest.param(
            replace(
                sent(limit_price="1"), order=an_order(symbol="BTC/USD", kind="limit", limit_price=1)
            ),
            {"type": "limit", "limit_price": "1", "time_in_force": "gtc"},
            id="of a pair until it is cancelled",
        ),
        pytest.param(
            sent(OrderKind.STOP, stop_price="190.00"),
            {"type": "stop", "stop_price": "190", "time_in_force": "gtc"},
            id="a stop likewise",
        ),
        pytest.param(
            sent(OrderKind.MARKET), {"type": "market", "time_in_force": "day"}, id="the market"
        ),
    ],
)
def test_what_is_sent(ticket: Ticket, body: dict[str, str]) -> None:
    told = order_body(ticket)
    assert told == told | body
    prices = {name for name in told if name.endswith("_price")}
    assert prices == {name for name in body if name.endswith("_price")}


ORDER = {"id": "b1", "symbol": "AAPL", "side": "buy", "qty": "5", "status": "new"}


@pytest.mark.parametrize(
    ("shown", "agrees"),
    [
        pytest.param({"type": "limit", "limit_price": "200.2"}, True, id="as it was sent"),
        pytest.param({"order_type": "limit", "limit_price": 200.20}, True, id="in other words"),
        pytest.param({}, True, id="nothing said of it"),
        pytest.param({"type": "market"}, False, id="at the market"),
        pytest.param({"type": "limit", "limit_price": "200.3"}, False, id="another limit"),
        pytest.param({"type": "limit"}, False, id="no limit"),
        pytest.param({"type": "stop", "stop_price": "200.2"}, False, id="a stop"),
    ],
)
def test_another_kind_or_price_contradicts(shown: dict[str, Any], *, agrees: bool) -> None:
    ticket = sent(limit_price="200.20")
    assert (contradiction(ticket, parse_order(ORDER | shown)) == "") is agrees


def test_a_stop_may_be_shown_as_one_with_a_limit() -> None:
    ticket = sent(OrderKind.STOP, stop_price="190")
    shown = {"type": "stop_limit", "stop_price": "190", "limit_price": "197"}
    assert contradiction(ticket, parse_order(ORDER | shown)) == ""
    assert "stop 191" in contradiction(ticket, parse_order(ORDER | shown | {"stop_price": "191"}))


prices = st.integers(50, 30_000).map(lambda cents: D(cents) / 100)
steps = st.lists(st.tuples(prices, st.integers(0, 50), st.integers(0, 400)), max_size=12)


@given(
    side=st.sampled_from(Side),
    limit=prices,
    quotes=steps,
    bps=st.integers(0, 500),
    pair=st.booleans(),
)
def test_no_sequence_of_quotes_fills_an_order_beyond_its_limit(
    *,
    side: Side,
    limit: Decimal,
    quotes: list[tuple[Decimal, int, int]],
    bps: int,
    pair: bool,
) -> None:
    settings = PaperSettings(slippage_bps=D(bps), impact_bps=D(100))
    symbol, left = "BTC/USD" if pair else "AAPL", D(30)
    for second, (bid, cents, volume) in enumerate(quotes):
        at, ask = NOON + timedelta(seconds=second), bid + D(cents) / 100
        quote = a_quote(symbol=symbol, bid=bid, ask=ask, volume=D(volume), at=at)
        got = execute(side, left, quote, settings, D(1), limit=limit)
        meets = ask if side is BUY else bid
        marketable = (meets - limit) * side.sign <= 0
        assert (got is not None) is (marketable and volume >= 10 and left > 0)
        if got is not None:
            assert (got.price - limit) * side.sign <= 0
            assert (got.price - meets) * side.sign >= 0  # never better than what was there
            left -= got.gross


def test_a_fill_worsened_beyond_the_limit_gets_the_limit() -> None:
    settings = PLAIN.model_copy(update={"slippage_bps": D(50)})
    quote = a_quote(bid=D(199), ask=D(200), volume=None)
    for limit, price in ((D("200.2"), D("200.2")), (D(202), D(201))):
        got = execute(BUY, D(5), quote, settings, D(1), limit=limit)
        assert got is not None
        assert got.price == price
