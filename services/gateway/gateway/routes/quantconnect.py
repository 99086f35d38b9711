"""QuantConnect: accounts, their webhooks, status."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from fastapi import APIRouter, Request, Response, status
from pydantic import JsonValue

from gateway.adapters import config_store, push_store
from gateway.adapters.views import notices
from gateway.adapters.webhooks import new_token
from gateway.domain import edits, quantconnect, webhooks
from gateway.domain.bodies import free_id
from gateway.domain.connections import Connection, hint
from gateway.domain.edits import SealedSecret
from gateway.domain.quantconnect_bodies import ConnectionBody, WebhookBody
from gateway.domain.quantconnect_views import (
    ConnectionStatus,
    ConnectionTest,
    ConnectionView,
    WebhookMade,
    WebhookView,
    hook_path,
)
from gateway.domain.setup import Setup, find, pick, put, without
from gateway.domain.views import Listing
from gateway.routes.access import Admin, Trader, Viewer
from gateway.routes.context import Context, GetContext, GetKey
from gateway.routes.following import OWNER, once_known
from gateway.routes.query import Id
from gateway.routes.saving import save
from signalbox.contracts.values import Target
from signalbox.runtime.clock import wall_now

router = APIRouter(prefix="/api/quantconnect", tags=["quantconnect"])
_NEW: dict[int | str, dict[str, object]] = {201: {"model": ConnectionView, "description": "Added"}}
_SNIPPET = "docs/quantconnect/signalbox_emitter.py"


@router.get("/config", operation_id="list_quantconnect_configs")
async def list_configs(context: GetContext, _who: Viewer) -> Listing[ConnectionView]:
    """Every QuantConnect account that is followed."""
    found = (await context.read(config_store.load)).connections
    doors = await _webhooks(context, found)
    return Listing(items=tuple(ConnectionView.of(one, doors[one.id]) for one in found))


@router.post("/config", operation_id="save_quantconnect_config", responses=_NEW)
async def save_config(
    body: ConnectionBody, context: GetContext, who: Admin, response: Response, once: GetKey
) -> ConnectionView:
    """Add an account, or change the one whose id is sent. The token is sealed to qc-ingest at once;
    nobody else can open it, and it is never shown again.
    """
    setup = await context.read(config_store.load)
    taken = frozenset(connection.id for connection in setup.connections)
    given = body.id or (quantconnect.id_once(body.name, who.person, once) if once else None)
    key = free_id(given, body.name, taken, "quantconnect")
    before = find(setup.connections, key)
    api_key = body.api_key or (before.user_id if before else "")
    secret = await _sealed(context, key, api_key, body)
    connection, _ = await save(
        context,
        who,
        response,
        lambda setup, _version: edits.save_connection(
            setup, body, secret, key=key, owner=who.person.user_id, at=wall_now()
        ),
    )
    return await _view(context, connection)


async def _view(context: Context, connection: Connection) -> ConnectionView:
    doors = await _webhooks(context, [connection])
    return ConnectionView.of(connection, doors[connection.id])


async def _webhooks(
    context: Context, connections: Iterable[Connection]
) -> Mapping[str, WebhookView | None]:
    """The webhook of each account, and how it goes."""
    now, last = wall_now(), await context.read(push_store.last_pushes)
    refusals = context.webhooks.refusals
    return {
        one.id: WebhookView.of(
            one,
            now,
            last_push_at=last.get(one.id),
            refused_at=refusals[one.id].at if one.id in refusals else None,
            refused_why=refusals[one.id].why if one.id in refusals else None,
        )
        for one in connections
    }


async def _sealed(
    context: Context, key: str, api_key: str, body: ConnectionBody
) -> SealedSecret | None:
    if body.api_secret is None:
        return None
    plain = body.api_secret.get_secret_value()
    sealed = await context.configuration.seal(OWNER, config_id=key, field="token", secret=plain)
    return SealedSecret.of(api_key, plain, sealed)


@router.get("/config/{config_id}", operation_id="read_quantconnect_config")
async def read_config(config_id: Id, context: GetContext, _who: Viewer) -> ConnectionView:
    """One account."""
    setup = await context.read(config_store.load)
    return await _view(context, pick(setup.connections, config_id, "QuantConnect config"))


@router.delete(
    "/config/{config_id}",
    operation_id="delete_quantconnect_config",
    status_code=status.HTTP_204_NO_CONTENT,
)
async def delete_config(config_id: Id, context: GetContext, who: Admin) -> None:
    """Follow an account no more, and forget its token; its signals stay."""

    def edit(setup: Setup, _version: int) -> Setup:
        pick(setup.connections, config_id, "QuantConnect config")
        return setup.model_copy(update={"connections": without(setup.connections, config_id)})

    await context.configure(edit, who.person)


@router.post("/config/{config_id}/test", operation_id="test_quantconnect_config")
async def test_config(config_id: Id, context: GetContext, who: Trader) -> ConnectionTest:
    """Ask QuantConnect whether it accepts user id and token, and which projects it shows."""
    setup = await context.read(config_store.load)
    pick(setup.connections, config_id, "QuantConnect config")
    body: dict[str, JsonValue] = {"config_id": config_id}
    answer = await once_known(lambda: context.ask(OWNER, "test", body, by=who.person, timeout_s=20))
    return ConnectionTest.model_validate(answer)


@router.post("/config/{config_id}/webhook", operation_id="renew_quantconnect_webhook")
async def renew_webhook(
    config_id: Id,
    context: GetContext,
    who: Admin,
    request: Request,
    body: WebhookBody | None = None,
) -> WebhookMade:
    """Make the secret of an account's webhook, or another one. It is shown this once, sealed to the
    gateway, and sent as a bearer token or used to sign; real accounts must sign. The secret before
    holds for `overlap_s` more.
    """
    overlap, now = timedelta(seconds=(body or WebhookBody()).overlap_s), wall_now()
    pick((await context.read(config_store.load)).connections, config_id, "QuantConnect config")
    token = new_token()
    sealed = await context.configuration.seal(
        "gateway", config_id=config_id, field=webhooks.FIELD, secret=token
    )

    def edit(setup: Setup, _version: int) -> Setup:
        before = pick(setup.connections, config_id, "QuantConnect config")
        made = webhooks.renewed(before.webhook, sealed, hint(token), at=now, overlap=overlap)
        after = before.model_copy(update={"webhook": made})
        return setup.model_copy(update={"connections": put(setup.connections, after)})

    changed = await context.configure(edit, who.person)
    context.webhooks.refusals.pop(config_id, None)
    made = pick(changed.setup.connections, config_id, "QuantConnect config")
    shown = WebhookView.of(made, now)
    return WebhookMade(
        url=f"{str(request.base_url).rstrip('/')}{hook_path(config_id)}",
        token=token,
        must_sign=made.target is Target.REAL,
        old_until=shown.old_until if shown else None,
        snippet=_SNIPPET,
    )


@router.get("/status", operation_id="read_quantconnect_status")
async def read_status(context: GetContext, _who: Viewer) -> Listing[ConnectionStatus]:
    """How every account stands, with its algorithms."""
    setup = await context.read(config_store.load)
    connections = await context.read(lambda sql: notices.list_states(sql, OWNER, "connection"))
    algorithms = await context.read(lambda sql: notices.list_states(sql, OWNER, "algorithm"))
    doors = await _webhooks(context, setup.connections)
    return Listing(items=quantconnect.status(setup.connections, connections, algorithms, doors))
