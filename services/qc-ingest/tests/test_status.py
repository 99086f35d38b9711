"""The fields that a status page shows of each config: good, wrong key, unreachable, limited."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from sandbox.faults import Kind
from signalbox.contracts.events import AlertRaised

Station = Any
FIELDS = {"connected", "last_ok_at", "last_error", "clock_skew_s", "rate_limit"}


def status(station: Station) -> dict[str, Any]:
    found: dict[str, Any] = station.told("connection", "demo")[-1]
    assert found.keys() >= FIELDS
    return found


async def test_good(station: Station) -> None:
    station.begin(30)
    await station.poller().turn(station.config())
    found = status(station)
    assert (found["connected"], found["last_error"], found["trouble"]) == (True, None, None)
    assert datetime.fromisoformat(found["last_ok_at"]) == station.host.wall
    assert found["rate_limit"] == {
        "per_minute": 600_000,
        "available": found["rate_limit"]["available"],
        "limited_for_s": 0,
    }
    (algorithm,) = station.told("algorithm", "23456781")
    assert re.fullmatch(r"\d+(\.\d+)?", algorithm["performance"]["equity"])
    assert algorithm["performance"].keys() <= {
        "equity",
        "holdings",
        "unrealized",
        "net_profit",
        "fees",
        "return",
    }


@pytest.mark.parametrize(
    ("fault", "trouble", "says"),
    [
        pytest.param(Kind.REVOKED, "credentials", "Check both under Account, Security", id="key"),
        pytest.param(Kind.DOWN, "unreachable", "goes on once it answers", id="unreachable"),
        pytest.param(Kind.LIMITED, "limited", "slows down and goes on", id="limited"),
    ],
)
async def test_trouble(station: Station, fault: Kind, trouble: str, says: str) -> None:
    station.begin(30)
    poller, config = station.poller(), station.config()
    await poller.turn(config)
    good_at = station.host.wall
    station.host.wall += timedelta(minutes=1)
    station.sandbox.switch(fault, seconds=40)
    await poller.turn(config)
    found = status(station)
    assert (found["connected"], found["trouble"]) == (False, trouble)
    assert says in found["last_error"]
    assert datetime.fromisoformat(found["last_ok_at"]) == good_at
    halved = found["rate_limit"]["per_minute"] < 600_000
    assert halved is (fault is Kind.LIMITED)
    station.sandbox.clear()
    station.host.wall += timedelta(minutes=6)
    again = station.poller()
    await again.turn(config)
    assert status(station)["connected"] is True
    assert [event.data.active for event in station.host.of(AlertRaised)] == [True, False]


async def test_a_config_before_its_first_answer(station: Station) -> None:
    await station.sandbox.stop()
    await station.poller().turn(station.config())
    found = status(station)
    assert (found["connected"], found["last_ok_at"], found["clock_skew_s"]) == (False, None, None)
