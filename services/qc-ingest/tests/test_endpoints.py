"""Every endpoint: the path, the request, the typed answer; and that changes are sent once."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from qc_ingest.adapters.limiter import Limiter, Pace
from qc_ingest.adapters.quantconnect import QuantConnect
from qc_ingest.adapters.transport import Account, Timing, Transport
from qc_ingest.domain.answers import Loading, Locked, NotDone, OutcomeUnknown, WrongCredentials
from qc_ingest.domain.deployments import Deployment
from qc_ingest.domain.history import Rows
from signalbox.contracts.errors import Malformed, NotFound, PermanentError, RateLimited

DEPLOYMENT = Deployment(7, "L-1", "Running")
AT = datetime(2026, 1, 5, tzinfo=UTC)
Answer = httpx.Response | Exception
Call = Callable[[QuantConnect], Awaitable[Any]]


class Server:
    """Answers from a list, the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.waits: list[float] = []
        self.limiter = Limiter(Pace(6000, 100), clock=lambda: sum(self.waits), sleep=self.sleep)
        timing = Timing(sleep=self.sleep, dice=lambda: 1.0)
        http = httpx.AsyncClient(transport=httpx.MockTransport(self))
        account = Account("http://qc", "1", "token")
        self.client = QuantConnect(Transport(account, http, self.limiter, timing=timing))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


def good(**payload: Any) -> httpx.Response:
    return httpx.Response(200, json={"success": True, **payload})


def bad(text: str) -> httpx.Response:
    return httpx.Response(200, json={"success": False, "errors": [text]})


PROJECT = {"projectId": 7, "name": "a", "organizationId": "o", "modified": "2026-11-20 14:05:09"}
BACKTEST = {"backtestId": "b", "status": "In Queue..."}
IDS = {"projectId": 7, "backtestId": "b"}
PAGE = {"start": 0, "end": 100}
PAPER = "QuantConnectBrokerage"

CALLS: list[Any] = [
    ("authenticate", {}, {}, lambda c: c.authenticate(), lambda x: x is None),
    ("projects/read", {}, {"projects": [PROJECT]}, lambda c: c.projects.all(), "a"),
    (
        "projects/read",
        {"projectId": 7},
        {"projects": [PROJECT]},
        lambda c: c.projects.read(7),
        lambda p: (p.name, p.organization_id, p.modified.year) == ("a", "o", 2026),
    ),
    (
        "projects/create",
        {"name": "a", "language": "Py"},
        {"projects": [PROJECT]},
        lambda c: c.projects.create("a"),
        "a",
    ),
    (
        "projects/update",
        {"projectId": 7, "parameters": [{"key": "k", "value": "v"}]},
        {},
        lambda c: c.projects.update(7, parameters={"k": "v"}),
        lambda x: x is None,
    ),
    ("projects/delete", {"projectId": 7}, {}, lambda c: c.projects.delete(7), None),
    (
        "files/read",
        {"projectId": 7, "name": "m"},
        {"files": [{"name": "m", "content": "x"}]},
        lambda c: c.projects.files(7, "m"),
        "m",
    ),
    (
        "files/create",
        {"projectId": 7, "name": "m", "content": "x"},
        {},
        lambda c: c.projects.create_file(7, "m", "x"),
        None,
    ),
    (
        "files/update",
        {"projectId": 7, "name": "m", "content": "x"},
        {},
        lambda c: c.projects.update_file(7, "m", "x"),
        None,
    ),
    (
        "files/delete",
        {"projectId": 7, "name": "m"},
        {},
        lambda c: c.projects.delete_file(7, "m"),
        None,
    ),
    (
        "compile/create",
        {"projectId": 7},
        {"compileId": "c", "state": "InQueue"},
        lambda c: c.projects.compile(7),
        lambda b: (b.id, b.is_good) == ("c", False),
    ),
    (
        "compile/read",
        {"projectId": 7, "compileId": "c"},
        {"compileId": "c", "state": "BuildSuccess", "logs": []},
        lambda c: c.projects.build(7, "c"),
        lambda b: b.is_good,
    ),
    (
        "backtests/create",
        {"projectId": 7, "compileId": "c", "backtestName": "n", "parameters": {"k": "v"}},
        {"backtest": BACKTEST},
        lambda c: c.backtests.create(7, "c", "n", {"k": "v"}),
        "b",
    ),
    ("backtests/read", IDS, {"backtest": BACKTEST}, lambda c: c.backtests.read(7, "b"), "b"),
    (
        "backtests/list",
        {"projectId": 7, "includeStatistics": False},
        {"backtests": [BACKTEST]},
        lambda c: c.backtests.all(7),
        "b",
    ),
    ("backtests/delete", IDS, {}, lambda c: c.backtests.delete(7, "b"), None),
    (
        "backtests/chart/read",
        {**IDS, "name": "x", "count": 1000, "start": 1767571200, "end": 1767571200},
        {"chart": {"name": "x"}},
        lambda c: c.backtests.chart(7, "b", "x", AT, AT),
        lambda chart: chart == {"name": "x"},
    ),
    (
        "backtests/orders/read",
        {**IDS, **PAGE},
        {"orders": []},
        lambda c: c.backtests.pages(Rows.ORDERS, 7, "b"),
        lambda pages: pages[0].is_last,
    ),
    (
        "backtests/read/insights",
        {**IDS, **PAGE},
        {"insights": []},
        lambda c: c.backtests.pages(Rows.INSIGHTS, 7, "b"),
        lambda pages: pages[0].is_last,
    ),
    ("live/list", {}, {"live": [PROJECT]}, lambda c: c.live.all(), lambda x: x[0].project_id == 7),
    (
        "live/portfolio/read",
        {"projectId": 7},
        {"portfolio": {"cash": {"USD": {"amount": 5}}}},
        lambda c: c.live.portfolio(7),
        lambda p: p.cash[0].amount == 5,
    ),
    (
        "live/logs/read",
        {
            "format": "json",
            "projectId": 7,
            "algorithmId": "L-1",
            "startLine": 0,
            "endLine": 9,
        },
        {"logs": ["a"], "length": 12},
        lambda c: c.live.logs(DEPLOYMENT, 0, 9),
        lambda logs: (logs.lines, logs.length) == (("a",), 12),
    ),
    (
        "live/create",
        {
            "projectId": 7,
            "compileId": "c",
            "nodeId": "LN-1",
            "versionId": "-1",
            "automaticRedeploy": False,
            "brokerage": {"id": PAPER},
            "dataProviders": {PAPER: {"id": PAPER}},
        },
        {"deployId": "L-2"},
        lambda c: c.live.create(7, "c", "LN-1"),
        lambda deploy_id: deploy_id == "L-2",
    ),
    ("live/update/stop", {"projectId": 7}, {}, lambda c: c.live.stop(7), None),
    ("live/update/liquidate", {"projectId": 7}, {}, lambda c: c.live.liquidate(7), None),
    (
        "live/commands/create",
        {"projectId": 7, "command": {"$type": "QuitCommand"}},
        {},
        lambda c: c.live.command(7, {"$type": "QuitCommand"}),
        None,
    ),
    (
        "nodes/read",
        {"organizationId": "o"},
        {"live": [{"id": "LN-1"}], "backtest": [], "research": []},
        lambda c: c.resources.nodes("o"),
        lambda nodes: nodes.free_live == 1,
    ),
    (
        "object/list",
        {"organizationId": "o", "path": "/"},
        {"objects": [{"key": "/a", "mime": "directory"}, {"key": "/b", "size": "5"}]},
        lambda c: c.resources.objects("o"),
        lambda found: (
            [(o.key, o.is_folder, o.size) for o in found] == [("/a", True, None), ("/b", False, 5)]
        ),
    ),
    (
        "object/properties",
        {"organizationId": "o", "key": "b"},
        {"metadata": {"key": "b", "md5": "x", "size": 5}},
        lambda c: c.resources.object("o", "b"),
        lambda found: (found.key, found.md5, found.size) == ("b", "x", 5),
    ),
]


@pytest.mark.parametrize(
    ("path", "sent", "answer", "call", "expected"),
    CALLS,
    ids=[f"{n} {row[0]}" for n, row in enumerate(CALLS)],
)
async def test_what_is_sent_and_what_comes_back(
    path: str, sent: dict[str, Any], answer: dict[str, Any], call: Call, expected: Any
) -> None:
    server = Server(good(**answer))
    found = await call(server.client)
    (request,) = server.requests
    assert request.url.path == f"/{path}"
    assert json.loads(request.content) == sent
    if callable(expected):
        assert expected(found), found
    elif expected is None:
        assert found is None
    else:
        first = found[0] if isinstance(found, list) else found
        assert expected in (getattr(first, "name", None), getattr(first, "id", None))


def is_change(path: str) -> bool:
    return path.endswith(("/create", "/delete", "/update", "/stop", "/liquidate"))


CHANGES = [row for row in CALLS if is_change(row[0])]
READS = [row for row in CALLS if not is_change(row[0])]


@pytest.mark.parametrize("row", CHANGES, ids=[row[0] for row in CHANGES])
async def test_a_change_is_sent_once(row: Any) -> None:
    server = Server(httpx.ReadTimeout("slow"))
    with pytest.raises(OutcomeUnknown, match="no answer in time"):
        await row[3](server.client)
    assert (len(server.requests), server.waits) == (1, [])


@pytest.mark.parametrize("row", READS, ids=[row[0] for row in READS])
async def test_a_read_is_repeated(row: Any) -> None:
    server = Server(httpx.ReadTimeout("slow"), httpx.Response(503), good(**row[2]))
    await row[3](server.client)
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(httpx.ConnectError("x"), NotDone, id="never sent"),
        pytest.param(httpx.ConnectTimeout("x"), NotDone, id="never connected"),
        pytest.param(bad("please try again shortly"), NotDone, id="put off"),
        pytest.param(httpx.Response(429), RateLimited, id="429"),
        pytest.param(httpx.ReadError("x"), OutcomeUnknown, id="reset"),
        pytest.param(httpx.RemoteProtocolError("x"), OutcomeUnknown, id="closed"),
        pytest.param(httpx.Response(500), OutcomeUnknown, id="500"),
        pytest.param(httpx.Response(502, text="<html>"), OutcomeUnknown, id="gateway"),
        pytest.param(httpx.Response(200, text='{"succ'), OutcomeUnknown, id="cut"),
        pytest.param(bad("Hash doesn't match."), WrongCredentials, id="token"),
        pytest.param(bad("You need write permission"), Locked, id="lock"),
        pytest.param(bad("Invalid argument"), PermanentError, id="refused"),
    ],
)
async def test_what_became_of_a_change(answer: Answer, error: type[Exception]) -> None:
    server = Server(answer)
    with pytest.raises(error) as caught:
        await server.client.live.create(7, "c", "LN-1")
    assert type(caught.value) is error
    assert len(server.requests) == 1
    assert (server.limiter.per_minute < 6000) is (error is RateLimited)


async def test_a_change_that_gets_no_turn_was_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qc_ingest.adapters.transport._DEADLINE_S", 0.01)
    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200)))
    limiter = Limiter(Pace(1, 1), sleep=lambda _: asyncio.Event().wait())  # type: ignore[arg-type,return-value]  # for ever
    await limiter.take()
    transport = Transport(Account("http://qc", "1", "t"), http, limiter)
    with pytest.raises(NotDone, match="no turn"):
        await transport.change("live/create", {})


async def test_an_object_is_packed_before_it_can_be_fetched() -> None:
    loading = httpx.Response(200, json={"success": True, "status": "loading", "jobId": "j"})
    server = Server(good(jobId="j"), loading, good(url="https://store/x.zip"))
    assert await server.client.resources.object_url("o", "k") == "https://store/x.zip"
    assert json.loads(server.requests[-1].content) == {"organizationId": "o", "jobId": "j"}
    assert await Server(good(url="http://x")).client.resources.object_url("o", "k") == "http://x"
    with pytest.raises(Malformed, match="no address"):
        await Server(good(url="file:///etc")).client.resources.object_url("o", "k")
    with pytest.raises(Loading):
        await Server(good(jobId="j"), loading).client.resources.object_url("o", "k")


async def test_a_project_that_is_in_the_recycle_bin_is_not_there() -> None:
    deleted = PROJECT | {"name": "Recycle Bin/a"}
    with pytest.raises(NotFound, match="knows no project 7"):
        await Server(good(projects=[deleted])).client.projects.read(7)
