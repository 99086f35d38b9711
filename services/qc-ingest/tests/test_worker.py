"""Who polls, what follows a failure, and what people are told."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest
from pydantic import ValidationError

from qc_ingest.app import places
from qc_ingest.commands import Commands
from qc_ingest.domain.health import Trouble
from qc_ingest.settings import Settings
from qc_ingest.worker import stagger_s
from sandbox.faults import Kind
from signalbox.contracts.commands import Command
from signalbox.contracts.errors import Malformed, NotFound, TransientError
from signalbox.contracts.events import AlertRaised, SignalRaised, StateChanged
from signalbox.contracts.values import Target
from signalbox.testing.wait import until

MOMENTUM = 23456781
Station = Any


def alerts(station: Station) -> list[tuple[bool, str]]:
    return [(event.data.active, event.data.message) for event in station.host.of(AlertRaised)]


def states(station: Station, kind: str) -> list[dict[str, Any]]:
    found = [event.data for event in station.host.of(StateChanged)]
    return [state.body for state in found if state.kind == kind]


def pass_time(station: Station, seconds: float) -> None:
    station.host.wall += timedelta(seconds=seconds)


async def test_a_good_cycle_is_told_and_polled_again_soon(station: Station) -> None:
    station.begin(30)
    assert await station.poller().turn(station.config()) == 2.0
    body = states(station, "connection")[0]
    assert body["connected"] is True
    assert body["last_error"] is None
    assert body["rate_limit"]["per_minute"] == 600_000
    algorithm = states(station, "algorithm")[0]
    assert (algorithm["name"], algorithm["status"]) == ("Momentum desk", "Running")
    assert algorithm["statistics"]["Equity"].startswith("$")
    assert alerts(station) == []


async def test_a_real_account_is_polled_once_a_minute(station: Station) -> None:
    station.begin(30)
    url = f"{station.sandbox.url}/api/v2"
    targets = places(Settings(quantconnect_url=url, sandbox_poll_s=0.5, quantconnect_burst=50))
    assert {target: place.poll_s for target, place in targets.items()} == {
        Target.REAL: 60,
        Target.SANDBOX: 0.5,
    }
    assert await station.poller(targets).turn(station.config(target=Target.REAL)) == 60
    assert states(station, "connection")[0]["connected"] is True


async def test_a_wrong_token_is_told_in_words_and_hardly_tried_again(station: Station) -> None:
    station.begin(30)
    poller = station.poller()
    assert await poller.turn(station.config(key="wrong")) == 300
    assert await poller.turn(station.host.configs[0]) == 300
    (active, message), *more = alerts(station)
    assert active
    assert not more
    assert "user id 123" in message
    assert "API token" in message
    assert states(station, "connection")[-1]["connected"] is False
    assert await poller.turn(station.config()) == 2.0
    assert alerts(station)[-1] == (False, "QuantConnect answers again.")
    assert states(station, "connection")[-1]["connected"] is True


async def test_access_that_is_revoked_meanwhile(station: Station) -> None:
    station.begin(30)
    poller = station.poller()
    await poller.turn(station.config())
    station.sandbox.switch(Kind.REVOKED)
    assert await poller.turn(station.host.configs[0]) == 300
    station.sandbox.clear()
    assert await poller.turn(station.host.configs[0]) == 2.0
    assert [active for active, _ in alerts(station)] == [True, False]


async def test_an_outage_backs_off_and_ends_by_itself_without_loss(station: Station) -> None:
    station.begin(0)
    poller, config = station.poller(), station.config()
    await poller.turn(config)
    station.go_on(0, 30)
    await station.sandbox.stop()
    pauses = [await poller.turn(config) for _ in range(6)]
    assert pauses == [5, 10, 20, 40, 60, 60]
    assert [active for active, _ in alerts(station)] == [True]
    assert "cannot be reached" in alerts(station)[0][1]
    await station.sandbox.start()
    assert await poller.turn(config) == 2.0
    assert [active for active, _ in alerts(station)] == [True, False]
    words = await station.rows("known", kind="insights")
    assert {w.own_id for w in words} == {i["id"] for i in station.insights}
    assert station.host.of(SignalRaised)


async def test_answers_that_break_off_count_as_an_outage(station: Station) -> None:
    station.begin(30)
    station.sandbox.switch(Kind.DOWN)
    assert await station.poller().turn(station.config()) == 5
    assert "the connection broke off" in states(station, "connection")[0]["last_error"]


async def test_being_limited_slows_down_and_says_so(station: Station) -> None:
    station.begin(30)
    poller, config = station.poller(), station.config()
    station.sandbox.switch(Kind.LIMITED)
    station.sandbox.faults.active[0].seconds = 40
    assert await poller.turn(config) == 40
    assert "limits our requests" in alerts(station)[0][1]
    limits = states(station, "connection")[0]["rate_limit"]
    assert limits["per_minute"] == 300_000
    assert limits["limited_for_s"] > 30


async def test_a_deleted_project_is_told_in_words(station: Station) -> None:
    station.begin(30)
    assert await station.poller().turn(station.config(project_id=99)) == 300
    assert "Project not found: 99. Check the project id" in alerts(station)[0][1]


async def test_one_bad_project_of_many_is_a_note(station: Station) -> None:
    station.begin(30)
    station.sandbox.switch(Kind.BROKEN, path="live/list")
    poller = station.poller()
    await poller.turn(station.config(project_id=None))
    station.sandbox.clear()
    await poller.turn(station.host.configs[0])
    del station.sandbox.desk.projects[MOMENTUM]
    station.sandbox.switch(Kind.CASING, path="live/list", count=1)
    assert await poller.turn(station.host.configs[0]) == 2.0
    body = states(station, "connection")[-1]
    assert (body["connected"], body["last_error"]) == (
        True,
        f"project {MOMENTUM}: QuantConnect says: Project not found: {MOMENTUM}",
    )


async def test_a_token_that_does_not_open_is_told_in_words(station: Station) -> None:
    station.begin(30)
    config = station.config().model_copy(update={"id": "moved"})
    assert await station.poller().turn(config) == 300
    assert "Enter user id and token again" in alerts(station)[0][1]


async def test_unchanged_state_is_told_every_half_minute(station: Station) -> None:
    station.begin(30)
    poller, config = station.poller(), station.config()
    for _ in range(15):
        await poller.turn(config)
        pass_time(station, 2)
    assert len(states(station, "connection")) == len(states(station, "algorithm")) == 1
    await poller.turn(config)
    assert len(states(station, "connection")) == len(states(station, "algorithm")) == 2


async def test_a_restart_does_not_alert_again(station: Station) -> None:
    station.begin(30)
    config = station.config(key="wrong")
    await station.poller().turn(config)
    pass_time(station, 200)
    await station.poller().turn(config)
    assert len(alerts(station)) == 1


async def test_one_replica_polls_and_another_takes_over(station: Station) -> None:
    station.begin(30)
    station.host.db.exclusive = False
    one, two, config = station.poller(), station.poller(), station.config()
    assert await one.turn(config) == 2.0
    told = len(station.host.said)
    pass_time(station, 9)
    await two.turn(config)
    assert len(station.host.said) == told
    pass_time(station, 1)
    await two.turn(config)
    assert [lease.holder for lease in await station.rows("leases")] == ["replica-1"]
    pass_time(station, 9)
    await one.turn(config)
    assert [lease.holder for lease in await station.rows("leases")] == ["replica-1"]
    await two.release()
    await one.turn(config)
    assert [lease.holder for lease in await station.rows("leases")] == ["replica-0"]


async def test_a_process_with_a_database_of_its_own_goes_on_at_once(station: Station) -> None:
    station.begin(30)
    config = station.config()
    await station.poller().turn(config)
    station.say(3)
    await station.poller().turn(config)
    assert len(station.host.of(SignalRaised)) == 3


async def test_a_lease_is_renewed_while_nothing_is_due(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qc_ingest.worker._LOOK_S", 0.01)
    station.begin(30)
    station.host.db.exclusive = False
    config = station.config()
    poller = station.poller()
    task = asyncio.create_task(poller.run())
    try:
        await until(lambda: station.host.said)
        before = (await station.rows("leases"))[0].expires_at
        pass_time(station, 6)

        async def renewed() -> bool:
            return bool((await station.rows("leases"))[0].expires_at > before)

        await until(renewed)
        assert config in station.host.configs
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_nothing_is_polled_while_the_market_clock_stands_still(station: Station) -> None:
    station.begin(30)
    station.host.frozen = True
    assert await station.poller().turn(station.config()) == 1.0
    assert station.host.said == []


def test_configs_do_not_ask_in_the_same_second() -> None:
    waits = [stagger_s(config_id, 60) for config_id in ("main", "second", "third", "niam")]
    assert all(0 <= wait < 10 for wait in waits)
    assert min(abs(a - b) for a, b in combinations(waits, 2)) > 0.1
    assert stagger_s("main", 2) == 0, "the sandbox is asked at once"


@pytest.mark.parametrize("poll_s", ["59", "0"])
def test_quantconnect_is_not_asked_more_often_than_is_of_use(
    monkeypatch: pytest.MonkeyPatch, poll_s: str
) -> None:
    monkeypatch.setenv("SIGNALBOX_QUANTCONNECT_POLL_S", poll_s)
    with pytest.raises(ValidationError, match="greater than or equal to 60"):
        Settings()


async def test_run_follows_the_configuration(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qc_ingest.worker._LOOK_S", 0.01)
    station.begin(30)
    wrong = station.config(key="wrong")
    task = asyncio.create_task(station.poller().run())
    try:
        await until(lambda: alerts(station))
        station.config()
        await until(lambda: len(alerts(station)) == 2)
        station.host.configs = (wrong.model_copy(update={"active": False}),)
        await until(lambda: states(station, "connection")[-1].get("active") is False)
        assert await station.rows("connections") == []
        said = len(station.host.said)
        station.host.configs = ()
        station.config(id="other")
        await until(lambda: len(station.host.said) > said)
        assert station.host.of(StateChanged)[-1].data.id in {"other", str(MOMENTUM)}
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def command(**body: Any) -> Command:
    return Command.model_validate(
        {"request_id": "r", "by": "admin", "deadline": "2026-11-20T09:00:20Z", "body": body}
    )


def commands(station: Station) -> Commands:
    poller = station.poller()
    return Commands(station.host, poller, station.accounts[-1])


async def test_test_tells_what_can_be_read(station: Station) -> None:
    station.config()
    answer = await commands(station).test(command(config_id="demo"))
    assert answer == {
        "connected": True,
        "message": "Connected. Project 'Momentum desk' can be read.",
        "projects": [
            {"id": 23456782, "name": "Breadth desk"},
            {"id": MOMENTUM, "name": "Momentum desk"},
        ],
    }
    station.config(project_id=99)
    answer = await commands(station).test(command(config_id="demo"))
    assert "but project 99 is not among the 2" in str(answer["message"])


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (Kind.REVOKED, "API token"),
        (Kind.DOWN, "cannot be reached"),
        (Kind.LIMITED, "limits our requests"),
        (Kind.MAINTENANCE, "HTTP 503"),
    ],
)
async def test_test_says_what_is_wrong(station: Station, kind: Kind, says: str) -> None:
    station.config()
    station.sandbox.switch(kind)
    answer = await commands(station).test(command(config_id="demo"))
    assert answer["connected"] is False
    assert says in str(answer["message"])


@pytest.mark.parametrize(("body", "error"), [({}, Malformed), ({"config_id": "x"}, NotFound)])
async def test_test_needs_a_config(
    station: Station, body: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await commands(station).test(command(**body))


async def test_fetch_reads_now_and_counts(station: Station) -> None:
    station.begin(0)
    station.config()
    asked = commands(station)
    assert await asked.fetch(command()) == {"fetched": 0, "raised": 0}
    station.say(5)
    assert await asked.fetch(command(config_id="demo")) == {"fetched": 5, "raised": 5}
    station.sandbox.switch(Kind.REVOKED)
    with pytest.raises(TransientError, match="QuantConnect does not accept"):
        await asked.fetch(command())


async def test_a_trouble_is_one_of_the_known(station: Station) -> None:
    station.begin(0)
    _, connection, _ = await station.poller().cycle(station.config(key="wrong"))
    assert connection.trouble is Trouble.CREDENTIALS
    assert (await station.rows("connections"))[0].trouble == "credentials"
