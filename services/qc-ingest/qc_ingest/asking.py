"""What every command does: read its body, ask QuantConnect within its deadline, fail in words."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date

from pydantic import JsonValue

from qc_ingest.adapters.accounts import Accounts
from qc_ingest.adapters.quantconnect import QuantConnect
from qc_ingest.domain.answers import SealedShut, WrongCredentials, trouble_of
from qc_ingest.domain.health import explain
from qc_ingest.polling import Host
from signalbox.contracts.commands import Command
from signalbox.contracts.config import QuantConnectConfig
from signalbox.contracts.errors import (
    Conflict,
    Malformed,
    NotFound,
    PermanentError,
    RateLimited,
    Refused,
    SignalboxError,
    TransientError,
)

_LONGEST_S = 60.0
_MOST_PARAMETERS = 50
_MOST_HEADERS = 10
_CALLERS_KNOW = (NotFound, Refused, Conflict, Malformed)


def config_of(host: Host, config_id: str) -> QuantConnectConfig:
    """The config of this id.

    Raises:
        NotFound: there is none.
    """
    for config in host.moment().config.quantconnect:
        if config.id == config_id:
            return config
    raise NotFound(f"no QuantConnect config {config_id!r}")


def chosen_configs(host: Host, command: Command) -> list[QuantConnectConfig]:
    """The config that a command names, else all active ones."""
    if command.body.get("config_id") is not None:
        return [config_of(host, text(command, "config_id"))]
    return [config for config in host.moment().config.quantconnect if config.active]


def time_left_s(host: Host, command: Command) -> float:
    """How long somebody waits for the answer."""
    left_s = (command.deadline - host.moment().wall).total_seconds()
    return min(max(left_s - 0.2, 0.1), _LONGEST_S)


@asynccontextmanager
async def talking(
    accounts: Accounts, config: QuantConnectConfig, left_s: float
) -> AsyncIterator[QuantConnect]:
    """A client that does not repeat; what goes wrong becomes an error that the caller knows.

    Raises:
        SignalboxError: in words, of a kind that travels.
    """
    client: QuantConnect | None = None
    try:
        async with asyncio.timeout(left_s):
            client = accounts.open(config, patient=False)
            yield client
    except TimeoutError as error:
        raise TransientError("QuantConnect did not answer in time. Try again.") from error
    except (PermanentError, TransientError) as error:
        raise _for_caller(error, config, client.skew_s if client else None) from error


def _for_caller(
    error: PermanentError | TransientError, config: QuantConnectConfig, skew_s: float | None
) -> SignalboxError:
    for kind in _CALLERS_KNOW:
        if isinstance(error, kind):
            return kind(str(error))
    words = explain(trouble_of(error), str(error), user_id=config.user_id, skew_s=skew_s)
    if isinstance(error, RateLimited):
        return RateLimited(words, retry_after_s=error.retry_after_s)
    if isinstance(error, TransientError):
        return TransientError(words)
    told = isinstance(error, WrongCredentials | SealedShut)
    return PermanentError(words if told else str(error))


def text(command: Command, key: str) -> str:
    """A text that has to be there.

    Raises:
        Malformed: it is not.
    """
    value = command.body.get(key)
    if not isinstance(value, str) or not value:
        raise Malformed(f"{key} is missing")
    return value


def optional_text(command: Command, key: str, *, longest: int = 128) -> str:
    """A text, empty when there is none.

    Raises:
        Malformed: something else, or too long.
    """
    value = command.body.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > longest:
        raise Malformed(f"{key} is not a text of at most {longest} characters")
    return value.strip()


def integer(command: Command, key: str, default: int | None = None) -> int:
    """A whole number.

    Raises:
        Malformed: there is none, and no default.
    """
    value = command.body.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Malformed(f"{key} is not a whole number")
    return value


def day(command: Command, key: str) -> date | None:
    """A date such as `2026-01-31`, if there is one.

    Raises:
        Malformed: something else.
    """
    value = optional_text(command, key)
    if not value:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise Malformed(f"{key} is not a date such as 2026-01-31") from error


def parameters(command: Command) -> dict[str, JsonValue]:
    """The algorithm's parameters: at most 50, names to short texts or numbers.

    Raises:
        Malformed: something else.
    """
    value = command.body.get("parameters") or {}
    if not isinstance(value, dict) or len(value) > _MOST_PARAMETERS:
        raise Malformed(f"parameters is not a map of at most {_MOST_PARAMETERS} names")
    found: dict[str, JsonValue] = {}
    for name, given in value.items():
        is_plain = isinstance(given, str | int | float) and not isinstance(given, bool)
        if not is_plain or not 0 < len(name) <= 64 or len(str(given)) > 256:
            raise Malformed(f"parameter {name[:64]!r} is not a short text or a number")
        found[name] = str(given)
    return found


def notify(command: Command) -> dict[str, JsonValue] | None:
    """Where QuantConnect is to call, with its headers.

    Raises:
        Malformed: no address, or headers that are no short texts.
    """
    given = command.body.get("notify")
    if given is None:
        return None
    if not isinstance(given, dict):
        raise Malformed("notify is not an object")
    url, headers = given.get("url"), given.get("headers") or {}
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise Malformed("notify.url is not an http or https address")
    if not isinstance(headers, dict) or len(headers) > _MOST_HEADERS or len(url) > 500:
        raise Malformed(f"notify.headers is not a map of at most {_MOST_HEADERS} names")
    if not all(isinstance(value, str) and len(value) <= 500 for value in headers.values()):
        raise Malformed("notify.headers holds something that is not a short text")
    return {"url": url, "headers": headers}
