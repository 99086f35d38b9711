"""From an accepted verdict to one intent or one denial."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.domain.book import Book, Holding
from executor.domain.plan import plan
from executor.domain.scene import Denial, Intent, Scene, usable
from executor.domain.volatility import Range, key_of
from signalbox.contracts.accounts import KillSwitch
from signalbox.contracts.limits import Limits, Sizing
from signalbox.contracts.payloads import Lot
from signalbox.contracts.values import Action, Side, SourceType
from signalbox.testing.examples import NOON, a_bot, a_quote, a_signal, a_verdict, an_account

D = Decimal
BUY, SELL, CLOSE, HOLD = Action.BUY, Action.SELL, Action.CLOSE, Action.HOLD
MINE = (SourceType.STRATEGY, "sma-cross")
TWIN = (SourceType.STRATEGY, "rsi")
MODEL = (SourceType.LLM, "demo")
QC = (SourceType.QUANTCONNECT, "4711")


def a_lot(number: int, owner: tuple[SourceType, str], quantity: int) -> Lot:
    return Lot(
        lot_id=UUID(int=number),
        source_type=owner[0],
        source_id=owner[1],
        quantity=D(quantity),
        entry_price=D(200),
        opened_at=NOON + timedelta(seconds=number),
        order_id="0" * 32,
    )


def a_book(*owned: tuple[tuple[SourceType, str], int], account: str = "paper-alpha") -> Book:
    lots = tuple(a_lot(n, owner, quantity) for n, (owner, quantity) in enumerate(owned, 1))
    quantity = sum((lot.quantity for lot in lots), D(0))
    holding = Holding(quantity, cost=quantity * 200, price=D("210.5"), lots=lots)
    cash = D(100_000)
    return Book("alpha", account, started_with=cash, cash=cash, holdings={"AAPL": holding})


def a_scene(**over: Any) -> Scene:
    fields: dict[str, Any] = {
        "bot": a_bot(),
        "account": an_account(),
        "book": a_book(),
        "quote": a_quote(),
        "now": NOON,
    }
    return Scene(**(fields | over))


def planned(
    action: Action, scene: Scene, by: tuple[SourceType, str] = MINE, **over: Any
) -> Intent | Denial:
    signal = a_signal(action=action, source_type=by[0], source_id=by[1], **over)
    return plan(a_verdict(signal), 1, scene)


LATE = NOON + timedelta(minutes=5)
ALPACA = an_account(broker="alpaca")
KEYS = {"broker": "alpaca", "key_sealed": "k", "secret_sealed": "s"}
REAL = an_account(target="real", **KEYS)
HASTY = a_bot(limits=Limits(wait_for_open=False))
LIVE = an_account(target="real", mode="live", **KEYS)


@pytest.mark.parametrize(
    ("code", "action", "scene"),
    [
        pytest.param("unknown_bot", BUY, a_scene(bot=None), id="no such bot"),
        pytest.param("unknown_account", BUY, a_scene(account=None), id="no such account"),
        pytest.param("trading_halted", BUY, a_scene(halted="dead_letter"), id="halted key"),
        pytest.param(
            "trading_halted", CLOSE, a_scene(kill_switch=KillSwitch(everything=True)), id="switch"
        ),
        pytest.param(
            "trading_halted",
            BUY,
            a_scene(kill_switch=KillSwitch(bots=frozenset({"alpha"}))),
            id="bot's switch",
        ),
        pytest.param(
            "trading_halted",
            BUY,
            a_scene(kill_switch=KillSwitch(accounts=frozenset({"paper-alpha"}))),
            id="account's switch",
        ),
        pytest.param("bot_disabled", BUY, a_scene(bot=a_bot(enabled=False)), id="bot is off"),
        pytest.param("config_changed", BUY, a_scene(bot=a_bot(bound_version=2)), id="new mode"),
        pytest.param("config_changed", BUY, a_scene(bot=a_bot(account="b")), id="new account"),
        pytest.param("stale_signal", BUY, a_scene(now=LATE), id="expired at that very instant"),
        pytest.param("market_closed", BUY, a_scene(bot=HASTY, closed=True), id="closed"),
        pytest.param("replay_feed", BUY, a_scene(account=REAL, replay=True), id="replay"),
        pytest.param("broker_unavailable", BUY, a_scene(account=ALPACA), id="no keys"),
        pytest.param("live_not_allowed", BUY, a_scene(account=LIVE), id="nobody says live"),
        pytest.param(
            "live_not_allowed", BUY, a_scene(account=LIVE, allow_live=True), id="the bot does not"
        ),
        pytest.param(
            "live_not_allowed",
            BUY,
            a_scene(account=LIVE, bot=a_bot(live=True)),
            id="nor the process",
        ),
        pytest.param(
            "replay_feed",
            BUY,
            a_scene(account=LIVE, bot=a_bot(live=True), allow_live=True, replay=True),
            id="live on replayed prices",
        ),
        pytest.param(
            "broker_unavailable", BUY, a_scene(account=an_account(mode="live")), id="live paper"
        ),
        pytest.param("nothing_to_change", SELL, a_scene(), id="sells nothing"),
        pytest.param("nothing_to_change", CLOSE, a_scene(), id="closes nothing"),
        pytest.param("nothing_to_change", HOLD, a_scene(book=a_book((MINE, 5))), id="hold"),
        pytest.param(
            "nothing_to_change",
            CLOSE,
            a_scene(bot=a_bot(allow_short=True), book=a_book((MODEL, 5))),
            id="a close never opens",
        ),
        pytest.param(
            "symbol_not_allowed", BUY, a_scene(bot=a_bot(symbols=("MSFT",))), id="other symbols"
        ),
        pytest.param(
            "order_rate",
            BUY,
            a_scene(
                bot=a_bot(limits=Limits(max_orders_per_minute=3)),
                book=Book("alpha", "paper-alpha", D(0), D(0), recent=((int(NOON.timestamp()), 3),)),
            ),
            id="too many a minute",
        ),
        pytest.param(
            "max_order_notional",
            BUY,
            a_scene(bot=a_bot(limits=Limits(max_order_notional=D(999)))),
            id="a limit of an entry",
        ),
    ],
)
def test_plan_denies(code: str, action: Action, scene: Scene) -> None:
    denial = planned(action, scene)
    assert isinstance(denial, Denial)
    assert denial.code == code
    assert denial.message


def test_a_spot_pair_is_not_sold_short() -> None:
    scene = a_scene(bot=a_bot(allow_short=True), quote=a_quote(symbol="BTC/USD"))
    denial = planned(SELL, scene, symbol="BTC/USD")
    assert isinstance(denial, Denial)
    assert denial.code == "not_shortable"


ALL = (MINE, 10), (TWIN, 20), (MODEL, 30), (QC, 40)
SHORT = (MINE, -10), (QC, -5)


@pytest.mark.parametrize(
    ("action", "by", "owned", "bot", "side", "targets"),
    [
        pytest.param(SELL, MINE, ALL, {}, Side.SELL, [1], id="own lots only, none of an equal"),
        pytest.param(SELL, MODEL, ALL, {}, Side.SELL, [3, 1, 2], id="own first, then lower ones"),
        pytest.param(SELL, QC, ALL, {}, Side.SELL, [4, 1, 2, 3], id="highest takes all"),
        pytest.param(
            SELL, QC, ALL, {"flatten_lower": False}, Side.SELL, [4], id="books kept apart"
        ),
        pytest.param(CLOSE, QC, ALL, {}, Side.SELL, [4], id="a close is about its own"),
        pytest.param(CLOSE, MINE, SHORT, {}, Side.BUY, [1], id="a close of a short"),
        pytest.param(BUY, MINE, SHORT, {}, Side.BUY, [1], id="a buy covers its own short first"),
        pytest.param(BUY, QC, SHORT, {}, Side.BUY, [2, 1], id="and those of lower sources"),
        pytest.param(
            SELL,
            MODEL,
            ((MINE, 10),),
            {"allow_short": True},
            Side.SELL,
            [1],
            id="closes before it opens",
        ),
    ],
)
def test_an_exit_closes_the_right_lots(
    action: Action,
    by: tuple[SourceType, str],
    owned: tuple[tuple[tuple[SourceType, str], int], ...],
    *,
    bot: dict[str, Any],
    side: Side,
    targets: list[int],
) -> None:
    intent = planned(action, a_scene(bot=a_bot(**bot), book=a_book(*owned)), by)
    assert isinstance(intent, Intent)
    assert (intent.side, intent.entry) == (side, False)
    assert [lot_id.int for lot_id in intent.targets] == targets
    assert intent.quantity == sum(abs(owned[n - 1][1]) for n in targets)


@pytest.mark.parametrize(
    ("action", "bot", "owned", "side", "quantity"),
    [
        pytest.param(BUY, {}, (), Side.BUY, "4.7501", id="flat"),
        pytest.param(BUY, {}, ((MINE, 5),), Side.BUY, "4.7501", id="adds to what it has"),
        pytest.param(BUY, {}, ((QC, 5),), Side.BUY, "4.7501", id="beside a higher source"),
        pytest.param(SELL, {"allow_short": True}, (), Side.SELL, "4", id="short in whole units"),
    ],
)
def test_an_entry_is_sized_by_the_quote(
    action: Action,
    bot: dict[str, Any],
    owned: tuple[tuple[tuple[SourceType, str], int], ...],
    *,
    side: Side,
    quantity: str,
) -> None:
    intent = planned(action, a_scene(bot=a_bot(**bot), book=a_book(*owned)))
    assert isinstance(intent, Intent)
    assert (intent.side, intent.entry, intent.targets) == (side, True, ())
    assert intent.quantity == D(quantity)


def test_without_a_fresh_quote_an_entry_has_no_size_yet() -> None:
    intent = planned(BUY, a_scene(quote=None))
    assert isinstance(intent, Intent)
    assert intent.quantity is None


def test_an_exit_follows_its_lots_to_an_account_that_the_bot_has_left() -> None:
    scene = a_scene(former=(a_book((MINE, 7), account="old"),))
    intent = planned(SELL, scene)
    assert isinstance(intent, Intent)
    assert (intent.account, intent.quantity) == ("old", D(7))


def test_the_switch_comes_before_everything_about_the_signal() -> None:
    scene = a_scene(now=LATE, kill_switch=KillSwitch(everything=True, reason="drill"))
    denial = planned(BUY, scene)
    assert isinstance(denial, Denial)
    assert (denial.code, "drill" in denial.message) == ("trading_halted", True)


SIZINGS = [
    Sizing(),
    Sizing(kind="percent_of_equity"),
    Sizing(kind="volatility_target", atr_interval="1m"),
]


@pytest.mark.parametrize("sizing", SIZINGS, ids=lambda sizing: sizing.kind)
@pytest.mark.parametrize("action", [BUY, SELL])
@given(confidence=st.decimals(min_value=0, max_value=1, places=3))
def test_a_sources_confidence_has_no_say_in_the_size(
    sizing: Sizing, action: Action, confidence: Decimal
) -> None:
    bot = a_bot(allow_short=True, sizing=sizing)
    ranges = {key_of("AAPL", sizing): Range(D(2), NOON, 0, D(210))}
    sure, other = (
        planned(action, a_scene(bot=bot, ranges=ranges), MODEL, confidence=said)
        for said in (D(1), confidence)
    )
    assert isinstance(sure, Intent)
    assert sure.quantity
    assert other == sure


MINUTE = timedelta(seconds=60)


@pytest.mark.parametrize(
    ("over", "good"),
    [
        pytest.param({}, True, id="of now"),
        pytest.param({"at": NOON - MINUTE}, True, id="just fresh enough"),
        pytest.param({"at": NOON - MINUTE - timedelta(microseconds=1)}, False, id="too old"),
        pytest.param({"at": NOON + timedelta(seconds=1)}, True, id="ahead of our clock"),
        pytest.param({"epoch": 2}, False, id="of another loop of the replay"),
        pytest.param({"session_open": False}, False, id="market closed"),
        pytest.param({"session_closes_at": NOON}, False, id="closed since"),
        pytest.param({"session_closes_at": None}, True, id="never closes"),
    ],
)
def test_a_quote_is_usable(over: dict[str, Any], *, good: bool) -> None:
    assert (usable(a_quote(**over), NOON, 1, 60) is not None) is good


def test_no_quote_is_not_usable() -> None:
    assert usable(None, NOON, 1, 60) is None
