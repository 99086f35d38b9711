"""Signing in and out."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response, status
from pydantic import BaseModel, ConfigDict, SecretStr, StringConstraints

from gateway.adapters import user_store
from gateway.adapters.sign_in import SignedIn, sign_in
from gateway.domain.views import View
from gateway.routes.access import TLS_COOKIE, Viewer, cookie_name
from gateway.routes.context import Context, GetContext
from signalbox.contracts.errors import Refused
from signalbox.contracts.values import UtcTime

router = APIRouter(prefix="/api/auth", tags=["sign-in"])


class Credentials(BaseModel):
    """Who somebody claims to be."""

    model_config = ConfigDict(extra="forbid")

    username: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,64}$")]
    password: Annotated[SecretStr, StringConstraints(min_length=1, max_length=128)]


class Token(View):
    """What is sent as `Authorization: Bearer …`. It is shown this once."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the kind of token, not one
    expires_at: UtcTime


class Me(View):
    """Who is signed in."""

    username: str
    role: str
    expires_at: UtcTime


async def _sign_in(request: Request, context: Context, body: Credentials) -> SignedIn:
    return await sign_in(
        context.db,
        context.passwords,
        username=body.username,
        password=body.password.get_secret_value(),
        address=request.client.host if request.client else "unknown",
    )


@router.post("/token", operation_id="create_token")
async def create_token(body: Credentials, request: Request, context: GetContext) -> Token:
    """Sign in from a program; the token holds for 12 hours."""
    signed_in = await _sign_in(request, context, body)
    return Token(access_token=signed_in.token, expires_at=signed_in.session.expires_at)


@router.post("/session", operation_id="create_session")
async def create_session(
    body: Credentials, request: Request, response: Response, context: GetContext
) -> Me:
    """Sign in from the page; the token goes into a cookie that scripts cannot read."""
    site = request.headers.get("sec-fetch-site")
    if site not in {None, "same-origin", "none"}:
        raise Refused("this request comes from another site")
    signed_in = await _sign_in(request, context, body)
    name = cookie_name(request)
    response.set_cookie(
        name,
        signed_in.token,
        expires=signed_in.session.expires_at,
        path="/",
        secure=name == TLS_COOKIE,
        httponly=True,
        samesite="strict",
    )
    return _me(signed_in.session)


@router.post("/logout", operation_id="logout", status_code=status.HTTP_204_NO_CONTENT)
async def logout(request: Request, response: Response, context: GetContext, who: Viewer) -> None:
    """End this session, its open event streams too."""
    await context.db.write(lambda sql: user_store.close_session(sql, who.hash))
    context.hub.end_session(who.hash)
    name = cookie_name(request)
    response.delete_cookie(name, path="/", secure=name == TLS_COOKIE, httponly=True)


@router.get("/me", operation_id="read_me")
async def read_me(who: Viewer) -> Me:
    """Who is signed in, and until when."""
    return _me(who)


def _me(session: user_store.Session) -> Me:
    return Me(
        username=session.person.username,
        role=session.person.role.value,
        expires_at=session.expires_at,
    )
