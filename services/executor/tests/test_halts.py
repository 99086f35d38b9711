"""A halt is told by an alert, and over when a person clears it, however it came about."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from sqlalchemy import update

from executor.adapters.tables import books, metadata, positions
from executor.domain.desk import WHOLE_BOT, Desk
from executor.handlers import manual
from executor.handlers.audit import audit
from executor.handlers.waiting import marks
from signalbox.contracts.events import AlertRaised
from signalbox.contracts.limits import Limits, Sizing
from signalbox.contracts.values import Action, Severity
from signalbox.testing.runner import bury

Shop = Any  # what conftest.py makes
Halt = Callable[[Shop, int], Awaitable[list[Any]]]
KEY = ("alpha", "AAPL")
BOT = ("alpha", WHOLE_BOT)


async def unreadable(shop: Shop, _turn: int) -> list[Any]:
    return bury(shop.handlers, shop.db, metadata, shop.verdict(Action.HOLD), shop.moment())


async def missing(shop: Shop, _turn: int) -> list[Any]:
    shop.verdict(Action.HOLD)  # never comes
    later = shop.verdict(Action.HOLD)
    long_ago = shop.moment().wall - timedelta(hours=1)
    shop.memory.gaps.waited_s(KEY, later.sequence, long_ago)
    return list(shop.handle(later))


async def losing(shop: Shop, turn: int) -> list[Any]:
    price = (D(49), D(1))[turn]
    shop.quote(bid=price, ask=price)

    def rule(_sql: Any, desk: Desk, moment: Any) -> Any:
        return marks(desk, moment, str(turn))

    return list(await shop.work.do(rule, {"alpha"}))


async def wrong_position(shop: Shop, turn: int) -> list[Any]:
    with shop.db.begin() as sql:
        sql.execute(update(positions).values(quantity=D(7)))
    return await restarted(shop)


async def wrong_cash(shop: Shop, turn: int) -> list[Any]:
    with shop.db.begin() as sql:
        sql.execute(update(books).values(cash=D(7)))
    return await restarted(shop)


async def restarted(shop: Shop) -> list[Any]:
    events = await shop.transact(audit)
    await shop.restart()
    return list(events)


def alerts(events: list[Any]) -> list[AlertRaised]:
    return [event for event in events if isinstance(event, AlertRaised)]


async def clear(shop: Shop, key: tuple[str, str]) -> AlertRaised:
    def rule(_sql: Any, desk: Desk, moment: Any) -> Any:
        yield manual.clear(desk, key, desk.tracks[key].sequence + 1, moment, by="admin")

    (over,) = await shop.work.do(rule, {"alpha"})
    assert isinstance(over, AlertRaised)
    return over


@pytest.fixture
def held(shop_with: Callable[..., Shop]) -> Shop:
    """Bot alpha holds 100 AAPL, a tenth of what it has."""
    shop = shop_with(sizing=Sizing(notional=D(10_000)), limits=Limits(max_repeats=100))
    shop.quote(bid=D(100), ask=D(100))
    shop.accept(Action.BUY)
    assert shop.held() == 100
    return shop


@pytest.mark.parametrize(
    ("halt", "key", "code", "about"),
    [
        pytest.param(unreadable, KEY, "key_halted", "key:alpha/AAPL", id="a dead letter"),
        pytest.param(missing, KEY, "key_halted", "key:alpha/AAPL", id="a gap"),
        pytest.param(losing, BOT, "bot_halted", "bot:alpha", id="a loss"),
        pytest.param(wrong_position, KEY, "books_mismatch", "key:alpha/AAPL", id="a position"),
        pytest.param(wrong_cash, BOT, "books_mismatch", "bot:alpha", id="cash"),
    ],
)
async def test_a_cleared_halt_ends_the_alert_that_told_of_it_each_time(
    held: Shop, halt: Halt, key: tuple[str, str], *, code: str, about: str
) -> None:
    told = []
    for turn in (0, 1):
        held.over = {"wall": held.moment().wall + timedelta(minutes=1)}
        told += alerts(await halt(held, turn))
        held.over = {"wall": held.moment().wall + timedelta(minutes=1)}
        told.append(await clear(held, key))
    assert [(t.data.code, t.data.about, t.data.active) for t in told] == [
        (code, about, True),
        (code, about, False),
    ] * 2
    assert len({event.id for event in told}) == 4  # the same id would be heard once
    assert told[1].data.severity is Severity.INFO


@pytest.mark.parametrize("halt", [unreadable, wrong_position])
async def test_a_halt_names_the_number_to_go_on_with(held: Shop, halt: Halt) -> None:
    (told,) = alerts(await halt(held, 0))
    following = held.desk().tracks[KEY].sequence + 1
    assert told.data.message.endswith(f"the next number, {following} or higher.")


async def test_a_halt_for_another_reason_ends_the_alert_of_the_first(held: Shop) -> None:
    await unreadable(held, 0)
    told = alerts(await wrong_position(held, 0))
    assert [(t.data.code, t.data.active) for t in told] == [
        ("key_halted", False),
        ("books_mismatch", True),
    ]
    assert (await clear(held, KEY)).data.code == "books_mismatch"


async def test_books_that_contradict_themselves_stay_the_reason(held: Shop) -> None:
    """A dead letter of the same key is told; clearing it must not free what nobody looked at."""
    await wrong_position(held, 0)
    told = alerts(await unreadable(held, 0))
    assert [(t.data.code, t.data.active) for t in told] == [("key_halted", False)]
    assert held.desk().tracks[KEY].halted == "books_mismatch"
    assert (await clear(held, KEY)).data.code == "books_mismatch"


async def test_books_that_are_halted_are_not_told_again_at_every_start(held: Shop) -> None:
    assert len(await wrong_position(held, 0)) == 1
    assert await restarted(held) == []
