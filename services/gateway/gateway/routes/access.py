"""Who is calling, and whether that is enough. Every route names the role it needs."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from gateway.adapters import user_store
from gateway.adapters.user_store import Session
from gateway.domain.access_errors import NotSignedIn
from gateway.domain.roles import Role
from gateway.routes.context import GetContext
from signalbox.contracts.errors import Refused
from signalbox.runtime import metrics
from signalbox.runtime.clock import wall_now

COOKIE = "sb"
TLS_COOKIE = "__Host-sb"  # a browser takes this name from the host itself and over TLS only
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

bearer = HTTPBearer(auto_error=False, description="The token of POST /api/auth/token.")
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
    session = await context.read(lambda sql: user_store.session_of(sql, given, wall_now()))
    if session is None:
        metrics.AUTH_FAILURES.labels("token").inc()
        raise NotSignedIn("the session has ended; sign in again")
    if token is None and request.method not in SAFE_METHODS:
        refuse_other_sites(request)
    return session


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


Viewer = Annotated[Session, Depends(require(Role.VIEWER))]
Trader = Annotated[Session, Depends(require(Role.TRADER))]
Admin = Annotated[Session, Depends(require(Role.ADMIN))]
