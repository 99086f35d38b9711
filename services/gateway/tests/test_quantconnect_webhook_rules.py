"""The rules of webhooks: what proves a caller, which secrets hold, how often one may call."""

import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain import webhooks
from gateway.domain.webhooks import Allowance, Call
from signalbox.testing.examples import NOON


def signature(token: str, text: str) -> str:
    return "sha256=" + hmac.new(token.encode(), text.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize("mode", ["token", "signature"])
@pytest.mark.parametrize("right", ["one", "two", "none"])
def test_the_time_of_a_comparison_says_nothing(
    monkeypatch: pytest.MonkeyPatch, mode: str, right: str
) -> None:
    compared: list[bytes] = []
    real = hmac.compare_digest

    def counted(left: bytes, right: bytes) -> bool:
        compared.append(left)
        return real(left, right)

    monkeypatch.setattr(hmac, "compare_digest", counted)
    text = "what an algorithm says"
    shown = {"token": right, "signature": signature(right, text)}[mode]
    call = Call(json.dumps({"payload": text}), **{mode: shown})
    found = webhooks.proof(call, webhooks.read(call.body), ["one", "two"])
    assert found == (None if right == "none" else mode)
    assert len(compared) == 2, "no secret is passed over, and no other comparison is used"


def test_every_secret_is_tried() -> None:
    text = "what an algorithm says"
    call = Call(json.dumps({"payload": text}), signature=signature("two", text))
    found = webhooks.read(call.body)
    assert webhooks.proof(call, found, ["one", "two"]) == "signature"
    assert webhooks.proof(call, found, ["one"]) is None
    assert webhooks.proof(call, found, []) is None
    assert webhooks.proof(Call("", token=""), webhooks.read(""), [""]) == "token"


def test_old_secrets_end_and_are_few() -> None:
    hook, day = None, timedelta(days=1)
    for number in range(5):
        hook = webhooks.renewed(
            hook, f"s{number}", "h", at=NOON + timedelta(hours=number), overlap=day
        )
    assert hook is not None
    assert hook.valid(NOON + timedelta(hours=4)) == ("s4", "s3", "s2")
    assert hook.valid(NOON + timedelta(hours=27, minutes=30)) == ("s4", "s3")
    assert hook.valid(NOON + timedelta(hours=28)) == ("s4",)


def test_an_allowance_fills_up_again() -> None:
    allowance, waits = Allowance(NOON), []
    for _ in range(Allowance.BURST + 1):
        allowance, wait = allowance.take(NOON)
        waits.append(wait)
    assert waits == [timedelta(0)] * Allowance.BURST + [Allowance.PAUSE]
    allowance, wait = allowance.take(NOON + Allowance.PAUSE)
    assert not wait
    later = NOON + timedelta(hours=1)
    assert not any(allowance.take(later)[1] for _ in range(Allowance.BURST))


@given(st.text() | st.binary().map(lambda raw: raw.decode(errors="surrogateescape")))
def test_whatever_comes_is_read(body: str) -> None:
    found = webhooks.read(body)
    call = Call(body, token=body, signature=body)
    assert webhooks.proof(call, found, ["secret"]) is None
    assert webhooks.push_id("mine", found) != webhooks.push_id("other", found)


def test_a_deep_body_is_no_trouble() -> None:
    assert webhooks.read("[" * 65_000).value is None
