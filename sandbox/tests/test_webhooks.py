"""What live algorithms post: the emitter's body, signed, within the quota."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from sandbox.quantconnect.deployment import Deployment, Target
from sandbox.quantconnect.desk import Desk
from sandbox.quantconnect.endpoints import Context, Pace
from sandbox.tests.bars import SWINGS, minutes
from sandbox.tests.client import MOMENTUM
from signalbox.testing.examples import NOON
from signalbox.testing.wait import until

HOOK = "http://hook/here"
EVERYTHING = frozenset({"insight", "orderEvent"})


@dataclass
class Received:
    """The other side of the hook."""

    requests: list[httpx.Request] = field(default_factory=list)
    status: int = 202

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.status == 0:
            raise httpx.ConnectError("nobody there", request=request)
        return httpx.Response(self.status)

    @property
    def texts(self) -> list[str]:
        return [json.loads(request.content)["payload"] for request in self.requests]

    def all(self, key: str) -> list[Any]:
        return [item for text in self.texts for item in json.loads(text).get(key, [])]


@asynccontextmanager
async def pushing(
    *targets: Target, credit: float = 10_000, **pace: Any
) -> AsyncIterator[tuple[Context, Deployment, Received]]:
    """The momentum deployment before its first bar, and where its posts arrive."""
    received, desk = Received(), Desk()
    context = Context(desk, lambda: 1_790_000_000.0, Pace(**pace), credit=credit)
    transport = httpx.MockTransport(received.answer)
    context.courier.http = httpx.AsyncClient(transport=transport)
    desk.begin(1, [])
    deployment = desk.newest(MOMENTUM)
    assert deployment is not None
    deployment.launched = NOON
    deployment.targets = targets
    yield context, deployment, received
    await context.close()


async def go_on(context: Context, first: int = 0, last: int = len(SWINGS)) -> None:
    for bar in minutes(SWINGS)[first:last]:
        context.desk.take(bar, 0.0)
    await until(lambda: not context.tasks.running)


async def test_targets_get_what_they_ask_for() -> None:
    both = Target(HOOK, {"X-Token": "t"}, EVERYTHING)
    async with pushing(both) as (context, deployment, received):
        await go_on(context)
        insights, fills = received.all("insights"), received.all("orderEvents")
        assert [i["id"] for i in insights] == [i["id"] for i in deployment.insights]
        words = {"up": 1, "flat": 0, "down": -1}
        expected = [words[i["direction"]] for i in deployment.insights]
        assert [i["direction"] for i in insights] == expected
        assert [f["id"] for f in fills] == [o["events"][1]["id"] for o in deployment.orders]
        assert all(f["status"] == 3 for f in fills)
        body = json.loads(received.texts[0])
        assert (body["projectId"], body["deployId"]) == (MOMENTUM, deployment.deploy_id)
        assert (body["v"], body["sentAt"]) == (1, 1_790_000_000)
        assert {r.headers["x-token"] for r in received.requests} == {"t"}
        assert not any("x-signalbox-signature" in r.headers for r in received.requests)


async def test_insights_alone() -> None:
    only = Target(HOOK, events=frozenset({"insight"}))
    async with pushing(only) as (context, deployment, received):
        await go_on(context)
        assert len(received.all("insights")) == len(deployment.insights)
        assert received.all("orderEvents") == []


async def test_the_emitter_signs_with_the_projects_key() -> None:
    async with pushing() as (context, deployment, received):
        deployment.parameters |= {"signalbox_url": HOOK, "signalbox_key": "k3y"}
        await go_on(context)
        assert received.all("insights")
        for request, text in zip(received.requests, received.texts, strict=True):
            digest = hmac.new(b"k3y", text.encode(), hashlib.sha256).hexdigest()
            assert request.headers["x-signalbox-signature"] == f"sha256={digest}"
            assert "k3y" not in f"{request.content!r}{request.headers}"


async def test_words_travel_together_when_they_are_collected() -> None:
    async with pushing(Target(HOOK, events=EVERYTHING), flush_s=0.05) as (context, _, received):
        await go_on(context)
        assert len(received.requests) == 1
        assert len(received.all("insights")) == 4


async def test_beyond_the_quota_each_post_costs_until_nothing_is_left() -> None:
    target = Target(HOOK, events=frozenset({"insight"}))
    async with pushing(target, credit=2, webhooks_per_hour=1) as (context, deployment, received):
        for number in range(len(SWINGS)):
            await go_on(context, number, number + 1)
        assert len(deployment.insights) == 4
        assert len(received.requests) == 3
        assert context.credit == 0
        assert "no quota, no credit" in deployment.logs[-1]


async def test_a_dead_address_costs_the_message_only() -> None:
    async with pushing(Target(HOOK, events=EVERYTHING)) as (context, deployment, received):
        received.status = 0
        await go_on(context, 0, 9)
        received.status = 500
        await go_on(context, 9, 20)
        assert len(received.all("insights")) == len(deployment.insights) > 1


async def test_what_was_before_a_restart_is_not_told_again() -> None:
    async with pushing() as (context, deployment, received):
        deployment.targets = (Target(HOOK, events=EVERYTHING),)
        context.desk.begin(2, minutes(SWINGS[:9], epoch=2))
        newest = context.desk.newest(MOMENTUM)
        assert newest is not None
        assert newest.insights
        assert received.requests == []
        for bar in minutes(SWINGS, epoch=2)[9:]:
            context.desk.take(bar, 0.0)
        await until(lambda: not context.tasks.running)
        told = [i["id"] for i in received.all("insights")]
        assert told == [i["id"] for i in newest.insights][1:]


@pytest.mark.parametrize("address", ["http://[", "ftp://x", "http://a b/"])
async def test_a_broken_address_stops_nothing(address: str) -> None:
    async with pushing(Target(address, events=EVERYTHING)) as (context, deployment, received):
        context.courier.http = httpx.AsyncClient(timeout=1)
        await go_on(context)
        assert len(deployment.insights) == 4
        assert received.requests == []
