"""What language models answered, and asking them now."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response, status
from pydantic import JsonValue

from gateway.adapters import config_store
from gateway.adapters.views import llm as views
from gateway.adapters.views import orders
from gateway.adapters.views.llm import DecisionFilter
from gateway.domain.llm import OWNER, LanguageModel, lacking
from gateway.domain.llm_bodies import DecisionBody
from gateway.domain.llm_edits import WHAT
from gateway.domain.llm_views import (
    AskedView,
    AttemptView,
    DecisionDetail,
    DecisionView,
    MessagesView,
)
from gateway.domain.setup import pick
from gateway.domain.views import Listing
from gateway.routes.access import Trader, Viewer
from gateway.routes.context import Context, GetContext, GetKey
from gateway.routes.following import once_known
from gateway.routes.query import GetPage, GetSpan, Id, Word
from signalbox.contracts.errors import Conflict, Malformed, NotFound, SignalboxError
from signalbox.contracts.values import Action

router = APIRouter(prefix="/api/ai-trading/decision", tags=["ai-trading"])
Ending = Literal["answered", "refused", "truncated", "invalid", "failed", "over_budget"]
_LATER: dict[int | str, dict[str, object]] = {
    202: {"model": AskedView, "description": "Asked; some answers are still to come"}
}
_BETWEEN_S = 0.1
_ATTEMPTS_S = 3.0


def get_decision_filter(
    span: GetSpan,
    *,
    config: Word = None,
    symbol: Word = None,
    outcome: Annotated[Ending | None, Query()] = None,
    action: Annotated[Action | None, Query()] = None,
    dry_run: bool | None = None,
    processed: bool | None = None,
    model: Word = None,
    prompt: Annotated[
        str | None, Query(max_length=128, description="A version, such as `standard@1`.")
    ] = None,
    q: Annotated[
        str | None, Query(max_length=200, description="Words that the reasoning holds.")
    ] = None,
) -> DecisionFilter:
    """Which decisions are wanted."""
    return DecisionFilter(
        config_id=config,
        symbol=symbol,
        outcome=outcome,
        action=action,
        dry_run=dry_run,
        processed=processed,
        model=model,
        prompt_version=prompt,
        text=q,
        span=span,
    )


DecisionsWanted = Annotated[DecisionFilter, Depends(get_decision_filter)]


@router.get("", operation_id="list_llm_decisions")
async def list_decisions(
    context: GetContext, _who: Viewer, page: GetPage, wanted: DecisionsWanted
) -> Listing[DecisionView]:
    """Answers by the wall time at which they were there; holds, refusals and failures too."""
    targets = await targets_of(context)
    return await context.read(lambda sql: views.list_decisions(sql, wanted, page, targets))


@router.post("", operation_id="ask_for_llm_decision", responses=_LATER)
async def ask_for_decision(
    body: DecisionBody,
    context: GetContext,
    who: Trader,
    key: GetKey,
    response: Response,
    *,
    wait_s: Annotated[
        int, Query(ge=0, le=20, description="How long to wait for the answers.")
    ] = 20,
) -> AskedView:
    """Ask a model now. With `dry_run` the answer is recorded and never traded. 200 with the
    answers; 202 with their ids when some are not there in time.
    """
    model = pick((await context.read(config_store.load)).models, body.config_id, WHAT)
    _may_be_asked(model, body)
    wanted: dict[str, JsonValue] = {
        "config_id": body.config_id,
        "dry_run": body.dry_run,
        "by": who.person.username,
    }
    if body.symbols is not None:
        wanted["symbols"] = list(body.symbols)
    unique = f"{body.config_id}|{key}" if key else None
    answer = await once_known(
        lambda: context.ask(OWNER, "decide", wanted, by=who.person, key=unique, timeout_s=10)
    )
    asked = _texts(answer.get("decision_ids"))
    found = await _arrived(context, asked, wait_s, {model.id: model.target.value})
    there = {decision.id for decision in found}
    pending = {symbol: one for symbol, one in asked.items() if one not in there}
    response.status_code = status.HTTP_202_ACCEPTED if pending else status.HTTP_200_OK
    calls = answer.get("call_ids")
    return AskedView(
        complete=not pending,
        items=found,
        pending=pending,
        call_ids=tuple(map(str, calls)) if isinstance(calls, list) else (),
    )


def _may_be_asked(model: LanguageModel, body: DecisionBody) -> None:
    if model.lacks:
        raise Conflict(f"it cannot be asked yet; {lacking(model)}")
    unknown = sorted(set(body.symbols or ()) - set(model.symbols))
    if unknown:
        raise Malformed(
            f"symbols: {unknown[0]} is not one of this config's ({', '.join(model.symbols)})"
        )
    if not model.active and not body.dry_run:
        raise Conflict(
            f"{WHAT} {model.id!r} is switched off; switch it on, or ask with dry_run, which is"
            " never traded"
        )


def _texts(found: JsonValue) -> dict[str, str]:
    return {key: str(value) for key, value in found.items()} if isinstance(found, dict) else {}


async def _arrived(
    context: Context, asked: dict[str, str], wait_s: int, targets: dict[str, str]
) -> tuple[DecisionView, ...]:
    """Those of the decisions that are there before the time is up."""
    loop = asyncio.get_running_loop()
    end = loop.time() + wait_s
    while True:
        found = await context.read(lambda sql: views.decisions_of(sql, asked.values(), targets))
        if len(found) == len(asked) or loop.time() >= end:
            return found
        await asyncio.sleep(_BETWEEN_S)


@router.get("/{decision_id}", operation_id="read_llm_decision")
async def read_decision(decision_id: Id, context: GetContext, who: Viewer) -> DecisionDetail:
    """One answer: what the model was shown, every call that was made for it, and, where it became a
    signal, all that followed.
    """
    targets = await targets_of(context)
    found = await context.read(lambda sql: views.one_decision(sql, decision_id, targets))
    if found is None:
        raise NotFound(f"there is no decision {decision_id}")
    view, made = found
    signal_id = view.signal_id
    chain = await context.read(lambda sql: orders.chain(sql, signal_id)) if signal_id else None
    told: dict[str, JsonValue] = {}
    problem: str | None = None
    try:
        told = await context.ask(
            OWNER, "attempts", {"decision_id": decision_id}, by=who.person, timeout_s=_ATTEMPTS_S
        )
    except SignalboxError as error:
        problem = str(error)
    calls = told.get("attempts")
    return DecisionDetail(
        **view.model_dump(),
        market_data=made.snapshot,
        calls=tuple(map(AttemptView.of, calls)) if isinstance(calls, list) else None,
        messages=MessagesView.model_validate(told["messages"]) if told.get("messages") else None,
        calls_problem=problem,
        chain=chain,
    )


async def targets_of(context: Context) -> dict[str, str]:
    """Where each config lives: real or sandbox."""
    setup = await context.read(config_store.load)
    return {model.id: model.target.value for model in setup.models}
