"""When a model is asked without anybody asking for it."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_decider.adapters import store, tables
from llm_decider.domain import triggers
from llm_decider.domain.triggers import Watch, decision_id
from llm_decider.handlers import build_book_handlers, build_handlers
from signalbox.contracts.config import LlmConfig, LlmDeciderConfig, TokenPrice
from signalbox.contracts.events import BarClosed, PositionChanged
from signalbox.contracts.payloads import Bar, Position
from signalbox.runtime.db import Database
from signalbox.testing.examples import NOON, a_bar, a_moment
from signalbox.testing.runner import run

D = Decimal
MINUTE = timedelta(minutes=1)


def a_config(**over: Any) -> LlmConfig:
    fields: dict[str, Any] = {
        "id": "demo", "name": "Demo", "provider": "openai", "key_sealed": "x", "model": "m",
        "prompt_id": "p", "symbols": ("AAPL", "MSFT"), "every": 3, "min_gap_s": 0,
        "price": TokenPrice(input_usd=D(1), output_usd=D(1)),
    }  # fmt: skip
    return LlmConfig(**(fields | over))


def bar(minute: int, close: str = "100", **over: Any) -> Bar:
    """The minute after noon that begins so many minutes later."""
    price = D(close)
    fields = {"open": price, "high": price, "low": price, "close": price}
    return a_bar(opened_at=NOON + minute * MINUTE, **fields | over)


def heard(config: LlmConfig, bars: Iterable[Bar]) -> list[str]:
    """Which bars are asked about and why, as `minute trigger`; each is heard as it closes."""
    watch, said = Watch(config.id, "AAPL"), []
    for one in bars:
        watch, trigger = triggers.hear(watch, config, one, now=one.closed_at, speed=1.0)
        if trigger:
            said.append(f"{(one.opened_at - NOON) // MINUTE} {trigger}")
    return said


@pytest.mark.parametrize(
    ("over", "minutes", "said"),
    [
        pytest.param({}, range(8), ["0 bar", "3 bar", "6 bar"], id="every third"),
        pytest.param(
            {"every": 1, "min_gap_s": 120}, range(5), ["0 bar", "2 bar", "4 bar"], id="gap"
        ),
        pytest.param({"every": None}, range(5), [], id="neither schedule nor move"),
        pytest.param({}, [0, 0, 1, 1, 2, 1, 3, 3], ["0 bar", "3 bar"], id="repeats and old ones"),
    ],
)
def test_a_schedule_counts_bars(over: Any, minutes: Iterable[int], said: list[str]) -> None:
    assert heard(a_config(**over), map(bar, minutes)) == said


def test_a_move_is_measured_from_the_last_question() -> None:
    closes = ["100", "100.9", "101.1", "102", "103", "101.9", "101.8"]
    bars = [bar(n, close) for n, close in enumerate(closes)]
    config = a_config(every=None, move=D("0.01"))
    assert heard(config, bars) == ["2 move", "4 move", "5 move"]
    assert heard(a_config(every=3, move=D("0.01")), bars) == ["0 bar", "2 move", "4 move", "5 move"]


def test_bars_while_the_market_is_closed_do_not_count() -> None:
    bars = [bar(n, session_open=n not in {1, 2}) for n in range(6)]
    assert heard(a_config(), bars) == ["0 bar", "5 bar"]


def test_daily_bars_close_with_the_market_and_count() -> None:
    days = [
        bar(0, interval="1d", session_open=False).model_copy(
            update={
                "opened_at": NOON + timedelta(days=n),
                "closed_at": NOON + timedelta(days=n + 1),
            }
        )
        for n in range(4)
    ]
    assert len(heard(a_config(interval="1d"), days)) == 2


def test_a_new_loop_of_the_replay_goes_on_counting() -> None:
    first = [bar(n) for n in range(2)]
    second = [bar(10_080 + n, "150", epoch=2) for n in range(3)]
    config = a_config(move=D("0.1"))
    assert heard(config, [*first, *second]) == ["0 bar", "10081 bar"]


@given(
    order=st.lists(st.integers(0, 40), max_size=60),
    every=st.integers(1, 5),
    gap_s=st.integers(0, 300),
)
def test_no_bar_is_asked_about_twice_or_sooner_than_allowed(
    order: list[int], every: int, gap_s: int
) -> None:
    said = heard(a_config(every=every, min_gap_s=gap_s), map(bar, order))
    minutes = [int(one.split()[0]) for one in said]
    assert minutes == sorted(set(minutes))
    for before, after in pairwise(minutes):
        assert (after - before) * 60 >= gap_s
        assert len({n for n in order if before < n <= after}) >= every


class Desk:
    """Handlers on a database in memory."""

    def __init__(self, *configs: LlmConfig) -> None:
        self.db = Database.in_memory(tables.metadata)
        self.config = LlmDeciderConfig(models=configs)
        self.woken = 0
        self.handlers = build_handlers(self._wake)

    def _wake(self) -> None:
        self.woken += 1

    def hear(self, *bars: Bar, now: Any = None) -> None:
        moment = a_moment(self.config, now=now or bars[-1].closed_at, speed=1.0)
        events = [moment.event(BarClosed, one) for one in bars]
        assert run(self.handlers, self.db, tables.metadata, events, moment) == []

    @property
    def waiting(self) -> list[Any]:
        with self.db.begin() as sql:
            return store.waiting_intents(sql, lock=False)


def test_a_due_bar_is_an_intent_that_a_worker_is_woken_for() -> None:
    desk = Desk(
        a_config(), a_config(id="other", symbols=("MSFT",)), a_config(id="off", active=False)
    )
    desk.hear(bar(0))
    (intent,) = desk.waiting
    assert (intent.config_id, intent.symbol, intent.trigger) == ("demo", "AAPL", "bar")
    assert (intent.at, intent.epoch) == (NOON + MINUTE, 1)
    assert intent.decision_id == decision_id("demo", f"1|1m|{NOON.isoformat()}", "AAPL")
    assert desk.woken == 1


def test_a_bar_that_is_not_due_is_counted_only() -> None:
    desk = Desk(a_config())
    desk.hear(bar(0))
    desk.hear(bar(1))
    assert len(desk.waiting) == desk.woken == 1


def test_small_moves_add_up_from_batch_to_batch() -> None:
    desk = Desk(a_config(every=None, move=D("0.01")))
    seen = []
    for minute, close in enumerate(["100", "100.5", "101"]):
        desk.hear(bar(minute, close))
        seen.append([intent.trigger for intent in desk.waiting])
    assert seen == [[], [], ["move"]]


def test_a_bar_that_comes_again_asks_nothing_again() -> None:
    desk = Desk(a_config(every=1))
    desk.hear(bar(0))
    desk.hear(bar(0))
    desk.hear(bar(0).model_copy(update={"origin": "another feed"}))
    assert len(desk.waiting) == desk.woken == 1


@pytest.mark.parametrize("batch", [1, 7, 30])
def test_what_an_outage_held_back_is_asked_about_once_for_the_newest(batch: int) -> None:
    desk = Desk(a_config(every=1))
    bars = [bar(n) for n in range(30)]
    for start in range(0, 30, batch):
        desk.hear(*bars[start : start + batch], now=bars[-1].closed_at)
    assert [intent.at for intent in desk.waiting] == [bars[-1].closed_at]


def test_a_newer_question_takes_the_place_of_one_that_still_waits() -> None:
    desk = Desk(a_config(every=1))
    desk.hear(bar(0), bar(0, symbol="MSFT"))
    desk.hear(bar(1))
    at = {intent.symbol: intent.at for intent in desk.waiting}
    assert at == {"AAPL": NOON + 2 * MINUTE, "MSFT": NOON + MINUTE}


def test_bars_of_many_symbols_in_one_batch_are_all_heard() -> None:
    symbols = tuple(f"S{n}" for n in range(50))
    desk = Desk(a_config(symbols=symbols))
    desk.hear(*(bar(0, symbol=symbol) for symbol in symbols))
    assert {intent.symbol for intent in desk.waiting} == set(symbols)


def test_a_bar_of_another_interval_is_nobodys() -> None:
    desk = Desk(a_config())
    desk.hear(bar(0, interval="5m"))
    assert desk.waiting == []


def test_the_newest_position_is_remembered() -> None:
    db, moment = Database.in_memory(tables.metadata), a_moment(LlmDeciderConfig())

    def position(quantity: int, minute: int, symbol: str = "AAPL") -> PositionChanged:
        data = Position(
            bot="alpha", account="paper", symbol=symbol, quantity=D(quantity), realised_pnl=D(0),
            at=NOON + minute * MINUTE, cause=f"{quantity}|{minute}",
        )  # fmt: skip
        return moment.event(PositionChanged, data)

    events = [position(1, 0), position(5, 2), position(3, 1), position(9, 0, "MSFT")]
    run(build_book_handlers(), db, tables.metadata, events, moment)
    with db.begin() as sql:
        found = store.load_positions(sql, "alpha", ["AAPL", "IBM"])
    assert {symbol: one.quantity for symbol, one in found.items()} == {"AAPL": 5}
