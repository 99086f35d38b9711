"""The same words by push and by pull, in either order, on a real sandbox: each counts once."""

import json
from datetime import timedelta
from typing import Any

import pytest

from qc_ingest.adapters import tables
from qc_ingest.handlers import build_handlers
from signalbox.contracts.events import PushReceived, SignalRaised, SignalWithdrawn
from signalbox.contracts.ids import derive, signal_id
from signalbox.contracts.payloads import Push
from signalbox.testing.runner import run

MOMENTUM = 23456781
Station = Any


async def pull(station: Station, **config: Any) -> None:
    poller = station.pollers[-1] if station.pollers else station.poller()
    _, connection, _ = await poller.cycle(station.config(**config))
    assert connection.connected, connection.last_error


async def push(station: Station, **lists: list[dict[str, Any]]) -> None:
    """What the snippet sends, as the gateway hands it on."""
    newest = station.sandbox.desk.newest(MOMENTUM)
    inner = json.dumps({"v": 1, "projectId": MOMENTUM, "deployId": newest.deploy_id, **lists})
    data = Push(
        push_id=derive("push", inner),
        config_id=station.host.configs[0].id,
        body=json.dumps({"payload": inner}),
        received_at=station.host.wall,
    )
    event = PushReceived.of(data, source="gateway", time=station.host.wall)
    moment = station.host.moment()
    station.host.said += run(build_handlers(), station.host.db, tables.metadata, [event], moment)


def as_pushed(insight: dict[str, Any]) -> dict[str, Any]:
    """An insight as the snippet writes it: numbers for words, whole seconds, no type."""
    number = {"up": 1, "flat": 0, "down": -1}[insight["direction"]]
    return {
        "id": insight["id"],
        "symbol": insight["symbol"],
        "ticker": insight["ticker"],
        "direction": number,
        "confidence": float(insight["confidence"]),
        "generatedTime": int(insight["generatedTime"]),
        "closeTime": int(insight["closeTime"]),
    }


def raised(station: Station) -> list[Any]:
    return [event.data for event in station.host.of(SignalRaised)]


async def following(station: Station, **config: Any) -> None:
    station.host.replay = False  # ages count as they do on a live feed
    station.begin(0)
    await pull(station, **config)


@pytest.mark.parametrize("pushed_first", [True, False])
async def test_an_insight_counts_once_whichever_comes_first(
    station: Station, pushed_first: bool
) -> None:
    await following(station)
    said = station.say(6)
    for insight in said:
        insight["generatedTime"] += 0.73
        insight["closeTime"] = insight["generatedTime"] + 600  # sooner than 20 minutes
    pushed = [as_pushed(insight) for insight in said]
    for by_push in (pushed_first, not pushed_first):
        await (push(station, insights=pushed) if by_push else pull(station))
    ids = [signal_id("quantconnect", str(MOMENTUM), i["id"]) for i in said]
    assert [s.signal_id for s in raised(station)] == ids
    assert [s.action for s in raised(station)] == ["buy", "close", "sell"] * 2
    assert station.host.of(SignalWithdrawn) == []
    await pull(station)
    await push(station, insights=pushed)
    assert len(raised(station)) == 6


async def test_a_push_covers_one_part_and_reading_the_rest(station: Station) -> None:
    await following(station)
    said = station.say(8)
    await push(station, insights=[as_pushed(i) for i in said[4:]])
    await pull(station)
    assert sorted(s.own_id for s in raised(station)) == [i["id"] for i in said]


async def test_an_insight_that_was_pushed_and_is_ended_early_is_withdrawn(station: Station) -> None:
    await following(station)
    (insight,) = station.say(1)
    await push(station, insights=[as_pushed(insight)])
    insight["closeTime"] = station.host.now.timestamp() + 10
    await pull(station)
    (withdrawn,) = station.host.of(SignalWithdrawn)
    assert withdrawn.data.signal_id == raised(station)[0].signal_id


async def test_a_late_push_takes_nothing_away_from_reading(station: Station) -> None:
    await following(station)
    (insight,) = station.say(1)
    station.host.now += timedelta(minutes=6)
    station.host.wall += timedelta(minutes=6)
    await push(station, insights=[as_pushed(insight)])
    assert raised(station) == []
    await pull(station)
    assert [s.own_id for s in raised(station)] == [insight["id"]]
    await push(station, insights=[as_pushed(insight)])
    assert len(raised(station)) == 1


async def test_a_pushed_fill_counts_once(station: Station) -> None:
    await following(station, signals_from="fills")
    station.host.replay = True  # an hour at once
    station.go_on(0, 60)
    orders = station.sandbox.desk.newest(MOMENTUM).orders
    fill = orders[-1]["events"][1]
    sent = {
        "id": fill["id"],
        "orderId": fill["orderId"],
        "orderEventId": fill["orderEventId"],
        "symbol": fill["symbol"],
        "ticker": fill["symbolValue"],
        "time": int(fill["time"]),
        "status": 3,
        "direction": 0 if fill["fillQuantity"] > 0 else 1,
        "fillQuantity": fill["fillQuantity"],
        "fillPrice": fill["fillPrice"],
    }
    await push(station, orderEvents=[sent])
    assert [s.own_id for s in raised(station)] == [fill["id"]]
    await pull(station, signals_from="fills")
    assert sorted(s.own_id for s in raised(station)) == sorted(o["events"][1]["id"] for o in orders)
