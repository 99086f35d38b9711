"""Tokens for programs that read, or raise signals of their own."""

import secrets

from fastapi import APIRouter, status

from gateway.adapters import token_store, user_store
from gateway.domain.tokens import ApiToken, IssuedToken, TokenBody, TokenView, expiry, written
from gateway.domain.views import Listing
from gateway.routes.access import Admin
from gateway.routes.context import GetContext
from gateway.routes.query import Id
from signalbox.contracts.errors import NotFound
from signalbox.runtime.clock import wall_now

router = APIRouter(prefix="/api/tokens", tags=["tokens"])
_ID_BYTES = 8
_SECRET_BYTES = 32


@router.get("", operation_id="list_tokens")
async def list_tokens(context: GetContext, _who: Admin) -> Listing[TokenView]:
    """Every token, newest first."""
    found = await context.read(token_store.every)
    return Listing(items=tuple(TokenView.model_validate(one.model_dump()) for one in found))


@router.post("", operation_id="issue_token", status_code=status.HTTP_201_CREATED)
async def issue_token(body: TokenBody, context: GetContext, who: Admin) -> IssuedToken:
    """Make a token. Its name is the source id of its signals, which bots list as `external`."""
    now = wall_now()
    token_id = secrets.token_hex(_ID_BYTES)
    text = written(token_id, secrets.token_urlsafe(_SECRET_BYTES))
    made = ApiToken(
        id=token_id,
        name=body.name,
        hash=user_store.hash_of(text),
        scopes=tuple(sorted(body.scopes)),
        created_by=who.person.username,
        created_at=now,
        expires_at=expiry(body.expires_at, now),
    )
    await context.db.write(lambda sql: token_store.add(sql, made))
    return IssuedToken.model_validate({**made.model_dump(), "token": text})


@router.delete("/{token_id}", operation_id="revoke_token", status_code=status.HTTP_204_NO_CONTENT)
async def revoke_token(token_id: Id, context: GetContext, _who: Admin) -> None:
    """Take a token back; it holds no more from now on, and its open event streams end. Signals that
    it has raised stay.
    """
    gone = await context.db.write(lambda sql: token_store.remove(sql, token_id))
    if gone is None:
        raise NotFound(f"there is no token {token_id}")
    context.hub.end_session(gone.hash)
