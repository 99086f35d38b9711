"""Bad days, losses in a row, repeated orders, too many positions: who may still trade."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from sqlalchemy import Connection

from executor.adapters import alarms, store
from executor.domain.desk import START, WHOLE_BOT, Desk
from executor.handlers.booking import ExecutorMoment
from executor.handlers.waiting import marks
from signalbox.contracts.errors import NotFound
from signalbox.contracts.events import AlertRaised, Event
from signalbox.contracts.limits import Limits, Sizing
from signalbox.contracts.notices import Alert
from signalbox.contracts.values import Action, OrderState

Shop = Any  # what conftest.py makes
Make = Callable[..., Shop]
Told = Callable[..., list[tuple[OrderState, str]]]
BIG = Sizing(notional=D(10_000))


def limits(**over: Any) -> Limits:
    return Limits(max_repeats=100, **over)


async def minute(shop: Shop) -> list[AlertRaised]:
    """A minute of market time passes; returns what is alerted."""

    def rule(_sql: Connection, desk: Desk, moment: ExecutorMoment) -> Any:
        return marks(desk, moment, shop.now.isoformat())

    shop.later(minutes=1)
    events: list[Event] = await shop.work.do(rule, {"alpha"})
    return [event for event in events if isinstance(event, AlertRaised)]


def price(shop: Shop, amount: int, **over: Any) -> None:
    shop.quote(bid=D(amount), ask=D(amount), **over)


async def test_a_bad_day_ends_entries_and_lets_exits_go_on(shop_with: Make, states: Told) -> None:
    shop = shop_with(sizing=BIG, limits=limits(max_daily_loss="0.02"))
    price(shop, 100)
    shop.accept(Action.BUY)
    assert await minute(shop) == []
    price(shop, 79)  # 2,100 of 100,000 are gone
    assert await minute(shop) == []
    denied = shop.accept(Action.BUY, source_id="other")
    assert states(denied) == [(OrderState.DENIED, "daily_loss")]
    assert states(shop.accept(Action.CLOSE))[-1][0] is OrderState.FILLED


async def test_a_very_bad_day_halts_the_bot_until_a_person_clears_it(
    shop_with: Make, states: Told
) -> None:
    shop = shop_with(sizing=BIG, limits=limits())
    price(shop, 100)
    shop.accept(Action.BUY)
    await minute(shop)
    price(shop, 49)
    [told] = await minute(shop)
    assert told.data.code == "bot_halted"
    assert "lost 5.1 %" in told.data.message
    assert await minute(shop) == []  # said once
    await shop.restart()
    price(shop, 49)
    denied = shop.accept(Action.BUY, source_id="other")
    assert states(denied) == [(OrderState.DENIED, "trading_halted")]
    assert states(shop.accept(Action.CLOSE))[-1][0] is OrderState.FILLED  # exits go on
    await shop.commands.clear_halt(shop.command(bot="alpha", symbol=WHOLE_BOT, next_sequence=1))
    assert await minute(shop) == []  # the day begins anew with what is left
    price(shop, 49)
    again = shop.accept(Action.BUY, source_id="other")
    assert states(again)[-1][0] is OrderState.FILLED


async def test_a_loss_that_an_exit_makes_halts_a_bot_that_is_flat(shop_with: Make) -> None:
    shop = shop_with(sizing=BIG, limits=limits(max_drawdown="0.03", halt_daily_loss=1))
    price(shop, 100)
    shop.accept(Action.BUY)
    await minute(shop)
    price(shop, 60)  # 4,000 of 100,000
    told = [e.data.code for e in shop.accept(Action.CLOSE) if isinstance(e, AlertRaised)]
    assert (shop.held(), told) == (0, ["bot_halted"])


async def test_the_next_day_begins_with_what_is_there(shop_with: Make, states: Told) -> None:
    shop = shop_with(sizing=BIG, limits=limits(max_daily_loss="0.02", halt_daily_loss=1))
    price(shop, 100)
    shop.accept(Action.BUY)
    price(shop, 70)
    assert states(shop.accept(Action.BUY, source_id="other")) == [(OrderState.DENIED, "daily_loss")]
    shop.later(days=1)
    price(shop, 70, session_closes_at=None)
    assert states(shop.accept(Action.BUY, source_id="other"))[-1][0] is OrderState.FILLED


def test_losses_in_a_row_lock_the_bot_for_a_while(shop_with: Make, states: Told) -> None:
    shop = shop_with(limits=limits(loss_streak=2, lock_s=600, max_slippage=1))
    for _ in range(2):
        price(shop, 100)
        assert states(shop.accept(Action.BUY))[-1][0] is OrderState.FILLED
        shop.later(seconds=1)
        price(shop, 99)
        shop.accept(Action.CLOSE)
        shop.later(seconds=1)
    price(shop, 100)
    denied = shop.accept(Action.BUY)
    assert states(denied) == [(OrderState.DENIED, "locked")]
    assert "2 losing exits in a row" in denied[0].data.message
    shop.later(seconds=600)
    price(shop, 100)
    assert states(shop.accept(Action.BUY))[-1][0] is OrderState.FILLED


def test_a_profit_between_losses_begins_the_count_again(shop_with: Make, states: Told) -> None:
    shop = shop_with(limits=limits(loss_streak=2, max_slippage=1))
    for after in (99, 101, 99):
        price(shop, 100)
        shop.accept(Action.BUY)
        shop.later(seconds=1)
        price(shop, after)
        shop.accept(Action.CLOSE)
        shop.later(seconds=1)
    price(shop, 100)
    assert states(shop.accept(Action.BUY))[-1][0] is OrderState.FILLED


def test_the_same_order_again_and_again_is_stopped(shop_with: Make, states: Told) -> None:
    shop = shop_with(limits=Limits(max_repeats=2))
    price(shop, 100)
    for source in ("a", "b"):
        assert states(shop.accept(Action.BUY, source_id=source))[-1][0] is OrderState.FILLED
    denied = shop.accept(Action.BUY, source_id="c")
    assert states(denied) == [(OrderState.DENIED, "repeat_order")]
    assert denied[0].data.numbers == {"limit": "2", "observed": "3"}
    shop.later(seconds=60)
    price(shop, 100)
    assert states(shop.accept(Action.BUY, source_id="c"))[-1][0] is OrderState.FILLED


@pytest.mark.parametrize(
    ("key", "whole", "goes"),
    [
        pytest.param("", "daily_loss", True, id="a loss lets exits go on"),
        pytest.param("books_mismatch", "", False, id="wrong books do not"),
        pytest.param("books_mismatch", "daily_loss", False, id="nor do they with a loss"),
        pytest.param("sequence_gap", "drawdown", False, id="a gap with a loss"),
        pytest.param("", "books_mismatch", False, id="wrong books of the whole bot"),
    ],
)
async def test_a_halt_lets_an_exit_go_on_only_where_all_halts_do(
    shop: Shop, states: Told, *, key: str, whole: str, goes: bool
) -> None:
    shop.quote()
    shop.accept(Action.BUY)

    def rule(_sql: Connection, desk: Desk, _moment: ExecutorMoment) -> Any:
        for symbol, code in (("AAPL", key), (WHOLE_BOT, whole)):
            track = desk.tracks.get(("alpha", symbol), START)
            desk.put_track("alpha", symbol, replace(track, halted=code))
        return iter(())

    await shop.work.do(rule, {"alpha"})
    state, reason = states(shop.accept(Action.SELL))[-1]
    wanted = (OrderState.FILLED, "") if goes else (OrderState.DENIED, "trading_halted")
    assert (state, reason) == wanted


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        pytest.param({"max_quantity": 9}, "max_quantity", id="units of one order"),
        pytest.param({"max_open_positions": 1}, "max_open_positions", id="positions"),
    ],
)
def test_limits_of_number(shop_with: Make, states: Told, over: dict[str, int], reason: str) -> None:
    shop = shop_with(symbols=(), limits=limits(**over))
    price(shop, 200)
    assert states(shop.accept(Action.BUY))[-1][0] is OrderState.FILLED
    price(shop, 100, symbol="MSFT")
    assert states(shop.accept(Action.BUY, symbol="MSFT")) == [(OrderState.DENIED, reason)]


def test_a_part_of_the_equity_is_what_an_entry_buys(shop_with: Make) -> None:
    shop = shop_with(sizing=Sizing(kind="percent_of_equity", fraction=D("0.03")))
    price(shop, 100)
    shop.accept(Action.BUY)
    assert shop.held() == 30


async def test_a_bot_that_is_not_halted_cannot_be_cleared(shop: Shop) -> None:
    with pytest.raises(NotFound, match="not halted"):
        await shop.commands.clear_halt(shop.command(bot="alpha", symbol=WHOLE_BOT, next_sequence=1))


async def told(shop: Shop) -> list[tuple[str, str, str, bool]]:
    """What the next tick tells of locks: code, severity, what it is about, whether it stands."""
    made: list[Alert] = []
    transact = shop.transact

    async def kept(work: Any) -> Any:
        events = await transact(work)
        made.extend(event.data for event in events if isinstance(event, AlertRaised))
        return events

    shop.work.service.transact = kept
    await shop.floor.tell_locks(shop.moment())
    shop.work.service.transact = transact
    shop.words = [alert.message for alert in made]
    return [(alert.code, alert.severity.value, alert.about, alert.active) for alert in made]


def loses(shop: Shop) -> None:
    price(shop, 100)
    shop.accept(Action.BUY)
    shop.later(seconds=1)
    price(shop, 99)
    shop.accept(Action.CLOSE)


@pytest.mark.parametrize(
    ("over", "about", "why"),
    [
        ({"loss_streak": 1, "lock_s": 600}, "bot:alpha", "1 losing exits in a row"),
        ({"loss_cooldown_s": 600}, "key:alpha/AAPL", "AAPL was left with a loss"),
    ],
)
async def test_a_lock_is_told_until_it_is_over_also_after_a_restart(
    shop_with: Make, over: dict[str, Any], about: str, why: str
) -> None:
    shop = shop_with(limits=limits(**over))
    assert await told(shop) == []
    loses(shop)
    until = (shop.now + timedelta(seconds=600)).isoformat()
    assert await told(shop) == [("bot_locked", "warning", about, True)]
    assert until in shop.words[0]
    assert why in shop.words[0]
    assert await told(shop) == []  # once
    shop.later(seconds=599)
    await restarted(shop)
    assert await told(shop) == []
    shop.later(seconds=1)
    await restarted(shop)
    assert await told(shop) == [("bot_locked", "info", about, False)]
    assert await told(shop) == []


async def restarted(shop: Shop) -> None:
    """Another process, which begins with what the database holds of locks and alarms."""
    await shop.restart()
    with shop.db.begin() as sql:
        shop.memory.risks = store.risks(sql)
        shop.work.alarms.start(alarms.load(sql))


async def test_a_lock_that_a_crash_left_untold_is_told_at_the_next_start(shop_with: Make) -> None:
    shop = shop_with(limits=limits(loss_streak=1))
    loses(shop)
    await restarted(shop)
    assert await told(shop) == [("bot_locked", "warning", "bot:alpha", True)]
    shop.configure(shop.config.bots[0].model_copy(update={"account": "paper-two"}))
    shop.memory.risks.clear()
    shop.later(hours=1)
    assert await told(shop) == [("bot_locked", "info", "bot:alpha", False)]
