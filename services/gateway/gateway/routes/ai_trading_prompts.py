"""Prompts: versions that never change, which of them is used, and how each has done."""

from fastapi import APIRouter, Response, status
from pydantic import JsonValue
from sqlalchemy import Connection

from gateway.adapters import config_store, prompt_store
from gateway.adapters.views import calibration
from gateway.adapters.views import llm as views
from gateway.adapters.views.calibration import ScoreFilter
from gateway.domain import standard_prompt
from gateway.domain.bodies import free_id
from gateway.domain.calibration import share_of
from gateway.domain.calibration_views import ShareView
from gateway.domain.llm import OWNER
from gateway.domain.llm_bodies import ActivateBody, PreviewBody, PromptBody
from gateway.domain.llm_usage import Usage, grouped
from gateway.domain.llm_usage_views import UsageView, usage_fields
from gateway.domain.prompt_views import (
    ActivationView,
    PreviewView,
    PromptDetail,
    PromptView,
    SavedPrompt,
    VersionView,
)
from gateway.domain.prompts import Draft, StoredVersion, SummedUp, refuse_problems
from gateway.domain.setup import Setup, pick
from gateway.domain.views import Listing
from gateway.routes.access import Admin, Trader, Viewer
from gateway.routes.context import Context, GetContext
from gateway.routes.following import once_known
from gateway.routes.query import GetPage, Id
from signalbox.contracts.errors import Malformed
from signalbox.runtime.clock import wall_now

router = APIRouter(prefix="/api/ai-trading/prompts", tags=["ai-trading"])
_NEW: dict[int | str, dict[str, object]] = {201: {"model": SavedPrompt, "description": "Added"}}
_WHAT = "prompt"


@router.get("", operation_id="list_prompts")
async def list_prompts(context: GetContext, _who: Viewer) -> Listing[PromptView]:
    """Every prompt, and which version of it decisions use."""
    setup = await context.read(config_store.load)
    found = await context.read(prompt_store.summed_up)
    return Listing(items=tuple(PromptView.model_validate(_fields(one, setup)) for one in found))


@router.post("", operation_id="save_prompt", responses=_NEW)
async def save_prompt(
    body: PromptBody, context: GetContext, who: Admin, response: Response
) -> SavedPrompt:
    """Add a prompt, or a further version of the one whose id is sent. It is used from now on when
    it is the first, or when `activate` says so. 422 names line and column of what cannot be used.
    """
    setup = await context.read(config_store.load)
    taken = frozenset(prompt.prompt_id for prompt in setup.prompts)
    prompt_id = free_id(body.id, body.name, taken, _WHAT)
    known = next((p.name for p in setup.prompts if p.prompt_id == prompt_id), prompt_id)
    draft = Draft(prompt_id=prompt_id, name=body.name or known, system=body.system, user=body.user)
    told = await context.ask(
        OWNER, "check_prompt", {"system": draft.system, "user": draft.user}, by=who.person
    )
    refuse_problems(told)
    by, at = who.person.username, wall_now()
    kept: list[StoredVersion] = []

    def keep(sql: Connection) -> None:
        kept.append(prompt_store.add(sql, draft, by, at))
        if body.activate:
            prompt_store.activate(sql, prompt_id, kept[-1].version, by, at)

    await context.configure(lambda setup, _version: setup, who.person, first=keep)
    fresh = kept[-1].created_at == at
    response.status_code = status.HTTP_201_CREATED if fresh else status.HTTP_200_OK
    detail = await _detail(context, prompt_id)
    names = told.get("variables")
    return SavedPrompt(
        **detail.model_dump(),
        version=kept[-1].version,
        variables=tuple(map(str, names)) if isinstance(names, list) else (),
    )


@router.post("/preview", operation_id="preview_prompt")
async def preview_prompt(body: PreviewBody, context: GetContext, who: Trader) -> PreviewView:
    """Render a stored prompt or a draft against the market as it is now, with its size and what a
    call would cost. No model is asked.
    """
    wanted: dict[str, JsonValue] = {}
    if body.prompt_id is not None:
        stored = await context.read(
            lambda sql: prompt_store.one_version(sql, body.prompt_id or "", body.version)
        )
        wanted |= {"system": stored.system, "user": stored.user}
    if body.system is not None:
        wanted["system"] = body.system
    if body.user is not None:
        wanted["user"] = body.user
    if not wanted.get("user"):
        raise Malformed("send the id of a prompt, or a draft: system and user")
    wanted.setdefault("system", "")
    if body.prompt_id is None or body.system is not None or body.user is not None:
        draft = {"system": wanted["system"], "user": wanted["user"]}
        refuse_problems(await context.ask(OWNER, "check_prompt", draft, by=who.person))
    if body.config_id is not None:
        setup = await context.read(config_store.load)
        symbols = pick(setup.models, body.config_id, "LLM config").symbols
        wanted |= {"config_id": body.config_id, "symbols": list(symbols[:10])}
    if body.symbols is not None:
        wanted["symbols"] = list(body.symbols)
    if not wanted.get("symbols"):
        raise Malformed("send symbols, or the id of a config that has some")
    answer = await once_known(
        lambda: context.ask(OWNER, "preview", wanted, by=who.person, timeout_s=10)
    )
    return PreviewView.model_validate(answer)


@router.get("/{prompt_id}", operation_id="read_prompt")
async def read_prompt(prompt_id: Id, context: GetContext, _who: Viewer) -> PromptDetail:
    """One prompt with the words of its active version, and who activated what."""
    return await _detail(context, prompt_id)


@router.get("/{prompt_id}/versions", operation_id="list_prompt_versions")
async def list_versions(
    prompt_id: Id, context: GetContext, _who: Viewer, page: GetPage
) -> Listing[VersionView]:
    """Every version, newest first, with how it has done: valid answers, what they wanted, what they
    cost, and how often their direction turned out right.
    """
    active = await context.read(lambda sql: prompt_store.one_version(sql, prompt_id))
    found, following = await context.read(lambda sql: prompt_store.versions(sql, prompt_id, page))
    rows = await context.read(lambda sql: views.usage(sql, prompt=prompt_id))
    sums = grouped(rows, lambda asked: asked.prompt_version)
    wanted = ScoreFilter(prompt_id=prompt_id)
    scores = await context.read(lambda sql: calibration.scores(sql, "prompt", wanted))
    shares = {whom.key: share_of(found) for whom, found in scores.items()}
    return Listing(
        items=tuple(
            VersionView.model_validate(
                {
                    **one.model_dump(),
                    "active": one.version == active.version,
                    "hash": one.hash,
                    "usage": UsageView.model_validate(usage_fields(sums.get(one.label, Usage()))),
                    "scored": ShareView.of(shares.get(one.label, share_of(()))),
                }
            )
            for one in found
        ),
        next_cursor=following,
    )


@router.post("/{prompt_id}/activate", operation_id="activate_prompt")
async def activate_prompt(
    prompt_id: Id, body: ActivateBody, context: GetContext, who: Admin
) -> PromptDetail:
    """Let decisions use this version from now on; an older one rolls back. Who did it is kept."""
    by, at = who.person.username, wall_now()
    await context.configure(
        lambda setup, _version: setup,
        who.person,
        first=lambda sql: prompt_store.activate(sql, prompt_id, body.version, by, at),
    )
    return await _detail(context, prompt_id)


def _fields(found: SummedUp, setup: Setup) -> dict[str, object]:
    return {
        **found.model_dump(),
        "built_in": found.id == standard_prompt.ID,
        "used_by": tuple(model.id for model in setup.models if model.prompt_id == found.id),
    }


async def _detail(context: Context, prompt_id: str) -> PromptDetail:
    setup = await context.read(config_store.load)
    active = await context.read(lambda sql: prompt_store.one_version(sql, prompt_id))
    found = pick(await context.read(prompt_store.summed_up), prompt_id, _WHAT)
    history = await context.read(lambda sql: prompt_store.activations(sql, prompt_id))
    return PromptDetail.model_validate(
        {
            **_fields(found, setup),
            "system": active.system,
            "user": active.user,
            "hash": active.hash,
            "activations": tuple(
                map(ActivationView.model_validate, (a.model_dump() for a in history))
            ),
        }
    )
