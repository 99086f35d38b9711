"""A person lets a halted bot trade again."""

from datetime import timedelta
from typing import Any

from signalbox.contracts.events import AlertRaised
from signalbox.contracts.notices import Alert
from signalbox.contracts.values import Severity
from signalbox.testing.examples import NOON, a_moment


async def test_an_admin_clears_a_halt(gateway: Any) -> None:
    told = {"bot": "alpha", "symbol": "*", "next_sequence": 1}
    gateway.service.answers["executor", "clear_halt"] = told
    async with gateway("trader") as web:
        assert (await web.post("/api/bots/alpha/clear-halt", json={})).status_code == 403
    async with gateway("admin") as web:
        assert (await web.post("/api/bots/alpha/clear-halt", json={})).json() == told
        wrong = await web.post("/api/bots/alpha/clear-halt", json={"next_sequence": 0})
    assert wrong.status_code == 422
    assert gateway.service.asked[0][:3] == ("executor", "clear_halt", told)


async def test_a_halt_is_wrong_no_longer_once_it_is_cleared(gateway: Any) -> None:
    halted = Alert(
        severity=Severity.CRITICAL,
        code="bot_halted",
        about="bot:alpha",
        message="It lost too much.",
        service="executor",
        at=NOON,
        occurrence="1",
    )
    other = halted.model_copy(update={"about": "bot:beta"})
    later = {"active": False, "severity": Severity.INFO, "at": NOON + timedelta(minutes=1)}
    over = halted.model_copy(update=later)
    gateway.feed(*(a_moment().event(AlertRaised, one) for one in (halted, other, over)))
    async with gateway("viewer") as web:
        found = (await web.get("/api/alerts?active=true&code=bot_halted")).json()["items"]
    assert [alert["about"] for alert in found] == ["bot:beta"]
