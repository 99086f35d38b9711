"""The API as a client meets it."""

import json
from typing import Any

import pytest

from sandbox.quantconnect.endpoints import ORGANIZATION_ID
from sandbox.tests.bars import swinging
from sandbox.tests.client import AT, BREADTH, MOMENTUM, Client, signed


async def test_who_am_i(client: Client) -> None:
    assert (await client.good("authenticate"))["errors"] == []
    listed = (await client.good("organizations/list"))["organizations"]
    assert [(o["ownerName"], o["preferred"]) for o in listed] == [("You", True)]
    found = (await client.good("organizations/read"))["organization"]
    assert [m["isAdmin"] for m in found["members"]] == [True]


async def test_a_bad_signature_is_a_failure_under_http_200(client: Client) -> None:
    found = (await client.raw("authenticate", headers={"Authorization": signed(key="no")})).json()
    assert found["success"] is False
    assert found["errors"][0].startswith("Hash doesn't match.")


async def test_a_signed_link_needs_no_headers(client: Client) -> None:
    query: dict[str, str | int] = {
        "authorization": signed().removeprefix("Basic "),
        "timestamp": str(AT),
        "projectId": MOMENTUM,
    }
    response = await client.http.get("/api/v2/live/read", params=query)
    assert response.json()["success"]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["live/read", "live/read/"])
async def test_live_read_by_either_method(client: Client, method: str, path: str) -> None:
    found = (await client.raw(path, {"projectId": MOMENTUM}, method)).json()
    assert found["status"] == "Running"
    assert found["deployId"].startswith("L-")
    assert found["launched"] == "2026-08-03 16:00:00"
    assert set(found["runtimeStatistics"]) >= {"Equity", "Fees", "Return", "Unrealized", "Volume"}


async def test_a_form_is_as_good_as_json(client: Client) -> None:
    response = await client.raw("projects/read", data={"projectId": str(MOMENTUM)}, json=None)
    assert [p["projectId"] for p in response.json()["projects"]] == [MOMENTUM]


async def test_nodes_are_busy_where_something_runs(client: Client) -> None:
    found = await client.good("nodes/read", organizationId=ORGANIZATION_ID)
    assert [node["busy"] for node in found["live"]] == [True, True, False, False]
    assert found["live"][0]["projectName"] == "Momentum desk"


async def test_projects_have_what_official_readers_require(client: Client) -> None:
    required = {
        *("projectId", "organizationId", "name", "description", "modified", "created"),
        *("ownerId", "language", "collaborators", "leanVersionId", "leanPinnedToMaster"),
        *("leanEnvironment", "parameters", "libraries"),
    }
    projects = (await client.good("projects/read"))["projects"]
    assert [p["projectId"] for p in projects] == [MOMENTUM, BREADTH]
    assert all(required <= set(p) and "liveForm" not in p for p in projects)
    assert len((await client.good("projects/read", start=1, end=2))["projects"]) == 1


async def test_insights_come_in_pages_that_overlap_exactly(client: Client) -> None:
    first = await client.good("live/insights/read", projectId=MOMENTUM, start=0, end=100)
    second = await client.good("live/insights/read", projectId=MOMENTUM, start=50, end=150)
    assert len(first["insights"]) == len(second["insights"]) == 100
    assert first["insights"][50:] == second["insights"][:50]
    assert first["length"] > 150
    assert first["insights"] == sorted(first["insights"], key=lambda i: i["generatedTime"])


async def test_orders_and_their_events_name_the_deployment(client: Client) -> None:
    deploy_id = (await client.good("live/read", projectId=BREADTH))["deployId"]
    body = {"projectId": BREADTH, "start": 0, "end": 1000, "algorithmId": deploy_id}
    orders = (await client.good("live/orders/read", **body))["orders"]
    assert [o["id"] for o in orders] == list(range(1, len(orders) + 1))
    for order in orders:
        assert [e["status"] for e in order["events"]] == ["submitted", "filled"]
        assert [e["id"] for e in order["events"]] == [
            f"{deploy_id}-{order['id']}-{n}" for n in (1, 2)
        ]
        assert order["direction"] == (0 if order["quantity"] > 0 else 1)


async def test_the_portfolio_adds_up(client: Client) -> None:
    portfolio = (await client.good("live/portfolio/read", projectId=BREADTH))["portfolio"]
    value = sum(h["v"] for h in portfolio["holdings"].values())
    rows = (await client.good("live/list", projectId=BREADTH))["live"]
    assert rows[0]["equity"] == pytest.approx(value + portfolio["cash"]["USD"]["amount"])


@pytest.mark.parametrize(
    ("new", "old", "body"),
    [
        ("live/insights/read", "live/read/insights", {"end": 10}),
        ("live/orders/read", "live/read/orders", {"start": 0, "end": 10}),
        ("live/portfolio/read", "live/read/portfolio", {}),
    ],
)
async def test_old_spellings_answer_the_same(
    client: Client, new: str, old: str, body: dict[str, int]
) -> None:
    body = {"projectId": MOMENTUM, **body}
    assert await client.good(new, **body) == await client.good(old, **body)


async def test_logs_are_of_one_deployment(client: Client) -> None:
    deploy_id = (await client.good("live/read", projectId=MOMENTUM))["deployId"]
    body = {"projectId": MOMENTUM, "algorithmId": deploy_id, "startLine": 0, "endLine": 250}
    assert len((await client.good("live/logs/read", **body))["logs"]) == 2


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("live/read", {"projectId": 1}, "Project not found"),
        ("live/read", {}, "projectId is required"),
        ("live/read", {"projectId": "x"}, "not an integer"),
        ("live/read", {"projectId": MOMENTUM, "deployId": "L-1"}, "no such deployment"),
        ("live/list", {"status": "Sleeping"}, "status is one of"),
        ("live/insights/read", {"projectId": MOMENTUM, "end": 101}, "at most 100"),
        ("live/insights/read", {"projectId": MOMENTUM, "start": 5, "end": 5}, "smaller than end"),
        ("live/orders/read", {"projectId": MOMENTUM, "end": 5}, "start is required"),
        ("live/orders/read", {"projectId": MOMENTUM, "start": 0, "end": 1001}, "at most 1000"),
        ("live/logs/read", {"projectId": MOMENTUM, "startLine": 0, "endLine": 1}, "algorithmId"),
        ("projects/read", {"start": 2, "end": 1}, "smaller than end"),
        ("nodes/read", {}, "organizationId is required"),
        ("organizations/read", {"organizationId": "x"}, "Organization not found"),
        ("nothing/here", {}, "Invalid path"),
    ],
)
async def test_bad_arguments_are_failures_in_words(
    client: Client, path: str, body: dict[str, Any], says: str
) -> None:
    assert says in await client.error(path, **body)


async def test_never_deployed(client: Client) -> None:
    client.desk.deployments(MOMENTUM).clear()
    assert "No live deployment found" in await client.error("live/read", projectId=MOMENTUM)


@pytest.mark.parametrize(("verb", "status"), [("stop", "Stopped"), ("liquidate", "Liquidated")])
async def test_ending_a_deployment(client: Client, verb: str, status: str) -> None:
    await client.good(f"live/update/{verb}", projectId=MOMENTUM)
    found = await client.good("live/read", projectId=MOMENTUM)
    assert (found["status"], bool(found["stopped"]), found["runtimeStatistics"]) == (
        status,
        True,
        [],
    )
    holdings = (await client.good("live/portfolio/read", projectId=MOMENTUM))["portfolio"][
        "holdings"
    ]
    assert bool(holdings) == (verb == "stop")
    assert "No running live" in await client.error(f"live/update/{verb}", projectId=MOMENTUM)


@pytest.mark.parametrize("client", [600.0], indirect=True)
async def test_snapshots_are_as_old_as_configured_until_the_end(client: Client) -> None:
    async def length() -> int:
        return int((await client.good("live/insights/read", projectId=MOMENTUM, end=1))["length"])

    before = await length()
    client.desk.begin(1, swinging(2100))
    fresh = client.desk.newest(MOMENTUM)
    assert fresh is not None
    assert await length() == len(fresh.insights) > before
    fresh.insights.extend(fresh.insights[-5:])
    assert await length() == len(fresh.insights) - 5
    client.clock[0] += 600
    assert await length() == len(fresh.insights)
    fresh.insights.extend(fresh.insights[-5:])
    await client.good("live/update/stop", projectId=MOMENTUM)
    assert await length() == len(fresh.insights)


async def test_a_body_that_is_no_json_is_a_failure(client: Client) -> None:
    response = await client.raw("live/read", content=b"{", json=None)
    assert json.loads(response.content)["success"] is False
