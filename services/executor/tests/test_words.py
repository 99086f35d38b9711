"""What people are told names who did it, and until when it lasts."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from executor.adapters.tables import metadata
from signalbox.contracts.events import AlertRaised
from signalbox.contracts.limits import Limits
from signalbox.contracts.notices import Alert
from signalbox.contracts.values import Action, OrderState
from signalbox.testing.runner import bury

Shop = Any  # what conftest.py makes
Make = Callable[..., Shop]
LOCKED_S = 600


async def alerts(shop: Shop, deed: Callable[[], Awaitable[object]]) -> list[Alert]:
    """What a deed tells people."""
    made: list[Any] = []
    transact = shop.transact

    async def kept(work: Any) -> Any:
        events = await transact(work)
        made.extend(events)
        return events

    shop.transact = kept
    await deed()
    shop.transact = transact
    return [event.data for event in made if isinstance(event, AlertRaised)]


@pytest.mark.parametrize("who", ["trader", "night-shift"])
async def test_whoever_clears_a_halt_is_named(shop: Shop, who: str) -> None:
    bury(shop.handlers, shop.db, metadata, shop.verdict(Action.HOLD), shop.moment())
    asked = shop.command(bot="alpha", symbol="AAPL", next_sequence=2)
    command = asked.model_copy(update={"by": who})
    (over,) = await alerts(shop, lambda: shop.commands.clear_halt(command))
    assert (over.about, over.active) == ("key:alpha/AAPL", False)
    assert over.message == f"{who} cleared the halt (dead_letter); verdict 2 is next"


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"loss_streak": 1, "lock_s": LOCKED_S}, "locked"),
        ({"loss_cooldown_s": LOCKED_S}, "loss_cooldown"),
    ],
)
async def test_a_lock_says_when_it_ends(
    shop_with: Make, limits: dict[str, Any], reason: str
) -> None:
    """In the alert that tells of it, and in every entry that it denies."""
    shop = shop_with(limits=Limits(**limits))
    for action, price in ((Action.BUY, 100), (Action.CLOSE, 99)):
        shop.later(seconds=1)
        shop.quote(bid=price, ask=price)
        shop.accept(action)
    ends_at = shop.now + timedelta(seconds=LOCKED_S)
    (told,) = await alerts(shop, lambda: shop.floor.tell_locks(shop.moment()))
    assert f"until {ends_at.isoformat()}:" in told.message
    shop.later(seconds=60)
    shop.quote(bid=99, ask=99)
    (denied,) = [event.data for event in shop.accept(Action.BUY)]
    assert (denied.state, denied.reason) == (OrderState.DENIED, reason)
    assert denied.numbers == {"limit": ends_at.isoformat(), "observed": shop.now.isoformat()}
    assert ends_at.isoformat() in denied.message
