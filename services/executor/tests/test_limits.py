"""How large an entry is, and which limit stops it with which numbers."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.domain.book import (
    Book,
    Holding,
    orders_last_minute,
    valued,
    with_order_counted,
)
from executor.domain.limits import size_entry
from executor.domain.money import floor_to, units_for
from executor.domain.orders import Ticket
from executor.domain.scene import NOTHING_RESERVED, Denial, Reserved, Scene, reserved_by
from signalbox.contracts.config import BotConfig
from signalbox.contracts.limits import Limits, Sizing
from signalbox.contracts.values import OrderKind, OrderState, Side, SourceType
from signalbox.testing.examples import NOON, a_bot, a_quote, an_account, an_order

D = Decimal


def a_book(cash: str = "100000", **quantities: str) -> Book:
    """Holdings at a price of 100 each."""
    holdings = {
        symbol: Holding(D(quantity), cost=D(quantity) * 100, price=D(100))
        for symbol, quantity in quantities.items()
    }
    return valued(Book("alpha", "paper-alpha", D(100_000), D(cash), holdings=holdings))


def sized(
    side: Side = Side.BUY, book: Book | None = None, *, price: str | None = None, **over: Any
) -> Decimal | Denial:
    """An entry of 1,000 at a price of 100, bid and ask ten cents apart."""
    bot_over = {k: over.pop(k) for k in ("sizing", "limits", "allow_short") if k in over}
    quote = a_quote(bid=over.pop("bid", D("99.95")), ask=over.pop("ask", D("100.05")))
    bot: BotConfig = a_bot(**bot_over)
    scene = Scene(bot, an_account(), book or a_book(), quote, NOON, **over)
    source = SourceType.STRATEGY
    return size_entry("AAPL", side, D(price) if price else None, bot, scene, source=source)


@pytest.mark.parametrize(
    ("notional", "price", "step", "units"),
    [
        pytest.param("1000", "100", "1", "10", id="even"),
        pytest.param("1000", "100.05", "0.0001", "9.9950", id="down to the increment"),
        pytest.param("1000", "3", "1", "333", id="down to whole units"),
        pytest.param("99.99", "100", "1", "0", id="not even one"),
        pytest.param("1", "0.00000003", "0.1", "33333333.3", id="a very small price"),
        pytest.param("1000", "0.1", "0.3", "9999.9", id="an odd increment"),
    ],
)
def test_units_for(notional: str, price: str, step: str, units: str) -> None:
    assert units_for(D(notional), D(price), D(step)) == D(units)


_AMOUNTS = st.decimals("0.00000001", "100000000", places=8)


@given(notional=_AMOUNTS, price=_AMOUNTS, step=st.sampled_from([D(1), D("0.0001"), D("0.3")]))
def test_units_never_cost_more_than_the_notional(
    notional: Decimal, price: Decimal, step: Decimal
) -> None:
    units = units_for(notional, price, step)
    assert units * price <= notional < (units + step) * price
    assert floor_to(units, step) == units


LIMITS: list[Any] = [
    pytest.param("wide_spread", "0.01", "0.0198", {"ask": D("101.95")}, id="wide spread"),
    pytest.param("price_collar", "0.03", "0.0422", {"price": "96"}, id="price ran away"),
    pytest.param(
        "price_collar", "0.03", "0.5", {"price": "200.1"}, id="price far below the signal's"
    ),
    pytest.param(
        "below_minimum", "1", "0", {"sizing": Sizing(notional=D(50), increment=D(1))}, id="no unit"
    ),
    pytest.param(
        "below_minimum", "1", "0.990495", {"sizing": Sizing(notional=D("0.995"))}, id="dust"
    ),
    pytest.param(
        "max_order_notional",
        "500",
        "999.99975",
        {"limits": Limits(max_order_notional=D(500))},
        id="order too large",
    ),
    pytest.param(
        "max_position",
        "1500",
        "2000.49975",
        {"book": a_book(AAPL="10"), "limits": Limits(max_position_notional=D(1500))},
        id="position too large",
    ),
    pytest.param(
        "max_position",
        "1500",
        "2000.49975",
        {
            "reserved": Reserved(quantity=D(10)),
            "limits": Limits(max_position_notional=D(1500)),
        },
        id="position too large with what waits",
    ),
    pytest.param(
        "max_exposure",
        "5000",
        "5999.99975",
        {"book": a_book(MSFT="30", TSLA="-20"), "limits": Limits(max_gross_exposure=D(5000))},
        id="too much in all, shorts count",
    ),
    pytest.param(
        "max_exposure",
        "5000",
        "5999.99975",
        {"reserved": Reserved(gross=D(5000)), "limits": Limits(max_gross_exposure=D(5000))},
        id="too much with what waits",
    ),
    pytest.param(
        "buying_power", "1029", "1029.9997425", {"book": a_book("1029")}, id="too little cash"
    ),
    pytest.param(
        "buying_power",
        "1000",
        "1029.9997425",
        {"book": a_book("4000"), "reserved": Reserved(cash=D(3000))},
        id="cash is spoken for",
    ),
    pytest.param(
        "buying_power",
        "1000",
        "1029.9997425",
        {"book": a_book("4000", MSFT="-20")},
        id="proceeds of shorts are not cash",
    ),
]


@pytest.mark.parametrize(("code", "limit", "observed", "case"), LIMITS)
def test_a_limit_stops_an_entry_with_its_numbers(
    code: str, limit: str, observed: str, case: dict[str, Any]
) -> None:
    denial = sized(**case)
    assert isinstance(denial, Denial)
    assert (denial.code, denial.numbers) == (code, {"limit": limit, "observed": observed})
    assert limit in denial.message or code == "below_minimum"


@pytest.mark.parametrize(
    "case",
    [
        pytest.param({}, id="plain"),
        pytest.param({"price": "97.2"}, id="just inside the collar"),
        pytest.param({"price": "10", "limits": Limits(max_slippage=D(1))}, id="collar off"),
        pytest.param({"book": a_book("1030")}, id="just enough cash"),
        pytest.param(
            {"book": a_book(AAPL="-9.995"), "limits": Limits(max_position_notional=D(1))},
            id="an entry beside another's short may bring the position to nothing",
        ),
    ],
)
def test_an_entry_within_all_limits_is_sized(case: dict[str, Any]) -> None:
    assert sized(**case) == D("9.9950")


def test_a_short_needs_half_its_value_in_cash() -> None:
    assert sized(Side.SELL, a_book("499.75")) == D(10)
    denial = sized(Side.SELL, a_book("499.74"))
    assert isinstance(denial, Denial)
    assert denial.code == "buying_power"


def test_a_scene_without_a_quote_cannot_size() -> None:
    scene = Scene(a_bot(), an_account(), a_book(), None, NOON)
    with pytest.raises(ValueError, match="AAPL"):
        size_entry("AAPL", Side.BUY, None, a_bot(), scene, source=SourceType.STRATEGY)


def test_orders_are_counted_over_the_last_minute() -> None:
    book = a_book()
    for second in (0, 0, 10, 59):
        book = with_order_counted(book, NOON + timedelta(seconds=second))
    counts = [orders_last_minute(book, NOON + timedelta(seconds=s)) for s in (59, 60, 70, 119)]
    assert counts == [4, 2, 1, 0]
    assert book.recent == (
        (int(NOON.timestamp()), 2),
        (int(NOON.timestamp()) + 10, 1),
        (int(NOON.timestamp()) + 59, 1),
    )


def test_a_clock_that_went_back_does_not_block_for_ever() -> None:
    book = with_order_counted(a_book(), NOON + timedelta(days=7))
    assert orders_last_minute(book, NOON) == 0


@given(st.lists(st.integers(0, 40), max_size=60))
def test_what_is_remembered_of_the_rate_stays_small(steps: list[int]) -> None:
    book, now = a_book(), NOON
    for step in steps:
        now += timedelta(seconds=step)
        book = with_order_counted(book, now)
    assert len(book.recent) <= 60


def a_ticket(**over: Any) -> Ticket:
    order = an_order(**({"state": OrderState.PARTIALLY_FILLED} | over))
    return Ticket(order, UUID(int=1), 1, NOON, arrival=D(100))


def test_what_waits_reserves_its_rest() -> None:
    waiting = [
        a_ticket(filled=D(4)),  # 6 left of AAPL
        a_ticket(symbol="MSFT", side=Side.SELL, quantity=D(3), average_price=D(50)),
        a_ticket(purpose="exit"),
        a_ticket(quantity=None),
        a_ticket(state=OrderState.CANCELED),
    ]
    reserved = reserved_by(waiting, "AAPL")
    sources = {SourceType.STRATEGY: D(750)}
    held_back = D(600) * D("1.03") + D(150) / 2  # a buy with its reserve, a short sale's margin
    assert reserved == Reserved(D(6), gross=D(750), cash=held_back, sources=sources)
    assert reserved_by([], "AAPL") is NOTHING_RESERVED


def test_a_limit_order_reserves_what_it_may_cost_and_no_more() -> None:
    waits = a_ticket(kind=OrderKind.LIMIT, limit_price=D(105), filled=D(4), average_price=D(99))
    assert reserved_by([waits], "AAPL").cash == D(6) * D(105)


def test_an_order_without_any_price_reserves_nothing() -> None:
    ticket = replace(a_ticket(), arrival=None)
    assert reserved_by([ticket], "AAPL") == NOTHING_RESERVED
