"""An order's life only goes forward; a late fill still counts."""

from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from executor.domain.orders import NEXT, Execution, Ticket, advance, fill_id, filled, late, sized
from signalbox.contracts.errors import InvariantBroken
from signalbox.contracts.ids import order_event_id
from signalbox.contracts.values import OrderState, Side
from signalbox.testing.examples import NOON, an_order

D = Decimal
S = OrderState
RANK = {
    S.PLANNED: 0,
    S.SUBMITTING: 1,
    S.UNKNOWN: 2,
    S.ACCEPTED: 3,
    S.PARTIALLY_FILLED: 4,
    S.CANCEL_PENDING: 5,
} | dict.fromkeys((s for s in S if s.final), 6)


def a_ticket(state: OrderState = S.PLANNED, **over: object) -> Ticket:
    order = an_order(state=state, broker_order_id="b1", **over)
    return Ticket(order, UUID(int=1), 1, NOON, arrival=D(100))


def test_every_transition_goes_forward() -> None:
    for state, following in NEXT.items():
        assert all(RANK[then] > RANK[state] for then in following), state


def test_final_states_have_no_successor_and_all_others_have_an_end() -> None:
    assert set(NEXT) == {s for s in S if not s.final}
    assert all(any(then.final for then in following) for following in NEXT.values())


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("then", S)
def test_advance_allows_the_table_and_nothing_else(state: OrderState, then: OrderState) -> None:
    ticket = a_ticket(state)
    if then in NEXT.get(state, ()):
        moved = advance(ticket, then, NOON, reason="why", message="because", numbers={"limit": "1"})
        assert (moved.order.state, moved.order.reason) == (then, "why")
        assert moved.order.numbers == {"limit": "1"}
    else:
        with pytest.raises(InvariantBroken, match=f"is {state} and cannot become {then}"):
            advance(ticket, then, NOON)


def fill(ticket: Ticket, quantity: int, price: int = 100) -> Ticket:
    return filled(ticket, Execution(D(quantity), D(price)), (), NOON)


@pytest.mark.parametrize(
    ("state", "quantity", "after"),
    [
        pytest.param(S.ACCEPTED, 10, S.FILLED, id="whole"),
        pytest.param(S.ACCEPTED, 4, S.PARTIALLY_FILLED, id="part"),
        pytest.param(S.SUBMITTING, 4, S.PARTIALLY_FILLED, id="a fill says that it arrived"),
        pytest.param(S.UNKNOWN, 10, S.FILLED, id="a fill ends the doubt"),
        pytest.param(S.PARTIALLY_FILLED, 4, S.PARTIALLY_FILLED, id="another part"),
        pytest.param(S.CANCEL_PENDING, 4, S.CANCEL_PENDING, id="part while being cancelled"),
        pytest.param(S.CANCEL_PENDING, 10, S.FILLED, id="whole while being cancelled"),
        pytest.param(S.CANCELED, 4, S.CANCELED, id="late part"),
        pytest.param(S.CANCELED, 10, S.FILLED, id="late whole"),
        pytest.param(S.EXPIRED, 4, S.EXPIRED, id="late after expiry"),
        pytest.param(S.ABANDONED, 4, S.ABANDONED, id="late after giving up"),
    ],
)
def test_a_fill_moves_the_state(state: OrderState, quantity: int, after: OrderState) -> None:
    ticket = a_ticket(state)
    done = fill(ticket, quantity)
    assert (done.order.state, done.order.filled) == (after, D(quantity))
    assert late(ticket) == state.final


@pytest.mark.parametrize("state", [S.PLANNED, S.DENIED])
def test_what_never_went_to_a_broker_cannot_be_filled(state: OrderState) -> None:
    with pytest.raises(InvariantBroken, match="cannot be filled"):
        fill(a_ticket(state), 1)


def test_more_than_was_ordered_cannot_be_filled() -> None:
    with pytest.raises(InvariantBroken, match="of 10 is filled with 11"):
        fill(fill(a_ticket(S.ACCEPTED), 5), 6)
    with pytest.raises(InvariantBroken, match="of None"):
        fill(a_ticket(S.ACCEPTED, quantity=None), 1)


def test_fills_add_up_to_an_average_price_and_a_cumulative_id() -> None:
    ticket = a_ticket(S.ACCEPTED)
    assert fill_id(ticket, D("5.0")) == "paper|b1|5"
    ticket = fill(fill(ticket, 5, 100), 5, 110)
    assert (ticket.order.average_price, ticket.notional) == (D(105), D(1050))
    assert ticket.order.fill is not None
    assert ticket.order.fill.fill_id == "paper|b1|10"


@pytest.mark.parametrize(
    ("side", "price", "bps"),
    [(Side.BUY, 101, 100), (Side.BUY, 99, -100), (Side.SELL, 99, 100), (Side.SELL, 101, -100)],
)
def test_slippage_is_positive_when_worse(side: Side, price: int, bps: int) -> None:
    order = fill(a_ticket(S.ACCEPTED, side=side), 10, price).order
    assert order.fill is not None
    assert order.fill.slippage_bps == bps


def test_an_order_gets_its_size_later() -> None:
    ticket = a_ticket(S.ACCEPTED, quantity=None)
    assert ticket.remaining is None
    assert sized(ticket, D(7)).remaining == D(7)


class Life(RuleBasedStateMachine):
    """Whatever happens to an order, it only goes forward, and each event has its own id."""

    def __init__(self) -> None:
        super().__init__()
        self.ticket = a_ticket()
        self.ids = [self._id()]
        self.last = self.ticket

    def _id(self) -> UUID:
        order = self.ticket.order
        return order_event_id(order.order_id, order.state, order.filled)

    def _moved(self, ticket: Ticket) -> None:
        self.last, self.ticket = self.ticket, ticket
        self.ids.append(self._id())

    @precondition(lambda self: self.ticket.order.state in NEXT)
    @rule(data=st.data())
    def advances(self, data: st.DataObject) -> None:
        then = data.draw(st.sampled_from(sorted(NEXT[self.ticket.order.state])))
        self._moved(advance(self.ticket, then, NOON))

    @rule(then=st.sampled_from(S))
    def does_not_jump(self, then: OrderState) -> None:
        if then not in NEXT.get(self.ticket.order.state, ()):
            with pytest.raises(InvariantBroken):
                advance(self.ticket, then, NOON)

    @precondition(lambda self: self.ticket.order.state not in {S.PLANNED, S.DENIED, S.FILLED})
    @rule(quantity=st.integers(1, 4))
    def is_filled(self, quantity: int) -> None:
        remaining = self.ticket.remaining
        assert remaining is not None
        self._moved(fill(self.ticket, min(quantity, int(remaining))))

    @invariant()
    def goes_forward(self) -> None:
        then, now = self.last.order, self.ticket.order
        assert RANK[now.state] >= RANK[then.state]
        assert now.filled >= then.filled
        assert now.quantity is not None
        assert now.filled <= now.quantity
        assert (now.state is S.FILLED) == (now.filled == now.quantity)
        if then.state.final and now is not then:
            assert now.filled > then.filled

    @invariant()
    def has_distinct_events(self) -> None:
        assert len(set(self.ids)) == len(self.ids)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)
