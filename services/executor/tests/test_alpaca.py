"""Alpaca's answers and what they mean, its spelling, and who goes first."""

import asyncio
import json
import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.adapters.alpaca import Alpaca, Login
from executor.adapters.budget import Budget, Urgency
from executor.domain import alpaca as wire
from executor.domain.broker import BrokerFill, Kind, execution_of
from executor.handlers.memory import Outflow
from signalbox.contracts.errors import RateLimited, Refused, SignalboxError, TransientError
from signalbox.contracts.values import OrderState, Side
from signalbox.testing.examples import NOON
from signalbox.testing.scripted import How, Step, scripted
from signalbox.testing.wait import until

D = Decimal
ORDER = {
    "id": "b1",
    "client_order_id": "c1",
    "symbol": "BTCUSD",
    "asset_class": "crypto",
    "side": "buy",
    "filled_qty": "0.1",
    "filled_avg_price": None,
    "status": "new",
}


def error(code: int, message: str) -> bytes:
    return json.dumps({"code": code, "message": message}).encode()


@pytest.mark.parametrize(
    ("status", "content", "kind"),
    [
        pytest.param(200, json.dumps(ORDER).encode(), Kind.DONE, id="fine"),
        pytest.param(204, b"", Kind.DONE, id="nothing to say"),
        pytest.param(200, b'{"id": "b', Kind.UNKNOWN, id="cut in the middle"),
        pytest.param(200, b"<html>", Kind.UNKNOWN, id="a page"),
        pytest.param(400, error(40010000, "bad"), Kind.REJECTED, id="malformed"),
        pytest.param(401, b"", Kind.REFUSED, id="bad key"),
        pytest.param(403, b"forbidden", Kind.REFUSED, id="not permitted"),
        pytest.param(403, error(40310000, "insufficient"), Kind.REJECTED, id="funds"),
        pytest.param(403, error(40310100, "day trade"), Kind.REJECTED, id="day-trade protection"),
        pytest.param(404, error(40410000, "order not found"), Kind.MISSING, id="no such order"),
        pytest.param(408, b"", Kind.UNKNOWN, id="time-out at a proxy"),
        pytest.param(
            422, error(40010001, "client_order_id must be unique"), Kind.EXISTS, id="duplicate"
        ),
        pytest.param(
            422, error(42210000, "Client order id already exists"), Kind.EXISTS, id="other words"
        ),
        pytest.param(422, error(40010001, "qty must be > 0"), Kind.REJECTED, id="validation"),
        pytest.param(422, error(42210000, "sub-penny"), Kind.REJECTED, id="unprocessable"),
        pytest.param(429, b"", Kind.LIMITED, id="too many"),
        pytest.param(500, error(50010000, "internal"), Kind.UNKNOWN, id="500"),
        pytest.param(504, b"", Kind.UNKNOWN, id="504"),
    ],
)
def test_read_answer(status: int, content: bytes, kind: Kind) -> None:
    assert wire.read_answer(status, content).kind is kind


@given(st.integers(200, 599), st.binary(max_size=60))
def test_reading_never_raises_and_never_takes_noise_for_an_order(status: int, body: bytes) -> None:
    answer = wire.read_answer(status, body)
    with pytest.raises(TransientError):
        wire.parse_order(answer.body)


def test_numbers_are_exact_and_crypto_has_one_spelling() -> None:
    raw = json.dumps(ORDER | {"filled_avg_price": 0}).replace(": 0,", ": 0.1234567890123456789,")
    order = wire.parse_order(wire.read_answer(200, raw.encode()).body)
    assert (order.symbol, order.filled) == ("BTC/USD", D("0.1"))
    assert order.average_price == D("0.1234567890123456789")
    assert order.state is OrderState.ACCEPTED
    assert wire.squeezed(order.symbol) == "BTCUSD"
    assert wire.canonical("BRK.B", "us_equity") == "BRK.B"
    assert wire.parse_order(ORDER | {"status": "levitating"}).state is None


def test_a_foreign_order_of_an_unknown_kind_hides_no_other() -> None:
    legs = ORDER | {"client_order_id": "by hand", "symbol": "", "side": ""}
    assert wire.parse_orders([legs, ORDER]) == [wire.parse_order(ORDER)]
    with pytest.raises(TransientError):
        wire.parse_orders([ORDER | {"client_order_id": "0" * 32, "symbol": ""}])


@pytest.mark.parametrize("change", [{"id": 7}, {"filled_qty": "NaN"}, {"status": None}])
def test_an_order_that_cannot_be_read_says_so(change: dict[str, Any]) -> None:
    with pytest.raises(TransientError, match="alpaca"):
        wire.parse_order(ORDER | change)


@pytest.mark.parametrize(
    ("side", "symbol", "quantity", "fee"),
    [
        pytest.param(Side.BUY, "BTC/USD", "0.09975", "12.5", id="units of a buy"),
        pytest.param(Side.SELL, "BTC/USD", "0.1", "12.5", id="money of a sell"),
        pytest.param(Side.BUY, "AAPL", "0.1", "0", id="none of shares"),
    ],
)
def test_the_fee_of_a_fill(side: Side, symbol: str, quantity: str, fee: str) -> None:
    fill = BrokerFill("b1", D("0.1"), D("0.1"), D(50_000), NOON)
    execution = execution_of(fill, symbol, side, D(25))
    assert (execution.quantity, execution.fee) == (D(quantity), D(fee))
    assert execution.gross == D("0.1")


def client(url: str, read_s: float = 10.0) -> Alpaca:
    return Alpaca(Login(url, "key", "very-secret"), budget=Budget(6000, 100), read_s=read_s)


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (Step(503, {}), TransientError),
        (Step(200, b"[1"), TransientError),
        (Step(how=How.DROP_BEFORE), TransientError),
        (Step(how=How.HANG), TransientError),
        (Step(401, {}), Refused),
        (Step(429, {}, {"Retry-After": "0"}), RateLimited),
    ],
)
async def test_a_question_without_an_answer_raises_and_shows_no_key(
    step: Step, kind: type[SignalboxError]
) -> None:
    async with scripted(step) as script:
        alpaca = client(script.url, 0.3 if step.how is How.HANG else 10.0)
        with pytest.raises(kind) as caught:
            await alpaca.find("c1")
        await alpaca.close()
    assert "secret" not in str(caught.value)
    assert script.seen[0].headers["apca-api-secret-key"] == "very-secret"
    assert len(script.seen) == 1


async def test_no_such_order_is_an_answer() -> None:
    async with scripted(Step(404, {"code": 40410000, "message": "order not found"})) as script:
        alpaca = client(script.url)
        assert await alpaca.find("c1") is None
        await alpaca.close()


async def test_fills_are_read_page_by_page() -> None:
    def page(first: int, count: int) -> Step:
        fill = {"order_id": "b1", "qty": "1", "price": "2", "transaction_time": NOON.isoformat()}
        rows = range(first, first + count)
        return Step(200, [fill | {"id": f"a{n}", "cum_qty": str(n)} for n in rows])

    async with scripted(page(1, 100), page(101, 3)) as script:
        alpaca = client(script.url)
        fills = await alpaca.fills(broker_id="b1")
        await alpaca.close()
    assert [fill.cumulative for fill in fills] == [D(n) for n in range(1, 104)]
    assert "page_token=a100" in script.seen[1].path


async def test_cancels_go_before_orders_and_those_before_questions() -> None:
    clock = [0.0]
    budget = Budget(per_minute=6000, burst=16, clock=lambda: clock[0])
    served: list[Urgency] = []

    async def ask(urgency: Urgency) -> None:
        await budget.take(urgency)
        served.append(urgency)

    await ask(Urgency.READ)  # the last token that a question may have
    tasks = [asyncio.create_task(ask(u)) for u in (Urgency.READ, Urgency.SUBMIT, Urgency.CANCEL)]
    await until(lambda: len(served) == 3)
    assert served == [Urgency.READ, Urgency.SUBMIT, Urgency.CANCEL]
    clock[0] = 10.0
    await asyncio.gather(*tasks)
    assert served[-1] is Urgency.READ


async def test_a_pause_holds_for_everybody_and_ends() -> None:
    clock = [0.0]
    budget = Budget(per_minute=6000, burst=100, clock=lambda: clock[0])
    budget.pause(0.05)
    tasks = [asyncio.create_task(budget.take(urgency)) for urgency in Urgency]
    _, waiting = await asyncio.wait(tasks, timeout=0.02)
    assert len(waiting) == 3
    clock[0] = 0.05
    await asyncio.gather(*tasks)


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        pytest.param({"Retry-After": "7"}, 7, 7, id="seconds"),
        pytest.param({"X-RateLimit-Reset": "in a minute"}, 30, 61, id="a time"),
        pytest.param({"X-RateLimit-Reset": "12"}, 5, 5, id="a time long ago"),
        pytest.param({"Retry-After": "soon"}, 5, 5, id="no number"),
        pytest.param({"Retry-After": "1e9"}, 5, 5, id="for ever"),
    ],
)
async def test_how_long_too_many_requests_wait(
    headers: dict[str, str], least: float, most: float
) -> None:
    if "in a minute" in headers.values():
        headers = {"X-RateLimit-Reset": str(int(time.time()) + 60)}
    async with scripted(Step(429, {}, headers)) as script:
        alpaca = client(script.url)
        with pytest.raises(RateLimited) as caught:
            await alpaca.find("c1")
        await alpaca.close()
    assert caught.value.retry_after_s is not None
    assert least <= caught.value.retry_after_s <= most


def test_entries_that_have_left_are_forgotten_after_a_minute() -> None:
    clock = [0.0]
    outflow = Outflow(2, clock=lambda: clock[0])
    for _ in range(2):
        assert outflow.full() is None
        outflow.count()
    full = outflow.full()
    assert full is not None
    assert (full.code, full.numbers) == ("order_rate", {"limit": "2", "observed": "2"})
    clock[0] = 60.0
    assert outflow.full() is None
