"""Manual control, and what time brings."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from prometheus_client import REGISTRY

from executor.adapters.tables import metadata, positions
from executor.domain.desk import Track
from executor.domain.orders import Execution
from executor.handlers.audit import audit
from executor.handlers.booking import book_fill
from signalbox.contracts.errors import Conflict, Malformed, NotFound
from signalbox.contracts.events import AlertRaised, EquityMarked
from signalbox.contracts.values import Action, OrderState, Side, SourceType
from signalbox.testing.examples import a_bot

D = Decimal
S = OrderState
BUY, SELL = Action.BUY, Action.SELL
QC = {"source_type": SourceType.QUANTCONNECT, "source_id": "4711"}
Shop = Any  # what conftest.py makes


async def close(shop: Shop, request_id: str = "r1", symbol: str = "AAPL") -> list[str]:
    answer = await shop.commands.close(shop.command(request_id, bot="alpha", symbol=symbol))
    found: list[str] = answer["orders"]
    return found


async def flatten(shop: Shop, request_id: str = "r1") -> list[str]:
    answer = await shop.commands.flatten(shop.command(request_id, bot="alpha"))
    found: list[str] = answer["orders"]
    return found


async def test_close_sells_every_sources_lots_at_once(shop: Shop) -> None:
    shop.quote()
    shop.accept(BUY)
    shop.accept(BUY, **QC)
    (order_id,) = await close(shop)
    order = shop.order(order_id)
    assert (order.state, order.side, order.purpose) == (S.FILLED, Side.SELL, "exit")
    assert (order.source_type, order.source_id) == (SourceType.MANUAL, "trader")
    assert (order.quantity, shop.held()) == (D("9.5002"), 0)
    owners = [part["source_id"] for part in shop.fills()[-1].slices]
    assert owners == ["sma-cross", "4711"]


async def test_close_waits_for_a_quote_without_an_end(shop: Shop) -> None:
    shop.quote()
    shop.accept(BUY)
    shop.later(minutes=2)
    (order_id,) = await close(shop)
    assert shop.order(order_id).state is S.ACCEPTED
    shop.later(days=30)
    await shop.floor.end_overdue(shop.moment())
    shop.quote(session_closes_at=None)
    await shop.fill()
    assert (shop.order(order_id).state, shop.held()) == (S.FILLED, 0)


async def test_a_commanded_exit_stays_when_its_user_also_sends_signals(shop: Shop) -> None:
    shop.quote()
    shop.accept(BUY)
    shop.later(minutes=2)
    (order_id,) = await close(shop)
    shop.accept(BUY, source_type=SourceType.MANUAL, source_id="trader")
    assert shop.order(order_id).state is S.ACCEPTED


async def test_close_buys_back_what_is_short(shop_with: Any) -> None:
    shop = shop_with(allow_short=True)
    shop.quote()
    shop.accept(BUY)
    shop.accept(SELL, source_id="rsi")
    orders = [shop.order(i) for i in await close(shop)]
    assert [(o.side, o.quantity, o.leg) for o in orders] == [
        (Side.SELL, D("4.7501"), 0),
        (Side.BUY, D(4), 1),
    ]
    assert (shop.held(), shop.book().holdings["AAPL"].lots) == (0, ())


async def test_close_ends_what_waits_for_the_symbol(shop: Shop) -> None:
    entry = shop.accept(BUY)[0].data
    assert await close(shop) == []
    assert (shop.order(entry.order_id).state, shop.memory.waiting) == (S.CANCELED, {})


async def test_close_of_nothing_is_a_conflict(shop: Shop) -> None:
    with pytest.raises(Conflict, match="holds nothing of AAPL"):
        await close(shop)
    assert shop.desk().books == {}


async def test_commands_work_under_the_kill_switch(shop: Shop) -> None:
    shop.quote()
    shop.accept(BUY)
    shop.engage()
    (order_id,) = await close(shop)
    assert shop.order(order_id).state is S.FILLED


async def test_flatten_closes_every_symbol_in_every_account(shop: Shop) -> None:
    shop.quote(), shop.quote(symbol="MSFT")
    shop.accept(BUY)
    shop.accept(BUY, symbol="MSFT")
    shop.configure(a_bot(account="paper-two", bound_version=2))
    shop.accept(BUY, account="paper-two")
    entry = shop.accept(BUY, account="paper-two", symbol="TSLA")[0].data
    orders = [shop.order(i) for i in await flatten(shop)]
    assert [(o.account, o.symbol, o.purpose) for o in orders] == [
        ("paper-alpha", "AAPL", "flatten"),
        ("paper-alpha", "MSFT", "flatten"),
        ("paper-two", "AAPL", "flatten"),
    ]
    assert all(o.state is S.FILLED for o in orders)
    assert shop.order(entry.order_id).state is S.CANCELED


async def test_a_repeated_request_acts_once(shop: Shop) -> None:
    shop.quote()
    shop.accept(BUY)
    first = await flatten(shop)
    shop.accept(BUY)
    assert await flatten(shop) == first
    assert await close(shop) == first  # the same request id, as after a crash
    assert shop.held() == D("4.7501")
    assert await flatten(shop, "r2") != first
    assert shop.held() == 0


async def test_flatten_of_a_flat_bot_is_nothing(shop: Shop) -> None:
    assert await flatten(shop) == []


async def test_cancel_ends_a_waiting_order(shop: Shop) -> None:
    entry = shop.accept(BUY)[0].data
    command = shop.command(order_id=entry.order_id)
    assert await shop.commands.cancel(command) == {"orders": [entry.order_id]}
    order = shop.order(entry.order_id)
    assert (order.state, order.reason) == (S.CANCELED, "canceled_by_user")
    with pytest.raises(Conflict, match="is canceled already"):
        await shop.commands.cancel(command)


@pytest.mark.parametrize(
    ("verb", "body", "error"),
    [
        pytest.param("close", {"bot": "alpha"}, Malformed, id="no symbol"),
        pytest.param("close", {"bot": 7, "symbol": "AAPL"}, Malformed, id="bot is no text"),
        pytest.param("close", {"bot": "ghost", "symbol": "AAPL"}, NotFound, id="no such bot"),
        pytest.param("flatten", {"bot": "ghost"}, NotFound, id="flatten a ghost"),
        pytest.param("cancel", {"order_id": "x"}, NotFound, id="no such order"),
        pytest.param(
            "clear_halt",
            {"bot": "alpha", "symbol": "AAPL", "next_sequence": 1},
            NotFound,
            id="runs",
        ),
        pytest.param("clear_halt", {"bot": "alpha", "symbol": "AAPL"}, Malformed, id="no number"),
        pytest.param(
            "clear_halt",
            {"bot": "alpha", "symbol": "AAPL", "next_sequence": True},
            Malformed,
            id="a truth is no number",
        ),
    ],
)
async def test_a_command_that_cannot_be_done_says_why(
    shop: Shop, verb: str, body: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await getattr(shop.commands, verb)(shop.command(**body))


async def test_a_halt_is_not_cleared_with_a_used_number(shop: Shop) -> None:
    shop.verdict(BUY)
    second = shop.verdict(BUY)
    wall = shop.moment().wall
    shop.memory.gaps.waited_s(("alpha", "AAPL"), 2, wall - timedelta(seconds=60))
    shop.handle(second)
    body = {"bot": "alpha", "symbol": "AAPL", "next_sequence": 2}
    with pytest.raises(Conflict, match="verdict 2 is applied already"):
        await shop.commands.clear_halt(shop.command(**body))


# --- what time brings


async def test_a_gap_is_halted_on_time_without_a_redelivery(shop: Shop) -> None:
    wall = shop.moment().wall
    shop.memory.gaps.waited_s(("alpha", "AAPL"), 3, wall)
    shop.memory.gaps.waited_s(("alpha", "AAPL"), 4, wall)
    await shop.floor.halt_gaps(shop.moment())
    assert shop.transactions == 0
    shop.over = {"wall": wall + timedelta(seconds=60)}
    await shop.floor.halt_gaps(shop.moment())
    await shop.floor.halt_gaps(shop.moment())
    assert shop.transactions == 1
    assert shop.desk().tracks["alpha", "AAPL"] == Track(0, "sequence_gap")


async def test_books_are_valued_once_a_minute_of_market_time(shop: Shop) -> None:
    shop.quote()
    shop.accept(BUY)
    shop.quote(bid=D("220"), ask=D("220.04"))
    made: list[Any] = []
    transact = shop.transact

    async def hear(work: Any) -> Any:
        made.extend(await transact(work))

    shop.transact = hear
    for seconds in (0, 30, 29):
        shop.later(seconds=seconds)
        await shop.floor.mark(shop.moment())
    shop.later(seconds=1)
    await shop.floor.mark(shop.moment())
    assert [type(event) for event in made] == [EquityMarked, EquityMarked]
    assert len({event.id for event in made}) == 2
    equity = made[0].data
    assert equity.exposure_net == D("4.7501") * D("220.02")
    assert equity.unrealised_pnl == D("4.7501") * (D("220.02") - D("210.52"))


async def test_a_flat_bot_is_not_valued(shop: Shop) -> None:
    shop.quote()
    shop.handle(shop.verdict(BUY), shop.verdict(SELL))
    with shop.db.begin() as sql:
        assert sql.execute(positions.select()).one().quantity == 0
    await shop.floor.mark(shop.moment())
    assert shop.transactions == 1


def test_books_that_contradict_their_fills_are_halted_at_start(shop: Shop, states: Any) -> None:
    shop.quote(), shop.quote(symbol="MSFT")
    shop.accept(BUY)
    with shop.db.begin() as sql:
        assert list(audit(sql, shop.moment())) == []
        sql.execute(positions.update().values(quantity=D(7)))
        sql.execute(metadata.tables["books"].update().values(cash=D(1)))
        alerts = list(audit(sql, shop.moment()))
    assert [(type(a), a.data.about) for a in alerts] == [
        (AlertRaised, "key:alpha/AAPL"),
        (AlertRaised, "bot:alpha"),
    ]
    assert states(shop.accept(BUY, symbol="MSFT")) == [(S.DENIED, "trading_halted")]


def test_a_late_fill_is_booked_and_alerts(shop: Shop) -> None:
    shop.quote(volume=D(20))
    shop.accept(BUY)
    desk = shop.desk()
    (ticket,) = desk.open_orders("alpha")
    canceled = ticket.having(ticket.order.model_copy(update={"state": S.CANCELED}))
    execution = Execution(D(1), D(200))
    alert, order, position, _ = book_fill(desk, canceled, execution, shop.moment(), None)
    assert (alert.data.code, alert.data.active) == ("late_fill", False)
    assert (order.data.state, order.data.filled) == (S.CANCELED, D(3))
    assert position.data.quantity == D(3)


def test_counters_follow_what_was_committed(shop: Shop) -> None:
    def count(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0

    def states_so_far() -> list[float]:
        labels = {"broker": "paper", "source_type": "strategy"}
        name = "signalbox_orders_total"
        return [count(name, state=s, **labels) for s in ("planned", "filled", "denied")]

    before = states_so_far()
    shop.quote()
    shop.accept(BUY)
    shop.accept(SELL, source_id="rsi")
    assert [now - then for now, then in zip(states_so_far(), before, strict=True)] == [1, 1, 1]
    assert count("signalbox_cash", bot="alpha") == float(shop.book().cash)
    assert count("signalbox_orders_open") == 0
    shop.accept(BUY, symbol="MSFT")
    assert count("signalbox_orders_open") == 1
