"""Pushes of algorithms: who gets in, what is kept, and that nothing is lost or counted twice."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from gateway.adapters.primary_tables import metadata, pushes
from gateway.domain.webhooks import Allowance
from signalbox.contracts.events import PushReceived
from signalbox.contracts.subjects import MAX_MESSAGE_BYTES
from signalbox.runtime import service
from signalbox.runtime.clock import wall_now

NOW = wall_now()
HOOK = "/hooks/quantconnect/mine"
ACCOUNT = {"name": "Mine", "api_key": "4711234", "api_secret": "f3a9c07715e0db2"}
UNKNOWN = "the token or the signature is not one that this address takes"


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time passes: ages are exact, and no call is allowed anew, however slow the machine is."""
    monkeypatch.setattr(service, "wall_now", lambda: NOW)


async def opened(gateway: Any, target: str = "sandbox", **body: Any) -> str:
    """The secret of a webhook that was just made."""
    async with gateway() as web:
        await web.post("/api/quantconnect/config", json={**ACCOUNT, "target": target})
        made = await web.post("/api/quantconnect/config/mine/webhook", json=body)
    assert made.status_code == 200, made.text
    token: str = made.json()["token"]
    return token


def text_of(age_s: float = 0, **over: Any) -> str:
    """What the snippet signs."""
    sent_at = (NOW - timedelta(seconds=age_s)).timestamp()
    return json.dumps({"v": 1, "projectId": 9, "sentAt": sent_at, "insights": [], **over})


def signature(token: str, text: str) -> str:
    return "sha256=" + hmac.new(token.encode(), text.encode(), hashlib.sha256).hexdigest()


def signed(token: str, text: str) -> dict[str, Any]:
    """A request as the snippet makes it."""
    return {
        "content": json.dumps({"payload": text}),
        "headers": {"x-signalbox-signature": signature(token, text)},
    }


def bearing(token: str, text: str) -> dict[str, Any]:
    return {"content": text, "headers": {"authorization": f"Bearer {token}"}}


async def push(gateway: Any, request: dict[str, Any], path: str = HOOK) -> Any:
    async with gateway(None) as web:
        return await web.post(path, **request)


def said(gateway: Any) -> list[PushReceived]:
    return [event for event in gateway.service.said if isinstance(event, PushReceived)]


@pytest.mark.parametrize("target", ["real", "sandbox"])
async def test_a_signed_push_is_handed_on_as_it_came(gateway: Any, target: str) -> None:
    token = await opened(gateway, target)
    request = signed(token, text_of())
    answer = await push(gateway, request)
    assert answer.status_code == 202, answer.text
    (event,) = said(gateway)
    assert answer.json() == {"push_id": str(event.data.push_id), "repeated": False}
    assert (event.data.config_id, event.data.body) == ("mine", request["content"])
    assert event.subject == "sb.v1.ingress.quantconnect.mine"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        pytest.param('{"insights": []}', "application/json", id="an object"),
        pytest.param('[{"id": "a"}]', "text/plain", id="a list"),
        pytest.param(
            json.dumps('{"insights": []}'), "application/x-www-form-urlencoded", id="text"
        ),
        pytest.param("Insight: up", "application/octet-stream", id="no JSON at all"),
    ],
)
async def test_a_bearer_token_may_bring_any_shape(gateway: Any, content: str, kind: str) -> None:
    request = bearing(await opened(gateway), content)
    request["headers"]["content-type"] = kind
    assert (await push(gateway, request)).status_code == 202
    assert said(gateway)[0].data.body == content


def changed(request: dict[str, Any]) -> dict[str, Any]:
    return {**request, "content": request["content"].replace("projectId", "projectID")}


REFUSED: list[Any] = [
    pytest.param(lambda t: {"content": text_of()}, 401, UNKNOWN, id="no proof"),
    pytest.param(lambda t: bearing("sbx_hook_wrong", text_of()), 401, UNKNOWN, id="wrong token"),
    pytest.param(lambda t: bearing("ünïcode", text_of()), 401, UNKNOWN, id="odd token"),
    pytest.param(lambda t: signed("wrong", text_of()), 401, UNKNOWN, id="wrong signature"),
    pytest.param(lambda t: changed(signed(t, text_of())), 401, UNKNOWN, id="changed text"),
    pytest.param(
        lambda t: {**signed(t, text_of()), "content": text_of()}, 401, UNKNOWN, id="text unwrapped"
    ),
    pytest.param(
        lambda t: {"content": b"\xff", "headers": {"x-signalbox-signature": signature(t, "")}},
        401,
        UNKNOWN,
        id="signature of nothing",
    ),
    pytest.param(
        lambda t: {
            "content": json.dumps({"payload": text_of()}),
            "headers": {
                "authorization": f"Bearer {t}",
                "x-signalbox-signature": "sha256=zz",
            },
        },
        401,
        UNKNOWN,
        id="a signature counts alone",
    ),
    pytest.param(lambda t: bearing(t, text_of(301)), 403, "this was sent 301 s ago", id="old"),
    pytest.param(lambda t: signed(t, text_of(1e4)), 403, "this was sent 10000 s ago", id="older"),
    pytest.param(
        lambda t: signed(t, text_of(-302)), 403, "this was sent 302 s in the future", id="future"
    ),
    pytest.param(
        lambda t: signed(t, '{"insights": []}'), 422, "the signed text has no sentAt", id="no time"
    ),
    pytest.param(
        lambda t: bearing(t, text_of(sentAt="soon")), 422, "sentAt is not a number", id="no number"
    ),
    pytest.param(
        lambda t: bearing(t, text_of(sentAt=1e300)), 422, "sentAt is not a number", id="no date"
    ),
    pytest.param(lambda t: bearing(t, " "), 422, "the body is empty", id="empty"),
    pytest.param(
        lambda t: {**bearing(t, ""), "content": b"\xff\xfe"},
        422,
        "the body is not UTF-8",
        id="bytes",
    ),
    pytest.param(
        lambda t: bearing(t, " " * 65_537), 413, "the body is larger than 64 KiB", id="too large"
    ),
    pytest.param(
        lambda t: bearing(t, "\x01" * 65_000), 422, "the body holds too many control", id="swells"
    ),
]


@pytest.mark.parametrize(("make", "status", "detail"), REFUSED)
async def test_what_is_refused_leaves_nothing_behind(
    gateway: Any, make: Callable[[str], dict[str, Any]], status: int, detail: str
) -> None:
    token = await opened(gateway)
    request = make(token)
    request["headers"] = {k: v.encode() for k, v in request.get("headers", {}).items()}
    answer = await push(gateway, request)
    assert (answer.status_code, answer.json()["detail"][: len(detail)]) == (status, detail)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["advice"].endswith(".")
    assert token not in answer.text
    assert said(gateway) == []
    with gateway.service.db.begin() as sql:
        assert sql.scalar(select(func.count()).select_from(pushes)) == 0


async def test_a_real_account_takes_no_bearer_token(gateway: Any) -> None:
    token = await opened(gateway, "real")
    answer = await push(gateway, bearing(token, text_of()))
    assert (answer.status_code, said(gateway)) == (403, [])
    assert "must be signed" in answer.json()["detail"]


async def test_nobody_learns_which_accounts_there_are(gateway: Any) -> None:
    token = await opened(gateway)
    wrong = await push(gateway, bearing("wrong", text_of()))
    unknown = await push(gateway, bearing(token, text_of()), "/hooks/quantconnect/other")
    async with gateway() as web:
        await web.post("/api/quantconnect/config", json={"id": "mine", "is_active": False})
    inactive = await push(gateway, bearing(token, text_of()))
    async with gateway() as web:
        await web.post("/api/quantconnect/config", json={**ACCOUNT, "id": "bare"})
    bare = await push(gateway, bearing(token, text_of()), "/hooks/quantconnect/bare")
    looks = [
        (
            answer.status_code,
            {k: v for k, v in answer.json().items() if k != "correlation_id"},
            {k: v for k, v in answer.headers.items() if k != "x-request-id"},
        )
        for answer in (wrong, unknown, inactive, bare)
    ]
    assert looks[0][0] == 401
    assert looks == looks[:1] * 4


async def test_a_repeat_is_taken_again_and_counts_once(gateway: Any) -> None:
    token = await opened(gateway)
    text = text_of(299)
    answers = [await push(gateway, signed(token, text)) for _ in range(2)]
    rewrapped = signed(token, text) | {"content": json.dumps({"payload": text}, indent=2)}
    answers.append(await push(gateway, rewrapped))
    at_once = await asyncio.gather(*(push(gateway, signed(token, text)) for _ in range(5)))
    assert {a.status_code for a in (*answers, *at_once)} == {202}
    assert [a.json()["repeated"] for a in answers] == [False, True, True]
    assert len(said(gateway)) == 1


async def test_a_kill_between_write_and_answer_loses_nothing(gateway: Any) -> None:
    request = signed(await opened(gateway), text_of())
    real = gateway.service.transact

    async def killed(work: Any) -> Any:
        await real(work)
        raise ConnectionResetError("the process was killed here")

    gateway.service.transact = killed
    assert (await push(gateway, request)).status_code == 500
    gateway.service.transact = real
    again = await push(gateway, request)
    assert (again.status_code, again.json()["repeated"]) == (202, True)
    assert len(said(gateway)) == 1


async def test_a_write_that_fails_is_not_answered_with_202(gateway: Any) -> None:
    request = signed(await opened(gateway), text_of())
    real = gateway.service.transact

    async def failing(_work: Any) -> Any:
        raise OSError("disk full")

    gateway.service.transact = failing
    assert (await push(gateway, request)).status_code == 500
    gateway.service.transact = real
    assert (await push(gateway, request)).json()["repeated"] is False


async def test_an_insight_that_comes_again_with_an_earlier_end_is_handed_on(gateway: Any) -> None:
    token = await opened(gateway)
    for close_time in (1785774000, 1785772900):
        text = json.dumps({"id": "6b0f9d1e", "direction": "up", "closeTime": close_time})
        assert (await push(gateway, bearing(token, text))).json()["repeated"] is False
    assert len(said(gateway)) == 2


async def test_too_many_pushes_have_to_wait_and_wrong_ones_block_nobody(gateway: Any) -> None:
    token = await opened(gateway)
    for _ in range(Allowance.BURST + 5):
        assert (await push(gateway, bearing("wrong", "{}"))).status_code == 401
    answers = [await push(gateway, bearing(token, f'{{"v": {n}}}')) for n in range(130)]
    limited = [a for a in answers if a.status_code == 429]
    assert limited
    assert answers[Allowance.BURST - 1].status_code == 202
    assert int(limited[0].headers["retry-after"]) >= 1
    assert len(said(gateway)) == 130 - len(limited)


async def test_the_secret_is_shown_once_and_sealed(gateway: Any) -> None:
    token = await opened(gateway)
    await push(gateway, signed(token, text_of()))
    await push(gateway, signed(token, text_of(900)))
    async with gateway() as web:
        paths = ("config", "config/mine", "status")
        answers = [await web.get(f"/api/quantconnect/{path}") for path in paths]
    shown = answers[1].json()["webhook"]
    assert shown["secret_hint"] == token[-4:]
    assert (shown["path"], shown["must_sign"]) == (HOOK, False)
    assert shown["last_push_at"] is not None
    assert "900 s ago" in shown["refused_why"]
    assert answers[2].json()["items"][0]["webhook"] == shown
    with gateway.service.db.begin() as sql:
        stored = repr([sql.execute(select(table)).all() for table in metadata.tables.values()])
    events = "".join(event.encode().decode() for event in gateway.service.said)
    everywhere = "".join([*(a.text for a in answers), stored, events, repr(gateway.service.sent)])
    for shape in (token, base64.b64encode(token.encode()).decode().rstrip("=")):
        assert shape not in everywhere


async def test_a_renewed_secret_leaves_the_one_before_valid_for_a_while(gateway: Any) -> None:
    first = await opened(gateway)
    second = await opened(gateway)
    async with gateway() as web:
        shown = (await web.get("/api/quantconnect/config/mine")).json()["webhook"]
    for number, token in enumerate((first, second)):
        answer = await push(gateway, signed(token, text_of(v=number)))
        assert answer.status_code == 202
    assert shown["old_until"] is not None
    third = await opened(gateway, overlap_s=0)
    statuses = [
        (await push(gateway, signed(token, text_of(v=4)))).status_code
        for token in (first, second, third)
    ]
    assert statuses == [401, 401, 202]


async def test_a_webhook_goes_with_its_account(gateway: Any) -> None:
    token = await opened(gateway)
    async with gateway() as web:
        await web.delete("/api/quantconnect/config/mine")
        await web.post("/api/quantconnect/config", json={**ACCOUNT, "id": "mine"})
        again = (await web.get("/api/quantconnect/config/mine")).json()
        missing = await web.post("/api/quantconnect/config/gone/webhook")
    assert again["webhook"] is None
    assert (await push(gateway, signed(token, text_of()))).status_code == 401
    assert missing.status_code == 404


async def test_a_secret_that_opens_no_more_is_like_a_wrong_one(gateway: Any) -> None:
    token = await opened(gateway)
    gateway.service.box = gateway.service.ingest_box
    assert (await push(gateway, signed(token, text_of()))).status_code == 401


async def test_another_accounts_secret_opens_nothing(gateway: Any) -> None:
    await opened(gateway)
    async with gateway() as web:
        await web.post("/api/quantconnect/config", json={**ACCOUNT, "id": "other"})
        made = await web.post("/api/quantconnect/config/other/webhook")
    theirs = made.json()["token"]
    assert (await push(gateway, bearing(theirs, text_of()))).status_code == 401
    assert (await push(gateway, signed(theirs, text_of()))).status_code == 401


async def test_a_body_as_large_as_may_be_fits_into_a_message(gateway: Any) -> None:
    answer = await push(gateway, bearing(await opened(gateway), '"' * 65_536))
    assert answer.status_code == 202
    assert len(said(gateway)[0].encode()) <= MAX_MESSAGE_BYTES
