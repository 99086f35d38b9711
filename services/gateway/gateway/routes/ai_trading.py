"""Language models: which are asked, whether they answer, and how they stand."""

from fastapi import APIRouter, Response, status
from pydantic import JsonValue

from gateway.adapters import config_store
from gateway.adapters.views import llm as views
from gateway.adapters.views import notices
from gateway.adapters.views.paging import Span
from gateway.domain import llm_edits
from gateway.domain.bodies import free_id
from gateway.domain.edits import SealedSecret
from gateway.domain.llm import KEY_FIELD, OWNER, TOTAL, lacking
from gateway.domain.llm_bodies import BudgetBody, LlmConfigBody
from gateway.domain.llm_edits import WHAT
from gateway.domain.llm_status import Counted, budget_lines, statuses
from gateway.domain.llm_views import (
    BudgetLine,
    LlmConfigView,
    LlmStatus,
    LlmTest,
    midnight,
)
from gateway.domain.prompt_views import VariableView
from gateway.domain.setup import Setup, find, pick
from gateway.domain.views import Listing
from gateway.routes.access import Admin, Trader, Viewer
from gateway.routes.context import Context, GetContext
from gateway.routes.following import once_known
from gateway.routes.query import Id
from gateway.routes.saving import save
from signalbox.contracts.errors import Conflict
from signalbox.runtime.clock import wall_now

router = APIRouter(prefix="/api/ai-trading", tags=["ai-trading"])
_NEW: dict[int | str, dict[str, object]] = {201: {"model": LlmConfigView, "description": "Added"}}
_TEST_S = 20.0


@router.get("/config", operation_id="list_llm_configs")
async def list_configs(context: GetContext, _who: Viewer) -> Listing[LlmConfigView]:
    """Every language model that is asked."""
    found = (await context.read(config_store.load)).models
    told = await _connections(context)
    return Listing(items=tuple(LlmConfigView.of(one, told.get(one.id, {})) for one in found))


@router.post("/config", operation_id="save_llm_config", responses=_NEW)
async def save_config(
    body: LlmConfigBody, context: GetContext, who: Admin, response: Response
) -> LlmConfigView:
    """Add a language model, or change the one whose id is sent; fields that are left out stay. The
    key is sealed to llm-decider at once; nobody else can open it, and it is never shown again.
    Another provider, base_url or target needs its key too.
    """
    setup = await context.read(config_store.load)
    key = free_id(body.id, body.name, frozenset(model.id for model in setup.models), "model")
    secret = await _sealed(context, setup, key, body)
    model, _ = await save(
        context,
        who,
        response,
        lambda setup, _version: llm_edits.save_model(
            setup,
            body,
            secret,
            key=key,
            owner=who.person.user_id,
            at=wall_now(),
            private_urls=context.private_model_servers,
        ),
    )
    return LlmConfigView.of(model, {})


async def _sealed(
    context: Context, setup: Setup, key: str, body: LlmConfigBody
) -> SealedSecret | None:
    if body.api_key is None:
        return None
    before = find(setup.models, key)
    provider = body.provider or (before.provider if before else "")
    plain = body.api_key.get_secret_value()
    sealed = await context.configuration.seal(OWNER, config_id=key, field=KEY_FIELD, secret=plain)
    return llm_edits.sealed_key(provider, plain, sealed)


@router.get("/config/{config_id}", operation_id="read_llm_config")
async def read_config(config_id: Id, context: GetContext, _who: Viewer) -> LlmConfigView:
    """One language model."""
    setup = await context.read(config_store.load)
    told = await _connections(context)
    return LlmConfigView.of(pick(setup.models, config_id, WHAT), told.get(config_id, {}))


@router.delete(
    "/config/{config_id}",
    operation_id="delete_llm_config",
    status_code=status.HTTP_204_NO_CONTENT,
)
async def delete_config(config_id: Id, context: GetContext, who: Admin) -> None:
    """Ask a model no more, and forget its key; what it answered stays."""
    await context.configure(
        lambda setup, _version: llm_edits.remove_model(setup, config_id), who.person
    )


@router.post("/config/{config_id}/test", operation_id="test_llm_config")
async def test_config(config_id: Id, context: GetContext, who: Trader) -> LlmTest:
    """Ask the provider whether it accepts key and model, and which settings the model does not
    take. Nothing is spent on it.
    """
    model = pick((await context.read(config_store.load)).models, config_id, WHAT)
    if model.lacks:
        raise Conflict(f"it cannot be tested yet; {lacking(model)}")
    body: dict[str, JsonValue] = {"config_id": config_id}
    answer = await once_known(
        lambda: context.ask(OWNER, "test", body, by=who.person, timeout_s=_TEST_S)
    )
    return LlmTest.model_validate(answer)


@router.get("/status", operation_id="read_llm_status")
async def read_status(context: GetContext, _who: Viewer) -> Listing[LlmStatus]:
    """How every language model stands: whether its provider answers, what it has used today, and
    what is left of its budget.
    """
    setup, counted = await context.read(config_store.load), await _counted(context)
    lines = await _lines(context, setup, counted)
    told = await _connections(context)
    return Listing(items=statuses(setup.models, told, lines, counted))


@router.get("/budgets", operation_id="list_llm_budgets")
async def list_budgets(context: GetContext, _who: Viewer) -> Listing[BudgetLine]:
    """The present day and month, of all models together and of each."""
    setup, counted = await context.read(config_store.load), await _counted(context)
    lines = await _lines(context, setup, counted)
    return Listing(items=tuple(line for scope in lines.values() for line in scope))


@router.put("/budgets/total", operation_id="write_llm_budget")
async def write_budget(body: BudgetBody, context: GetContext, who: Admin) -> Listing[BudgetLine]:
    """Set what all models together may cost in a day and a month of wall time, UTC. 0 allows no
    call, null sets no limit, what is left out stays.
    """
    changed = await context.configure(
        lambda setup, _version: llm_edits.save_budget(setup, body), who.person
    )
    lines = await _lines(context, changed.setup, await _counted(context))
    return Listing(items=lines[TOTAL])


@router.get("/variables", operation_id="list_prompt_variables")
async def list_variables(context: GetContext, who: Viewer) -> Listing[VariableView]:
    """The names that a prompt may use as `{{name}}`."""
    answer = await context.ask(OWNER, "variables", {}, by=who.person)
    found = answer.get("variables")
    told = found if isinstance(found, list) else []
    return Listing(items=tuple(map(VariableView.model_validate, told)))


async def present_budget(
    context: Context, setup: Setup, config_id: str | None
) -> tuple[BudgetLine, ...]:
    """Day and month of one config, or of all together; nothing of a config that is gone."""
    lines = await _lines(context, setup, await _counted(context))
    return lines.get(config_id or TOTAL, ())


async def _connections(context: Context) -> dict[str, dict[str, JsonValue]]:
    states = await context.read(lambda sql: notices.list_states(sql, OWNER, "connection"))
    return {state.id: state.body for state in states}


async def _counted(context: Context) -> Counted:
    now = wall_now()
    month, today = midnight(now).replace(day=1), Span(start=midnight(now))
    rows = await context.read(lambda sql: views.usage(sql, Span(start=month)))
    calls = await context.read(lambda sql: views.calls(sql, today))
    return Counted(now, rows, {one.config_id: one.count for one in calls})


async def _lines(
    context: Context, setup: Setup, counted: Counted
) -> dict[str, tuple[BudgetLine, ...]]:
    limits = {TOTAL: setup.llm_budget, **{model.id: model.budget for model in setup.models}}
    told = await context.read(lambda sql: notices.list_states(sql, OWNER, "budget"))
    return budget_lines(limits, told, counted)
