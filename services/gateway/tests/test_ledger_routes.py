"""Equity, performance, the comparison and files, as they are answered."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import select

from gateway.adapters.book_tables import equity_days
from gateway.domain import csv_rows
from gateway.routes import exports
from gateway.starting import Environment, start
from signalbox.contracts import payloads as p
from signalbox.contracts.events import (
    AlertRaised,
    EquityMarked,
    Event,
    LlmDecisionMade,
    QuoteUpdated,
)
from signalbox.contracts.notices import Alert
from signalbox.contracts.values import OrderKind, OrderState, Severity
from signalbox.testing.examples import NOON, a_decision, a_moment, a_quote

NO_KEYS = dict.fromkeys(("quantconnect_api_key", "quantconnect_api_secret"))


def marked(minute: int, worth: int, **over: Any) -> EquityMarked:
    """What bot alpha was worth so many minutes after noon."""
    fields: dict[str, Any] = {
        "bot": "alpha",
        "account": "paper-alpha",
        "equity": D(worth),
        "cash": D(0),
        "exposure_gross": D(worth) / 4,
        "exposure_net": D(worth) / 4,
        "realised_pnl": D(0),
        "unrealised_pnl": D(0),
        "fees": D(0),
        "at": NOON + timedelta(minutes=minute),
        "cause": f"minute {minute}",
    }
    return a_moment().event(EquityMarked, p.Equity(**(fields | over)))


async def get(gateway: Any, path: str) -> Any:
    async with gateway() as web:
        answer = await web.get(f"/api/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_long_curve_is_thinned_and_keeps_its_extremes(gateway: Any) -> None:
    worth = [1000 + minute % 7 for minute in range(600)]
    worth[217], worth[218], worth[400] = 1500, 300, 250
    gateway.feed(*(marked(minute, one) for minute, one in enumerate(worth)))
    found = (await get(gateway, "equity?bot=alpha&points=50"))["items"]
    assert len(found) <= 50
    times = [one["at"] for one in found]
    assert times == sorted(times, reverse=True)
    numbers = {one["equity"]: one["drawdown"] for one in found}
    assert numbers["1500"] == "0"
    assert (numbers["300"], numbers["250"]) == ("0.8", "0.833333")
    assert found[0]["at"] == "2026-08-04T01:59:00Z"
    assert found[-1]["at"] == "2026-08-03T16:00:00Z"
    part = (await get(gateway, "equity?bot=alpha&points=10&from=2026-08-03T19:38:00Z"))["items"]
    deepest = max(D(one["drawdown"]) for one in part)
    assert deepest == D("0.751491"), "a high before it counts no more"


async def test_curves_of_two_accounts_are_not_mixed(gateway: Any) -> None:
    other = {"account": "second", "cause": "x"}
    gateway.feed(marked(0, 100), marked(1, 90), marked(2, 5000, **other))
    gateway.feed(marked(3, 4000, **{**other, "cause": "y"}))
    for query in ("", "&points=10", "&step_s=60"):
        found = (await get(gateway, f"equity?bot=alpha{query}"))["items"]
        assert [one["equity"] for one in found] == ["4000", "5000"], "the account it had last"
        before = await get(gateway, f"equity?bot=alpha&account=paper-alpha{query}")
        assert [one["equity"] for one in before["items"]] == ["90", "100"]


async def test_a_curve_is_of_one_bot(gateway: Any) -> None:
    async with gateway() as web:
        answer = await web.get("/api/equity?points=50")
        many = await web.get("/api/equity?points=1001&bot=alpha")
    assert (answer.status_code, many.status_code) == (422, 422)
    assert "?bot=" in answer.json()["detail"]


@pytest.mark.parametrize("size", [1, 3, 100])
async def test_a_market_day_is_kept_in_one_row(gateway: Any, size: int) -> None:
    worth = [100, 120, 60, 130, 90, 91]
    events = [marked(200 * n, one) for n, one in enumerate(worth)]
    for first in range(0, len(events), size):
        gateway.feed(*events[first : first + size])
        gateway.feed(*events[first : first + size])  # a redelivery counts nothing twice
    with gateway.service.db.begin() as sql:
        one, two = sql.execute(select(equity_days).order_by(equity_days.c.day)).all()
    assert (one.first, one.high, one.low, one.last) == (D(100), D(120), D(60), D(60))
    assert (one.peak, one.trough, one.marks, one.exposure) == (
        *(D(120), D(60)),
        *(3, D("0.75")),
    )
    assert (two.peak, two.trough, two.last) == (D(130), D(90), D(91))


def lost(story: Any) -> list[Event]:
    """A lot that was bought and sold at a loss, on a book that fell from 1000 to 900."""
    return [*story.all()[:-2], *[story.exit("190", "-101")], marked(0, 1000), marked(600, 900)]


async def test_performance_tells_risk_and_why_it_does_not(
    gateway: Any, story: Callable[..., Any]
) -> None:
    gateway.feed(*lost(story()))
    by = {}
    for kind in ("source", "bot", "symbol"):
        (by[kind],) = (await get(gateway, f"performance?by={kind}"))["items"]
    assert {(one["realised_pnl"], one["traded"], one["fees"]) for one in by.values()} == {
        ("-102", "3900", "2")
    }
    bot, source = by["bot"], by["source"]
    assert (bot["basis"], bot["max_drawdown"], bot["days"]) == ("equity", "0.1", 2)
    assert (bot["max_drawdown_from"], bot["mean_exposure"]) == ("2026-08-03T16:00:00Z", "0.25")
    assert (source["basis"], source["max_drawdown"]) == ("realised", "0.102")
    assert (source["average_loss"], source["expectancy"]) == ("101", "-102")
    assert bot["sharpe"] is None
    assert bot["missing"]["sharpe"] == "too few to say: 2 of the 30 market days needed"
    assert [one["stage"] for one in source["stages"]] == [
        "signal_to_verdict",
        "verdict_to_order",
        "accept_to_fill",
        "signal_to_fill",
    ]


async def test_a_wait_for_a_person_is_no_stage(gateway: Any, story: Callable[..., Any]) -> None:
    told = story()
    later = {"bot": "beta", "verdict_id": told.approved().data.verdict_id}
    orders = [told.order(OrderState.PLANNED, **later), told.order(OrderState.ACCEPTED, **later)]
    filled = told.order(OrderState.FILLED, told.opening(), **later)
    gateway.feed(told.raised(), told.approved(), *orders, filled)
    (one,) = (await get(gateway, "performance?by=bot"))["items"]
    assert [s["stage"] for s in one["stages"]] == ["verdict_to_order", "accept_to_fill"]


async def test_open_lots_are_exposure(gateway: Any, story: Callable[..., Any]) -> None:
    gateway.feed(*story().all())
    await gateway.context.hub.hear(a_moment().event(QuoteUpdated, a_quote()))
    for kind in ("source", "bot", "symbol"):
        (one,) = (await get(gateway, f"performance?by={kind}"))["items"]
        assert (one["exposure_gross"], one["exposure_net"]) == ("2105", "2105")


async def test_the_comparison_counts_what_models_cost(
    gateway: Any, story: Callable[..., Any]
) -> None:
    spent = a_decision(cost_usd=D("0.25"))
    gateway.feed(*lost(story()), a_moment().event(LlmDecisionMade, spent))
    found = await get(gateway, "performance/comparison")
    ai, classic, qc = found["items"]
    assert [one["name"] for one in found["items"]] == ["AI", "classic", "QuantConnect"]
    assert (ai["llm_cost"], ai["pnl_after_cost"], classic["llm_cost"]) == ("0.25", "-0.25", "0")
    assert (qc["pnl_after_cost"], qc["trades"], qc["hit_rate"]) == ("-102", 1, "0")
    assert found["best"] is None
    assert found["statement"].startswith("Too few to say which is best")


async def test_profit_is_measured_by_source(gateway: Any, story: Callable[..., Any]) -> None:
    def shown() -> float:
        labels = {"source_type": "quantconnect", "source_id": "4711"}
        return REGISTRY.get_sample_value("signalbox_pnl_realized", labels) or 0

    told, before = story(), shown()
    gateway.feed(*told.all())
    gateway.feed(told.exit(), told.exit())
    assert shown() - before == 98
    environment = Environment(home=Path(), admin_password=None, demo=False, **NO_KEYS)
    await start(gateway.context, environment)  # as another one that takes over
    assert shown() == 98


async def table(gateway: Any, path: str) -> list[dict[str, str]]:
    async with gateway() as web:
        answer = await web.get(f"/api/{path}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    return list(csv.DictReader(io.StringIO(answer.text)))


async def test_files_hold_what_lists_hold(
    gateway: Any, story: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "_ROWS", 2)
    stories = [story(own_id=str(n), symbol=s, minute=n) for n, s in enumerate(["AAPL", "MSFT"] * 3)]
    gateway.feed(*(event for one in stories for event in one.all()))
    for kind in ("trades", "orders", "signals", "quantconnect/signals", "verdicts"):
        for query in ("", "?symbol=MSFT&side=buy", "?bot=other"):
            listed = (await get(gateway, f"{kind}{query}"))["items"]
            found = await table(gateway, f"{kind}.csv{query}")
            assert [one["id"] for one in found] == [one["id"] for one in listed]
    first = (await table(gateway, "trades.csv"))[0]
    assert (first["quantity"], first["price"], first["realised_pnl"]) == ("10", "200", "-1")
    assert (first["at"], first["slippage_bps"]) == ("2026-08-03T16:05:00Z", "")


async def test_positions_open_lots_and_alerts_come_as_files_too(
    gateway: Any, story: Callable[..., Any]
) -> None:
    gateway.feed(*story().all())
    alarm = Alert(
        severity=Severity.WARNING,
        code="late_fill",
        about="bot:alpha",
        message="late",
        service="executor",
        active=True,
        occurrence="1",
        at=NOON,
    )
    gateway.feed(a_moment().event(AlertRaised, alarm))
    held = (await get(gateway, "positions"))["items"]
    (position,) = await table(gateway, "positions.csv?bot=alpha")
    assert position == {name: held[0][name] or "" for name in csv_rows.POSITION}
    assert await table(gateway, "positions.csv?symbol=MSFT") == []
    (lot,) = await table(gateway, "lots.csv")
    assert [lot["id"]] == [one["id"] for position in held for one in position["lots"]]
    assert (lot["quantity"], lot["source_type"]) == ("10", "quantconnect")
    (row,) = await table(gateway, "alerts.csv?severity=warning&active=true")
    assert (row["code"], row["active"]) == ("late_fill", "true")
    assert await table(gateway, "alerts.csv?severity=critical") == []


async def test_positions_and_lots_are_files_in_the_order_that_they_say(
    gateway: Any, story: Callable[..., Any]
) -> None:
    late = story(own_id="q3", symbol="AAPL", minute=9)
    early = [story(own_id="q1", symbol="MSFT"), story(own_id="q2", symbol="AAPL", minute=2)]
    both = late.position((late.lot(), early[1].lot()))
    gateway.feed(both, early[0].position((early[0].lot(),)))
    lots, positions = await table(gateway, "lots.csv"), await table(gateway, "positions.csv")
    ids = [str(one.lot_id) for one in (early[1], late, early[0])]
    assert [lot["id"] for lot in lots] == ids
    assert [one["symbol"] for one in positions] == ["AAPL", "MSFT"]
    assert [lot["id"] for lot in await table(gateway, "lots.csv?symbol=MSFT")] == ids[2:]
    assert await table(gateway, "lots.csv?bot=beta") == []
    paths = (await get(gateway, "openapi.json"))["paths"]
    said = {
        path: paths[f"/api/{path}"]["get"]["responses"]["200"]["description"]
        for path in ("lots.csv", "positions.csv", "orders.csv")
    }
    assert said == {
        "lots.csv": "One line for each, by bot and symbol, then oldest first.",
        "positions.csv": "One line for each, by bot and symbol.",
        "orders.csv": "One line for each, newest first.",
    }


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", '="a"\n'])
async def test_a_file_never_holds_a_formula(
    gateway: Any, story: Callable[..., Any], text: str
) -> None:
    told = story()
    order = told.orders()[0]
    data = order.data.model_copy(update={"message": text, "source_id": text})
    gateway.feed(order.model_copy(update={"data": data}))
    (row,) = await table(gateway, "orders.csv")
    assert (row["message"], row["source_id"]) == (f"'{text}", f"'{text}")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({}, ("market", None, None)),
        ({"kind": OrderKind.LIMIT, "limit_price": D("101.25")}, ("limit", "101.25", None)),
        ({"kind": OrderKind.STOP, "stop_price": D("95.00")}, ("stop", None, "95")),
    ],
)
async def test_an_order_says_what_it_asks_for(
    gateway: Any,
    story: Callable[..., Any],
    said: dict[str, Any],
    shown: tuple[str | None, ...],
) -> None:
    order = story().orders()[0]
    gateway.feed(order.model_copy(update={"data": order.data.model_copy(update=said)}))
    names = ("kind", "limit_price", "stop_price")
    (listed,) = (await get(gateway, "orders"))["items"]
    assert tuple(listed[name] for name in names) == shown
    (row,) = await table(gateway, "orders.csv")
    assert tuple(row[name] or None for name in names) == shown
    (detail,) = (await get(gateway, f"chains/{listed['id']}"))["orders"]
    assert tuple(detail[name] for name in names) == shown


async def test_an_order_of_before_there_were_kinds_is_a_market_order(
    gateway: Any, story: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    order = story().orders()[0]
    encode = type(order).encode

    def old(event: Event) -> bytes:
        before, kind, after = encode(event).partition(b'"kind":"market",')
        assert kind
        text: bytes = before + after
        return text

    monkeypatch.setattr(type(order), "encode", old)
    gateway.feed(order)
    (listed,) = (await get(gateway, "orders"))["items"]
    assert (listed["kind"], listed["limit_price"]) == ("market", None)
