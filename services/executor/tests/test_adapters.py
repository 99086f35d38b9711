"""Rows, quotes, and a long random day whose books must agree with its fills and its events."""

import random
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.dialects import sqlite

from executor.adapters import bookkeeping, store
from executor.adapters.quotes import QuoteBoard
from executor.adapters.tables import metadata, orders
from executor.domain.check import mismatches
from executor.domain.desk import Desk
from executor.domain.orders import Ticket
from signalbox.contracts.accounts import PaperSettings
from signalbox.contracts.config import ExecutorConfig
from signalbox.contracts.events import AnyEvent, EquityMarked, OrderChanged, PositionChanged
from signalbox.contracts.values import Action, OrderState, Side, SourceType
from signalbox.runtime.db import Database
from signalbox.testing.examples import NOON, a_quote, an_account, an_order

D = Decimal
Shop = Any  # what conftest.py makes
AMOUNT = st.decimals("0.000000001", "999999999", places=9)
TIMES = st.datetimes(timezones=st.just(NOON.tzinfo))


@settings(max_examples=50, deadline=None)
@given(
    side=st.one_of(st.none(), st.sampled_from(Side)),
    quantity=st.one_of(st.none(), AMOUNT),
    price=st.one_of(st.none(), AMOUNT),
    at=st.one_of(st.none(), TIMES),
    targets=st.lists(st.uuids(), max_size=3),
)
def test_an_order_comes_back_from_its_row_as_it_was(
    side: Side | None,
    quantity: Decimal | None,
    price: Decimal | None,
    *,
    at: Any,
    targets: list[UUID],
) -> None:
    order = an_order(
        side=side,
        quantity=quantity,
        average_price=price,
        state=OrderState.ACCEPTED,
        numbers={"limit": "1", "observed": "2"},
        message="why",
        verdict_id=None,
    )
    ticket = Ticket(
        order,
        UUID(int=7),
        3,
        NOON,
        expires_at=at,
        targets=tuple(targets),
        arrival=price,
        notional=quantity or D(0),
        quoted_at=at,
    )
    db, desk = Database.in_memory(metadata), Desk.of(ExecutorConfig(), {})
    desk.put_ticket(ticket)
    with db.begin() as sql:
        store.save(sql, desk)
        assert store.find_order(sql, order.order_id) == ticket
        assert store.open_tickets(sql) == [ticket]
    db.close()


def test_open_orders_are_found_without_reading_the_others() -> None:
    query = select(orders.c.order_id).where(orders.c.open, orders.c.bot == "alpha")
    text = query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    with Database.in_memory(metadata).begin() as sql:
        plan = sql.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").all()
    assert "ix_orders_open" in plan[0].detail


def test_the_board_keeps_the_newest_quote() -> None:
    board = QuoteBoard()
    newest = a_quote(at=NOON + timedelta(seconds=2))
    assert board.put(a_quote())
    assert board.put(newest)
    before = board.snapshot()
    assert not board.put(a_quote(at=NOON + timedelta(seconds=1)))
    assert board.snapshot() == before == {"AAPL": newest}
    assert board.put(a_quote(epoch=2, at=NOON))  # another loop of the replay
    assert before == {"AAPL": newest}


SYMBOLS = ("AAPL", "MSFT", "BTC/USD")
SOURCES: tuple[dict[str, Any], ...] = (
    {"source_type": SourceType.QUANTCONNECT, "source_id": "4711"},
    {"source_type": SourceType.LLM, "source_id": "demo"},
    {"source_type": SourceType.STRATEGY, "source_id": "sma"},
    {"source_type": SourceType.STRATEGY, "source_id": "rsi"},
)


class Day:
    """Random signals, quotes, commands and pauses; everything that was said is kept."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self.shop, self.dice = shop, random.Random(seed)  # noqa: S311 - a seeded test
        self.said: list[AnyEvent] = []
        self.requests = 0
        transact = shop.transact

        async def hear(work: Any) -> Any:
            made = await transact(work)
            self.said += made
            return made

        shop.transact = hear

    async def step(self) -> None:
        dice, shop = self.dice, self.shop
        symbol = dice.choice(SYMBOLS)
        what = dice.random()
        if what < 0.5:
            verdicts = [
                shop.verdict(dice.choice(list(Action)), symbol=symbol, **dice.choice(SOURCES))
                for _ in range(dice.randint(1, 4))
            ]
            self.said += shop.handle(*verdicts)
        elif what < 0.9:
            shop.later(seconds=dice.choice([1, 20, 70]))
            bid = D(dice.randint(1_000_000, 1_050_000)) / 10_000
            volume = dice.choice([None, D(0), D(15), D(1000)])
            shop.quote(symbol=symbol, bid=bid, ask=bid + D("0.01"), volume=volume)
            await shop.fill(symbol)
        elif what < 0.95:
            await shop.floor.end_overdue(shop.moment())
        else:
            self.requests += 1
            await shop.commands.flatten(shop.command(f"r{self.requests}", bot="alpha"))


def totals(events: list[AnyEvent]) -> tuple[dict[str, Decimal], Decimal, Decimal]:
    """Positions, cash and realised profit, from the order events alone."""
    held: dict[str, Decimal] = defaultdict(Decimal)
    cash, earned = D(100_000), D(0)
    for order in [e.data for e in events if isinstance(e, OrderChanged) and e.data.fill]:
        assert order.fill is not None
        assert order.side is not None
        signed = order.fill.quantity * order.side.sign
        held[order.symbol] += signed
        cash -= signed * order.fill.price + order.fill.fee
        earned += sum(part.realised_pnl for part in order.fill.slices)
        assert sum(part.quantity for part in order.fill.slices) == order.fill.quantity
    return held, cash, earned


@pytest.mark.parametrize("seed", range(4))
async def test_after_a_long_day_everything_agrees(
    shop_with: Callable[..., Shop], seed: int
) -> None:
    shop = shop_with(allow_short=True)
    shop.configure(accounts=(an_account(paper=PaperSettings(fee_bps=D(3))),))
    day = Day(shop, seed)
    for _ in range(200):
        await day.step()
    with shop.db.begin() as sql:
        assert mismatches(bookkeeping.kept(sql), bookkeeping.sums(sql)) == []
    held, cash, earned = totals(day.said)
    book = shop.book()
    assert {s: h.quantity for s, h in book.holdings.items()} == held
    assert (book.cash, book.realised) == (cash, earned)
    ids = [event.id for event in day.said]
    assert len(set(ids)) == len(ids)
    intents = [e.data.intent_id for e in day.said if isinstance(e, OrderChanged)]
    assert len(set(intents)) > 100
    for event in day.said:
        if isinstance(event, PositionChanged):
            lots = sum((lot.quantity for lot in event.data.lots), D(0))
            assert event.data.quantity == lots
        if isinstance(event, EquityMarked):
            mark = event.data
            assert mark.equity == 100_000 + mark.realised_pnl + mark.unrealised_pnl
