"""QuantConnect: accounts, algorithms, status."""

import asyncio

from fastapi import APIRouter, Response, status
from pydantic import JsonValue

from gateway.adapters import config_store
from gateway.adapters.views import notices
from gateway.domain import edits, quantconnect
from gateway.domain.bodies import ConnectionBody, free_id
from gateway.domain.config_views import (
    AlgorithmView,
    ConnectionStatus,
    ConnectionTest,
    ConnectionView,
)
from gateway.domain.edits import SealedSecret
from gateway.domain.setup import Setup, find, pick, without
from gateway.domain.views import Listing
from gateway.routes.access import Admin, Trader, Viewer
from gateway.routes.context import Context, GetContext
from gateway.routes.query import Id
from gateway.routes.saving import save
from signalbox.contracts.errors import NotFound
from signalbox.runtime.clock import wall_now

router = APIRouter(prefix="/api/quantconnect", tags=["quantconnect"])
OWNER = "qc-ingest"
_NEW: dict[int | str, dict[str, object]] = {201: {"model": ConnectionView, "description": "Added"}}
_TRIES = 10  # a config that was saved a moment ago has to reach its service first
_BETWEEN_S = 0.2


@router.get("/config", operation_id="list_quantconnect_configs")
async def list_configs(context: GetContext, _who: Viewer) -> Listing[ConnectionView]:
    """Every QuantConnect account that is followed."""
    found = (await context.read(config_store.load)).connections
    return Listing(items=tuple(ConnectionView.of(connection) for connection in found))


@router.post("/config", operation_id="save_quantconnect_config", responses=_NEW)
async def save_config(
    body: ConnectionBody, context: GetContext, who: Admin, response: Response
) -> ConnectionView:
    """Add an account, or change the one whose id is sent. The token is sealed to qc-ingest at once;
    nobody else can open it, and it is never shown again.
    """
    setup = await context.read(config_store.load)
    taken = frozenset(connection.id for connection in setup.connections)
    key = free_id(body.id, body.name, taken, "quantconnect")
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
    return ConnectionView.of(connection)


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
    return ConnectionView.of(pick(setup.connections, config_id, "QuantConnect config"))


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
    for _ in range(_TRIES):
        try:
            answer = await context.ask(OWNER, "test", body, by=who.person, timeout_s=20)
            return ConnectionTest.model_validate(answer)
        except NotFound:
            await asyncio.sleep(_BETWEEN_S)
    answer = await context.ask(OWNER, "test", body, by=who.person, timeout_s=20)
    return ConnectionTest.model_validate(answer)


@router.get("/algorithms", operation_id="list_quantconnect_algorithms")
async def list_algorithms(context: GetContext, _who: Viewer) -> Listing[AlgorithmView]:
    """Live algorithms as QuantConnect last described them."""
    found = await context.read(lambda sql: notices.list_states(sql, OWNER, "algorithm"))
    return Listing(items=tuple(map(quantconnect.algorithm, found)))


@router.get("/algorithms/{algorithm_id}", operation_id="read_quantconnect_algorithm")
async def read_algorithm(algorithm_id: Id, context: GetContext, _who: Viewer) -> AlgorithmView:
    """One live algorithm."""
    found = await context.read(lambda sql: notices.list_states(sql, OWNER, "algorithm"))
    return quantconnect.algorithm(pick(found, algorithm_id, "algorithm"))


@router.get("/status", operation_id="read_quantconnect_status")
async def read_status(context: GetContext, _who: Viewer) -> Listing[ConnectionStatus]:
    """How every account stands, with its algorithms."""
    setup = await context.read(config_store.load)
    connections = await context.read(lambda sql: notices.list_states(sql, OWNER, "connection"))
    algorithms = await context.read(lambda sql: notices.list_states(sql, OWNER, "algorithm"))
    return Listing(items=quantconnect.status(setup.connections, connections, algorithms))
