"""Turns what a caller sends into the next configuration. Fields that are left out stay."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from pydantic import BaseModel

from gateway.domain import setup as rules
from gateway.domain.bodies import (
    AccountBody,
    BotBody,
    FlagsBody,
    KillSwitchBody,
    StrategyBody,
    free_id,
)
from gateway.domain.connections import Connection, fingerprint, hint
from gateway.domain.quantconnect_bodies import ConnectionBody
from gateway.domain.setup import Setup, find, pick, put
from signalbox.contracts.accounts import AccountConfig, KillSwitch
from signalbox.contracts.config import BotConfig, StrategyInstance
from signalbox.contracts.errors import Conflict, Malformed
from signalbox.contracts.limits import Limits
from signalbox.contracts.values import SourceType, Target, Value

I = TypeVar("I")  # noqa: E741 - one item of the configuration

QUANTCONNECT = "quantconnect"
PAPER = "paper"
NOBODY = "none"  # the bot in a verdict on a signal that no bot listens to


@dataclass(frozen=True, slots=True)
class Saved(Generic[I]):
    """The next configuration, and the item that was added or changed."""

    setup: Setup
    item: I
    created: bool


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """A secret as it may be kept, and what may be shown of it."""

    sealed: str
    hint: str
    fingerprint: str

    @classmethod
    def of(cls, api_key: str, secret: str, sealed: str) -> "SealedSecret":
        """What is kept of a QuantConnect token."""
        return cls(sealed, hint(secret), fingerprint(QUANTCONNECT, api_key, secret))


def fields_of(body: BaseModel, *clearable: str) -> dict[str, object]:
    """The fields that were sent; null counts only where it clears something."""
    sent = body.model_dump(exclude_unset=True, exclude={"id"})
    return {k: v for k, v in sent.items() if v is not None or k in clearable}


def needs(fields: Mapping[str, object], *names: str) -> None:
    """Refuse a new item that lacks one of these.

    Raises:
        Malformed: one is missing.
    """
    missing = [name for name in names if not fields.get(name)]
    if missing:
        raise Malformed(f"a new one needs {' and '.join(missing)}")


def save_bot(setup: Setup, body: BotBody, version: int) -> Saved[BotConfig]:
    """Add a bot, with a paper account of its own unless one is named, or change one.

    Raises:
        Malformed: its id would be the word for no bot at all, or it would be halted by a smaller
            loss than the one that stops its entries.
        NotFound: there is no such account.
        Conflict: the account belongs to another bot.
    """
    if body.id == NOBODY:
        raise Malformed(f"{NOBODY!r} stands for signals that no bot listens to; pick another id")
    taken = frozenset(b.id for b in setup.bots) | {NOBODY}
    key = free_id(body.id, body.name, taken, "bot")
    before = find(setup.bots, key)
    given = fields_of(body)
    if before is None:
        given = {"name": key, "account": key, "sources": _every_source(), **given}
        if body.account is None and find(setup.accounts, key) is None:
            own = AccountConfig(id=key, name=str(given["name"]))
            setup = rules.put_account(setup, own)
    fields = before.model_dump() if before else {}
    bot = BotConfig.model_validate({**fields, **_within(before, given), "id": key})
    if body.limits is not None:
        _losses_fit(bot.limits)
    after = rules.put_bot(setup, bot, version)
    return Saved(after, pick(after.bots, key, "bot"), before is None)


def _within(
    before: BotConfig | AccountConfig | None, given: Mapping[str, object]
) -> dict[str, object]:
    """What was sent, with what a group such as the limits has besides it."""
    merged = dict(given)
    for name, inner in given.items():
        group = getattr(before, name, None)
        if isinstance(group, Value) and isinstance(inner, Mapping):
            merged[name] = {**group.model_dump(), **inner}
    return merged


def _losses_fit(limits: Limits) -> None:
    if limits.max_daily_loss < 1 and limits.halt_daily_loss < limits.max_daily_loss:
        raise Malformed(
            f"halt_daily_loss is {limits.halt_daily_loss}, below max_daily_loss"
            f" {limits.max_daily_loss}: the bot would be halted before its entries stop"
        )


def _every_source() -> list[dict[str, object]]:
    return [{"source_type": kind} for kind in SourceType]


@dataclass(frozen=True, slots=True)
class SealedKeys:
    """The keys of an account at a broker as they may be kept, and what may be shown of them."""

    key: str
    secret: str
    hint: str
    at: datetime


def save_account(
    setup: Setup, body: AccountBody, keys: SealedKeys | None = None
) -> Saved[AccountConfig]:
    """Add an account, or change one; `keys` when they were sent.

    Raises:
        Malformed: keys are missing, or have no place to go.
        Conflict: it would become an account at another broker, or of another kind of money.
    """
    key = free_id(body.id, body.name, frozenset(a.id for a in setup.accounts), "account")
    before = find(setup.accounts, key)
    given = fields_of(body)
    given.pop("api_key", None)
    given.pop("api_secret", None)
    if before is None:
        at_broker = given.get("broker", PAPER) != PAPER
        target = {"target": Target.REAL} if at_broker else {}
        fields: dict[str, object] = {"name": key, **target}
    else:
        _stays_where_it_is(before, given)
        fields = before.model_dump()
    if keys is not None:
        fields |= {"key_sealed": keys.key, "secret_sealed": keys.secret}
        fields |= {"key_hint": keys.hint, "keys_at": keys.at}
    merged = _within(before, given)
    account = AccountConfig.model_validate({**fields, **merged, "id": key})
    _has_its_keys(account, before, keys)
    return Saved(rules.put_account(setup, account), account, before is None)


def _stays_where_it_is(before: AccountConfig, given: Mapping[str, object]) -> None:
    """Lots and orders belong to a broker and a kind of money: they cannot move elsewhere."""
    for name in ("broker", "mode", "target"):
        was = getattr(before, name)
        if given.get(name, was) != was:
            raise Conflict(f"account {before.id!r} keeps its {name} {was}; add another account")


def _has_its_keys(
    account: AccountConfig, before: AccountConfig | None, keys: SealedKeys | None
) -> None:
    if account.broker == PAPER:
        if keys is not None or account.mode != PAPER or account.target is not Target.SANDBOX:
            raise Malformed("a paper account has no keys, no live mode and no other target")
    elif before is None and keys is None:
        raise Malformed("an account at a broker needs api_key and api_secret")


def save_connection(
    setup: Setup,
    body: ConnectionBody,
    secret: SealedSecret | None,
    *,
    key: str,
    owner: str,
    at: datetime,
) -> Saved[Connection]:
    """Add a QuantConnect account, or change one; `secret` is the token when one was sent.

    Raises:
        Malformed: a new one lacks user id or token, or another user id or target comes without
            its token.
    """
    before = find(setup.connections, key)
    given = fields_of(body, "algorithm_id")
    given.pop("api_secret", None)
    names = {
        "api_key": "user_id",
        "algorithm_id": "project_id",
        "algorithm_name": "project_name",
        "is_active": "active",
    }
    fields = {names.get(name, name): value for name, value in given.items()}
    if before is None:
        needs({**given, "api_secret": secret}, "api_key", "api_secret")
        fields = {"name": key, "owner": owner, "created_at": at, **fields}
    elif secret is None:
        _keeps_its_token(before, fields)
    if secret is not None:
        fields |= {
            "token_sealed": secret.sealed,
            "secret_hint": secret.hint,
            "fingerprint": secret.fingerprint,
            "secret_at": at,
        }
    stored = before.model_dump() if before else {}
    connection = Connection.model_validate({**stored, **fields, "id": key, "updated_at": at})
    after = setup.model_copy(update={"connections": put(setup.connections, connection)})
    return Saved(after, connection, before is None)


def _keeps_its_token(before: Connection, fields: Mapping[str, object]) -> None:
    """A stored token goes only where it was entered for: never a real one to the sandbox."""
    if fields.get("user_id", before.user_id) != before.user_id:
        raise Malformed("another api_key needs its api_secret too")
    if fields.get("target", before.target) != before.target:
        raise Malformed("another target needs its api_secret too")


def save_strategy(setup: Setup, body: StrategyBody) -> Saved[StrategyInstance]:
    """Add a strategy, or change one.

    Raises:
        Malformed: a new one lacks its kind or its symbols.
    """
    named = f"{body.strategy} {' '.join(body.symbols or ())}" if body.strategy else None
    taken = frozenset(s.id for s in setup.strategies)
    key = free_id(body.id, named, taken, "strategy")
    before = find(setup.strategies, key)
    given = fields_of(body)
    if before is None:
        needs(given, "strategy", "symbols")
    fields = before.model_dump() if before else {}
    instance = StrategyInstance.model_validate({**fields, **given, "id": key})
    after = setup.model_copy(update={"strategies": put(setup.strategies, instance)})
    return Saved(after, instance, before is None)


def set_flags(setup: Setup, body: FlagsBody) -> Setup:
    """Let kinds of sources in, or keep them out."""
    given = {SourceType(name): bool(value) for name, value in fields_of(body).items()}
    return setup.model_copy(update={"flags": {**setup.flags, **given}})


def set_kill_switch(setup: Setup, body: KillSwitchBody, *, by: str, at: datetime) -> Setup:
    """Stop everything, accounts or bots; what is not named is released.

    Raises:
        NotFound: a named account or bot does not exist.
    """
    for account in sorted(body.accounts):
        pick(setup.accounts, account, "account")
    for bot in sorted(body.bots):
        pick(setup.bots, bot, "bot")
    switch = KillSwitch(**body.model_dump(), by=by, at=at)
    return setup.model_copy(update={"kill_switch": switch})
