"""How much one key is asked: at once, and in a minute."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_decider.adapters import anthropic_client, openai_client
from llm_decider.adapters.lines import Limits, Line
from llm_decider.adapters.providers import Addresses, Providers
from llm_decider.domain.pace import Bucket
from llm_decider.domain.shapes import Ask, Booking, Failure, Question, Reply
from llm_decider.settings import Settings
from signalbox.contracts.config import LlmConfig
from signalbox.testing.bodies import completion, message, response
from signalbox.testing.scripted import How, Script, Seen, Step, scripted
from signalbox.testing.wait import until

LOADED = (anthropic_client, openai_client)  # so that no deadline below includes it
DEFAULT = Limits(Settings.model_fields["llm_in_flight"].default)
GOOD: dict[str, Callable[..., dict[str, Any]]] = {
    "responses": response,
    "chat": completion,
    "messages": message,
}
QUESTION = Question(("AAPL",), "Rules.", "Data.", {}, {}, frozenset(), {}, 3600, "0")
wires = pytest.mark.parametrize("wire", ["responses", "chat", "messages"])


class Open:
    """Opens every sealed key as itself."""

    def open(self, sealed: str, *, config_id: str, field: str) -> str:
        assert (config_id, field) == ("m", "key")
        return sealed


def line(script: Script, wire: str = "chat", limits: Limits = DEFAULT) -> Line:
    config = LlmConfig.model_validate(
        {
            "id": "m",
            "name": "M",
            "provider": "claude" if wire == "messages" else "openai",
            "wire": "responses" if wire == "messages" else wire,
            "key_sealed": "sk-canary-5f0d6b3e9a41",
            "model": "m",
            "prompt_id": "p",
            "symbols": ("AAPL",),
        }
    )
    return Providers(Addresses(*[script.url] * 3), Open(), limits).open(config)


def ask(timeout_s: float = 5.0, model: str = "m") -> Ask:
    return Ask(QUESTION, model, max_tokens=500, timeout_s=timeout_s)


@wires
async def test_twenty_calls_are_under_way_at_once(wire: str) -> None:
    async with scripted(Step(how=How.HANG)) as script:
        provider = line(script, wire)
        calls = asyncio.gather(*(provider.ask(ask(60.0)) for _ in range(20)))
        await until(lambda: script.open == 20)
        script.release.set()
        await calls
        script.steps = [Step(200, GOOD[wire]())]
        found = await asyncio.gather(*(provider.ask(ask()) for _ in range(20)))
        await provider.close()
    assert all(isinstance(reply, Reply) for reply in found)


@wires
async def test_a_cancelled_call_stays_cancelled(wire: str) -> None:
    async with scripted(Step(how=How.HANG)) as script:
        provider = line(script, wire)
        task = asyncio.create_task(provider.ask(ask()))
        await until(lambda: bool(script.seen))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await provider.close()


async def test_no_more_calls_at_once_than_allowed() -> None:
    async with scripted(Step(how=How.HANG)) as script:
        provider = line(script, limits=Limits(in_flight=2))
        patience_s = (1.5, 1.5, 0.7, 0.7, 0.7)
        found = await asyncio.gather(*(provider.ask(ask(s)) for s in patience_s))
        await provider.close()
        assert len(script.seen) == 2
    kinds = sorted(failure.kind for failure in found if isinstance(failure, Failure))
    assert kinds == ["busy", "busy", "busy", "deadline", "deadline"]


def told(wire: str, kind: str, limit: str, left: str) -> dict[str, str]:
    """A provider's headers about one of its limits a minute."""
    if wire == "messages":
        name = "anthropic-ratelimit-" + kind
        return {f"{name}-limit": limit, f"{name}-remaining": left, f"{name}-reset": "2026-11-23"}
    name = "x-ratelimit-{}-" + kind
    return {name.format("limit"): limit, name.format("remaining"): left}


@pytest.mark.parametrize(
    ("limits", "made"),
    [
        pytest.param(Limits(requests_per_minute=2), 2, id="requests"),
        pytest.param(Limits(tokens_per_minute=800), 2, id="tokens, of which an answer used 280"),
        pytest.param(Limits(tokens_per_minute=100), 1, id="one that is larger than the limit"),
        pytest.param(DEFAULT, 6, id="no limit"),
    ],
)
async def test_a_call_beyond_a_minutes_limit_is_not_made(limits: Limits, made: int) -> None:
    usage = {"prompt_tokens": 230, "completion_tokens": 50, "total_tokens": 280}
    async with scripted(Step(200, completion(usage=usage))) as script:
        provider = line(script, limits=limits)
        found = [await provider.ask(ask(2.0)) for _ in range(6)]
        await provider.close()
    assert len(script.seen) == made
    for refused in found[made:]:
        assert isinstance(refused, Failure)
        assert (refused.kind, refused.booking, refused.retry) == ("busy", Booking.RELEASE, False)


@wires
@pytest.mark.parametrize("kind", ["requests", "tokens"])
async def test_a_call_waits_until_the_provider_takes_it(wire: str, kind: str) -> None:
    at: list[float] = []

    def answer(_seen: Seen) -> Step:
        at.append(asyncio.get_running_loop().time())
        size = {"requests": 120, "tokens": 60_000}[kind]  # so half a second for the next
        return Step(200, GOOD[wire](), told(wire, kind, str(size), "0"))

    async with scripted(answer) as script:
        provider = line(script, wire)
        found = [await provider.ask(ask()) for _ in range(2)]
        await provider.close()
    assert all(isinstance(reply, Reply) for reply in found)
    assert at[1] - at[0] > 0.4


@wires
async def test_what_a_provider_tells_of_a_model_holds_up_no_other(wire: str) -> None:
    step = Step(200, GOOD[wire](), told(wire, "requests", "1", "0"))
    async with scripted(step) as script:
        provider = line(script, wire)
        first, same, other = [await provider.ask(ask(2.0, model)) for model in ("m", "m", "other")]
        await provider.close()
    assert isinstance(first, Reply)
    assert isinstance(other, Reply)
    assert isinstance(same, Failure)
    assert (same.kind, len(script.seen)) == ("busy", 2)


@wires
async def test_a_call_that_waits_for_its_minute_keeps_no_other_from_the_key(wire: str) -> None:
    spent = Step(200, GOOD[wire](), told(wire, "requests", "20", "0"))  # 3 s for the next
    async with scripted(spent) as script:
        provider = line(script, wire, Limits(in_flight=1))
        await provider.ask(ask())
        waiting = asyncio.create_task(provider.ask(ask()))
        await asyncio.sleep(0)  # it begins
        other = await provider.ask(ask(model="other"))
        again = await provider.ask(ask(model="third"))
        assert not waiting.done()
        found = await waiting
        await provider.close()
    assert all(isinstance(reply, Reply) for reply in (other, again, found))
    assert [seen.body["model"] for seen in script.seen] == ["m", "other", "third", "m"]


async def test_who_gets_the_slot_after_a_faster_one_waits_for_the_minute_again() -> None:
    async with scripted(Step(how=How.HANG), Step(200, completion())) as script:
        provider = line(script, limits=Limits(in_flight=1, requests_per_minute=2))
        first = asyncio.create_task(provider.ask(ask(60.0)))
        await until(lambda: script.open == 1)
        others = asyncio.gather(*(provider.ask(ask(2.0)) for _ in range(2)))
        await asyncio.sleep(0)  # both wait for the slot, and for the one request that is left
        script.release.set()
        found = await others
        first.cancel()
        await provider.close()
    assert len(script.seen) == 2
    assert sorted(one.kind for one in found if isinstance(one, Failure)) == ["busy"]


@pytest.mark.parametrize(
    ("limit", "left"),
    [
        ("-1", "-1"),
        ("0", "0"),
        ("", "0"),
        ("60", ""),
        ("many", "0"),
        ("60", "0.5"),
        ("9" * 99, "0"),
    ],
)
async def test_headers_that_say_nothing_hold_nothing_up(limit: str, left: str) -> None:
    async with scripted(Step(200, completion(), told("chat", "requests", limit, left))) as script:
        provider = line(script)
        found = [await provider.ask(ask()) for _ in range(3)]
        await provider.close()
    assert all(isinstance(reply, Reply) for reply in found)


@given(
    size=st.integers(1, 100),
    calls=st.lists(st.tuples(st.floats(0, 30), st.integers(1, 150)), max_size=40),
)
def test_no_minute_uses_more_than_what_was_left_and_what_came_back(
    size: int, calls: list[tuple[float, int]]
) -> None:
    bucket, now = Bucket(size, size), 0.0
    used: list[tuple[float, int]] = []
    for pause_s, amount in calls:
        now += pause_s + bucket.wait_s(amount, now + pause_s)
        assert bucket.wait_s(amount, now) < 1e-6
        bucket = bucket.take(amount, now)
        used.append((now, min(amount, size)))
    for first, (since, _) in enumerate(used):
        for last, (until_, _) in enumerate(used[first:], start=first):
            came_back = size * (until_ - since) / 60
            assert sum(n for _, n in used[first : last + 1]) <= size + came_back + 1e-6
