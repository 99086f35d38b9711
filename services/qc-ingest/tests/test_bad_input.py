"""What QuantConnect and its users may do to us: nothing lost, nothing doubled, said in words."""

from datetime import timedelta
from typing import Any

import pytest

from qc_ingest.domain.health import Connection
from sandbox.faults import Faults, Kind
from signalbox.contracts.config import QuantConnectConfig
from signalbox.contracts.events import AlertRaised, SignalRaised, StateChanged

MOMENTUM = 23456781
Station = Any


async def cycle(station: Station, poller: Any = None) -> Connection:
    poller = poller or (station.pollers[-1] if station.pollers else station.poller())
    _, connection, _ = await poller.cycle(station.host.configs[0])
    assert isinstance(connection, Connection)
    return connection


async def following(station: Station, **config: Any) -> None:
    """A deployment that has been followed from its beginning, on a live feed."""
    station.host.replay = False
    station.config(**config)
    station.begin(0)
    assert (await cycle(station)).connected


def alerts(station: Station) -> list[tuple[bool, str]]:
    return [(event.data.active, event.data.message) for event in station.host.of(AlertRaised)]


def raised(station: Station) -> list[str]:
    return [event.data.own_id for event in station.host.of(SignalRaised)]


def told(station: Station) -> str | None:
    """What the status page says of the connection."""
    states = [event.data for event in station.host.of(StateChanged)]
    text = [s.body for s in states if s.kind == "connection"][-1]["last_error"]
    assert text is None or isinstance(text, str)
    return text


def pass_time(station: Station, **span: float) -> None:
    station.host.now += timedelta(**span)
    station.host.wall += timedelta(**span)


def ids(insights: list[dict[str, Any]]) -> list[str]:
    return [insight["id"] for insight in insights]


async def test_an_hour_without_quantconnect(station: Station) -> None:
    """Few attempts, two alerts; then every word is there once, and only the young ones count."""
    await following(station)
    old = station.say(150)
    await station.sandbox.stop()
    left_s, turns, begun = 3600.0, 0, station.host.wall
    while left_s > 0:
        pause_s = await station.pollers[0].turn(station.host.configs[0])
        pass_time(station, seconds=pause_s)
        left_s, turns = left_s - pause_s, turns + 1
    assert turns < 70
    young = station.say(150)
    await station.sandbox.start()
    assert await station.pollers[0].turn(station.host.configs[0]) == 2.0

    (down, why), (up, _) = alerts(station)
    assert (down, up) == (True, False)
    assert "cannot be reached" in why
    assert "goes on once it answers" in why
    assert raised(station) == ids(young)
    words = {w.own_id: w for w in await station.rows("known", kind="insights")}
    assert set(words) == set(ids(old + young))
    assert {words[i].reason for i in ids(old)} == {"it was older than 1200 s when first seen"}
    assert station.host.wall - begun >= timedelta(hours=1)


async def test_a_project_that_is_deleted_meanwhile(station: Station) -> None:
    await following(station)
    said = station.say(3)
    await cycle(station)
    project = station.sandbox.desk.projects.pop(MOMENTUM)
    for _ in range(3):
        assert not (await cycle(station)).connected
    ((active, message),) = alerts(station)
    assert active
    assert "Check the project id, and that the project still exists" in message
    station.sandbox.desk.projects[MOMENTUM] = project  # from the recycle bin
    said += station.say(2)
    assert (await cycle(station)).connected
    assert alerts(station)[1:] == [(False, "QuantConnect answers again.")]
    assert raised(station) == ids(said)


async def test_a_deleted_project_among_many_is_noted_and_in_the_end_left(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    await following(station, project_id=None)
    del station.sandbox.desk.projects[MOMENTUM]
    assert (await cycle(station)).connected
    assert told(station) == f"project {MOMENTUM}: QuantConnect says: Project not found: {MOMENTUM}"
    pass_time(station, minutes=59)
    await cycle(station)
    assert told(station)
    pass_time(station, minutes=1)
    await cycle(station)
    asked: list[str] = []
    monkeypatch.setattr(Faults, "find", lambda _self, path: asked.append(path))
    await cycle(station)
    assert told(station) is None
    assert asked.count("live/read") == 1, "of the other project"
    assert alerts(station) == []


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        pytest.param({"id": "x"}, "id 'x' is not 32 hex digits", id="id"),
        pytest.param({"direction": "sideways"}, "is not up, down or flat", id="direction"),
        pytest.param({"generatedTime": "soon"}, "'soon' is not a number", id="time"),
        pytest.param({"confidence": {"a": 1}}, "expected a number, found dict", id="confidence"),
        pytest.param({"type": "moon"}, "type 'moon' is unknown", id="type"),
        pytest.param({"symbol": None}, "symbol is missing", id="no symbol"),
        pytest.param({"symbol": "SPY 2R"}, "unknown type 99", id="unknown security type"),
        pytest.param(
            {"symbol": "EURUSD 8G"}, "security of type forex, which is not traded here", id="forex"
        ),
    ],
)
async def test_a_bad_insight_costs_nothing_else_and_is_told(
    station: Station, harm: dict[str, Any], says: str
) -> None:
    await following(station)
    said = station.say(120)
    said[50].update(harm)
    for _ in range(2):
        assert (await cycle(station)).connected
        note = told(station)
        assert note
        assert note.startswith("1 insight or fill of the last 24 hours not taken")
        assert f"project {MOMENTUM}: " in note
        assert says in note
    assert raised(station) == ids(said[:50] + said[51:])
    pass_time(station, hours=24)
    await cycle(station)
    assert told(station) is None


async def test_ten_thousand_insights_and_a_crash_in_the_middle(station: Station) -> None:
    await following(station)
    said = station.say(10_000)
    pages = 0
    transact = station.host.transact

    async def fail_once(work: Any) -> Any:
        nonlocal pages
        pages += 1
        if pages == 40:
            raise OSError("the disk is gone")
        return await transact(work)

    station.host.transact = fail_once
    with pytest.raises(OSError, match="disk"):
        await cycle(station)
    assert 0 < len(raised(station)) < 10_000
    await cycle(station, station.poller())
    assert raised(station) == ids(said)
    assert len(await station.rows("known", status="raised")) == 10_000


async def test_a_clock_that_is_hours_behind_looks_like_a_wrong_token_and_is_told(
    station: Station,
) -> None:
    await following(station)
    station.behind_s = 3 * 3600
    assert not (await cycle(station)).connected
    ((_, message),) = alerts(station)
    assert "does not accept user id 123" in message
    assert "clock is 180 minutes behind QuantConnect's; set it first" in message
    station.behind_s = 0
    said = station.say(2)
    assert (await cycle(station)).connected
    assert raised(station) == ids(said)


async def test_a_clock_that_is_minutes_behind_delays_words_and_loses_none(station: Station) -> None:
    await following(station)
    station.behind_s = 600
    said = station.say(3)
    for insight in said[1:]:
        insight["generatedTime"] += 600
    for _ in range(2):
        assert (await cycle(station)).connected
        assert raised(station) == ids(said[:1])
    commits = station.host.commits
    await cycle(station)
    assert station.host.commits == commits, "what is held back is not written again and again"
    note = told(station)
    assert note
    assert "has not come yet; a clock is wrong" in note
    assert "10 minutes behind QuantConnect's" in note
    pass_time(station, minutes=6)
    await cycle(station)
    await cycle(station)
    assert raised(station) == ids(said)


async def test_a_redeploy_between_two_cycles_loses_nothing(station: Station) -> None:
    """The end of the replaced deployment is read too."""
    await following(station)
    said = station.say(120)
    older = station.sandbox.desk.newest(MOMENTUM)
    station.sandbox.desk.begin(2, [])
    assert station.sandbox.desk.newest(MOMENTUM) is not older
    await cycle(station)
    assert raised(station) == ids(said)
    assert {(c.deploy_id == older.deploy_id, c.closed) for c in await station.rows("cursors")} == {
        (True, True),
        (False, False),
    }
    older.insights.append(said[0] | {"id": "e" * 32})
    await cycle(station)
    assert len(raised(station)) == 120, "it is not read again"


async def test_a_replaced_deployment_that_cannot_be_read_holds_nothing_up(station: Station) -> None:
    await following(station)
    older = station.sandbox.desk.newest(MOMENTUM)
    station.sandbox.desk.begin(2, [])
    older.run_id = "L-unknown"
    assert (await cycle(station)).connected
    said = station.say(2)
    await cycle(station)
    assert raised(station) == ids(said)


async def test_order_ids_that_start_again_are_other_fills(station: Station) -> None:
    await following(station, signals_from="fills")
    station.host.replay = True
    station.go_on(0, 60)
    await cycle(station)
    first = raised(station)
    station.sandbox.desk.begin(2, [])
    await cycle(station)
    station.go_on(0, 60, epoch=2)
    await cycle(station)
    numbers = [own_id.partition("-")[2].partition("-")[2] for own_id in raised(station)]
    assert len(first) > 3
    assert numbers == numbers[: len(first)] * 2, "the same order and event numbers"
    assert len(set(raised(station))) == 2 * len(first)


async def test_loading_insights_do_not_hold_up_fills(station: Station) -> None:
    await following(station, signals_from="fills")
    station.host.replay = True
    station.go_on(0, 60)
    station.sandbox.switch(Kind.LOADING, path="live/insights")
    assert (await cycle(station)).connected
    assert raised(station)
    note = told(station)
    assert note
    assert "insights of project" in note
    assert "preparing" in note


async def test_configs_of_one_account_share_what_it_may_be_asked(station: Station) -> None:
    await following(station)
    other: QuantConnectConfig = station.config(id="other", project_id=23456782)
    accounts = station.accounts[0]
    assert accounts.limits(other) == accounts.limits(station.host.configs[0])
    station.sandbox.switch(Kind.LIMITED, count=1)
    station.sandbox.faults.active[0].seconds = 40
    assert not (await cycle(station)).connected
    assert accounts.limits(other)["per_minute"] == 300_000
