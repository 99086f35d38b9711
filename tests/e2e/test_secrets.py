"""No secret turns up anywhere but in the files made for it, whatever went well or wrong before."""

import base64
import json
import re
from collections.abc import AsyncIterator
from itertools import product
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from chaos.rest import Gateway
from chaos.system import System
from chaos.voices import Voices
from signalbox.runtime.clock import wall_now
from signalbox.testing.wait import until
from tests.e2e.canaries import (
    command_lines,
    kept_files,
    kept_messages,
    kept_rows,
    leaks,
    own_secrets,
    shapes,
)
from tests.e2e.conftest import (
    ADMIN_PASSWORD,
    ENVIRONMENT_TOKEN,
    FEED_KEY,
    MODEL_KEY,
    REST_TOKEN,
)

pytestmark = pytest.mark.e2e
MISTYPED = 'canary-mistyped "pw"+\\/77c2e9'  # somebody's password, in the wrong place
BROKER_KEY = "canary-broker+KEY/0b7e41d9c3"
BROKER_SECRET = "canary-broker+SECRET/f2c86a05be"
CONFIG = "canary"
ACCOUNTS = "/api/accounts"
REFUSED, AWAY = "canary-refused", "canary-away"  # by the sandbox; nobody is there
MODELS = "/api/ai-trading/config"
MODEL = {
    "id": CONFIG,
    "provider": "openai",
    "api_key": REST_TOKEN,
    "model": "sandbox-openai",
    "symbols": ["AAPL"],
    "every": None,
    "target": "sandbox",
}
JSON = {"Content-Type": "application/json"}
Content = list[tuple[str, bytes]]


def content_of(answer: httpx.Response) -> tuple[str, bytes]:
    """An answer with its headers, and what it answers."""
    headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    request = answer.request
    return f"{request.method} {request.url.path}", headers.encode() + b"\n" + answer.content


async def save_and_test(gateway: Gateway) -> AsyncIterator[httpx.Response]:
    """Tokens are entered, refused by QuantConnect, and cannot be sent anywhere."""
    body = {"id": CONFIG, "api_key": "123", "api_secret": REST_TOKEN, "target": "sandbox"}
    yield await gateway.send("POST", "/api/quantconnect/config", json=body)
    for config in (CONFIG, "environment", "demo"):
        yield await gateway.send("POST", f"/api/quantconnect/config/{config}/test")
    body = {"id": CONFIG, "api_secret": REST_TOKEN, "signals_from": "fills"}
    yield await gateway.send("POST", "/api/quantconnect/config", json=body)
    yield await gateway.send("POST", MODELS, json=MODEL)
    yield await gateway.send("POST", f"{MODELS}/{CONFIG}/test")
    asked = {"config_id": CONFIG, "dry_run": True}
    yield await gateway.send("POST", "/api/ai-trading/decision", json=asked)


async def sign_in_wrongly(gateway: Gateway) -> AsyncIterator[httpx.Response]:
    """Wrong passwords, and passwords where they do not belong."""
    path = "/api/auth/token"
    for body in (
        {"username": "nobody", "password": MISTYPED},
        {"username": "admin", "password": MISTYPED},
        {"username": MISTYPED, "password": "x"},
        {"username": "admin", "password": [ADMIN_PASSWORD]},
        {"username": "admin", "password": {"is": ADMIN_PASSWORD}},
        {"username": "admin", "pass": ADMIN_PASSWORD},
        {"username": "\0", "password": ADMIN_PASSWORD},
        {"username": "admin", "password": ADMIN_PASSWORD * 20},
    ):
        yield await gateway.send("POST", path, json=body)
    half = f'{{"username": "admin", "password": {json.dumps(ADMIN_PASSWORD)}'.encode()
    yield await gateway.send("POST", path, content=half, headers=JSON)
    large = json.dumps({"password": ADMIN_PASSWORD, "x": "y" * 300_000}).encode()
    yield await gateway.send("POST", path, content=large, headers=JSON)
    form = {"username": "admin", "password": ADMIN_PASSWORD}
    yield await gateway.send("POST", path, data=form)


async def send_it_wrongly(gateway: Gateway, address: str) -> AsyncIterator[httpx.Response]:
    """Tokens in bodies that do not fit, and as somebody's credentials."""
    path = "/api/quantconnect/config"
    for body in (
        {"id": "x", "api_key": "1", "api_secret": [REST_TOKEN]},
        {"id": "x", "api_key": "1", "api_secret": REST_TOKEN, "algorithm_id": "none"},
        {"id": "x", "api_secret": REST_TOKEN},
        {"id": "x", "api_token": REST_TOKEN},
        {"id": "../x", "api_key": "1", "api_secret": REST_TOKEN},
        [REST_TOKEN],
    ):
        yield await gateway.send("POST", path, json=body)
    for wrong in ({"api_key": [REST_TOKEN]}, {"base_url": REST_TOKEN}, {"provider": "other"}):
        yield await gateway.send("POST", MODELS, json=MODEL | {"id": "x"} | wrong)
    async with httpx.AsyncClient(base_url=address, trust_env=False) as stranger:
        for header in ({"Authorization": f"Bearer {REST_TOKEN}"}, {"Cookie": f"sb={REST_TOKEN}"}):
            yield await stranger.get("/api/bots", headers=header)
        yield await stranger.get("/api/bots", auth=("admin", ADMIN_PASSWORD))


async def enter_broker_keys(gateway: Gateway) -> AsyncIterator[httpx.Response]:
    """Keys that a broker refuses, that cannot be sent anywhere, and in bodies that do not fit."""
    keys = {"broker": "alpaca", "api_key": BROKER_KEY, "api_secret": BROKER_SECRET}
    for body in (
        {**keys, "id": REFUSED, "target": "sandbox"},
        {**keys, "id": REFUSED, "name": "Entered again"},
        {**keys, "id": AWAY, "target": "real"},
        {**keys, "id": "x", "api_key": None},
        {**keys, "id": "x", "api_secret": [BROKER_SECRET]},
        {**keys, "id": "x", "api_secret": f"{BROKER_SECRET} and more"},
        {**keys, "id": "x", "broker": "other"},
        {**keys, "id": "x", "secret": BROKER_SECRET},
        {**keys, "id": "../x"},
    ):
        yield await gateway.send("POST", ACCOUNTS, json=body)


async def shown_once(gateway: Gateway) -> tuple[str, str]:
    """A program's token and a webhook's secret: the answers that make them are the only ones."""
    body = {"name": "canary-program", "scopes": ["signals:write"]}
    token = await gateway.post("/api/tokens", body)
    hook = await gateway.post(f"/api/quantconnect/config/{CONFIG}/webhook")
    return token["token"], hook["token"]


async def use_them(address: str, token: str, secret: str) -> AsyncIterator[httpx.Response]:
    """As they are meant to be, and where they do not belong."""
    mine, hooks = ({"Authorization": f"Bearer {one}"} for one in (token, secret))
    signed = {"X-Signalbox-Signature": f"sha256={secret}"}
    signal = {"symbol": "CANARY", "action": "buy", "confidence": "0.9", "horizon_s": 60}
    sent_at = wall_now().timestamp()
    push = {"v": 1, "projectId": 7, "deployId": "L-1", "sentAt": sent_at, "insights": []}
    hook = f"/hooks/quantconnect/{CONFIG}"
    async with httpx.AsyncClient(base_url=address, trust_env=False) as program:
        taken = [
            await program.post(
                "/api/signals", json=signal, headers={**mine, "Idempotency-Key": "canary"}
            ),
            await program.post(hook, json=push, headers=hooks),
        ]
        assert [answer.status_code for answer in taken] == [202, 202]
        for answer in taken:
            yield answer
        yield await program.post("/api/signals", json={**signal, "symbol": [token]}, headers=mine)
        yield await program.get("/api/trades", headers=mine)
        yield await program.get("/api/bots", headers=hooks)
        yield await program.get("/api/bots", params={"token": token})
        yield await program.post(hook, json=push, headers=mine)
        yield await program.post(hook, json=push, headers=signed)
        yield await program.post(hook, json={**push, "token": secret})
        login = {"username": "admin", "password": token}
        yield await program.post("/api/auth/token", json=login)


async def ids_for(gateway: Gateway) -> dict[str, list[str]]:
    """Something that exists for every parameter of a path."""
    lists = {
        "signal_id": "/api/signals",
        "verdict_id": "/api/verdicts",
        "order_id": "/api/orders",
        "bot_id": "/api/bots",
        "algorithm_id": "/api/quantconnect/algorithms",
        "decision_id": "/api/ai-trading/decision",
        "prompt_id": "/api/ai-trading/prompts",
    }
    found = {
        name: [item["id"] for item in (await gateway.get(path))["items"]][:5]
        for name, path in lists.items()
    }
    return {**found, "config_id": [CONFIG, "environment", "demo"]}


async def everything_that_can_be_read(gateway: Gateway) -> AsyncIterator[httpx.Response]:
    """Every GET of the interface, with things that exist."""
    described = await gateway.send("GET", "/api/openapi.json")
    yield described
    ids = await ids_for(gateway)
    for path, methods in described.json()["paths"].items():
        names = re.findall(r"{(\w+)}", path)
        if "get" not in methods or path == "/api/stream":
            continue
        for values in product(*(ids.get(name, ["x"]) for name in names)):
            filled = path
            for name, value in zip(names, values, strict=True):
                filled = filled.replace(f"{{{name}}}", value)
            yield await gateway.send("GET", filled, params={"limit": 200})
    yield await gateway.send("GET", "/")


async def health_pages(house: System) -> AsyncIterator[httpx.Response]:
    """What every program says of itself to anybody."""
    async with httpx.AsyncClient(trust_env=False) as stranger:
        for name in house.programs():
            for page in ("livez", "readyz", "metrics") if name != "nats-server" else ():
                yield await stranger.get(f"{house.url(name)}/{page}")


async def told(gateway: Gateway) -> Any:
    """Whether the wrong token and the wrong keys have become alerts."""
    about = {alert["about"] for alert in await gateway.every("/api/alerts")}
    return {f"quantconnect:{CONFIG}", f"account:{REFUSED}"} <= about


async def looked_at(answers: AsyncIterator[httpx.Response]) -> Content:
    """What answers say, none of which may be a failure of ours."""
    found = [answer async for answer in answers]
    assert not [answer.url for answer in found if answer.status_code >= 500]
    return [content_of(answer) for answer in found]


async def test_no_secret_is_anywhere_but_in_its_own_file(
    house: System, gateway: Gateway, voices: Voices
) -> None:
    address = house.url("gateway")
    seen = await looked_at(save_and_test(gateway))
    seen += await looked_at(sign_in_wrongly(gateway))
    seen += await looked_at(send_it_wrongly(gateway, address))
    seen += await looked_at(enter_broker_keys(gateway))
    made = await shown_once(gateway)
    seen += await looked_at(use_them(address, *made))
    await until(lambda: told(gateway), 60, every=0.1)
    seen += [content_of(answer) async for answer in everything_that_can_be_read(gateway)]
    seen += [content_of(answer) async for answer in health_pages(house)]
    seen += await kept_messages(voices)
    seen += [*kept_files(house.home), *kept_rows(house.home), *command_lines(house)]
    assert len(seen) > 100
    secrets = [ADMIN_PASSWORD, ENVIRONMENT_TOKEN, MODEL_KEY, REST_TOKEN, MISTYPED, gateway.token]
    secrets += [FEED_KEY, BROKER_KEY, BROKER_SECRET, *made, *own_secrets(house.home)]
    names = [name for name, _ in seen]
    assert {"logs/gateway.jsonl", "terminal", "tables of gateway", "stream KV_CONFIG"} <= {*names}
    assert any(name.endswith("-wal") for name in names)
    assert not [leak for name, content in seen for leak in leaks(secrets, name, content)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{0}", id="raw"),
        pytest.param("password={1}&x", id="url"),
        pytest.param('{{"error": "{2}"}}', id="json"),
        pytest.param("Basic {3}", id="base64"),
    ],
)
def test_a_leak_is_found_in_any_shape(text: str) -> None:
    given = [
        MISTYPED,
        quote(MISTYPED, safe=""),
        json.dumps(MISTYPED)[1:-1],
        base64.b64encode(f"admin:{MISTYPED}".encode()).decode(),
    ]
    assert list(leaks([MISTYPED], "here", text.format(*given).encode()))
    assert not list(leaks([MISTYPED], "here", b"canary-mis"))
    assert len(shapes(MISTYPED)) >= 8
