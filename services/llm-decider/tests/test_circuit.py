"""When a provider is left alone, and when it is tried again."""

from datetime import UTC, datetime, timedelta

import pytest

from llm_decider.domain.circuit import Circuit
from llm_decider.domain.shapes import Booking, Failure

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def failure(
    kind: str = "provider_error", *, breaks: bool = False, wait_s: float | None = None
) -> Failure:
    return Failure(kind, "It broke.", Booking.HOLD, retry=True, retry_after_s=wait_s, breaks=breaks)


def run_of(count: int, kind: str = "provider_error") -> Circuit:
    circuit = Circuit()
    for _ in range(count):
        circuit = circuit.failed(failure(kind), NOW)
    return circuit


def test_a_run_of_failures_opens_it_and_one_call_tries() -> None:
    assert run_of(4).blocks(NOW) is None
    circuit = run_of(5)
    blocked = circuit.blocks(after(29))
    assert blocked is not None
    assert (blocked.booking, blocked.retry, blocked.kind) == (
        Booking.RELEASE,
        False,
        "provider_error",
    )
    assert blocked.message == "It broke. Not asked for 1 s."
    assert (circuit.since, circuit.trouble) == (NOW, failure())
    assert circuit.blocks(after(30)) is None
    trying = circuit.probing(after(30))
    assert trying.blocks(after(31)) is not None, "only one"
    assert trying.worked().blocks(after(31)) is None
    again = trying.failed(failure(), after(32))
    assert again.blocks(after(32 + 59)) is not None, "twice as long"
    assert again.blocks(after(32 + 60)) is None
    assert again.since == NOW


def test_an_answer_ends_a_run() -> None:
    circuit = run_of(4).worked().failed(failure(), NOW)
    assert circuit.blocks(NOW) is None


def test_the_pause_is_bounded() -> None:
    circuit = Circuit()
    at = NOW
    for _ in range(20):
        circuit = circuit.failed(failure(), at)
        at = circuit.until or at
        circuit = circuit.probing(at)
    assert circuit.until is not None
    assert (circuit.until - at).total_seconds() <= 300


@pytest.mark.parametrize("kind", ["credentials", "exhausted", "unknown_model"])
def test_a_refusal_for_good_opens_it_at_once(kind: str) -> None:
    circuit = Circuit().failed(failure(kind, breaks=True), NOW)
    blocked = circuit.blocks(after(1))
    assert blocked is not None
    assert blocked.kind == kind
    assert "for 5 minutes" in blocked.message
    assert circuit.blocks(after(300)) is None


def test_a_try_that_never_ended_does_not_block_for_ever() -> None:
    circuit = run_of(5).probing(after(30))
    assert circuit.blocks(after(329)) is not None
    assert circuit.blocks(after(331)) is None


def test_a_limit_is_waited_for_and_is_no_failure() -> None:
    circuit = Circuit().failed(failure("rate_limited", wait_s=20), NOW)
    assert circuit.blocks(NOW) is None
    assert circuit.wait_s(after(5)) == 15
    assert circuit.wait_s(after(21)) == 0
    assert circuit.worked().wait_s(after(5)) == 15, "another call's answer does not lift it"
    shorter = circuit.failed(failure("rate_limited", wait_s=1), NOW)
    assert shorter.wait_s(NOW) == 20
    assert Circuit().failed(failure("rate_limited"), NOW).wait_s(NOW) == 1
    assert Circuit().failed(failure("rate_limited", wait_s=1e12), NOW).wait_s(NOW) <= 86_400
    assert run_of(50, "rate_limited").trouble is None


def test_our_own_limit_is_not_held_against_it() -> None:
    assert run_of(50, "busy").trouble is None


def test_a_provider_that_hangs_is_left_alone() -> None:
    assert run_of(4, "deadline").trouble is None
    assert run_of(5, "deadline").blocks(after(29)) is not None
