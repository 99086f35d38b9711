"""Signing in: throttled by account and address, the same answer and time for unknown users."""

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.adapters import user_store
from gateway.adapters.passwords import Passwords
from gateway.adapters.user_store import Session
from gateway.domain.access_errors import NotSignedIn, TooManyTries
from signalbox.runtime import metrics
from signalbox.runtime.clock import wall_now
from signalbox.runtime.db import Database

_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session and its token, which is shown once."""

    session: Session
    token: str

    def __repr__(self) -> str:
        return f"SignedIn({self.session.person.username})"


async def sign_in(
    db: Database, passwords: Passwords, *, username: str, password: str, address: str
) -> SignedIn:
    """Open a session for 12 hours.

    Raises:
        TooManyTries: too many failures for this account or address; nothing was checked.
        NotSignedIn: unknown user or wrong password.
    """
    # Hashed: people type their password where the name belongs.
    keys = (f"account:{user_store.hash_of(username)}", f"address:{address}")
    wait_s = await db.write(lambda sql: user_store.claim_try(sql, keys, wall_now()))
    if wait_s:
        metrics.AUTH_FAILURES.labels("throttled").inc()
        raise TooManyTries(
            f"too many failed sign-ins; try again in {wait_s} s", retry_after_s=wait_s
        )
    user = await db.read(lambda sql: user_store.find(sql, username))
    if not await passwords.matches(user.password_hash if user else None, password) or user is None:
        metrics.AUTH_FAILURES.labels("password").inc()
        raise NotSignedIn("the user name or the password is not right")
    fresh = await passwords.hash(password) if passwords.outdated(user.password_hash) else None
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    person = user.person

    def admit(sql: Connection) -> Session:
        user_store.forgive(sql, keys)
        if fresh:
            user_store.rehash(sql, person.user_id, fresh)
        return user_store.open_session(sql, person, token, wall_now())

    return SignedIn(await db.write(admit), token)
