"""The client against recorded answers: what it sends, repeats, waits for, and never shows."""

import asyncio
import json
import logging
from collections.abc import Callable
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from qc_ingest.adapters.accounts import Accounts, Place
from qc_ingest.adapters.limiter import Limiter, Pace
from qc_ingest.adapters.quantconnect import QuantConnect
from qc_ingest.adapters.transport import Account, Timing, Transport
from qc_ingest.domain.answers import Doubtful, Loading, NotDone, SealedShut, WrongCredentials
from qc_ingest.domain.deployments import Deployment
from qc_ingest.domain.pages import Kind
from qc_ingest.domain.signature import sign
from signalbox.contracts.config import QuantConnectConfig
from signalbox.contracts.errors import PermanentError, RateLimited, TransientError
from signalbox.contracts.values import Target
from signalbox.runtime.secrets import NoBox, SecretBox, new_key_pair, seal
from signalbox.testing.examples import a_moment

TOKEN = "canary-token-5f0d6b3e"
WALL = 1_790_000_000.0
DEPLOYMENT = Deployment(7, "L-1", "Running")
Answer = httpx.Response | Exception


class Server:
    """Answers from a list, the last one for ever; remembers requests and waits."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.waits: list[float] = []
        self.now = 0.0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def sleep(self, seconds: float) -> None:
        self.waits.append(round(seconds, 3))
        self.now += seconds

    def client(
        self, *, patient: bool = True, base: str = "http://qc/api/v2", dice: float = 1.0
    ) -> QuantConnect:
        transport = Transport(
            Account(base, "123", TOKEN),
            httpx.AsyncClient(transport=httpx.MockTransport(self)),
            Limiter(Pace(6000, 100), clock=lambda: self.now, sleep=self.sleep),
            timing=Timing(wall=lambda: WALL + self.now, sleep=self.sleep, dice=lambda: dice),
            patient=patient,
        )
        return QuantConnect(transport)


def good(**payload: Any) -> httpx.Response:
    return httpx.Response(200, json={"success": True, **payload})


def bad(text: str) -> httpx.Response:
    return httpx.Response(200, json={"success": False, "errors": [text]})


@pytest.mark.parametrize("base", ["http://qc/api/v2", "http://qc/api/v2/"])
async def test_requests_are_signed_posts_of_json(base: str) -> None:
    server = Server(good(insights=[]))
    await server.client(base=base).live.page(Kind.INSIGHTS, DEPLOYMENT, 0, 100)
    request = server.requests[0]
    assert (request.method, str(request.url)) == ("POST", "http://qc/api/v2/live/insights/read")
    assert request.headers["timestamp"] == "1790000000"
    assert request.headers["authorization"].startswith("Basic ")
    assert json.loads(request.content) == {
        "projectId": 7,
        "algorithmId": "L-1",
        "start": 0,
        "end": 100,
    }
    assert TOKEN not in str(request.headers) + request.content.decode()


async def test_typed_answers() -> None:
    assert await Server(
        good(live=[{"projectId": 9}, {"projectId": 7}])
    ).client().live.running() == [
        7,
        9,
    ]
    projects = await Server(good(projects=[{"projectId": 7, "name": "a"}])).client().projects.all()
    assert [(p.id, p.name) for p in projects] == [(7, "a")]
    found = await Server(good(deployId="L-1", status="Running")).client().live.deployment(7)
    assert found == DEPLOYMENT
    assert await Server(bad("No live deployment found")).client().live.deployment(7) is None
    assert await Server(good(status="Undefined")).client().live.deployment(7) is None


CONNECT = httpx.ConnectError("refused")
READ = httpx.ReadTimeout("slow")


@pytest.mark.parametrize(
    ("answers", "error", "calls"),
    [
        pytest.param([bad("Hash doesn't match.")], WrongCredentials, 1, id="wrong token"),
        pytest.param([httpx.Response(401)], WrongCredentials, 1, id="401"),
        pytest.param([bad("Invalid argument")], PermanentError, 1, id="bad argument"),
        pytest.param([httpx.Response(413)], PermanentError, 1, id="too large"),
        pytest.param(
            [httpx.Response(302, headers={"location": "/x"})], PermanentError, 1, id="moved"
        ),
        pytest.param([httpx.Response(500)], Doubtful, 2, id="empty 500 is tried once more"),
        pytest.param([httpx.Response(500, text="x")], TransientError, 5, id="500"),
        pytest.param([httpx.Response(503, text="<html>")], TransientError, 5, id="maintenance"),
        pytest.param([httpx.Response(200, text="<html>")], TransientError, 5, id="gateway page"),
        pytest.param([httpx.Response(200, text='{"succ')], TransientError, 5, id="cut"),
        pytest.param([CONNECT], NotDone, 5, id="no connection"),
        pytest.param([READ], TransientError, 5, id="no answer"),
        pytest.param([httpx.ReadError("reset")], TransientError, 5, id="reset"),
        pytest.param([httpx.DecodingError("gzip")], TransientError, 5, id="cannot be unpacked"),
        pytest.param([httpx.Response(429)], RateLimited, 1, id="429 asks for long"),
        pytest.param(
            [httpx.Response(429, headers={"retry-after": "2"})], RateLimited, 5, id="429 for ever"
        ),
    ],
)
async def test_failures(answers: list[Answer], error: type[Exception], calls: int) -> None:
    server = Server(*answers)
    with pytest.raises(error) as caught:
        await server.client().live.running()
    assert type(caught.value) is error
    assert len(server.requests) == calls
    assert TOKEN not in repr(caught.value)


@pytest.mark.parametrize(
    "answer",
    [CONNECT, READ, httpx.Response(502), httpx.Response(500), bad("please try again shortly")],
)
async def test_a_read_is_repeated_until_it_works(answer: Answer) -> None:
    server = Server(answer, good(live=[]))
    assert await server.client().live.running() == []


@pytest.mark.parametrize(("dice", "waits"), [(1.0, [1, 2, 4, 8]), (0.5, [0.5, 1, 2, 4])])
async def test_repeats_wait_longer_each_time_and_sign_anew(dice: float, waits: list[float]) -> None:
    server = Server(CONNECT)
    with pytest.raises(TransientError, match="no connection"):
        await server.client(dice=dice).live.running()
    assert server.waits == waits
    sent_at = [WALL + sum(waits[:count]) for count in range(5)]
    signed = [dict(sign("123", TOKEN, int(at))) for at in sent_at]
    found = [{name: request.headers[name] for name in signed[0]} for request in server.requests]
    assert found == signed


async def test_an_impatient_client_tries_once() -> None:
    server = Server(CONNECT)
    with pytest.raises(TransientError):
        await server.client(patient=False).authenticate()
    assert (len(server.requests), server.waits) == (1, [])


async def test_a_short_retry_after_is_waited_for_and_slows_the_account() -> None:
    server = Server(httpx.Response(429, headers={"retry-after": "3"}), good(live=[]))
    client = server.client()
    assert await client.live.running() == []
    assert server.waits == [3]
    assert client.transport.limiter.per_minute == 3000
    server.now += 400
    assert client.transport.limiter.per_minute == 6000


async def test_who_comes_while_the_account_has_to_wait_is_told_at_once() -> None:
    limited = httpx.Response(429, headers={"retry-after": "300"})
    server = Server(limited, good(live=[]))
    client = server.client()
    for call in (client.live.running, client.live.all, lambda: client.live.stop(7)):
        with pytest.raises(RateLimited) as caught:
            await call()
        assert caught.value.retry_after_s == 300
    assert (len(server.requests), server.waits) == (1, [])
    server.now = 291
    assert await client.live.running() == []
    assert server.waits == [9]


async def test_loading_is_asked_again_for_a_minute() -> None:
    loading = httpx.Response(200, json={"success": True, "status": "loading", "progress": 0.4})
    server = Server(loading, loading, good(orders=[1]))
    assert await server.client().live.page(Kind.FILLS, DEPLOYMENT, 0, 100) == [1]
    assert server.waits == [1, 2]
    server = Server(loading)
    with pytest.raises(Loading):
        await server.client().live.page(Kind.FILLS, DEPLOYMENT, 0, 100)
    assert server.waits == [1, 2, 4, 8, 16]


async def test_an_endless_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qc_ingest.adapters.transport._MOST_BYTES", 1000)
    with pytest.raises(PermanentError, match="larger than"):
        await Server(httpx.Response(200, content=b"x" * 1001)).client().live.running()


async def test_a_call_has_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qc_ingest.adapters.transport._DEADLINE_S", 0.01)

    async def never(_request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    http = httpx.AsyncClient(transport=httpx.MockTransport(never))
    client = QuantConnect(Transport(Account("http://qc", "1", TOKEN), http, Limiter(Pace(60, 10))))
    with pytest.raises(TransientError, match="within"):
        await client.live.running()


@pytest.mark.parametrize(
    ("base", "says"), [("qc", "http or https"), ("http://qc:x", "not an address")]
)
async def test_a_wrong_address_is_said_so(base: str, says: str) -> None:
    async with httpx.AsyncClient() as http:
        account, limiter = Account(base, "1", TOKEN), Limiter(Pace(60, 10))
        client = QuantConnect(Transport(account, http, limiter, patient=False))
        with pytest.raises((PermanentError, TransientError), match=says):
            await client.live.running()


@pytest.mark.parametrize(
    ("ahead_s", "skew_s"), [(0, 0.0), (1, 0.0), (7500, 7500.0), (-600, -600.0)]
)
async def test_the_clock_is_compared_with_the_date_header(ahead_s: int, skew_s: float) -> None:
    moment = a_moment().wall.fromtimestamp(WALL + ahead_s, tz=a_moment().wall.tzinfo)
    date = format_datetime(moment, usegmt=True)
    client = Server(httpx.Response(200, json={"success": True}, headers={"date": date})).client()
    await client.authenticate()
    assert client.skew_s == skew_s


async def test_the_token_is_nowhere_to_be_seen(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server = Server(bad("Hash doesn't match. UID: 123 Hash: " + "ab" * 32))
    client = server.client()
    with pytest.raises(WrongCredentials) as caught:
        await client.authenticate()
    seen = f"{client!r} {vars(client)!r} {caught.value!r} {caplog.text}"
    assert TOKEN not in seen
    assert "ab" * 32 not in seen


class FakeTime:
    """Time that passes by sleeping only."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


async def test_limiter_allows_a_burst_and_then_the_rate() -> None:
    time = FakeTime()
    limiter = Limiter(Pace(30, 10), clock=time.clock, sleep=time.sleep)
    for _ in range(10):
        await limiter.take()
    assert time.now == 0
    for _ in range(30):
        await limiter.take()
    assert time.now == pytest.approx(60)


async def test_limiter_halves_for_five_minutes_after_a_429() -> None:
    time = FakeTime()
    limiter = Limiter(Pace(30, 10), clock=time.clock, sleep=time.sleep)
    limiter.slow_down(20)
    assert limiter.describe() == {"per_minute": 15, "available": 1, "limited_for_s": 20}
    await limiter.take()
    assert time.now == 20
    for _ in range(15):
        await limiter.take()
    assert time.now >= 60
    time.now = 321
    assert limiter.describe()["per_minute"] == 30


@pytest.fixture
def accounts() -> Callable[..., Accounts]:
    def make(box: Any) -> Accounts:
        place = Place("http://qc", Pace(30, 10), 60)
        return Accounts({Target.REAL: place}, httpx.AsyncClient, box)

    return make


async def test_configs_of_one_account_share_one_limiter(accounts: Callable[..., Accounts]) -> None:
    private, public = new_key_pair()
    opener = accounts(SecretBox(private))

    def config(name: str, user: str = "123") -> QuantConnectConfig:
        sealed = seal(public, config_id=name, field="token", plaintext=TOKEN)
        return QuantConnectConfig(id=name, name=name, user_id=user, token_sealed=sealed)

    one, two, other = (opener.open(config(*c)) for c in (("a",), ("b",), ("c", "124")))
    assert one.transport.limiter is two.transport.limiter
    assert one.transport.limiter is not other.transport.limiter
    moved = config("a").model_copy(update={"id": "z"})
    with pytest.raises(SealedShut, match="another place"):
        opener.open(moved)
    with pytest.raises(SealedShut, match="no key"):
        accounts(NoBox()).open(config("a"))
    await opener.close()
