"""Who gets in, how often they may try, and what a page of another site may not do."""

import asyncio
from typing import Any

import pytest
from argon2 import extract_parameters
from fastapi.routing import APIRoute
from sqlalchemy import select, update
from starlette.routing import Mount, Route

from gateway.adapters import sign_in
from gateway.adapters.passwords import LANES, MEMORY_KIB, ROUNDS
from gateway.adapters.primary_tables import failures, sessions, users
from gateway.domain.roles import Role
from gateway.routes.headers import SECURITY_HEADERS
from signalbox.runtime.clock import wall_now

PASSWORD = "correct horse battery"
OPEN = {
    ("GET", "/"),
    ("GET", "/api/docs"),
    ("GET", "/api/openapi.json"),
    ("POST", "/api/auth/token"),
    ("POST", "/api/auth/session"),
    ("GET", "/livez"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
}
ADMIN_ONLY = {
    "save_bot",
    "delete_bot",
    "save_account",
    "delete_account",
    "save_quantconnect_config",
    "delete_quantconnect_config",
    "renew_quantconnect_webhook",
    "clear_halt",
    "correct_position",
    "save_llm_config",
    "delete_llm_config",
    "write_llm_budget",
    "settle_llm_attempt",
    "save_prompt",
    "activate_prompt",
    "save_strategy",
    "delete_strategy",
    "write_flags",
    "write_market",
    "list_tokens",
    "issue_token",
    "revoke_token",
}
PAGE = {"sec-fetch-site": "same-origin", "content-type": "application/json"}


def routes_of(app: Any) -> list[Any]:
    """Every route, those that routers brought along too."""
    found = []
    for route in app.routes:
        inner = getattr(route, "original_router", None)
        found += routes_of(inner) if inner is not None else [route]
    return found


def walked(app: Any) -> list[tuple[str, str, Any]]:
    """Every method and path that is answered."""
    calls = []
    for route in routes_of(app):
        if isinstance(route, Mount):
            assert route.path == "/api/docs"
            continue
        assert isinstance(route, Route | APIRoute), route
        methods = (route.methods or set()) - {"HEAD", "OPTIONS"}
        calls += [(method, route.path, route) for method in sorted(methods)]
    return calls


async def test_every_route_asks_who_is_calling(gateway: Any) -> None:
    calls = walked(gateway.app)
    assert len(calls) > 45
    async with gateway(None) as web:
        for method, path, _ in calls:
            answer = await web.request(method, path.replace("{symbol:path}", "{symbol}"))
            if (method, path) in OPEN:
                assert answer.status_code != 401, path
            else:
                assert answer.status_code == 401, f"{method} {path}: {answer.status_code}"
                assert answer.headers["www-authenticate"] == "Bearer"


async def test_roles_are_kept(gateway: Any) -> None:
    for method, path, route in walked(gateway.app):
        if (method, path) in OPEN or path in {"/api/stream", "/api/auth/logout"}:
            continue
        if path.startswith("/hooks/"):
            continue  # asks algorithms, not people
        needed = Role.VIEWER if method == "GET" else Role.TRADER
        if route.operation_id in ADMIN_ONLY:
            needed = Role.ADMIN
        for role in (Role.VIEWER, Role.TRADER):
            async with gateway(role) as web:
                answer = await web.request(method, path.replace("{symbol:path}", "X"))
            refused = answer.status_code == 403
            assert refused is not role.may(needed), f"{role} {method} {path}: {answer.text}"


async def test_a_token_opens_and_logging_out_closes(gateway: Any) -> None:
    body = {"username": "admin", "password": PASSWORD}
    async with gateway(None) as web:
        given = (await web.post("/api/auth/token", json=body)).json()
        assert given["token_type"] == "bearer"
        assert given["expires_at"].endswith("Z")
        web.headers["authorization"] = f"Bearer {given['access_token']}"
        me = (await web.get("/api/auth/me")).json()
        assert (me["username"], me["role"]) == ("admin", "admin")
        assert (await web.post("/api/auth/logout")).status_code == 204
        ended = await web.get("/api/auth/me")
    assert (ended.status_code, ended.json()["detail"]) == (
        401,
        "the session has ended; sign in again",
    )


async def test_neither_token_nor_password_is_stored(gateway: Any) -> None:
    body = {"username": "admin", "password": PASSWORD}
    async with gateway(None) as web:
        token = (await web.post("/api/auth/token", json=body)).json()["access_token"]
    with gateway.service.db.begin() as sql:
        stored = repr([sql.execute(select(t)).all() for t in (users, sessions, failures)])
    assert len(token) >= 43
    assert token not in stored
    assert PASSWORD not in stored


async def test_a_session_ends_by_itself(gateway: Any) -> None:
    with gateway.service.db.begin() as sql:
        sql.execute(update(sessions).values(expires_at=wall_now()))
    async with gateway() as web:
        assert (await web.get("/api/auth/me")).status_code == 401


async def test_passwords_are_hashed_as_they_should_be(gateway: Any) -> None:
    made = extract_parameters(await gateway.context.passwords.hash("x"))
    assert (made.memory_cost, made.time_cost, made.parallelism) == (MEMORY_KIB, ROUNDS, LANES)
    assert (MEMORY_KIB, ROUNDS, LANES, made.type.name) == (19 * 1024, 2, 1, "ID")


@pytest.mark.parametrize("username", ["admin", "nobody"])
async def test_a_hundred_tries_are_mostly_not_looked_at(
    gateway: Any, monkeypatch: pytest.MonkeyPatch, username: str
) -> None:
    looked, now = 0, wall_now()
    monkeypatch.setattr(sign_in, "wall_now", lambda: now)  # all of them at once
    real = gateway.context.passwords.matches

    async def counted(*args: Any) -> bool:
        nonlocal looked
        looked += 1
        return bool(await real(*args))

    gateway.context.passwords.matches = counted
    body = {"username": username, "password": "wrong"}
    async with gateway(None) as web:
        tries = [web.post("/api/auth/token", json=body) for _ in range(100)]
        answers = await asyncio.gather(*tries)
        right = await web.post("/api/auth/token", json={**body, "password": PASSWORD})
    assert looked <= 10
    assert {a.status_code for a in answers} == {401, 429}
    assert right.status_code == 429, "the right password waits too"
    assert int(right.headers["retry-after"]) >= 1
    words = {a.json()["detail"] for a in answers if a.status_code == 401}
    assert words == {"the user name or the password is not right"}


async def test_signing_in_forgives(gateway: Any) -> None:
    async with gateway(None) as web:
        for _ in range(3):
            for password in ("wrong", "wrong", "wrong", PASSWORD):
                body = {"username": "admin", "password": password}
                answer = await web.post("/api/auth/token", json=body)
            assert answer.status_code == 200


async def sign_in_page(web: Any) -> None:
    body = {"username": "trader", "password": PASSWORD}
    answer = await web.post("/api/auth/session", json=body)
    assert answer.status_code == 200
    assert "token" not in answer.text


async def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(gateway: Any) -> None:
    body = {"username": "trader", "password": PASSWORD}
    async with gateway(None) as web:
        plain = (await web.post("/api/auth/session", json=body)).headers["set-cookie"].lower()
        url = "https://gateway/api/auth/session"
        tls = (await web.post(url, json=body)).headers["set-cookie"].lower()
    assert plain.startswith("sb=")
    assert tls.startswith("__host-sb=")
    assert "; secure" in tls
    assert "domain" not in tls
    for said in (plain, tls):
        assert "httponly" in said
        assert "samesite=strict" in said
        assert "path=/" in said


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param(PAGE, 200, id="our page"),
        pytest.param(
            {"origin": "http://gateway", "content-type": "application/json"}, 200, id="by origin"
        ),
        pytest.param({"content-type": "application/json"}, 403, id="nothing said"),
        pytest.param({**PAGE, "sec-fetch-site": "cross-site"}, 403, id="another site"),
        pytest.param({**PAGE, "sec-fetch-site": "same-site"}, 403, id="a neighbour"),
        pytest.param({**PAGE, "origin": "http://evil"}, 403, id="another origin"),
        pytest.param({**PAGE, "origin": "null"}, 403, id="no origin"),
        pytest.param({**PAGE, "content-type": "text/plain"}, 403, id="a form"),
        pytest.param({"sec-fetch-site": "same-origin"}, 403, id="no content type"),
    ],
)
async def test_a_cookie_alone_changes_nothing(
    gateway: Any, headers: dict[str, str], status: int
) -> None:
    async with gateway(None) as web:
        await sign_in_page(web)
        assert (await web.get("/api/auth/me")).status_code == 200
        body = b'{"everything": true, "reason": "test"}'
        answer = await web.put("/api/kill-switch", content=body, headers=headers)
    assert answer.status_code == status, answer.text


async def test_logging_out_of_the_page_takes_the_cookie_away(gateway: Any) -> None:
    async with gateway(None) as web:
        await sign_in_page(web)
        answer = await web.post("/api/auth/logout", headers=PAGE)
        assert answer.status_code == 204
        assert 'sb=""' in answer.headers["set-cookie"]
        assert (await web.get("/api/auth/me")).status_code == 401


@pytest.mark.parametrize(
    "path", ["/", "/assets/gone.js", "/api/auth/me", "/api/nothing", "/livez", "/nothing"]
)
async def test_every_answer_is_wrapped(gateway: Any, path: str) -> None:
    async with gateway() as web:
        answer = await web.get(path)
        secure = await web.get(f"https://gateway{path}")
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name] == value
    policy = answer.headers["content-security-policy"]
    assert [part for part in policy.split("; ") if "unsafe" in part] == [
        "style-src 'self' 'unsafe-inline'"
    ]
    assert "strict-transport-security" not in answer.headers
    assert secure.headers["strict-transport-security"].startswith("max-age=31536000")
    assert ("no-store" in answer.headers.get("cache-control", "")) is path.startswith("/api/")
