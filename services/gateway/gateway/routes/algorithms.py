"""QuantConnect's algorithms: what they are, how they do, starting and ending them."""

from typing import Annotated

from fastapi import APIRouter, Query, Response, status
from pydantic import JsonValue

from gateway.adapters import config_store
from gateway.adapters.views import notices
from gateway.domain import quantconnect
from gateway.domain.algorithm_views import (
    AlgorithmDetail,
    AlgorithmListing,
    AlgorithmStatus,
    AlgorithmView,
    JobView,
    Unread,
)
from gateway.domain.cursor import Cursor
from gateway.domain.quantconnect import place
from gateway.domain.quantconnect_bodies import DeployBody, LiquidateBody
from gateway.domain.roles import Person
from gateway.domain.setup import pick
from gateway.routes.access import Trader, Viewer
from gateway.routes.context import Context, GetContext, GetKey
from gateway.routes.following import OWNER, until_told
from gateway.routes.query import GetPage, Id
from signalbox.contracts.errors import NotFound, TransientError

router = APIRouter(prefix="/api/quantconnect", tags=["quantconnect"])

_READ_S = 30.0  # QuantConnect may take a while, and its limits make us wait
Refresh = Annotated[
    bool, Query(description="Ask QuantConnect now; else what was read in the last minutes.")
]
OfConfig = Annotated[
    str | None,
    Query(
        alias="config",
        max_length=64,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="The account; needed when several hold the project.",
    ),
]


@router.get("/algorithms", operation_id="list_quantconnect_algorithms")
async def list_algorithms(
    context: GetContext,
    who: Viewer,
    page: GetPage,
    *,
    config: OfConfig = None,
    refresh: Refresh = False,
) -> AlgorithmListing:
    """Every project of the accounts and how it runs live, by id. `fetched_at` tells how old that
    is; what cannot be read is named in `problems`. While qc-ingest does not answer, what is live
    is listed as it was last heard of.
    """
    found, problems = await _algorithms(context, who.person, config=config, refresh=refresh)
    rest = [view for view in found if page.after is None or place(view) > page.after.key]
    items = tuple(rest[: page.limit])
    following = Cursor(0, place(items[-1])).encode() if len(rest) > page.limit else None
    return AlgorithmListing(items=items, next_cursor=following, problems=problems)


async def _algorithms(
    context: Context, person: Person, *, config: str | None, refresh: bool
) -> tuple[tuple[AlgorithmView, ...], tuple[Unread, ...]]:
    body: dict[str, JsonValue] = {"refresh": True} if refresh else {}
    if config is not None:
        setup = await context.read(config_store.load)
        pick(setup.connections, config, "QuantConnect config")
        body["config_id"] = config
    try:
        told = await context.ask(OWNER, "algorithms", body, by=person, timeout_s=_READ_S)
    except TransientError as error:
        if refresh:
            raise
        states = await context.read(lambda sql: notices.list_states(sql, OWNER, "algorithm"))
        views = sorted(map(quantconnect.algorithm, states), key=place)
        known = tuple(view for view in views if config in {None, view.config_id})
        return known, (Unread(config_id=config or "", message=str(error)),)
    return quantconnect.algorithms(told.get("algorithms")), quantconnect.unread(told)


async def account_of(context: Context, person: Person, project_id: str, config: str | None) -> str:
    """The account that holds a project.

    Raises:
        NotFound: none does.
        Conflict: several do, and none is named.
    """
    connections = (await context.read(config_store.load)).connections
    found = quantconnect.choose(connections, project_id, config)
    if len(found) == 1:
        return found[0]
    views, _ = await _algorithms(context, person, config=None, refresh=False)
    return quantconnect.holder(views, project_id)


async def _one(
    context: Context, person: Person, project_id: str, config: str | None
) -> dict[str, JsonValue]:
    """What names one algorithm to qc-ingest."""
    if not project_id.isdecimal() or len(project_id) > 18:
        raise NotFound(f"there is no algorithm {project_id}; its id is the project's number")
    account = await account_of(context, person, project_id, config)
    return {"config_id": account, "project_id": int(project_id)}


@router.get("/algorithms/{algorithm_id}", operation_id="read_quantconnect_algorithm")
async def read_algorithm(
    algorithm_id: Id,
    context: GetContext,
    who: Viewer,
    *,
    config: OfConfig = None,
    refresh: Refresh = False,
) -> AlgorithmDetail:
    """One project: files, what it holds, how it has done, its last log lines, and free nodes."""
    named = await _one(context, who.person, algorithm_id, config)
    body = {**named, "refresh": True} if refresh else named
    told = await context.ask(OWNER, "algorithm", body, by=who.person, timeout_s=_READ_S)
    return quantconnect.algorithm_detail(told, algorithm_id, str(named["config_id"]))


@router.post(
    "/algorithms/{algorithm_id}/deploy",
    operation_id="deploy_quantconnect_algorithm",
    status_code=status.HTTP_202_ACCEPTED,
)
async def deploy_algorithm(
    algorithm_id: Id,
    context: GetContext,
    who: Trader,
    key: GetKey,
    response: Response,
    *,
    body: DeployBody | None = None,
    config: OfConfig = None,
) -> JobView:
    """Compile a project and start it on a live node, on QuantConnect's own paper brokerage. The
    answer names a job; follow it at its address.
    """
    named = await _one(context, who.person, algorithm_id, config)
    wanted = {**(body or DeployBody()).command(), **named}
    unique = f"{algorithm_id}|{key}" if key else None
    told = await context.ask(OWNER, "deploy", wanted, by=who.person, key=unique, timeout_s=_READ_S)
    job_id = str(told["job_id"])
    response.headers["Location"] = f"/api/quantconnect/jobs/{job_id}"
    job = await until_told(lambda: _job(context, job_id))
    return job or JobView(
        id=job_id,
        kind="deploy",
        config_id=str(named["config_id"]),
        algorithm_id=algorithm_id,
        status="running",
    )


@router.get("/jobs/{job_id}", operation_id="read_quantconnect_job")
async def read_job(job_id: Id, context: GetContext, _who: Viewer) -> JobView:
    """How far a deployment is, and why it failed if it did."""
    found = await _job(context, job_id)
    if found is None:
        raise NotFound(f"there is no job {job_id}")
    return found


async def _job(context: Context, job_id: str) -> JobView | None:
    state = await context.read(lambda sql: notices.one_state(sql, OWNER, "job", job_id))
    return quantconnect.job(state) if state else None


@router.post("/algorithms/{algorithm_id}/stop", operation_id="stop_quantconnect_algorithm")
async def stop_algorithm(
    algorithm_id: Id, context: GetContext, who: Trader, key: GetKey, *, config: OfConfig = None
) -> AlgorithmStatus:
    """Stop a live algorithm; what it holds stays."""
    named = await _one(context, who.person, algorithm_id, config)
    return await _end(context, "stop", named, person=who.person, key=key)


@router.post(
    "/algorithms/{algorithm_id}/liquidate", operation_id="liquidate_quantconnect_algorithm"
)
async def liquidate_algorithm(
    algorithm_id: Id,
    body: LiquidateBody,
    context: GetContext,
    who: Trader,
    key: GetKey,
    *,
    config: OfConfig = None,
) -> AlgorithmStatus:
    """Sell everything that a live algorithm holds, and stop it. It wants `confirm`."""
    named = await _one(context, who.person, algorithm_id, config)
    wanted = {**named, "confirm": body.confirm}
    return await _end(context, "liquidate", wanted, person=who.person, key=key)


async def _end(
    context: Context,
    verb: str,
    wanted: dict[str, JsonValue],
    *,
    person: Person,
    key: str | None,
) -> AlgorithmStatus:
    project_id = str(wanted["project_id"])
    unique = f"{project_id}|{key}" if key else None
    told = await context.ask(OWNER, verb, wanted, by=person, key=unique, timeout_s=_READ_S)
    known = {"id": project_id, "config_id": wanted["config_id"], "status": "Unknown"}
    return AlgorithmStatus.model_validate({**known, **told})
