"""Who is calling, and whether that is enough. Every route names the role it needs."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from gateway.adapters import token_store, user_store
from gateway.adapters.user_store import Session
from gateway.domain.access_errors import NotSignedIn
from gateway.domain.roles import Person, Role
from gateway.domain.submissions import Speaker
from gateway.domain.tokens import USED_EVERY, ApiToken, Scope, holds, id_in, is_token
from gateway.routes.context import Context, GetContext
from signalbox.contracts.errors import Refused
from signalbox.contracts.values import SourceType
from signalbox.runtime import metrics
from signalbox.runtime.clock import wall_now

COOKIE = "sb"
TLS_COOKIE = "__Host-sb"  # a browser takes this name from the host itself and over TLS only
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

bearer = HTTPBearer(
    auto_error=False,
    description="The token of POST /api/auth/token, or a program's of POST /api/tokens.",
)
cookie = APIKeyCookie(name=COOKIE, auto_error=False, description="Set by POST /api/auth/session.")


def cookie_name(request: Request) -> str:
    """The session cookie's name on this connection."""
    return TLS_COOKIE if request.url.scheme == "https" else COOKIE


async def get_session(
    request: Request,
    context: GetContext,
    token: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    _cookie: Annotated[str | None, Depends(cookie)],
) -> Session:
    """The caller's session: by bearer token, else by cookie.

    Raises:
        NotSignedIn: neither, or one that does not hold any more.
        Refused: a cookie that comes with a request from another site.
    """
    given = token.credentials if token else request.cookies.get(cookie_name(request))
    if not given:
        raise NotSignedIn("sign in first")
    if token and is_token(given):
        return reader(await known_token(context, given))
    session = await context.read(lambda sql: user_store.session_of(sql, given, wall_now()))
    if session is None:
        metrics.AUTH_FAILURES.labels("token").inc()
        raise NotSignedIn("the session has ended; sign in again")
    if token is None and request.method not in SAFE_METHODS:
        refuse_other_sites(request)
    return session


async def known_token(context: Context, given: str) -> ApiToken:
    """The token of a program, and that it was used just now.

    Raises:
        NotSignedIn: it was taken back, or has expired.
    """
    now, token_id = wall_now(), id_in(given) or ""
    known = await context.read(lambda sql: token_store.find(sql, token_id))
    if not holds(known, given, now) or known is None:
        metrics.AUTH_FAILURES.labels("api_token").inc()
        raise NotSignedIn("this token does not hold; an admin can make another one")
    if known.last_used_at is None or now - known.last_used_at >= USED_EVERY:
        await context.db.write(lambda sql: token_store.used(sql, known.id, now))
    return known


def reader(known: ApiToken) -> Session:
    """A program that reads, as a session of a viewer.

    Raises:
        Refused: the token is not for reading.
    """
    needed(known, Scope.READ)
    who = Person(user_id=known.id, username=f"token {known.name}", role=Role.VIEWER)
    return Session(who, known.hash, known.expires_at)


def needed(known: ApiToken, scope: Scope) -> None:
    """The token must have this scope.

    Raises:
        Refused: it has not.
    """
    if scope not in known.scopes:
        raise Refused(
            f"this needs a token with the scope {scope}; this one has {', '.join(known.scopes)}"
        )


def refuse_other_sites(request: Request) -> None:
    """A request that changes something and rides on a cookie must come from our own page.

    Raises:
        Refused: it says otherwise, or does not say.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise Refused("a request that changes something must be sent as application/json")
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is None and origin is None:
        raise Refused("the browser does not say which page this request comes from")
    same_host = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if site not in {None, "same-origin"} or not same_host:
        metrics.AUTH_FAILURES.labels("other_site").inc()
        raise Refused("this request comes from another site")


def require(role: Role) -> Callable[[Session], Awaitable[Session]]:
    """A dependency that lets this role in, and those above it."""

    async def check(session: Annotated[Session, Depends(get_session)]) -> Session:
        if not session.person.role.may(role):
            raise Refused(f"this needs the role {role}; you are {session.person.role}")
        return session

    return check


async def get_speaker(
    request: Request,
    context: GetContext,
    token: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    _cookie: Annotated[str | None, Depends(cookie)],
) -> Speaker:
    """Who hands a signal in: a program by its token, or a trader.

    Raises:
        NotSignedIn: nobody who is known.
        Refused: this program, or this person, may not.
    """
    if token and is_token(token.credentials):
        known = await known_token(context, token.credentials)
        needed(known, Scope.WRITE_SIGNALS)
        return Speaker(SourceType.EXTERNAL, known.name)
    session = await get_session(request, context, token, _cookie)
    await require(Role.TRADER)(session)
    return Speaker(SourceType.MANUAL, session.person.user_id)


GetSpeaker = Annotated[Speaker, Depends(get_speaker)]
Viewer = Annotated[Session, Depends(require(Role.VIEWER))]
Trader = Annotated[Session, Depends(require(Role.TRADER))]
Admin = Annotated[Session, Depends(require(Role.ADMIN))]
