"""Cycles against the real sandbox: every word once, whatever happens in between."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from qc_ingest.adapters import store
from qc_ingest.polling import Tally
from sandbox.faults import Faults, Kind
from signalbox.contracts.events import SignalRaised, SignalWithdrawn

MOMENTUM = 23456781
Station = Any


async def cycle(station: Station, poller: Any = None, **config: Any) -> Tally:
    """One cycle that must go through."""
    poller = poller or (station.pollers[-1] if station.pollers else station.poller())
    tally, connection, _ = await poller.cycle(station.config(**config))
    assert connection.connected, connection.last_error
    assert isinstance(tally, Tally)
    return tally


async def followed(station: Station, count: int = 60) -> None:
    """A deployment that has been followed from its beginning for some minutes."""
    station.begin(0)
    await cycle(station)
    station.go_on(0, count)
    await cycle(station)


def raised(station: Station) -> list[Any]:
    return [event.data for event in station.host.of(SignalRaised)]


async def once(station: Station) -> None:
    """Every insight is known, and raised exactly once and in order unless it was over by then."""
    words = {w.own_id: w for w in await station.rows("known", kind="insights")}
    ids = [i["id"] for i in station.insights]
    assert set(ids) <= set(words)
    live = [i for i in ids if words[i].status in {"raised", "withdrawn"}]
    assert [s.own_id for s in raised(station)] == live
    left_out = {words[i].reason for i in ids if words[i].status == "seen"}
    assert left_out <= {"it was over when it was first seen"}
    said = station.host.of(SignalRaised, SignalWithdrawn)
    assert len({event.id for event in said}) == len(said)


async def test_history_is_seen_and_never_raised(station: Station) -> None:
    station.begin(1200)
    tally = await cycle(station)
    assert tally.fetched > len(station.insights) > 100
    assert raised(station) == []
    words = await station.rows("known", kind="insights")
    assert {(w.status, w.reason) for w in words} == {
        ("seen", "it was there before this deployment was followed")
    }
    assert len(words) == len(station.insights)


async def test_new_insights_are_raised_once_in_order(station: Station) -> None:
    await followed(station)
    await once(station)
    for minute in range(60, 120, 3):
        station.go_on(minute, minute + 3)
        await cycle(station)
    assert len(raised(station)) > 5
    await once(station)


async def test_a_quiet_cycle_writes_nothing_and_asks_little(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    await followed(station, 600)
    before = station.host.commits
    asked: list[str] = []
    monkeypatch.setattr(Faults, "find", lambda _self, path: asked.append(path))
    assert (await cycle(station)).fetched == 0
    assert station.host.commits == before
    assert asked == ["live/read", "live/insights/read", "live/orders/read"]


def counted(*statuses: str) -> list[float]:
    """How many words of the project had these fates, by the metrics of this process."""
    name, labels = "signalbox_signals_total", {"source_type": "quantconnect"}
    labels["source_id"] = str(MOMENTUM)
    found = [REGISTRY.get_sample_value(name, labels | {"outcome": s}) for s in statuses]
    return [value or 0 for value in found]


async def test_an_insight_that_is_ended_early_is_withdrawn(station: Station) -> None:
    before = counted("raised", "withdrawn")
    station.begin(0)
    await cycle(station)
    for minute in range(120):
        station.go_on(minute, minute + 1)
        await cycle(station)
    once_raised = {s.signal_id: s for s in raised(station)}
    withdrawn = [event.data for event in station.host.of(SignalWithdrawn)]
    assert len(withdrawn) > 5
    assert max(Counter(w.signal_id for w in withdrawn).values()) == 1
    for withdrawal in withdrawn:
        signal = once_raised[withdrawal.signal_id]
        assert signal.raised_at < withdrawal.valid_until < signal.valid_until
    once_ended = {w.own_id for w in await station.rows("known", status="withdrawn")}
    assert {once_raised[w.signal_id].own_id for w in withdrawn} == once_ended
    more = [now - then for now, then in zip(counted("raised", "withdrawn"), before, strict=True)]
    assert more == [len(once_raised), len(withdrawn)]


async def test_a_restart_goes_on_where_it_stopped(station: Station) -> None:
    await followed(station)
    station.go_on(60, 300)
    await cycle(station, station.poller())
    await once(station)


async def test_a_crash_between_pages_loses_and_doubles_nothing(station: Station) -> None:
    await followed(station)
    station.say(300)
    station.host.fail_next = OSError("the disk is gone")
    with pytest.raises(OSError, match="disk"):
        await cycle(station)
    await cycle(station, station.poller())
    assert len(raised(station)) > 300
    await once(station)


async def test_a_long_list_is_read_no_faster_than_the_streams_take_it(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    station.begin(0)
    await cycle(station)
    station.say(300)
    read_by_then: list[int] = []
    backlog = iter([5000, 2000, 1001, 1000])

    class Relay:
        @property
        def pending(self) -> int:
            read_by_then.append(len(raised(station)))
            return next(backlog, 0)

    monkeypatch.setattr(type(station.host), "relay", Relay())
    await cycle(station)
    assert read_by_then[:5] == [100, 100, 100, 100, 200]
    assert len(raised(station)) == 300


async def test_a_redeploy_begins_anew(station: Station) -> None:
    await followed(station)
    before = len(raised(station))
    station.begin(200, epoch=2)
    await cycle(station)
    assert len(raised(station)) == before
    station.go_on(200, 260, epoch=2)
    await cycle(station)
    fresh = raised(station)[before:]
    assert fresh
    assert {s.own_id for s in fresh} <= {i["id"] for i in station.insights}
    cursors = await station.rows("cursors", kind="insights")
    assert sorted(c.closed for c in cursors) == [False, True]


async def test_a_stopped_deployment_is_read_to_its_end_and_then_left(station: Station) -> None:
    await followed(station)
    station.go_on(60, 120)
    station.sandbox.desk.newest(MOMENTUM).stop(station.sandbox.desk.now)
    tally = await cycle(station, project_id=None)
    assert (tally.deployments[0].status, tally.fetched > 0) == ("Stopped", True)
    await once(station)
    tally = await cycle(station, project_id=None)
    assert [d.project_id for d in tally.deployments] == [23456782]


async def test_a_bad_insight_is_refused_and_the_rest_of_the_page_is_taken(station: Station) -> None:
    await followed(station)
    before = len(raised(station))
    said = station.say(150)
    said[10]["id"] = "no id"
    said[20].clear()
    said[30]["symbol"] = "EURUSD 8G"
    await cycle(station)
    await cycle(station)
    assert len(raised(station)) == before + 147
    refused = await station.rows("known", status="refused")
    assert len(refused) == 3
    assert any("forex" in word.reason for word in refused)


async def test_fills_are_raised_where_the_config_says_so(station: Station) -> None:
    station.begin(0)
    await cycle(station, signals_from="fills")
    station.go_on(0, 60)
    await cycle(station, signals_from="fills")
    orders = station.sandbox.desk.newest(MOMENTUM).orders
    fills = [o["events"][1] for o in orders]
    assert [s.own_id for s in raised(station)] == [f["id"] for f in fills]
    assert [s.action == "buy" for s in raised(station)] == [f["fillQuantity"] > 0 for f in fills]
    assert {w.status for w in await station.rows("known", kind="insights")} == {"ignored"}


async def test_an_open_order_is_read_until_it_is_final(station: Station) -> None:
    station.begin(0)
    await cycle(station, signals_from="fills")
    station.go_on(0, 1100)
    orders = station.sandbox.desk.newest(MOMENTUM).orders
    late = orders[3]["events"].pop()
    orders[3]["status"] = 1
    await cycle(station, signals_from="fills")
    assert late["id"] not in [s.own_id for s in raised(station)]
    orders[3]["events"].append(late)
    orders[3]["status"] = 3
    await cycle(station, signals_from="fills")
    assert raised(station)[-1].own_id == late["id"]
    assert len(raised(station)) == len(orders) > 110


async def test_every_live_deployment_without_a_project(station: Station) -> None:
    station.begin(30)
    tally = await cycle(station, project_id=None)
    assert [d.project_id for d in tally.deployments] == [MOMENTUM, 23456782]


async def test_loading_orders_do_not_hold_up_insights(station: Station) -> None:
    await followed(station)
    station.go_on(60, 120)
    station.sandbox.switch(Kind.LOADING, path="live/orders")
    tally = await cycle(station)
    assert "preparing" in tally.notes[0]
    await once(station)


@pytest.mark.parametrize("kind", [Kind.CASING, Kind.BROKEN, Kind.MAINTENANCE, Kind.TRUNCATED])
async def test_odd_answers_change_nothing(station: Station, kind: Kind) -> None:
    await followed(station)
    station.go_on(60, 120)
    station.sandbox.switch(kind, count=1, path="live/insights")
    await cycle(station)
    await once(station)


async def test_words_are_forgotten_in_the_end(station: Station) -> None:
    await followed(station)
    count = len(await station.rows("known"))
    db, wall = station.host.db, station.host.wall
    assert await db.write(lambda sql: store.forget_known(sql, wall)) == 0
    later = wall + timedelta(days=1)
    assert await db.write(lambda sql: store.forget_known(sql, later)) == count
    before = len(raised(station))
    station.host.now += timedelta(days=1)
    await cycle(station)
    assert len(raised(station)) == before
