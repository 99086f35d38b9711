"""Signals of programs and people: who may, once for each key, and the same chain as any other."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from sqlalchemy import select, update

from gateway.adapters.primary_tables import api_tokens, submissions
from gateway.domain.roles import Role
from gateway.domain.submissions import LIFE, Market, SignalBody, Speaker, signal_of
from gateway.domain.webhooks import Allowance
from signalbox.contracts.clock import ClockReading
from signalbox.contracts.errors import Malformed
from signalbox.contracts.events import SignalRaised, VerdictReached
from signalbox.contracts.values import SourceType, Target
from signalbox.runtime.clock import wall_now
from signalbox.testing.examples import NOON, a_moment, a_verdict

BUY = {"symbol": "AAPL", "action": "buy", "confidence": "0.8", "price": "210.50"}
BOTH = ["read", "signals:write"]


def tick(gateway: Any, *, speed: float = 60, replay: bool = True) -> None:
    """The market clock is at noon."""
    reading = ClockReading(
        epoch=3,
        market_at=NOON,
        wall_at=wall_now(),
        speed=speed,
        replay=replay,
        position=0,
        limit_at=NOON,
    )
    gateway.service.clock.take(reading.model_dump_json().encode())


async def issue(gateway: Any, name: str = "tips", scopes: Any = BOTH, **more: Any) -> Any:
    """Make a token; its client knows nothing else."""
    async with gateway() as web:
        answer = await web.post("/api/tokens", json={"name": name, "scopes": scopes, **more})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    gateway.tokens[name] = made["token"]
    return made


async def submit(gateway: Any, who: Any, key: str | None = "1", **over: Any) -> Any:
    headers = {} if key is None else {"idempotency-key": key}
    async with gateway(who, **headers) as web:
        return await web.post("/api/signals", json={**BUY, **over})


async def test_an_external_signal_goes_the_way_of_every_other(gateway: Any) -> None:
    tick(gateway)
    await issue(gateway)
    async with gateway() as web:
        await web.post("/api/bots", json={"id": "listener"})
    answer = await submit(
        gateway, "tips", stop_price="200", target_price="230", details={"desk": "7"}
    )
    assert answer.status_code == 202
    (raised,) = gateway.service.said
    assert isinstance(raised, SignalRaised)
    said = raised.data
    assert (said.source_type, said.source_id, said.own_id) == (SourceType.EXTERNAL, "tips", "1")
    assert (said.price, said.stop_price, said.target_price) == (D("210.50"), D(200), D(230))
    assert (said.epoch, said.target, said.raised_at) == (3, Target.SANDBOX, NOON)
    assert raised.configversion > 1, "who reads it waits until it knows the new bot"
    assert raised.subject == "sb.v1.signals.external.tips.AAPL"
    taken = answer.json()
    assert taken["signal_id"] == str(said.signal_id)
    verdict = a_verdict(said)
    gateway.feed(raised, a_moment().event(VerdictReached, verdict, cause=raised, sequence=1))
    async with gateway("tips") as web:
        chain = (await web.get(f"/api/signals/{taken['signal_id']}")).json()
    assert chain["signal"]["details"] == {"desk": "7"}
    assert [one["source_id"] for one in chain["verdicts"]] == ["tips"]


async def test_a_trader_speaks_as_a_person(gateway: Any) -> None:
    tick(gateway)
    assert (await submit(gateway, Role.TRADER, key=None)).status_code == 202
    assert (await submit(gateway, Role.TRADER, key=None)).status_code == 202
    sources = [(e.data.source_type, e.data.source_id) for e in gateway.service.said]
    assert sources == [(SourceType.MANUAL, "id-trader")] * 2
    assert len({e.id for e in gateway.service.said}) == 2, "without a key each is a new one"
    assert (await submit(gateway, Role.VIEWER)).status_code == 403


async def test_a_repeat_gets_the_same_answer_and_is_raised_once(gateway: Any) -> None:
    tick(gateway)
    await issue(gateway)
    await issue(gateway, "other")
    first = await submit(gateway, "tips")
    gateway.service.clock.reading = None  # the market stands still: a repeat is answered still
    again = await submit(gateway, "tips")
    assert (again.status_code, again.json()) == (202, first.json())
    changed = await submit(gateway, "tips", confidence="0.9")
    assert changed.status_code == 409
    assert "Make a new key" in changed.json()["advice"]
    tick(gateway)
    assert (await submit(gateway, "other")).json()["signal_id"] != first.json()["signal_id"]
    assert len(gateway.service.said) == 2


async def test_a_key_never_names_two_signals(gateway: Any) -> None:
    tick(gateway)
    await issue(gateway)
    await submit(gateway, "tips")
    gateway.feed(*gateway.service.said)
    with gateway.service.db.begin() as sql:
        sql.execute(submissions.delete())  # as after its seven days
    old = await submit(gateway, "tips")
    assert (old.status_code, "7 days ago" in old.json()["detail"]) == (409, True)


@pytest.mark.parametrize(
    ("over", "field"),
    [
        pytest.param({"symbol": "a*"}, "symbol", id="symbol"),
        pytest.param({"action": "short"}, "action", id="action"),
        pytest.param({"confidence": "1.1"}, "confidence", id="confidence"),
        pytest.param({"price": "-1"}, "price", id="price"),
        pytest.param({"horizon_s": 0}, "horizon_s", id="no life"),
        pytest.param({"horizon_s": 10**9}, "horizon_s", id="a long life"),
        pytest.param({"note": "?"}, "note", id="unknown field"),
        pytest.param({"stop_price": "220"}, "body", id="stop above"),
        pytest.param({"target_price": "200"}, "body", id="target below"),
        pytest.param({"action": "sell", "stop_price": "200"}, "body", id="stop below a sell"),
        pytest.param(
            {"horizon_s": 60, "valid_until": "2026-08-03T17:00:00Z"}, "body", id="two ends"
        ),
    ],
)
async def test_what_does_not_fit_is_named(gateway: Any, over: Any, field: str) -> None:
    tick(gateway)
    await issue(gateway)
    answer = await submit(gateway, "tips", **over)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert gateway.service.said == []


async def test_refusals_say_what_to_do(gateway: Any) -> None:
    await issue(gateway)
    still = await submit(gateway, "tips")
    assert (still.status_code, "clock" in still.json()["detail"]) == (503, True)
    assert still.headers["retry-after"]
    tick(gateway)
    keyless = await submit(gateway, "tips", key=None)
    assert (keyless.status_code, "Idempotency-Key" in keyless.json()["advice"]) == (422, True)
    late = await submit(gateway, "tips", valid_until="2026-08-03T15:59:00Z")
    assert (late.status_code, "2026-08-03T16:00:00" in late.json()["detail"]) == (422, True)
    async with gateway("tips", **{"idempotency-key": "2"}) as web:
        for _ in range(Allowance.BURST + 5):
            answer = await web.post("/api/signals", json=BUY)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert (await submit(gateway, Role.TRADER)).status_code == 202, "each has an allowance"


@pytest.mark.parametrize(
    ("more", "replay", "life"),
    [
        pytest.param({}, False, LIFE, id="five minutes by default"),
        pytest.param({"horizon_s": 90}, False, timedelta(seconds=90), id="its horizon"),
        pytest.param(
            {"valid_until": NOON + timedelta(hours=1)}, False, timedelta(hours=1), id="its end"
        ),
        pytest.param({}, True, timedelta(hours=2), id="under replay 120 wall seconds at least"),
        pytest.param({"horizon_s": 86400}, True, timedelta(days=1), id="a longer one stays"),
    ],
)
def test_a_signal_ends(more: Any, replay: bool, life: timedelta) -> None:
    body = SignalBody.model_validate({**BUY, **more})
    at = Market(NOON, epoch=1, replay=replay, speed=60)
    signal = signal_of(body, Speaker(SourceType.EXTERNAL, "tips"), "1", at)
    assert signal.valid_until - NOON == life
    assert signal.target is (Target.SANDBOX if replay else Target.REAL)


def test_a_signal_that_has_ended_is_refused() -> None:
    body = SignalBody.model_validate({**BUY, "valid_until": NOON})
    with pytest.raises(Malformed, match="market clock"):
        signal_of(body, Speaker(SourceType.EXTERNAL, "tips"), "1", Market(NOON, 1, False, 1))


async def test_a_token_is_shown_once_and_stored_as_a_hash(gateway: Any) -> None:
    made = await issue(gateway)
    assert len(made["token"]) == len("sbx_") + 16 + 1 + 43
    async with gateway() as web:
        (listed,) = (await web.get("/api/tokens")).json()["items"]
        taken = await web.post("/api/tokens", json={"name": "tips", "scopes": ["read"]})
    assert "token" not in listed
    assert (listed["name"], listed["scopes"], listed["created_by"]) == ("tips", BOTH, "admin")
    assert taken.status_code == 409
    with gateway.service.db.begin() as sql:
        stored = repr(sql.execute(select(api_tokens)).all())
    assert made["token"].rsplit("_", 1)[1] not in stored


@pytest.mark.parametrize(
    ("scopes", "reads", "writes"),
    [(["read"], 200, 403), (["signals:write"], 403, 202), (BOTH, 200, 202)],
)
async def test_scopes_are_kept(gateway: Any, scopes: Any, reads: int, writes: int) -> None:
    tick(gateway)
    await issue(gateway, scopes=scopes)
    async with gateway("tips") as web:
        assert (await web.get("/api/trades")).status_code == reads
        assert (await web.get("/api/tokens")).status_code == 403, "for admins only"
        assert (await web.post("/api/bots/a/flatten")).status_code == 403
    assert (await submit(gateway, "tips")).status_code == writes


async def use(gateway: Any, token: str) -> int:
    gateway.tokens["?"] = token
    async with gateway("?") as web:
        return int((await web.get("/api/auth/me")).status_code)


async def test_only_a_token_that_holds_opens(gateway: Any) -> None:
    made, other = await issue(gateway), await issue(gateway, "other")
    head, secret = made["token"].rsplit("_", 1)
    swapped = f"sbx_{other['id']}_{secret}"
    wrong = [f"{head}_{'x' * 43}", swapped, made["token"] + "x", "sbx_", "sbx_hook_x"]
    assert [await use(gateway, one) for one in wrong] == [401] * len(wrong)
    assert await use(gateway, made["token"]) == 200
    with gateway.service.db.begin() as sql:
        used = select(api_tokens.c.last_used_at).where(api_tokens.c.id == made["id"])
        assert sql.scalar(used) is not None
        sql.execute(update(api_tokens).values(expires_at=wall_now()))
    assert await use(gateway, made["token"]) == 401
    await issue(gateway)  # an ended one makes room for its successor


async def test_a_token_that_is_taken_back_holds_no_more(
    gateway: Any, story: Callable[..., Any]
) -> None:
    made = await issue(gateway)
    async with gateway() as web:
        assert (await web.delete(f"/api/tokens/{made['id']}")).status_code == 204
        assert (await web.delete(f"/api/tokens/{made['id']}")).status_code == 404
    assert await use(gateway, made["token"]) == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "a b", "scopes": ["read"]}, "name"),
        ({"name": "a", "scopes": []}, "scopes"),
        ({"name": "a", "scopes": ["all"]}, "scopes.0"),
    ],
)
async def test_tokens_are_made_right(gateway: Any, body: Any, field: str) -> None:
    async with gateway() as web:
        answer = await web.post("/api/tokens", json=body)
        past = {"name": "a", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}
        ended = await web.post("/api/tokens", json=past)
    assert answer.json()["errors"][0]["field"] == field
    assert (ended.status_code, "a year" in ended.json()["detail"]) == (422, True)
