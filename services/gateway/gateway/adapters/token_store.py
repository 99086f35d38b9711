"""Tokens of programs. Only their hashes are stored."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Row, delete, select, update

from gateway.adapters.primary_tables import api_tokens
from gateway.domain.tokens import ApiToken
from signalbox.contracts.errors import Conflict


def add(sql: Connection, token: ApiToken) -> None:
    """Keep a token; one of the same name that has ended makes room.

    Raises:
        Conflict: another one has this name.
    """
    named = api_tokens.c.name == token.name
    sql.execute(delete(api_tokens).where(named, api_tokens.c.expires_at <= token.created_at))
    if sql.scalar(select(api_tokens.c.id).where(named)) is not None:
        raise Conflict(f"there is a token {token.name}; delete it first, or pick another name")
    row = {**token.model_dump(), "scopes": " ".join(token.scopes)}
    sql.execute(api_tokens.insert(), [row])


def find(sql: Connection, token_id: str) -> ApiToken | None:
    """The token with this id."""
    row = sql.execute(select(api_tokens).where(api_tokens.c.id == token_id)).one_or_none()
    return _token(row) if row else None


def every(sql: Connection) -> Sequence[ApiToken]:
    """All of them, newest first."""
    query = select(api_tokens).order_by(api_tokens.c.created_at.desc(), api_tokens.c.id)
    return [_token(row) for row in sql.execute(query)]


def remove(sql: Connection, token_id: str) -> ApiToken | None:
    """Take a token back: what it was, or none when there is none."""
    found = find(sql, token_id)
    sql.execute(delete(api_tokens).where(api_tokens.c.id == token_id))
    return found


def used(sql: Connection, token_id: str, at: datetime) -> None:
    """Note that it was used."""
    sql.execute(update(api_tokens).where(api_tokens.c.id == token_id).values(last_used_at=at))


def _token(row: Row[tuple[object, ...]]) -> ApiToken:
    fields = row._asdict()
    return ApiToken.model_validate({**fields, "scopes": tuple(fields["scopes"].split())})
