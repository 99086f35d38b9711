"""What the executor makes of verdicts: one test for each outcome."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from executor.adapters.tables import metadata
from executor.domain.desk import Track
from signalbox.contracts import ids
from signalbox.contracts.accounts import PaperSettings
from signalbox.contracts.errors import Malformed, OutOfOrder
from signalbox.contracts.events import AlertRaised, EquityMarked, OrderChanged, PositionChanged
from signalbox.contracts.limits import Limits
from signalbox.contracts.values import Action, OrderState, Outcome, Reason, Side, SourceType
from signalbox.testing.examples import NOON, a_bot, an_account
from signalbox.testing.runner import bury, stored

D = Decimal
S = OrderState
BUY, SELL, CLOSE = Action.BUY, Action.SELL, Action.CLOSE
QC = {"source_type": SourceType.QUANTCONNECT, "source_id": "4711"}
Shop = Any  # what conftest.py makes


def test_a_fresh_quote_fills_in_the_verdicts_own_transaction(shop: Shop, states: Any) -> None:
    quote = shop.quote()
    verdict = shop.verdict(BUY)
    events = shop.handle(verdict)
    kinds = [OrderChanged, OrderChanged, OrderChanged, PositionChanged, EquityMarked]
    assert [type(event) for event in events] == kinds
    assert states(events) == [(S.PLANNED, ""), (S.ACCEPTED, ""), (S.FILLED, "")]
    done, position, equity = events[2].data, events[3].data, events[4].data
    assert (done.quantity, done.filled, done.average_price) == (D("4.7501"),) * 2 + (quote.ask,)
    assert done.fill.quote.model_dump() == {"bid": quote.bid, "ask": quote.ask, "at": quote.at}
    assert done.fill.slippage_bps == D("0.9501")
    assert [(s.effect, s.quantity, s.source_id) for s in done.fill.slices] == [
        ("opened", D("4.7501"), "sma-cross")
    ]
    assert (position.quantity, position.average_price) == (D("4.7501"), quote.ask)
    assert position.lots[0].lot_id == ids.lot_id(done.fill.fill_id)
    assert equity.cash == 100_000 - D("4.7501") * quote.ask
    assert equity.equity == 100_000 - D("4.7501") * D("0.02")  # half the spread


def test_the_chain_is_walked_from_the_events_alone(shop: Shop) -> None:
    shop.quote()
    verdict = shop.verdict(BUY)
    planned, accepted, filled, position, equity = shop.handle(verdict)
    assert {e.causationid for e in (planned, accepted, filled)} == {verdict.id}
    assert {e.causationid for e in (position, equity)} == {filled.id}
    chain = (planned, accepted, filled, position, equity)
    assert {e.correlationid for e in chain} == {verdict.correlationid}
    order, signal = filled.data, verdict.data.signal
    assert (order.signal_id, order.verdict_id) == (signal.signal_id, verdict.data.verdict_id)
    cause = ("paper-alpha", str(signal.signal_id), "alpha", 0, 0)
    assert order.order_id == ids.client_order_id(*cause)
    assert (order.source_id, order.confidence, order.fence) == ("sma-cross", D("0.7"), 1)


def test_a_batch_is_worked_off_in_order_with_one_save(shop: Shop) -> None:
    shop.quote()
    events = shop.handle(*[shop.verdict(a) for a in (BUY, SELL, BUY, SELL, BUY)])
    assert [e.data.quantity for e in events if isinstance(e, PositionChanged)] == [
        D("4.7501"),
        0,
        D("4.7501"),
        0,
        D("4.7501"),
    ]
    assert (shop.held(), len(shop.fills())) == (D("4.7501"), 5)
    assert len(shop.book().holdings["AAPL"].lots) == 1


def test_one_by_one_and_in_one_batch_come_to_the_same(
    shop: Shop, shop_with: Callable[..., Shop]
) -> None:
    other = shop_with()
    shop.quote(), other.quote()
    actions = (BUY, BUY, SELL, BUY, CLOSE, BUY)
    singly = [event for action in actions for event in shop.accept(action)]
    at_once = other.handle(*[other.verdict(action) for action in actions])
    assert [e.data for e in singly] == [e.data for e in at_once]
    assert shop.book() == other.book()


def test_a_repeated_delivery_makes_nothing_new(shop: Shop) -> None:
    shop.quote()
    verdict = shop.verdict(BUY)
    first = shop.handle(verdict)
    assert shop.handle(verdict, verdict) == []
    assert stored(shop.db, metadata) == first  # what the runtime publishes again
    assert len(shop.fills()) == 1


@pytest.mark.parametrize(
    "outcome", [Outcome.SUPPRESSED, Outcome.PENDING, Outcome.REFUSED, Outcome.LAPSED]
)
def test_what_is_not_accepted_only_counts(shop: Shop, states: Any, outcome: Outcome) -> None:
    shop.quote()
    assert shop.handle(shop.verdict(BUY, outcome=outcome, reason=Reason.HELD_BY_HIGHER)) == []
    assert states(shop.accept(BUY))[-1] == (S.FILLED, "")


def test_a_verdict_for_nobody_is_ignored(shop: Shop) -> None:
    assert shop.accept(BUY, bot="none", account="", reason=Reason.NO_SUBSCRIBER) == []
    assert shop.desk("none").tracks == {}


@pytest.mark.parametrize(
    ("code", "change", "words"),
    [
        pytest.param("unknown_bot", {"bot": "ghost"}, {}, id="unknown bot"),
        pytest.param("config_changed", {"account": "elsewhere"}, {}, id="another account"),
        pytest.param("stale_signal", {"valid_until": NOON}, {}, id="too late"),
        pytest.param("price_collar", {"price": D(100)}, {}, id="price ran away"),
    ],
)
def test_a_denial_is_one_intent_that_says_why(
    shop: Shop, code: str, change: dict[str, Any], words: dict[str, str]
) -> None:
    shop.quote()
    (event,) = shop.accept(BUY, **change)
    order = event.data
    assert (order.state, order.reason, order.side) == (S.DENIED, code, Side.BUY)
    assert order.message
    assert (order.quantity, order.filled, order.fill) == (None, 0, None)
    assert shop.order(order.order_id) == order


def test_a_source_that_closes_nothing_is_denied_without_a_side(shop: Shop) -> None:
    (event,) = shop.accept(CLOSE)
    assert (event.data.reason, event.data.side) == ("nothing_to_change", None)


def test_the_numbers_of_a_denial_are_in_it(shop_with: Callable[..., Shop]) -> None:
    shop = shop_with(limits=Limits(max_orders_per_minute=2))
    shop.quote()
    last = shop.handle(*[shop.verdict(BUY) for _ in range(3)])[-1]
    assert (last.data.reason, last.data.numbers) == (
        "order_rate",
        {"limit": "2", "observed": "2"},
    )


def test_the_same_signal_is_accepted_once(shop: Shop, states: Any) -> None:
    shop.quote()
    first = shop.accept(BUY, own_id="x")
    again = shop.verdict(BUY, own_id="x")
    other = again.data.model_copy(update={"verdict_id": ids.derive("round 1"), "round": 1})
    events = shop.handle(again.model_copy(update={"data": other, "id": other.verdict_id}))
    assert states(events) == [(S.DENIED, "duplicate_order")]
    assert events[0].data.order_id != first[0].data.order_id
    assert len(shop.fills()) == 1


def test_a_higher_source_sells_the_lower_ones_lots_for_them(shop: Shop) -> None:
    shop.quote()
    shop.accept(BUY)
    order = shop.accept(SELL, **QC)[2].data
    assert (order.source_id, order.purpose, order.quantity) == ("4711", "exit", D("4.7501"))
    assert [(s.source_id, s.effect) for s in order.fill.slices] == [("sma-cross", "closed")]
    assert shop.held() == 0


def test_another_bot_has_another_book(shop: Shop) -> None:
    shop.config = shop.config.model_copy(
        update={"bots": (a_bot(), a_bot(id="beta", account="paper-two"))}
    )
    shop.quote()
    shop.accept(BUY)
    shop.accept(BUY, bot="beta", account="paper-two")
    assert shop.held() == D("4.7501")
    assert shop.desk("beta").book("beta", "paper-two").holdings["AAPL"].quantity == D("4.7501")


def test_fees_are_paid_in_cash_and_by_the_source(shop_with: Callable[..., Shop]) -> None:
    shop = shop_with()
    paper = PaperSettings(slippage_bps=D(0), impact_bps=D(0), fee_per_share=D("0.01"))
    shop.configure(accounts=(an_account(paper=paper),))
    shop.quote()
    *_, equity = shop.accept(BUY)
    assert (equity.data.fees, equity.data.realised_pnl) == (D("0.047501"), D("-0.047501"))
    assert equity.data.cash == 100_000 - D("4.7501") * D("210.52") - D("0.047501")


# --- the order of the numbers


def test_an_early_verdict_waits_for_the_missing_one(shop: Shop, states: Any) -> None:
    shop.quote()
    first, second = shop.verdict(BUY), shop.verdict(SELL)
    with pytest.raises(OutOfOrder, match="came after 0"):
        shop.handle(second)
    assert states(shop.handle(first))[-1] == (S.FILLED, "")
    assert states(shop.handle(second))[-1] == (S.FILLED, "")
    assert shop.memory.gaps.overdue(shop.moment().wall + timedelta(days=1)) == []


def test_a_gap_of_a_minute_halts_the_key(shop: Shop, states: Any) -> None:
    shop.quote()
    shop.verdict(BUY)  # never comes
    second = shop.verdict(BUY)
    start = shop.moment().wall
    for waited_s in (0, 59):
        shop.over = {"wall": start + timedelta(seconds=waited_s)}
        with pytest.raises(OutOfOrder, match=f"waited {waited_s} s"):
            shop.handle(second)
    shop.over = {"wall": start + timedelta(seconds=60)}
    alert, *rest = shop.handle(second)
    assert isinstance(alert, AlertRaised)
    assert (alert.data.code, alert.data.about) == ("key_halted", "key:alpha/AAPL")
    assert "3 or higher" in alert.data.message
    assert states(rest) == [(S.DENIED, "trading_halted")]
    assert shop.desk().tracks["alpha", "AAPL"] == Track(2, "sequence_gap")
    assert shop.memory.halted == {("alpha", "AAPL")}


def test_a_halted_key_denies_and_others_go_on(shop: Shop, states: Any) -> None:
    shop.quote(), shop.quote(symbol="MSFT")
    shop.verdict(BUY)
    shop.over = {"wall": shop.moment().wall}
    with pytest.raises(OutOfOrder):
        shop.handle(shop.verdict(BUY))
    assert states(shop.accept(BUY, symbol="MSFT"))[-1] == (S.FILLED, "")


def test_a_verdict_without_a_number_is_malformed(shop: Shop) -> None:
    verdict = shop.verdict(BUY).model_copy(update={"sequence": None})
    with pytest.raises(Malformed, match="sequence None"):
        shop.handle(verdict)


def test_an_applied_number_is_ignored_when_the_inbox_has_forgotten_it(shop: Shop) -> None:
    shop.quote()
    verdict = shop.verdict(BUY)
    shop.handle(verdict)
    with shop.db.begin() as sql:
        sql.execute(metadata.tables["inbox"].delete())
    assert shop.handle(verdict) == []
    assert len(shop.fills()) == 1


def test_a_dead_letter_denies_its_intent_and_halts_its_key(shop: Shop, states: Any) -> None:
    shop.quote()
    events: list[Any] = bury(
        shop.handlers, shop.db, metadata, shop.verdict(BUY), shop.moment(), reason="bad luck"
    )
    assert states(events) == [(S.DENIED, "dead_letter")]
    assert events[0].data.message == "bad luck"
    assert isinstance(events[1], AlertRaised)
    assert states(shop.accept(BUY)) == [(S.DENIED, "trading_halted")]
    assert shop.fills() == []


def test_a_dead_letter_that_was_not_accepted_halts_without_an_intent(shop: Shop) -> None:
    verdict = shop.verdict(BUY, outcome=Outcome.SUPPRESSED)
    (event,) = bury(shop.handlers, shop.db, metadata, verdict, shop.moment())
    assert isinstance(event, AlertRaised)


def test_a_dead_letter_for_nobody_halts_nothing(shop: Shop) -> None:
    verdict = shop.verdict(BUY, bot="none")
    assert bury(shop.handlers, shop.db, metadata, verdict, shop.moment()) == []


async def test_after_a_cleared_halt_what_was_skipped_is_denied(shop: Shop, states: Any) -> None:
    shop.quote()
    first, skipped = shop.verdict(BUY), shop.verdict(BUY)
    bury(shop.handlers, shop.db, metadata, first, shop.moment())
    body = {"bot": "alpha", "symbol": "AAPL", "next_sequence": 3}
    assert await shop.commands.clear_halt(shop.command(**body)) == body
    assert states(shop.handle(skipped)) == [(S.DENIED, "trading_halted")]
    assert shop.handle(skipped) == []
    assert states(shop.accept(BUY))[-1] == (S.FILLED, "")
    assert shop.memory.halted == set()


# --- the switches


def test_the_kill_switch_denies_entries_and_exits(shop: Shop, states: Any) -> None:
    shop.quote()
    shop.accept(BUY)
    shop.engage()
    for action in (BUY, SELL, CLOSE):
        assert states(shop.accept(action)) == [(S.DENIED, "trading_halted")]
    assert shop.held() == D("4.7501")


def test_an_older_verdict_is_denied_after_a_change_of_account(shop: Shop, states: Any) -> None:
    shop.quote()
    old = shop.verdict(BUY)
    shop.configure(a_bot(account="paper-two", bound_version=2))
    assert states(shop.handle(old)) == [(S.DENIED, "config_changed")]
    assert states(shop.accept(BUY, account="paper-two"))[-1] == (S.FILLED, "")


def test_lots_in_a_left_account_are_still_sold(shop: Shop) -> None:
    shop.quote()
    shop.accept(BUY)
    shop.configure(a_bot(account="paper-two", bound_version=2))
    shop.accept(BUY, account="paper-two", source_id="rsi")
    order = shop.accept(SELL, account="paper-two")[2].data
    assert (order.account, order.state) == ("paper-alpha", S.FILLED)
    assert (shop.held(), shop.held(account="paper-two")) == (0, D("4.7501"))


def test_nothing_real_trades_on_replayed_prices(shop: Shop, states: Any) -> None:
    shop.configure(accounts=(an_account(broker="alpaca", target="real"),))
    shop.quote()
    assert states(shop.accept(BUY)) == [(S.DENIED, "replay_feed")]
    shop.over = {"replay": False}
    assert states(shop.accept(BUY)) == [(S.DENIED, "broker_unavailable")]
