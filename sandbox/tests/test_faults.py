"""Faults are switched on and off while the sandbox runs."""

from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from sandbox.faults import Dropped
from sandbox.tests.client import AT, MOMENTUM, Client

READ = {"projectId": MOMENTUM, "start": 0, "end": 2}


async def switch(client: Client, **fault: Any) -> None:
    response = await client.http.post("/faults", json=fault)
    assert response.status_code == 200, response.text


async def insights(client: Client) -> httpx.Response:
    return await client.raw("live/insights/read", READ)


@pytest.mark.parametrize(
    ("kind", "status", "begins"),
    [
        ("429", 429, b"Too Many"),
        ("500", 500, b""),
        ("503html", 503, b"<html>"),
        ("loading", 200, b'{"status":"loading","progress":0.4,"success":true}'),
        ("truncated", 200, b'{"success":true,"insights":[{'),
        ("casing", 200, b'{"Success":true,"Insights":[{"id":'),
        ("revoked", 200, b'{"success":false,"errors":["Hash doesn\'t match.'),
        ("slow", 200, b'{"success":true'),
    ],
)
async def test_each_fault(client: Client, kind: str, status: int, begins: bytes) -> None:
    await switch(client, kind=kind, seconds=0.01)
    response = await insights(client)
    assert response.status_code == status
    assert response.content.startswith(begins)
    assert response.headers.get("retry-after") == ("0.01" if kind == "429" else None)


async def test_older_casing_reaches_into_lists(client: Client) -> None:
    await switch(client, kind="casing")
    found = (await insights(client)).json()["Insights"][0]
    assert {"generated-time", "close-time", "source-model", "ticker"} <= set(found)


async def test_a_truncated_answer_is_no_json(client: Client) -> None:
    await switch(client, kind="truncated")
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        (await insights(client)).json()


async def test_a_fault_meets_so_many_requests_on_its_paths_only(client: Client) -> None:
    await switch(client, kind="500", count=2, path="live/insights")
    assert (await client.raw("authenticate")).status_code == 200
    assert [(await insights(client)).status_code for _ in range(3)] == [500, 500, 200]


@pytest.mark.parametrize(("seconds", "accepted"), [(600, True), (7300, False), (-400, False)])
async def test_a_skewed_clock_shows_and_judges_signatures(
    client: Client, seconds: float, accepted: bool
) -> None:
    await switch(client, kind="skew", seconds=seconds, path="auth")
    response = await client.raw("authenticate")
    said = parsedate_to_datetime(response.headers["date"]).timestamp()
    assert said == AT + seconds
    assert response.json()["success"] is accepted
    other = await insights(client)
    assert parsedate_to_datetime(other.headers["date"]).timestamp() == AT


async def test_a_lost_answer_had_its_effect(client: Client) -> None:
    await switch(client, kind="lost", path="live/update", count=1)
    with pytest.raises(Exception):  # noqa: B017, PT011 - however the transport says it
        await client.raw("live/update/stop", {"projectId": MOMENTUM})
    assert (await client.good("live/read", projectId=MOMENTUM))["status"] == "Stopped"


async def test_faults_are_listed_and_cleared(client: Client) -> None:
    await switch(client, kind="429")
    assert (await client.http.get("/faults")).json()["active"][0]["kind"] == "429"
    await client.http.delete("/faults")
    assert (await insights(client)).status_code == 200


@pytest.mark.parametrize(
    "body", [{}, {"kind": "gremlins"}, {"kind": "429", "count": 0}, {"kind": "slow", "seconds": -1}]
)
async def test_an_unknown_fault_is_refused(client: Client, body: dict[str, Any]) -> None:
    assert (await client.http.post("/faults", json=body)).status_code == 422


async def test_a_dropped_answer_never_ends() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {}

    await Dropped()({"type": "http"}, receive, send)
    assert sent[-1]["more_body"]
