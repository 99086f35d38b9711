"""A book made right by a person: which money moves, what protects it after, who has done it."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from executor.adapters import tables
from executor.handlers.audit import audit
from sandbox.alpaca.venue import new_order
from sandbox.faults import Kind
from signalbox.contracts.errors import Conflict, NotFound, SignalboxError
from signalbox.contracts.events import AlertRaised, EquityMarked
from signalbox.contracts.limits import Exits
from signalbox.contracts.values import Action, OrderState, SourceType
from signalbox.testing.examples import a_bot
from signalbox.testing.wait import until

D = Decimal
S = OrderState
BUY, SELL = Action.BUY, Action.SELL
POST = "alpaca/post/v2/orders"
Open = Any  # opens a pit, see conftest.py
Pit = Any


def elsewhere(it: Pit, side: str, quantity: str, name: str = "by-hand") -> None:
    """Somebody trades in this account by hand."""
    venue = it.served.trading.venue
    venue.place(it.there, new_order("AAPL", side, D(quantity), name, venue.wall()))


async def correct(it: Pit, quantity: object, request_id: str = "fix", **more: str) -> list[str]:
    """An admin says what the account holds."""
    said = {"bot": "alpha", "symbol": "AAPL", "quantity": str(quantity), "reason": "seen", **more}
    answer = await it.shop.commands.correct(it.shop.command(request_id, **said))
    orders: list[str] = answer["orders"]
    return orders


def marks(it: Pit) -> list[Decimal]:
    """The equity as it was published."""
    return [e.data.equity for e in it.events if isinstance(e, EquityMarked)]


async def bought(it: Pit, **signal: Any) -> Any:
    """The bot's first order is filled."""
    it.quote()
    it.shop.accept(BUY, **signal)
    (order,) = await it.ends(S.FILLED)
    return order


async def test_what_somebody_else_sold_is_booked_when_a_person_says_so(pit: Open) -> None:
    """The oldest lots are gone, at the price that is named; nothing is sent, and once only."""
    async with pit() as it:
        order = await bought(it)
        elsewhere(it, "sell", "3")
        await until(lambda: it.brokerage.mismatched == {"AAPL"})
        left = order.quantity - 3
        for _ in range(2):
            (name,) = await correct(it, left, price="212")
        await until(lambda: not it.brokerage.mismatched)
        assert it.shop.held() == left == it.there.positions["AAPL"]
        assert it.shop.book().realised == 3 * (D(212) - order.average_price)
        (_, booked) = await it.ends(S.FILLED, 2)
        assert (name, booked.source_id) == (booked.order_id, "broker")
        assert await it.shop.transact(audit) == []
        assert len(it.served.trading.posts) == 1
        it.shop.accept(SELL)
        await it.ends(S.FILLED, 3)
        assert it.there.positions == {}


async def test_what_was_there_before_is_a_part_of_what_the_book_began_with(pit: Open) -> None:
    """The book's cash is the account's, and nobody has earned what it was worth already."""
    async with pit() as it:
        await it.stop()
        it.there.positions["AAPL"] = D(100)
        it.start()
        it.quote(bid=D(500), ask=D(500))
        await until(lambda: it.brokerage.mismatched == {"AAPL"})
        await correct(it, 100)
        for _ in range(2):
            book = it.shop.book()
            assert (book.cash, book.equity) == (it.there.cash, it.there.cash + 50_000)
            assert (book.realised, book.unrealised) == (0, 0)
            assert book.started_with == book.equity
            await it.restart()
            await until(lambda: not it.brokerage.mismatched and it.brokerage.active)
        assert marks(it) == [it.there.cash + 50_000]
        assert await it.shop.transact(audit) == []
        (lot,) = book.holdings["AAPL"].lots
        assert (lot.source_type, lot.quantity) == (SourceType.EXTERNAL, D(100))


async def test_what_comes_later_without_a_trade_is_no_profit_and_no_loss(pit: Open) -> None:
    async with pit() as it:
        order = await bought(it)
        it.quote(bid=D(300), ask=D(300))
        before = it.shop.desk(), it.shop.book()
        await correct(it, order.quantity + 3, "in")
        worth = it.shop.book().cash + 300 * it.shop.held()
        assert worth == before[1].cash + 300 * order.quantity
        assert it.shop.book().started_with == before[1].started_with
        await correct(it, order.quantity, "out")
        assert marks(it)[-2:] == [worth, worth]
        assert it.shop.book().cash == before[1].cash
        assert await it.shop.transact(audit) == []


async def test_before_the_first_order_the_cash_is_the_accounts_after_a_correction_too(
    pit: Open,
) -> None:
    """It was read again meanwhile, so the trade must not be taken from it twice."""
    async with pit() as it:
        it.quote()
        await until(lambda: it.brokerage.active)
        elsewhere(it, "buy", "3")
        await it.restart()
        await until(lambda: it.shop.book().cash == it.there.cash < 100_000)
        await correct(it, 3, price="210")
        await until(lambda: it.shop.book().cash == it.there.cash)
        assert it.shop.book().started_with == it.there.cash + 630
        assert await it.shop.transact(audit) == []


async def test_a_lot_of_nobody_is_protected_as_the_bot_says(pit: Open) -> None:
    async with pit(exits=Exits(stop=D("0.1"))) as it:
        it.quote()
        await until(lambda: it.brokerage.active)
        elsewhere(it, "buy", "3")
        await correct(it, 3, price="210")
        assert it.agrees()
        it.quote(bid=D(188), ask=D(189))
        (stop,) = await it.shop.guard()
        assert (stop.trigger, stop.source_type) == ("stop", SourceType.EXTERNAL)
        await it.ends(S.FILLED, 2)
        assert it.there.positions == {}


async def test_a_correction_goes_where_the_symbol_is_held(pit: Open) -> None:
    async with pit() as it:
        await bought(it)
        it.shop.configure(a_bot(account="paper-two", bound_version=2))
        await correct(it, 2, price="210")
        assert (it.shop.held(), it.shop.held(account="paper-two")) == (2, 0)


async def test_where_it_may_be_two_accounts_one_is_named(pit: Open) -> None:
    """Lots are in the account that the bot has left, units came into the one that it has now."""
    async with pit() as it:
        order = await bought(it)
        (left,) = it.shop.config.accounts
        both = (left, left.model_copy(update={"id": "paper-two"}))
        it.shop.configure(a_bot(account="paper-two", bound_version=2), accounts=both)
        with pytest.raises(Conflict, match="in paper-alpha and paper-two: name the account"):
            await correct(it, 5, price="210")
        with pytest.raises(NotFound, match="no book in an account of-another"):
            await correct(it, 5, price="210", account="of-another")
        await correct(it, 5, price="210", account="paper-two")
        held = it.shop.held(), it.shop.held(account="paper-two")
        assert held == (order.quantity, 5)
        assert len(await correct(it, 0, "gone", price="210", account="paper-alpha")) == 1
        assert len(await correct(it, 0, "gone", price="210", account="paper-alpha")) == 1
        assert (it.shop.held(), it.shop.held(account="paper-two")) == (0, 5)


async def test_of_an_account_that_its_bot_has_left_the_alert_names_both(pit: Open) -> None:
    async with pit() as it:
        await bought(it)
        it.shop.configure(a_bot(account="paper-two", bound_version=2))
        elsewhere(it, "buy", "3")
        await until(lambda: "position_mismatch" in it.alerts())
        (told,) = [e.data for e in it.events if getattr(e.data, "code", "") == "position_mismatch"]
        assert '/api/positions/alpha/AAPL/correct with "account": "paper-alpha"' in told.message


async def test_repeated_when_nothing_is_held_any_more_it_is_the_same_correction(pit: Open) -> None:
    async with pit() as it:
        await bought(it)
        it.shop.configure(a_bot(account="paper-two", bound_version=2))
        (name,) = await correct(it, 0, price="210")
        assert await correct(it, 0, price="210") == [name]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"quantity": "0"}, "holds 0 of AAPL already", id="nothing differs"),
        pytest.param({"quantity": "many"}, "a number as text", id="no number"),
        pytest.param({"price": "0"}, "above 0", id="no price"),
        pytest.param({"price": "21"}, "far from 210.5", id="a slip of the pen"),
        pytest.param({"bot": "nobody"}, "there is no bot", id="no bot"),
        pytest.param({"reason": ""}, "reason", id="no reason"),
        pytest.param({"split": "2:1"}, "not both", id="traded and split"),
    ],
)
async def test_a_correction_that_makes_no_sense_is_refused(
    pit: Open, change: dict[str, str], words: str
) -> None:
    async with pit() as it:
        it.quote(bid=D("210.4"), ask=D("210.6"))
        with pytest.raises(SignalboxError, match=words):
            await correct(it, **({"quantity": "3", "price": "210"} | change))
        assert it.shop.fills() == []


async def test_without_a_fresh_price_nothing_is_booked_at_the_markets(pit: Open) -> None:
    async with pit() as it:
        it.quote(session_open=False)
        with pytest.raises(Conflict, match="while its market is open"):
            await correct(it, 3)


async def test_a_simulated_book_is_not_corrected(shop: Any) -> None:
    said = {"bot": "alpha", "symbol": "AAPL", "quantity": "3", "reason": "seen"}
    with pytest.raises(Conflict, match="simulated"):
        await shop.commands.correct(shop.command("fix", **said))


async def test_a_stop_that_waits_goes_on_with_what_is_left(pit: Open) -> None:
    """It waits because the broker holds less than the book: a correction is what it waits for."""
    async with pit() as it:
        order = await bought(it, stop_price=D(200))
        elsewhere(it, "sell", "3")
        it.quote(bid=D(199), ask=D(200))
        (waiting,) = await it.shop.guard()
        await until(lambda: "exit_waits" in it.alerts())
        await correct(it, order.quantity - 3, price="205")
        await until(lambda: it.shop.order(waiting.order_id).state is S.FILLED)
        assert it.shop.order(waiting.order_id).quantity == order.quantity - 3
        assert it.there.positions == {}
        assert it.shop.held() == 0


async def test_a_stop_that_was_cancelled_for_a_correction_is_armed_again(pit: Open) -> None:
    async with pit() as it:
        order = await bought(it, stop_price=D(200))
        elsewhere(it, "sell", "3")
        it.quote(bid=D(199), ask=D(200))
        (waiting,) = await it.shop.guard()
        await it.shop.commands.cancel(it.shop.command("stop", order_id=waiting.order_id))
        it.shop.later(seconds=1)
        it.quote(bid=D(198), ask=D(199))
        assert [o.state for o in await it.shop.guard()] == [S.CANCELED]
        await correct(it, order.quantity - 3, price="205")
        it.shop.later(seconds=1)
        it.quote(bid=D(197), ask=D(198))
        _, again = await it.shop.guard()
        await until(lambda: it.shop.order(again.order_id).state is S.FILLED)
        assert again.quantity == order.quantity - 3
        assert it.there.positions == {}


async def test_an_order_at_the_broker_has_to_end_first(pit: Open) -> None:
    async with pit() as it:
        order = await bought(it, stop_price=D(200))
        it.switch(Kind.HELD, POST)
        it.quote(bid=D(199), ask=D(200))
        (stop,) = await it.shop.guard()
        await until(lambda: it.shop.order(stop.order_id).state is S.ACCEPTED)
        words = f"wait for its end, or cancel it .POST /api/orders/{stop.order_id}/cancel."
        with pytest.raises(Conflict, match=words):
            await correct(it, order.quantity - 3, price="205")


async def test_who_has_corrected_what_and_why_is_kept_and_told(pit: Open) -> None:
    async with pit() as it:
        it.quote()
        await correct(it, 3, price="210", reason="bought by hand")
        (told,) = [e.data for e in it.events if isinstance(e, AlertRaised)]
        assert (told.code, told.about, told.active) == (
            "position_corrected",
            "key:alpha/AAPL",
            False,
        )
        for words in ("trader corrected AAPL of alpha", "from 0 to 3", "210", "bought by hand"):
            assert words in told.message
        with it.shop.db.begin() as sql:
            (kept,) = sql.execute(select(tables.corrections)).all()
        assert (kept.made_by, kept.reason) == ("trader", "bought by hand")
        assert (kept.held_before, kept.held_after) == (0, 3)
        assert kept.at == it.shop.now < kept.made_at


async def test_another_correction_under_the_same_key_is_refused(pit: Open) -> None:
    async with pit() as it:
        it.quote()
        await correct(it, 3, price="210")
        with pytest.raises(Conflict, match="take a new key"):
            await correct(it, 4, price="210")
        assert it.shop.held() == 3
