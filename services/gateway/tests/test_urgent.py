"""What waits for a person, and what is wrong: nothing is hidden behind what is newer."""

from datetime import timedelta
from typing import Any

from gateway.alerting import show_alerts
from signalbox.contracts.events import AlertRaised, VerdictReached
from signalbox.contracts.notices import Alert
from signalbox.contracts.values import Outcome, Reason, Severity
from signalbox.runtime import metrics
from signalbox.testing.examples import NOON, a_moment, a_signal, a_verdict, raised


def waiting(minutes: int, **over: Any) -> VerdictReached:
    """Of a signal that ends so many minutes after noon; later ones are older."""
    signal = a_signal(
        own_id=f"w{minutes}",
        raised_at=NOON - timedelta(minutes=minutes),
        valid_until=NOON + timedelta(minutes=minutes),
    )
    asks = {"outcome": Outcome.PENDING, "reason": Reason.AWAITS_APPROVAL}
    verdict = a_verdict(signal, **(asks | over))
    return a_moment().event(VerdictReached, verdict, cause=raised(), sequence=1)


def an_alert(number: int, code: str, **over: Any) -> AlertRaised:
    """About something else than another number's, and so many minutes later."""
    fields: dict[str, Any] = {
        "severity": Severity.WARNING,
        "code": code,
        "about": f"a:{number}",
        "message": "Look.",
        "service": "executor",
        "at": NOON + timedelta(minutes=number),
        "occurrence": "1",
    }
    return a_moment().event(AlertRaised, Alert(**(fields | over)))


async def test_what_waits_is_read_by_when_it_lapses(gateway: Any) -> None:
    lapsed = {"outcome": Outcome.LAPSED, "reason": Reason.LAPSED, "round": 1}
    minutes = [5, 40, 9, 12, 33, 7, 25]
    gateway.feed(
        *(waiting(minute) for minute in (*minutes, 8)),
        waiting(8, **lapsed),
        waiting(6, outcome=Outcome.ACCEPTED, reason=Reason.LEADS),
    )
    seen: list[str] = []
    query = "/api/verdicts/pending?limit=3"
    async with gateway("viewer") as web:
        while True:
            page = (await web.get(query)).json()
            assert all(one["current"] for one in page["items"])
            seen += [one["valid_until"] for one in page["items"]]
            if page["next_cursor"] is None:
                break
            query = f"/api/verdicts/pending?limit=3&cursor={page['next_cursor']}"
    assert seen == [f"2026-08-03T16:{minute:02}:00Z" for minute in sorted(minutes)]


async def test_alerts_are_found_by_code_however_many_are_newer(gateway: Any) -> None:
    halts = [an_alert(0, "key_halted"), an_alert(1, "bot_halted")]
    gateway.feed(*halts, *(an_alert(number, "source_down") for number in range(2, 9)))
    codes = "code=key_halted&code=bot_halted"
    async with gateway("viewer") as web:
        found = (await web.get(f"/api/alerts?active=true&limit=2&{codes}")).json()
        one = (await web.get("/api/alerts?code=bot_halted")).json()
        file = (await web.get(f"/api/alerts.csv?{codes}")).text
        bad = await web.get("/api/alerts?code=no%20code")
    assert [item["code"] for item in found["items"]] == ["bot_halted", "key_halted"]
    assert found["next_cursor"] is None
    assert [item["about"] for item in one["items"]] == ["a:1"]
    assert len(file.splitlines()) == 3
    assert bad.status_code == 422


def shown() -> dict[tuple[str, ...], float]:
    """What Prometheus reads of alerts: a number by service, code and severity."""
    (family,) = metrics.ALERTS_RECENT.collect()
    names = ("service", "code", "severity")
    return {tuple(one.labels[name] for name in names): one.value for one in family.samples}


async def test_prometheus_sees_what_was_raised_of_late_and_then_no_more(gateway: Any) -> None:
    wall = gateway.service.moment().wall
    late = {"at": wall - timedelta(minutes=14)}
    gateway.feed(
        an_alert(1, "margin_low", severity=Severity.CRITICAL, **late),
        an_alert(2, "margin_low", severity=Severity.CRITICAL, **late),
        an_alert(3, "stop_altered", severity=Severity.CRITICAL, active=False, **late),
        an_alert(4, "stop_watched", **late),
        an_alert(5, "stop_watched", severity=Severity.INFO, active=False, **late),  # it is over
        an_alert(6, "source_down", at=wall - timedelta(minutes=16)),
    )
    await show_alerts(gateway.service)
    assert shown() == {
        ("executor", "margin_low", "critical"): 2,
        ("executor", "stop_altered", "critical"): 1,
        ("executor", "stop_watched", "warning"): 1,
    }
