"""Which stop a lot should have at its broker, and when it gets another one."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.domain.broker import BrokerOrder
from executor.domain.money import ZERO
from executor.domain.orders import Recall, Submission, Ticket
from executor.domain.resting import (
    Turn,
    altered,
    count_of,
    left_to_broker,
    level_of,
    name_of,
    one_sided,
    outdated,
    turn_of,
)
from executor.handlers.patience import Patience
from signalbox.contracts.payloads import Lot, Protection
from signalbox.contracts.values import OrderKind, OrderState, Side
from signalbox.testing.examples import NOON, a_quote, an_order

D = Decimal
S = OrderState
LOT = Lot.model_validate(
    {
        "lot_id": "00000000-0000-5000-8000-000000000001",
        "source_type": "llm",
        "source_id": "demo",
        "quantity": "5.5",
        "entry_price": "100",
        "opened_at": NOON,
        "order_id": "0" * 32,
    }
)


def lot(quantity: str = "5.5", **protection: Any) -> Lot:
    guard = Protection.model_validate(protection)
    return LOT.model_copy(update={"quantity": D(quantity), "protection": guard})


def stop(state: OrderState = S.ACCEPTED, *, at: datetime = NOON, **over: Any) -> Ticket:
    fields = {"state": state, "at": at, "kind": OrderKind.STOP, "stop_price": D(95)}
    fields |= {"side": Side.SELL, "quantity": D(5), "filled": ZERO, "purpose": "protective"}
    fields |= {"broker": "alpaca", "broker_order_id": "b1", "reason": "", "fill": None}
    order = an_order().model_copy(update=fields | over)
    return Ticket(order, order.intent_id, 0, at, targets=(LOT.lot_id,))


@pytest.mark.parametrize(
    ("symbol", "held", "found"),
    [
        pytest.param("AAPL", lot(stop_price="95.127"), "stop sell 5 95.12", id="away: below"),
        pytest.param("AAPL", lot("-5", stop_price="105.121"), "stop buy 5 105.13", id="above"),
        pytest.param("AAPL", lot(stop_price="0.98765"), "stop sell 5 0.9876", id="a small price"),
        pytest.param(
            "AAPL", lot(trailing="0.1", best_price="120"), "trailing sell 5 108", id="trailing"
        ),
        pytest.param(
            "AAPL",
            lot(stop_price="95", trailing="0.1", best_price="120"),
            "trailing sell 5 108",
            id="the nearer one",
        ),
        pytest.param(
            "AAPL",
            lot("-5", stop_price="105", trailing="0.1", best_price="100"),
            "stop buy 5 105",
            id="the nearer one of a short lot",
        ),
        pytest.param("AAPL", lot(target_price="110"), None, id="a target is watched"),
        pytest.param("AAPL", LOT, None, id="nothing protects it"),
        pytest.param("AAPL", lot("0.9999", stop_price="95"), None, id="less than a share"),
        pytest.param("BTC/USD", lot(stop_price="95"), None, id="a pair"),
    ],
)
def test_the_level_that_should_rest(symbol: str, held: Lot, found: str | None) -> None:
    level = level_of(symbol, held)
    words = level and f"{level.trigger} {level.side} {level.units} {level.price.normalize():f}"
    assert words == found


@given(
    st.decimals("0.0001", "5000", places=4),
    st.decimals("-50", "50", places=4).filter(lambda units: abs(units) >= 1),
)
def test_a_stop_never_closes_more_than_its_lot_nor_sooner_than_it_says(
    price: Decimal, units: Decimal
) -> None:
    level = level_of("AAPL", lot(str(units), stop_price=str(price)))
    assert level is not None
    assert 1 <= level.units <= abs(units)
    if units > 0:
        assert level.price <= max(price, D("0.0001"))
    else:
        assert level.price >= price


def test_another_level_is_placed_after_a_minute_another_size_at_once() -> None:
    level = level_of("AAPL", lot(stop_price="95"))
    assert level is not None
    held = stop()
    assert not outdated(held, level, NOON + timedelta(hours=1))
    moved = replace(level, price=D(96))
    assert not outdated(held, moved, NOON + timedelta(seconds=59))
    assert outdated(held, moved, NOON + timedelta(seconds=60))
    assert outdated(held, replace(level, units=D(4)), NOON)
    assert outdated(held, None, NOON)


@pytest.mark.parametrize(
    ("ticket", "bid", "left"),
    [
        pytest.param(stop(), "95", True, id="at it"),
        pytest.param(stop(), "95.01", False, id="above it"),
        pytest.param(stop(S.PARTIALLY_FILLED), "95", True, id="being filled"),
        pytest.param(stop(S.UNKNOWN), "95", False, id="nobody knows"),
        pytest.param(stop(S.CANCEL_PENDING), "95", False, id="called back"),
        pytest.param(stop(side=Side.BUY), "94.9", True, id="short: the ask is there"),
        pytest.param(stop(side=Side.BUY), "94.8", False, id="short: the ask is below"),
    ],
)
def test_what_is_left_to_the_broker(ticket: Ticket, bid: str, left: bool) -> None:
    quote = a_quote(bid=D(bid), ask=D(bid) + D("0.1"))
    assert left_to_broker(ticket, quote) is left


def test_a_stop_that_is_called_back_rests_no_more() -> None:
    recall = Submission(recall=Recall(S.CANCELED, "makes_way", "", {}))
    assert stop().resting
    assert not replace(stop(), submission=recall).resting
    assert not stop(kind=OrderKind.MARKET).resting


ENDED: dict[str, Any] = {"at": NOON, "reason": "broker_expired"}


@pytest.mark.parametrize(
    ("before", "after_s", "turn"),
    [
        pytest.param([], 0, Turn(now=True), id="the first"),
        pytest.param([stop(S.CANCELED, reason="makes_way")], 0, Turn(now=True), id="made way"),
        pytest.param(
            [stop(S.CANCELED, reason="canceled_by_user")], 99, Turn(now=False), id="by hand"
        ),
        pytest.param([stop(S.EXPIRED, **ENDED)], 59, Turn(now=False), id="a pause"),
        pytest.param([stop(S.EXPIRED, **ENDED)], 60, Turn(now=True), id="after the pause"),
        pytest.param([stop(S.ABANDONED)], 59, Turn(now=False), id="given up in doubt"),
        pytest.param([stop(S.REJECTED)] * 2, 60, Turn(now=True), id="twice"),
        pytest.param([stop(S.REJECTED)] * 3, 60, Turn(now=False, given_up=True), id="thrice"),
        pytest.param([stop(S.REJECTED)] * 3, 86_400, Turn(now=True), id="the next day"),
    ],
)
def test_when_a_stop_may_be_placed_again(before: list[Ticket], after_s: int, turn: Turn) -> None:
    assert turn_of(before, NOON + timedelta(seconds=after_s), None) == turn


def test_a_correction_arms_it_anew() -> None:
    before = [stop(S.CANCELED, reason="canceled_by_user"), *[stop(S.REJECTED)] * 3]
    assert turn_of(before, NOON, NOON) == Turn(now=True)
    assert not turn_of(before, NOON, NOON - timedelta(seconds=1)).now


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 9, 100])
def test_what_is_numbered_without_a_gap_is_counted(count: int) -> None:
    assert count_of(lambda number: number < count) == count


def test_every_try_and_leg_has_a_name_of_its_own() -> None:
    names = {
        name_of(LOT.lot_id, bot, account, attempt, leg)
        for bot in ("alpha", "beta")
        for account in ("one", "two")
        for attempt in range(3)
        for leg in (0, 1)
    }
    assert len(names) == 24


def test_lots_of_both_sides_rest_nowhere() -> None:
    assert one_sided([lot("1"), lot("2")])
    assert one_sided([lot("-1")])
    assert not one_sided([lot("1"), lot("-1")])
    assert not one_sided([])


@pytest.mark.parametrize(
    ("over", "is_altered"),
    [
        pytest.param({}, True, id="another price"),
        pytest.param({"quantity": D(10)}, True, id="split"),
        pytest.param({"broker_id": "b2"}, False, id="another order under our name"),
        pytest.param({"side": Side.BUY}, False, id="the other side"),
        pytest.param({"symbol": "MSFT"}, False, id="another symbol"),
        pytest.param({"filled": D(6)}, False, id="filled with more than was ordered"),
    ],
)
def test_what_a_broker_may_have_changed(over: dict[str, Any], is_altered: bool) -> None:
    fields: dict[str, Any] = {"broker_id": "b1", "client_id": "", "symbol": "AAPL"}
    fields |= {"side": Side.SELL} | {
        "quantity": D(5),
        "filled": ZERO,
        "average_price": None,
        "status": "new",
    }
    shown = BrokerOrder(**(fields | {"state": S.ACCEPTED} | over))
    assert altered(stop(), shown) is is_altered


def test_a_broker_is_waited_for_in_the_session_and_while_there_is_a_price() -> None:
    patience, held, ticket = Patience(), lot(stop_price="95"), stop()
    stops, symbol = {held.lot_id: ticket}, ticket.order.symbol

    def heard(at: datetime, **over: Any) -> None:
        patience.look(a_quote(symbol=symbol, bid=D(94), ask=D(95), at=at, **over), [held], stops)

    heard(NOON, session_open=False)
    assert not patience.has(held.lot_id, symbol, NOON)
    heard(NOON)
    soon, later = NOON + timedelta(seconds=10), NOON + timedelta(seconds=61)
    assert patience.has(held.lot_id, symbol, NOON)
    assert patience.lost(held.lot_id, symbol, soon)
    assert not patience.lost(held.lot_id, symbol, later), "the price is too old to act on"
    heard(later, session_open=False)
    heard(later)
    assert patience.has(held.lot_id, symbol, later), "a new session, a new patience"
