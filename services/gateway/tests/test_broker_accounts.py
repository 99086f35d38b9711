"""Accounts at a broker: keys go in, sealed to the executor, and never come out."""

from typing import Any

import pytest

from signalbox.contracts.accounts import AccountConfig
from signalbox.contracts.config import ExecutorConfig, Versioned

KEY, SECRET = "PKCANARYKEY00042", "canary-secret-7715"
BODY = {"id": "broker", "broker": "alpaca", "api_key": KEY, "api_secret": SECRET}


def told(gateway: Any) -> AccountConfig:
    """What the executor is told of the account."""
    raw = gateway.service.buckets["CONFIG", "executor"]
    document = Versioned[ExecutorConfig].model_validate_json(raw).document
    return next(account for account in document.accounts if account.id == "broker")


async def test_keys_are_sealed_to_the_executor_and_never_shown(gateway: Any) -> None:
    async with gateway() as web:
        made = await web.post("/api/accounts", json=BODY)
        listed = await web.get("/api/accounts")
    shown = made.json()
    assert (made.status_code, shown["target"], shown["mode"]) == (201, "real", "paper")
    assert (shown["key_hint"], shown["keys_at"] is None) == ("0042", False)
    account, box = told(gateway), gateway.service.executor_box
    opened = [
        box.open(account.key_sealed, config_id="broker", field="api_key"),
        box.open(account.secret_sealed, config_id="broker", field="api_secret"),
    ]
    assert opened == [KEY, SECRET]
    everything = made.text + listed.text + str(gateway.service.sent) + str(gateway.service.buckets)
    assert KEY not in everything
    assert SECRET not in everything


async def test_new_keys_take_the_place_of_the_old_and_other_changes_keep_them(gateway: Any) -> None:
    async with gateway() as web:
        await web.post("/api/accounts", json=BODY)
        before = told(gateway)
        renamed = await web.post("/api/accounts", json={"id": "broker", "name": "Mine"})
        assert (renamed.status_code, told(gateway).key_sealed) == (200, before.key_sealed)
        again = {"id": "broker", "api_key": "PKOTHER", "api_secret": "other"}
        await web.post("/api/accounts", json=again)
    account = told(gateway)
    opened = gateway.service.executor_box.open(
        account.secret_sealed, config_id="broker", field="api_secret"
    )
    assert (account.name, opened) == ("Mine", "other")


@pytest.mark.parametrize(
    ("over", "status", "words"),
    [
        pytest.param({"api_secret": None}, 422, "send both", id="half of the keys"),
        pytest.param({"api_key": None, "api_secret": None}, 422, "needs api_key", id="no keys"),
        pytest.param({"broker": "paper"}, 422, "has no keys", id="keys of a paper account"),
        pytest.param(
            {"broker": "paper", "mode": "live", "api_key": None, "api_secret": None},
            422,
            "no live mode",
            id="live paper",
        ),
        pytest.param({"broker": "other"}, 422, "", id="no such broker"),
        pytest.param({"api_key": "PK\u200b1"}, 422, "copy it again", id="invisible character"),
        pytest.param({"api_secret": "a b"}, 422, "copy it again", id="blank in a secret"),
    ],
)
async def test_what_does_not_fit_is_refused(
    gateway: Any, over: dict[str, Any], status: int, words: str
) -> None:
    body = {name: value for name, value in (BODY | over).items() if value is not None}
    async with gateway() as web:
        refused = await web.post("/api/accounts", json=body)
    assert refused.status_code == status
    assert words in refused.text
    assert SECRET not in refused.text


@pytest.mark.parametrize("over", [{"mode": "live"}, {"target": "sandbox"}, {"broker": "paper"}])
async def test_an_account_keeps_its_broker_its_money_and_its_place(
    gateway: Any, over: dict[str, str]
) -> None:
    async with gateway() as web:
        await web.post("/api/accounts", json=BODY)
        refused = await web.post("/api/accounts", json={"id": "broker", **over})
    assert refused.status_code == 409
    assert "add another account" in refused.json()["detail"]


async def test_saying_live_binds_a_bot_anew(gateway: Any) -> None:
    async with gateway() as web:
        await web.post("/api/bots", json={"id": "alpha"})
        changed = await web.post("/api/bots", json={"id": "alpha", "live": True})
    assert (changed.json()["live"], changed.json()["bound_version"]) == (True, 3)
