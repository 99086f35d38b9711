"""Tokens of programs: what they may do, how long they hold, how they are written."""

import hashlib
import hmac
import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from gateway.domain.views import View
from signalbox.contracts.errors import Malformed
from signalbox.contracts.values import Slug, UtcTime, Value

LONGEST = timedelta(days=365)
USED_EVERY = timedelta(minutes=1)  # how exactly the last use is kept
_FORM = re.compile(r"sbx_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
_NOBODYS = hashlib.sha256(b"").hexdigest()


class Scope(StrEnum):
    """What a token is good for."""

    READ = "read"  # whatever a viewer may see
    WRITE_SIGNALS = "signals:write"  # raise signals under the token's name


class ApiToken(Value):
    """A token as it is kept: its hash, never itself."""

    id: str
    name: Slug  # the source id of its signals
    hash: str
    scopes: tuple[Scope, ...]
    created_by: str
    created_at: UtcTime
    expires_at: UtcTime
    last_used_at: UtcTime | None = None


class TokenBody(BaseModel):
    """A token to make."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Slug
    scopes: Annotated[frozenset[Scope], Field(min_length=1)]
    expires_at: UtcTime | None = None  # wall time; a year from now without it, and at most


class TokenView(View):
    """A token of a program. The token itself is nowhere to be read."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    created_by: str
    created_at: UtcTime
    expires_at: UtcTime
    last_used_at: UtcTime | None = None  # to the minute


class IssuedToken(TokenView):
    """A fresh token, with what is sent as `Authorization: Bearer …`. It is shown this once."""

    token: str


def written(token_id: str, secret: str) -> str:
    """The token as its owner sends it."""
    return f"sbx_{token_id}_{secret}"


def is_token(text: str) -> bool:
    """Whether this is meant to be a program's token; a session's has another form."""
    return text.startswith("sbx_")


def id_in(token: str) -> str | None:
    """The id that such a token names; none when it is not one of a program."""
    found = _FORM.fullmatch(token)
    return found[1] if found else None


def holds(known: ApiToken | None, token: str, now: datetime) -> bool:
    """Whether it is the one that is known, and has not expired; takes as long for any token."""
    given = hashlib.sha256(token.encode()).hexdigest()
    same = hmac.compare_digest(given, known.hash if known else _NOBODYS)
    return same and known is not None and now < known.expires_at


def expiry(wanted: datetime | None, now: datetime) -> datetime:
    """When a token made now ends.

    Raises:
        Malformed: in the past, or more than a year from now.
    """
    if wanted is None:
        return now + LONGEST
    if not now < wanted <= now + LONGEST:
        raise Malformed("expires_at must be after now and at most a year away")
    return wanted
