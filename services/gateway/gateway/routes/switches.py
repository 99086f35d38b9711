"""Flags, the kill switch, the market clock, and strategies."""

from fastapi import APIRouter, Response, status

from gateway.adapters import config_store
from gateway.adapters.views import notices
from gateway.domain import edits
from gateway.domain.bodies import FlagsBody, KillSwitchBody, MarketBody, StrategyBody
from gateway.domain.config_views import FlagsView, MarketView, StrategyKindView, StrategyView
from gateway.domain.roles import Role
from gateway.domain.setup import Setup, pick, releases, without
from gateway.domain.views import Listing
from gateway.routes.access import Admin, Trader, Viewer
from gateway.routes.context import Context, GetContext
from gateway.routes.query import Id
from gateway.routes.saving import save
from signalbox.contracts.accounts import KillSwitch
from signalbox.contracts.config import MarketConfig
from signalbox.contracts.errors import Refused
from signalbox.runtime.clock import wall_now

router = APIRouter(prefix="/api", tags=["switches"])
_RUNNER = "strategy-runner"
_NEW: dict[int | str, dict[str, object]] = {201: {"model": StrategyView, "description": "Added"}}


@router.get("/flags", operation_id="read_flags")
async def read_flags(context: GetContext, _who: Viewer) -> FlagsView:
    """Which kinds of sources are let in."""
    return _flags(await context.read(config_store.load))


@router.put("/flags", operation_id="write_flags")
async def write_flags(body: FlagsBody, context: GetContext, who: Admin) -> FlagsView:
    """Let kinds of sources in, or keep them out; what is left out stays as it is."""
    changed = await context.configure(
        lambda setup, _version: edits.set_flags(setup, body), who.person
    )
    return _flags(changed.setup)


@router.get("/kill-switch", operation_id="read_kill_switch")
async def read_kill_switch(context: GetContext, _who: Viewer) -> KillSwitch:
    """What may not trade now."""
    return (await context.read(config_store.load)).kill_switch


@router.put("/kill-switch", operation_id="write_kill_switch")
async def write_kill_switch(body: KillSwitchBody, context: GetContext, who: Trader) -> KillSwitch:
    """Stop everything, accounts or bots. Exits still work. To release anything needs an admin."""

    def edit(setup: Setup, _version: int) -> Setup:
        after = edits.set_kill_switch(setup, body, by=who.person.username, at=wall_now())
        freed = releases(setup.kill_switch, after.kill_switch)
        if freed and not who.person.role.may(Role.ADMIN):
            raise Refused("only an admin releases what the kill switch stops")
        return after

    changed = await context.configure(edit, who.person)
    return changed.setup.kill_switch


@router.get("/market", operation_id="read_market")
async def read_market(context: GetContext, _who: Viewer) -> MarketView:
    """The market clock, and whether prices are replayed."""
    return _market(context, await context.read(config_store.load))


@router.put("/market", operation_id="write_market")
async def write_market(body: MarketBody, context: GetContext, who: Admin) -> MarketView:
    """Set how fast the replay runs; 0 pauses it."""
    market = MarketConfig(speed=body.speed)
    changed = await context.configure(
        lambda setup, _version: setup.model_copy(update={"market": market}),
        who.person,
    )
    return _market(context, changed.setup)


@router.get("/strategies", operation_id="list_strategies")
async def list_strategies(context: GetContext, _who: Viewer) -> Listing[StrategyView]:
    """Classic strategies, the symbols they watch, and how they are doing."""
    instances = (await context.read(config_store.load)).strategies
    states = await context.read(lambda sql: notices.list_states(sql, _RUNNER, "strategy"))
    told = {state.id: state.body for state in states}
    return Listing(items=tuple(StrategyView.of(i, told.get(i.id, {})) for i in instances))


@router.get("/strategies/kinds", operation_id="list_strategy_kinds")
async def list_strategy_kinds(context: GetContext, _who: Viewer) -> Listing[StrategyKindView]:
    """Which strategies can be run, with the defaults of their parameters."""
    states = await context.read(lambda sql: notices.list_states(sql, _RUNNER, "kind"))
    return Listing(
        items=tuple(StrategyKindView.model_validate({**s.body, "id": s.id}) for s in states)
    )


@router.post("/strategies", operation_id="save_strategy", responses=_NEW)
async def save_strategy(
    body: StrategyBody, context: GetContext, who: Admin, response: Response
) -> StrategyView:
    """Add a strategy, or change the one whose id is sent; fields that are left out stay."""
    instance, _ = await save(
        context, who, response, lambda setup, _version: edits.save_strategy(setup, body)
    )
    return StrategyView.of(instance, {})


@router.delete(
    "/strategies/{strategy_id}",
    operation_id="delete_strategy",
    status_code=status.HTTP_204_NO_CONTENT,
)
async def delete_strategy(strategy_id: Id, context: GetContext, who: Admin) -> None:
    """Stop a strategy for good; what it bought stays until somebody sells it."""

    def edit(setup: Setup, _version: int) -> Setup:
        pick(setup.strategies, strategy_id, "strategy")
        return setup.model_copy(update={"strategies": without(setup.strategies, strategy_id)})

    await context.configure(edit, who.person)


def _flags(setup: Setup) -> FlagsView:
    return FlagsView.model_validate({kind.value: on for kind, on in setup.flags.items()})


def _market(context: Context, setup: Setup) -> MarketView:
    moment = context.service.moment()
    return MarketView(
        now=moment.now,
        wall=moment.wall,
        epoch=moment.epoch,
        replay=moment.replay,
        frozen=moment.frozen,
        speed=moment.speed if setup.market.speed is None else setup.market.speed,
    )
