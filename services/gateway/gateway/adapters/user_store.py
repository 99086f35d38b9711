"""Users, their sessions, and sign-ins that failed. Tokens are stored as hashes only."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, select, update

from gateway.adapters.primary_tables import failures, sessions, users
from gateway.domain.roles import Person, Role
from gateway.domain.throttle import FORGOTTEN_AFTER, Failures
from signalbox.runtime.db import insert_new, upsert

SESSION_LASTS = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class User:
    """A user with what proves who it is."""

    person: Person
    password_hash: str


@dataclass(frozen=True, slots=True)
class Session:
    """A person who is signed in, until when, and the hash of the token."""

    person: Person
    hash: str
    expires_at: datetime


def hash_of(token: str) -> str:
    """What is stored instead of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def count(sql: Connection) -> int:
    """How many users there are."""
    return sql.scalar(select(func.count()).select_from(users)) or 0


def add(sql: Connection, person: Person, password_hash: str, at: datetime) -> None:
    """Add a user; one with this name already there stays as it is."""
    row = {
        "id": person.user_id,
        "username": person.username,
        "password_hash": password_hash,
        "role": person.role.value,
        "created_at": at,
    }
    sql.execute(insert_new(users), [row])


def find(sql: Connection, username: str) -> User | None:
    """The user of this name."""
    row = sql.execute(select(users).where(users.c.username == username)).one_or_none()
    if row is None:
        return None
    person = Person(user_id=row.id, username=row.username, role=Role(row.role))
    return User(person, row.password_hash)


def rehash(sql: Connection, user_id: str, password_hash: str) -> None:
    """Replace a hash that was made with old parameters."""
    sql.execute(update(users).where(users.c.id == user_id).values(password_hash=password_hash))


def open_session(sql: Connection, person: Person, token: str, now: datetime) -> Session:
    """Sign a person in under this token, and forget sessions that have ended."""
    session = Session(person, hash_of(token), now + SESSION_LASTS)
    sql.execute(delete(sessions).where(sessions.c.expires_at <= now))
    row = {
        "hash": session.hash,
        "user_id": person.user_id,
        "created_at": now,
        "expires_at": session.expires_at,
    }
    sql.execute(sessions.insert(), [row])
    return session


def session_of(sql: Connection, token: str, now: datetime) -> Session | None:
    """The session that this token opens, while it lasts."""
    query = (
        select(users.c.id, users.c.username, users.c.role, sessions.c.hash, sessions.c.expires_at)
        .join(users, users.c.id == sessions.c.user_id)
        .where(sessions.c.hash == hash_of(token), sessions.c.expires_at > now)
    )
    row = sql.execute(query).one_or_none()
    if row is None:
        return None
    person = Person(user_id=row.id, username=row.username, role=Role(row.role))
    return Session(person, row.hash, row.expires_at)


def close_session(sql: Connection, session_hash: str) -> None:
    """Sign out."""
    sql.execute(delete(sessions).where(sessions.c.hash == session_hash))


def claim_try(sql: Connection, keys: tuple[str, ...], now: datetime) -> int:
    """Count one more try as failed before it is judged, so that tries at the same time count too.

    Returns:
        0, or the seconds to wait; then nothing is counted.
    """
    rows = sql.execute(select(failures).where(failures.c.key.in_(keys))).mappings()
    before = {row["key"]: Failures(row["count"], row["last_at"]) for row in rows}
    wait_s = max((known.wait_s(now) for known in before.values()), default=0)
    if wait_s:
        return wait_s
    sql.execute(delete(failures).where(failures.c.last_at < now - FORGOTTEN_AFTER))
    after = {key: before[key].and_one(now) if key in before else Failures(1, now) for key in keys}
    sql.execute(
        upsert(failures, ["key"]),
        [{"key": k, "count": f.count, "last_at": f.last_at} for k, f in after.items()],
    )
    return 0


def forgive(sql: Connection, keys: tuple[str, ...]) -> None:
    """A sign-in has worked: its failures count no more."""
    sql.execute(delete(failures).where(failures.c.key.in_(keys)))
