"""What the REST interface answers: reads, pages, filters, commands, problems."""

from collections.abc import Callable
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from gateway.routes.api import build_api
from gateway.routes.context import Context
from signalbox.contracts import ids
from signalbox.contracts.errors import Conflict, TransientError
from signalbox.contracts.events import AlertRaised, QuoteUpdated, SignalWithdrawn
from signalbox.contracts.notices import Alert
from signalbox.contracts.values import Severity
from signalbox.testing.examples import NOON, a_moment, a_quote, a_signal, a_withdrawal, raised


async def items(web: Any, path: str) -> list[Any]:
    answer = await web.get(path)
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["items"]
    return found


async def test_a_signal_is_shown_with_all_that_followed(
    gateway: Any, story: Callable[..., Any]
) -> None:
    told = story()
    gateway.feed(*told.all(), told.exit())
    async with gateway() as web:
        chain = (await web.get(f"/api/signals/{told.signal.signal_id}")).json()
    assert chain["signal"]["own_id"] == "q1"
    assert {v["bot"]: v["outcome"] for v in chain["verdicts"]} == {
        "alpha": "accepted",
        "beta": "pending",
    }
    (order,) = chain["orders"]
    assert [s["state"] for s in order["steps"]] == ["planned", "accepted", "filled"]
    assert [t["price"] for t in order["trades"]] == ["200"]
    (lot,) = chain["lots"]
    assert (lot["opened"], lot["closed"], lot["open"]) == ("10", "10", False)
    assert lot["realised_pnl"] == "98"
    assert [s["effect"] for s in lot["slices"]] == ["opened", "closed"]


async def test_a_withdrawn_signal_ends_when_its_source_says(gateway: Any) -> None:
    until = NOON + timedelta(minutes=1)
    gateway.feed(raised(), a_moment().event(SignalWithdrawn, a_withdrawal(valid_until=until)))
    async with gateway() as web:
        (signal,) = await items(web, "/api/signals")
    assert (signal["withdrawn"], signal["valid_until"]) == (True, "2026-08-03T16:01:00Z")


async def test_pages_walk_a_list_without_gaps_or_repeats(
    gateway: Any, holds: Callable[[int], list[Any]]
) -> None:
    gateway.feed(*holds(25))
    seen: list[str] = []
    query = "/api/signals?limit=7"
    async with gateway() as web:
        while True:
            page = (await web.get(query)).json()
            seen += [signal["own_id"] for signal in page["items"]]
            if page["next_cursor"] is None:
                break
            gateway.feed(*holds(30)[25:])  # what comes meanwhile moves nothing
            query = f"/api/signals?limit=7&cursor={page['next_cursor']}"
    assert seen == [f"h{minute}" for minute in reversed(range(25))]


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("signals?symbol=MSFT", 1),
        ("signals?source_type=quantconnect", 2),
        ("signals?source_type=llm", 0),
        ("signals?source_id=4711&action=buy", 2),
        ("signals?action=sell", 0),
        ("signals?from=2026-08-03T16:01:00Z", 1),
        ("signals?to=2026-08-03T16:01:00Z", 1),
        ("verdicts?bot=alpha", 2),
        ("verdicts?outcome=pending", 2),
        ("verdicts?outcome=pending&current=true", 1),
        ("verdicts?outcome=pending&current=false", 1),
        ("verdicts?reason=leads&symbol=AAPL", 1),
        ("orders?state=filled", 2),
        ("orders?state=planned", 0),
        ("orders?final=false", 0),
        ("orders?bot=alpha&side=buy&symbol=AAPL", 1),
        ("trades?source_type=quantconnect&source_id=4711", 2),
        ("trades?side=sell", 0),
        ("positions?bot=beta", 0),
        ("positions?symbol=AAPL", 1),
        ("equity?bot=alpha", 2),
        ("equity?bot=alpha&step_s=3600", 1),
        ("performance?by=symbol", 2),
        ("performance?by=source&symbol=MSFT", 1),
        ("performance?to=2026-08-01T00:00:00Z", 0),
    ],
)
async def test_filters(gateway: Any, story: Callable[..., Any], path: str, count: int) -> None:
    one, two = story(), story(own_id="q2", symbol="MSFT", minute=1)
    gateway.feed(*one.all(), *two.all(), two.approved())
    async with gateway() as web:
        assert len(await items(web, f"/api/{path}")) == count


async def test_positions_are_valued_at_the_newest_quote(
    gateway: Any, story: Callable[..., Any]
) -> None:
    gateway.feed(*story().all())
    await gateway.context.hub.hear(a_moment().event(QuoteUpdated, a_quote()))
    async with gateway() as web:
        (held,) = await items(web, "/api/positions")
    assert (held["mark_price"], held["unrealised_pnl"]) == ("210.5", "105")
    assert [lot["source_id"] for lot in held["lots"]] == ["4711"]


async def test_performance_comes_from_slices(gateway: Any, story: Callable[..., Any]) -> None:
    gateway.feed(*story().all(), story().exit())
    async with gateway() as web:
        (earned,) = await items(web, "/api/performance")
    wanted = {
        "realised_pnl": "98",
        "fees": "2",
        "trades": 1,
        "wins": 1,
        "win_rate": "1",
        "profit_factor": None,
        "fills": 2,
    }
    assert {name: earned[name] for name in wanted} == wanted


async def test_alerts_that_are_over_are_not_active(gateway: Any) -> None:
    alert = Alert(
        severity=Severity.WARNING,
        code="source_down",
        about="quantconnect:demo",
        message="It does not answer.",
        service="qc-ingest",
        at=NOON,
        occurrence="1",
    )
    over = alert.model_copy(update={"active": False, "at": NOON + timedelta(minutes=1)})
    async with gateway() as web:
        gateway.feed(a_moment().event(AlertRaised, alert))
        assert [a["message"] for a in await items(web, "/api/alerts?active=true")] == [
            "It does not answer."
        ]
        gateway.feed(a_moment().event(AlertRaised, over))
        assert await items(web, "/api/alerts?active=true") == []
        assert len(await items(web, "/api/alerts?severity=warning")) == 2


async def test_approving_asks_the_router_in_the_persons_name(
    gateway: Any, story: Callable[..., Any]
) -> None:
    told = story()
    gateway.feed(*told.all())
    pending = str(told.pending.verdict_id)
    answer = {"verdict_id": "v2", "outcome": "accepted", "reason": "approved"}
    gateway.service.answers["decision-router", "approve"] = answer
    async with gateway("trader") as web:
        judged = await web.post(
            f"/api/verdicts/{pending}/approve", headers={"idempotency-key": "k"}
        )
    assert judged.json() == {**answer, "explanation": "A person approved it."}
    asked = ("decision-router", "approve", {"verdict_id": pending, "user": "trader"}, "trader")
    wanted = str(ids.derive("trader", "approve", f"{pending}|k"))
    assert gateway.service.asked == [(*asked, wanted)]


async def test_processing_releases_every_round_that_waits(
    gateway: Any, story: Callable[..., Any]
) -> None:
    told = story()
    gateway.feed(*told.all())
    gateway.service.answers["decision-router", "approve"] = {
        "verdict_id": "v2",
        "outcome": "accepted",
        "reason": "approved",
    }
    url = f"/api/quantconnect/signals/{told.signal.signal_id}"
    async with gateway("trader") as web:
        assert (await web.get(url)).json()["processed"] is False
        done = await web.post(f"{url}/process")
        assert [(r["bot"], r["outcome"]) for r in done.json()["rounds"]] == [("beta", "accepted")]
        gateway.feed(told.approved())
        assert (await web.get(url)).json()["processed"] is True
        again = await web.post(f"{url}/process")
    assert again.status_code == 409
    assert "no bot waits for a person here" in again.json()["detail"]
    assert "beta: accepted" in again.json()["detail"]


async def test_processing_says_what_the_router_refused(
    gateway: Any, story: Callable[..., Any]
) -> None:
    gateway.feed(*story().all())
    gateway.service.answers["decision-router", "approve"] = Conflict("it has lapsed")
    url = f"/api/quantconnect/signals/{story().signal.signal_id}/process"
    async with gateway("trader") as web:
        refused = await web.post(url)
        other = await web.post(f"{url}?bot=alpha")
        unknown = await web.post("/api/quantconnect/signals/nothing/process")
    assert (refused.status_code, refused.json()["detail"]) == (409, "it has lapsed")
    assert other.status_code == 409
    assert unknown.status_code == 404


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("orders/o1/cancel", ("executor", "cancel", {"order_id": "o1"})),
        ("positions/alpha/AAPL/close", ("executor", "close", {"bot": "alpha", "symbol": "AAPL"})),
        (
            "positions/alpha/BTC%2FUSD/close",
            ("executor", "close", {"bot": "alpha", "symbol": "BTC/USD"}),
        ),
        ("bots/alpha/flatten", ("executor", "flatten", {"bot": "alpha"})),
    ],
)
async def test_commands_reach_the_executor(gateway: Any, path: str, asked: tuple[Any, ...]) -> None:
    gateway.service.answers["executor", asked[1]] = {"orders": ["o9"]}
    async with gateway("trader") as web:
        answer = await web.post(f"/api/{path}")
    assert answer.json() == {"orders": ["o9"], "message": ""}
    assert gateway.service.asked[0][:4] == (*asked, "trader")


async def test_the_longest_names_make_a_request_id_of_their_own(gateway: Any) -> None:
    gateway.service.answers["executor", "flatten"] = {"orders": []}
    bots, keys = ("b" * 64, "b" * 63 + "c"), ("k" * 64, "k" * 63 + "l")
    for role in ("trader", "admin"):
        for bot, key in [*product(bots, keys)] * 2:
            async with gateway(role, **{"idempotency-key": key}) as web:
                assert (await web.post(f"/api/bots/{bot}/flatten")).status_code == 200
    request_ids = [asked[4] for asked in gateway.service.asked]
    assert (len(request_ids), len(set(request_ids))) == (16, 8)


async def test_fetching_asks_for_one_account_or_all(gateway: Any) -> None:
    gateway.service.answers["qc-ingest", "fetch"] = {"fetched": 3, "raised": 1}
    async with gateway("trader") as web:
        one = await web.post("/api/quantconnect/signals/fetch", json={"config_id": "demo"})
        every = await web.post("/api/quantconnect/signals/fetch")
    assert one.json() == every.json() == {"fetched": 3, "raised": 1}
    assert [asked[2] for asked in gateway.service.asked] == [{"config_id": "demo"}, {}]


@pytest.mark.parametrize(
    ("method", "path", "status", "detail"),
    [
        ("GET", "/api/nothing", 404, "there is nothing at /api/nothing"),
        ("GET", "/api/elsewhere", 404, "there is nothing at /api/elsewhere"),
        ("DELETE", "/api/signals", 405, "/api/signals does not take DELETE"),
        ("GET", "/api/signals/unknown", 404, "there is no signal unknown"),
        ("GET", "/api/verdicts/unknown", 404, "there is no verdict unknown"),
        ("GET", "/api/orders/unknown", 404, "there is no order unknown"),
        ("GET", "/api/bots/unknown", 404, "there is no bot 'unknown'"),
        ("GET", "/api/signals?limit=201", 422, "limit: input should be less than or equal to 200"),
        ("GET", "/api/signals?cursor=x", 422, "cursor is not one that this list gave"),
        ("GET", "/api/signals?from=2026-08-03", 422, "from: input should have timezone info"),
        (
            "GET",
            "/api/signals?from=2026-08-04T00:00:00Z&to=2026-08-03T00:00:00Z",
            422,
            "to is before from",
        ),
        ("GET", "/api/verdicts?outcome=maybe", 422, "outcome: input should be 'accepted'"),
        ("GET", "/api/signals?symbol=%00", 422, "symbol: string should match pattern"),
    ],
)
async def test_problems_are_documents_in_words(
    gateway: Any, method: str, path: str, status: int, detail: str
) -> None:
    async with gateway() as web:
        answer = await web.request(method, path)
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, problem["status"]) == (status, status)
    assert problem["detail"].startswith(detail)
    assert problem["type"].startswith("urn:signalbox:problem:")
    assert problem["title"]
    assert problem["advice"].endswith(".")
    assert problem["correlation_id"] == answer.headers["x-request-id"]


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("content", "headers", "status", "detail"),
    [
        pytest.param(b"{", JSON, 422, "body: is not valid JSON", id="cut off"),
        pytest.param(b"{}", {}, 422, "body: ", id="not said to be JSON"),
        pytest.param(b"[" * 100_000, JSON, 400, "the body cannot be read", id="very deep"),
        pytest.param(b"\xff\xfe", JSON, 422, "body: is not valid JSON", id="no text"),
        pytest.param(b"[]", JSON, 422, "body: ", id="a list"),
        pytest.param(b'{"nme": "x"}', JSON, 422, "nme: is not known here", id="unknown field"),
        pytest.param(b'{"id": "a.b"}', JSON, 422, "id: string should match", id="no id"),
        pytest.param(b'{"symbols": ["aapl"]}', JSON, 422, "symbols.0: ", id="no symbol"),
        pytest.param(
            b'{"limits": {"max_order_notional": "-1"}}',
            JSON,
            422,
            "limits.max_order_notional: input should be greater than 0",
            id="out of range",
        ),
        pytest.param(b" " * 262_145, JSON, 413, "the body is larger than 256 KiB", id="too large"),
    ],
)
async def test_bodies_that_do_not_fit(
    gateway: Any, content: bytes, headers: dict[str, str], status: int, detail: str
) -> None:
    async with gateway() as web:
        answer = await web.post("/api/bots", content=content, headers=headers)
    assert (answer.status_code, answer.json()["detail"][: len(detail)]) == (status, detail)


async def test_a_body_without_a_length_is_cut_off_while_it_comes(gateway: Any) -> None:
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while sent < 10_000_000:
            sent += 65_536
            yield b" " * 65_536

    async with gateway() as web:
        answer = await web.post("/api/bots", content=endless(), headers=JSON)
    assert answer.status_code == 413
    assert sent <= 5 * 65_536


async def test_what_nobody_foresaw_is_a_problem_too_and_says_nothing_inside(gateway: Any) -> None:
    gateway.service.answers["executor", "flatten"] = RuntimeError("at /home/secret")
    async with gateway() as web:
        answer = await web.post("/api/bots/alpha/flatten")
    assert answer.status_code == 500
    assert answer.json()["detail"] == "The gateway failed at this request; its log says why."
    assert answer.json()["correlation_id"]
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["cache-control"] == "no-store"


async def test_what_is_down_may_be_tried_again(gateway: Any) -> None:
    gateway.service.answers["executor", "flatten"] = TransientError("executor is not running")
    async with gateway() as web:
        answer = await web.post("/api/bots/alpha/flatten")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


async def test_a_gateway_that_starts_says_so(gateway: Any) -> None:
    gateway.context.ready = False
    async with gateway() as web:
        read = await web.get("/api/signals")
        written = await web.put("/api/flags", json={})
    assert read.status_code == written.status_code == 503
    assert "still starting" in read.json()["detail"]


async def test_every_operation_is_described(gateway: Any) -> None:
    async with gateway(None) as web:
        described = (await web.get("/api/openapi.json")).json()
        docs = await web.get("/api/docs")
    operations = [o for path in described["paths"].values() for o in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names)) > 40
    for operation in operations:
        assert "default" in operation["responses"]
        assert operation["summary"]
        assert operation["description"]
        good = [r for code, r in operation["responses"].items() if code.startswith("2")]
        assert all("content" in r or "204" in operation["responses"] for r in good)
    assert "Problem" in described["components"]["schemas"]
    assert docs.status_code == 200
    assert "http" not in docs.text.split("<body", 1)[0].replace("http-equiv", "")


def test_the_description_needs_no_running_gateway(gateway: Any) -> None:
    context = Context(gateway.service)
    app = build_api(context, lifespan=None, extra=())  # type: ignore[arg-type]  # nothing starts
    assert app.openapi()["info"]["title"] == "Signalbox"


async def test_a_signals_details_reach_the_page_as_they_are(gateway: Any) -> None:
    bad = "<script>alert(1)</script>"
    gateway.feed(raised(a_signal(reasoning=bad, details={"note": bad})))
    async with gateway() as web:
        answer = await web.get("/api/signals")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json()["items"][0]["reasoning"] == bad
