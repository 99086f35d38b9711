"""Who owns what, and what each source earned."""

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal, localcontext
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executor.domain.book import Book, equity_of, position_of, valued
from executor.domain.exits import closable, everything, still_open
from executor.domain.lots import apply_fill
from executor.domain.orders import Execution, Ticket, filled
from signalbox.contracts.errors import InvariantBroken
from signalbox.contracts.payloads import LotSlice, QuoteUsed
from signalbox.contracts.values import Action, OrderState, Side, SourceType
from signalbox.testing.examples import NOON, a_bot, a_signal, an_order

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
QC, LLM, SMA = (
    (SourceType.QUANTCONNECT, "4711"),
    (SourceType.LLM, "demo"),
    (SourceType.STRATEGY, "sma"),
)
EMPTY = Book("alpha", "paper-alpha", D(100_000), D(100_000))


def a_ticket(
    number: int,
    side: Side,
    quantity: Decimal,
    by: tuple[SourceType, str],
    *,
    targets: tuple[UUID, ...] = (),
) -> Ticket:
    order = an_order(
        order_id=f"{number:032x}",
        broker_order_id=f"{number:032x}",
        side=side,
        quantity=quantity,
        purpose="exit" if targets else "entry",
        source_type=by[0],
        source_id=by[1],
        state=OrderState.ACCEPTED,
    )
    return Ticket(order, UUID(int=number), 1, NOON, targets=targets)


@dataclass
class Desk:
    """A book, and what each source has realised in it."""

    book: Book = EMPTY
    count: int = 0
    earned: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    tickets: list[Ticket] = field(default_factory=list)

    def trade(
        self,
        by: tuple[SourceType, str],
        side: Side,
        quantity: Decimal | int,
        price: Decimal | int,
        *,
        fee: Decimal | int = 0,
        targets: tuple[UUID, ...] = (),
    ) -> tuple[LotSlice, ...]:
        self.count += 1
        ticket = a_ticket(self.count, side, D(quantity), by, targets=targets)
        execution = Execution(D(quantity), D(price), D(fee))
        at = NOON + timedelta(seconds=self.count)
        self.book, slices = apply_fill(self.book, ticket, execution, at)
        self.tickets.append(filled(ticket, execution, slices, at))
        for part in slices:
            self.earned[part.source_id] += part.realised_pnl
        return slices

    def lots(self) -> list[tuple[str, Decimal, Decimal]]:
        held = self.book.holdings["AAPL"].lots
        return [(lot.source_id, lot.quantity, lot.entry_price) for lot in held]


def test_each_source_earns_on_its_own_lots() -> None:
    """The worked example: the seller does not take the other's cheaper lot."""
    desk = Desk()
    desk.trade(QC, BUY, 100, 10)
    desk.trade(LLM, BUY, 50, 12)
    desk.trade(LLM, SELL, 50, 11)
    assert desk.earned == {"4711": D(0), "demo": D(-50)}
    assert desk.lots() == [("4711", D(100), D(10))]
    assert desk.book.cash == D(100_000) - 1000 - 600 + 550


def test_own_lots_are_closed_oldest_first_and_split() -> None:
    desk = Desk()
    desk.trade(QC, BUY, 10, 10)
    desk.trade(QC, BUY, 10, 20)
    slices = desk.trade(QC, SELL, 15, 30)
    closed = [(s.effect, s.quantity, s.entry_price, s.realised_pnl) for s in slices]
    assert closed == [
        ("closed", D(10), D(10), D(200)),
        ("closed", D(5), D(20), D(50)),
    ]
    assert desk.lots() == [("4711", D(5), D(20))]


def test_an_exit_closes_its_targets_in_their_order_and_credits_the_owners() -> None:
    desk = Desk()
    desk.trade(SMA, BUY, 10, 10)
    desk.trade(QC, BUY, 10, 12)
    signal = a_signal(action=Action.SELL, source_type=QC[0], source_id=QC[1])
    targets = tuple(lot.lot_id for lot in closable(signal, desk.book, a_bot()))
    slices = desk.trade(QC, SELL, 15, 13, targets=targets)
    assert [(s.source_id, s.quantity, s.realised_pnl) for s in slices] == [
        ("4711", D(10), D(10)),
        ("sma", D(5), D(15)),
    ]
    assert desk.lots() == [("sma", D(5), D(10))]


def test_what_closes_nothing_opens_a_lot_of_the_other_direction() -> None:
    desk = Desk()
    desk.trade(QC, BUY, 10, 10)
    slices = desk.trade(QC, SELL, 15, 12)
    assert [(s.effect, s.quantity) for s in slices] == [("closed", D(10)), ("opened", D(5))]
    assert desk.lots() == [("4711", D(-5), D(12))]
    desk.trade(QC, BUY, 5, 11)
    assert desk.earned["4711"] == D(25)
    assert desk.lots() == []


def test_the_shares_of_a_fee_add_up_to_it() -> None:
    desk = Desk()
    for _ in range(3):
        desk.trade(QC, BUY, 1, 10)
    slices = desk.trade(QC, SELL, 3, 10, fee=D("0.01"))
    assert [s.realised_pnl for s in slices] == [D("-0.003333333")] * 2 + [D("-0.003333334")]


def test_opening_costs_the_opener_its_fee() -> None:
    desk = Desk()
    assert [s.realised_pnl for s in desk.trade(QC, BUY, 1, 10, fee=D("0.5"))] == [D("-0.5")]


def test_lots_opened_at_one_instant_keep_their_order() -> None:
    book, opened = EMPTY, []
    for number in range(3):
        ticket = a_ticket(number, BUY, D(1), QC)
        book, slices = apply_fill(book, ticket, Execution(D(1), D(10)), NOON)
        opened.append(slices[0].lot_id)
    lots = sorted(book.holdings["AAPL"].lots, key=lambda lot: lot.opened_at)
    assert [lot.lot_id for lot in lots] == opened
    assert len({lot.opened_at for lot in lots}) == 3


def test_the_quote_of_a_fill_marks_the_position() -> None:
    quote = QuoteUsed(bid=D(9), ask=D(10), at=NOON)
    ticket = a_ticket(1, BUY, D(10), QC)
    book, _ = apply_fill(EMPTY, ticket, Execution(D(10), D(10), D(0), quote), NOON)
    equity = equity_of(book, NOON, "x")
    assert (equity.exposure_net, equity.unrealised_pnl) == (D(95), D(-5))
    assert equity.equity == D(99_995)


def test_a_position_has_no_average_when_long_and_short_lots_mix() -> None:
    desk = Desk()
    desk.trade(QC, BUY, 10, 100)
    desk.trade(SMA, SELL, 9, 120)
    position = position_of(desk.book, "AAPL", NOON, "x")
    assert (position.quantity, position.average_price, len(position.lots)) == (D(1), None, 2)
    assert position_of(desk.book, "MSFT", NOON, "x").quantity == 0


def test_everything_is_one_order_for_each_direction() -> None:
    desk = Desk()
    desk.trade(QC, BUY, 10, 100)
    desk.trade(LLM, BUY, 5, 100)
    desk.trade(SMA, SELL, 9, 120)
    exits = [(i.side, i.quantity, len(i.targets)) for i in everything(desk.book, "AAPL")]
    assert exits == [(SELL, D(15), 2), (BUY, D(9), 1)]
    assert everything(desk.book, "MSFT") == []


def test_an_exit_closes_no_more_than_is_still_there() -> None:
    desk = Desk()
    desk.trade(QC, BUY, 10, 100)
    (exit_,) = everything(desk.book, "AAPL")
    ticket = a_ticket(9, SELL, D(10), SMA, targets=exit_.targets)
    desk.trade(QC, SELL, 4, 100)
    assert still_open(ticket, desk.book) == D(6)


def test_a_fill_needs_a_side() -> None:
    order = an_order(side=None)
    ticket = Ticket(order, UUID(int=1), 1, NOON)
    with pytest.raises(InvariantBroken, match="without a side"):
        apply_fill(EMPTY, ticket, Execution(D(1), D(1)), NOON)


# --- against a reference that knows nothing of our types


class Reference:
    """Own-source first-in-first-out, with plain lists of [quantity, price] and signed numbers."""

    def __init__(self) -> None:
        self.lots: dict[str, list[list[Decimal]]] = defaultdict(list)
        self.earned: dict[str, Decimal] = defaultdict(Decimal)
        self.cash = Decimal(0)

    def trade(self, source: str, signed: Decimal, price: Decimal, fee: Decimal) -> None:
        self.cash -= signed * price + fee
        self.earned[source] -= fee
        queue = self.lots[source]
        while signed and queue and (queue[0][0] > 0) != (signed > 0):
            closed = min(abs(signed), abs(queue[0][0])) * (1 if queue[0][0] > 0 else -1)
            self.earned[source] += (price - queue[0][1]) * closed
            queue[0][0] -= closed
            signed += closed
            if not queue[0][0]:
                queue.pop(0)
        if signed:
            queue.append([signed, price])


@pytest.mark.parametrize("seed", range(5))
def test_five_hundred_random_trades_agree_with_the_reference(seed: int) -> None:
    dice, desk, reference = random.Random(seed), Desk(), Reference()  # noqa: S311 - a seeded test
    for _ in range(500):
        by = dice.choice([QC, LLM, SMA])
        quantity = D(dice.randint(1, 5_000_000)) / 10_000
        price = D(dice.randint(1, 50_000_000)) / 10_000
        fee = D(dice.randint(0, 1_000_000)) / 1_000_000
        side = dice.choice([BUY, SELL])
        desk.trade(by, side, quantity, price, fee=fee)
        reference.trade(by[1], quantity * side.sign, price, fee)
    for source, queue in reference.lots.items():
        own = [[q, p] for s, q, p in desk.lots() if s == source]
        assert own == queue
    assert dict(desk.earned) == dict(reference.earned)
    assert desk.book.cash == 100_000 + reference.cash


TRADES = st.lists(
    st.tuples(
        st.sampled_from([QC, LLM, SMA]),
        st.sampled_from([BUY, SELL]),
        st.decimals("0.000000001", "999999", places=9),
        st.decimals("0.00000001", "999999", places=8),
        st.decimals("0", "99", places=6),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(TRADES)
def test_the_books_always_add_up(
    trades: list[tuple[tuple[SourceType, str], Side, Decimal, Decimal, Decimal]],
) -> None:
    with localcontext(prec=100):
        _add_up(trades)


def _add_up(
    trades: list[tuple[tuple[SourceType, str], Side, Decimal, Decimal, Decimal]],
) -> None:
    desk = Desk()
    for by, side, quantity, price, fee in trades:
        desk.trade(by, side, quantity, price, fee=fee)
    book = desk.book
    bought = sum((t.order.filled * t.order.side.sign for t in desk.tickets if t.order.side), D(0))
    holding = book.holdings.get("AAPL")
    if holding is None:
        assert not trades
        return
    assert holding.quantity == bought == sum(lot.quantity for lot in holding.lots)
    assert holding.cost == sum(lot.quantity * lot.entry_price for lot in holding.lots)
    assert holding.realised == book.realised == sum(desk.earned.values())
    assert book.fees == sum(fee for *_, fee in trades)
    assert book.equity == book.started_with + book.realised + book.unrealised
    assert valued(book) == book  # what was kept up to date is what a full count gives
