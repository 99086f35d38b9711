"""Real money needs three switches; prices of a replay never reach a real broker."""

from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from executor.domain.broker import Addresses
from executor.settings import Settings
from signalbox.contracts.accounts import AccountConfig
from signalbox.contracts.limits import Exits
from signalbox.contracts.values import Action, OrderState, Target
from signalbox.testing.wait import until

D = Decimal
S = OrderState
BUY, SELL = Action.BUY, Action.SELL
Open = Any  # opens a pit, see conftest.py
Pit = Any


def at_broker(**over: Any) -> AccountConfig:
    fields = {"broker": "alpaca", "target": "real", "key_sealed": "k", "secret_sealed": "s"}
    return AccountConfig.model_validate({"id": "paper-alpha", "name": "Alpha", **fields, **over})


def switch(it: Pit, *, process: bool, account: bool, bot: bool) -> None:
    """Turn the three switches."""
    it.shop.memory.allow_live = process
    (was,) = it.shop.config.bots
    mode = "live" if account else "paper"
    it.shop.configure(was.model_copy(update={"live": bot}), accounts=(at_broker(mode=mode),))


COMBINATIONS = list(product([False, True], repeat=3))


@pytest.mark.parametrize(("process", "account", "bot"), COMBINATIONS)
async def test_an_order_with_real_money_needs_all_three(
    pit: Open, process: bool, account: bool, bot: bool
) -> None:
    async with pit() as it:
        it.shop.over["replay"] = False
        switch(it, process=process, account=account, bot=bot)
        it.quote()
        it.shop.accept(BUY)
        if account and not (process and bot):
            (order,) = await it.ends(S.DENIED)
            assert order.reason == "live_not_allowed"
            assert ("SIGNALBOX_ALLOW_LIVE" in order.message) is not process
            assert ("does not say live" in order.message) is not bot
            assert it.served.trading.posts == []
        else:
            (order,) = await it.ends(S.FILLED)
        assert order.mode == ("live" if account else "paper")


@pytest.mark.parametrize("off", ["process", "account", "bot"])
async def test_one_switch_less_when_it_is_sent_stops_what_is_planned(pit: Open, off: str) -> None:
    async with pit() as it:
        it.shop.over["replay"] = False
        on = {"process": True, "account": True, "bot": True}
        switch(it, **on)
        it.shop.accept(BUY)  # without a quote it waits
        switch(it, **{**on, off: False})
        it.quote()
        (order,) = await it.ends(S.DENIED)
        assert order.reason == ("config_changed" if off == "account" else "live_not_allowed")
        assert it.served.trading.posts == []


async def test_a_stop_waits_for_its_switch_and_people_are_told(pit: Open) -> None:
    async with pit(exits=Exits(stop=D("0.01"))) as it:
        it.shop.over["replay"] = False
        switch(it, process=True, account=True, bot=True)
        it.quote()
        it.shop.accept(BUY)
        await it.ends(S.FILLED)
        switch(it, process=True, account=True, bot=False)
        it.shop.later(seconds=1)
        it.quote(bid=D(200), ask=D(201))
        await it.shop.guard()
        await until(lambda: it.alerts() == ["exit_waits"])
        assert len(it.served.trading.posts) == 1
        assert it.orders()[-1].state is S.PLANNED
        switch(it, process=True, account=True, bot=True)
        await it.ends(S.FILLED, 2)
        assert it.there.positions == {}


@pytest.mark.parametrize("mode", ["paper", "live"])
async def test_prices_of_a_replay_reach_no_real_broker(pit: Open, mode: str) -> None:
    """Not when it is decided, and not when the feed has changed since."""
    async with pit() as it:
        it.shop.over["replay"] = True
        switch(it, process=True, account=mode == "live", bot=True)
        it.quote()
        it.shop.accept(BUY)
        it.shop.over["replay"] = False
        it.shop.accept(BUY, symbol="MSFT")  # planned on a live feed, without a quote
        it.shop.over["replay"] = True
        it.quote("MSFT")
        denied = await it.ends(S.DENIED, 2)
        assert {order.reason for order in denied} == {"replay_feed"}
        assert it.served.trading.posts == []


@pytest.mark.parametrize(
    ("over", "where"),
    [
        ({"target": "sandbox"}, "sandbox"),
        ({"target": "sandbox", "mode": "live"}, "sandbox"),
        ({"mode": "paper"}, "paper"),
        ({"mode": "live"}, "live"),
    ],
)
def test_keys_go_where_they_belong(over: dict[str, str], where: str) -> None:
    assert Addresses("sandbox", "paper", "live").of(at_broker(**over)) == where


def test_nothing_is_live_unless_somebody_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIGNALBOX_ALLOW_LIVE", raising=False)
    assert Settings().allow_live is False
    account = AccountConfig(id="a", name="A")
    assert (account.mode, account.target, account.broker) == ("paper", Target.SANDBOX, "paper")
