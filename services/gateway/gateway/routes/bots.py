"""Bots and their accounts."""

from typing import Annotated, Literal

from fastapi import APIRouter, Response, status
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from gateway.adapters import config_store
from gateway.adapters.views import books
from gateway.domain import edits
from gateway.domain import setup as rules
from gateway.domain.bodies import AccountBody, BotBody, free_id
from gateway.domain.config_views import AccountView
from gateway.domain.connections import hint
from gateway.domain.edits import SealedKeys
from gateway.domain.setup import Setup, pick
from gateway.domain.views import Listing, View
from gateway.routes.access import Admin, Trader, Viewer
from gateway.routes.context import Context, GetContext, GetKey
from gateway.routes.orders import Placed
from gateway.routes.query import Id
from gateway.routes.saving import save
from signalbox.contracts.accounts import AccountConfig
from signalbox.contracts.config import BotConfig, Policy
from signalbox.contracts.errors import Malformed
from signalbox.contracts.limits import Exits, Limits, Sizing
from signalbox.contracts.values import Symbol
from signalbox.runtime.clock import wall_now

OWNER = "executor"  # who opens a broker's keys

router = APIRouter(prefix="/api", tags=["bots"])
_NEW: dict[int | str, dict[str, object]] = {201: {"model": BotConfig, "description": "Added"}}
_NEW_ACCOUNT: dict[int | str, dict[str, object]] = {
    201: {"model": AccountView, "description": "Added"}
}


class ClearBody(BaseModel):
    """Which halt is over."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    symbol: Symbol | Literal["*"] = "*"  # `*`: the whole bot
    next_sequence: Annotated[int, Field(ge=1, lt=1 << 53)] = 1  # of the verdict to go on with


class BotDefaults(View):
    """What a new bot has where nothing else is sent."""

    policy: Policy = Policy()
    sizing: Sizing = Sizing()
    limits: Limits = Limits()
    exits: Exits = Exits()


class Cleared(View):
    """The halt that is over."""

    bot: str
    symbol: str
    next_sequence: int


@router.get("/bots", operation_id="list_bots")
async def list_bots(context: GetContext, _who: Viewer) -> Listing[BotConfig]:
    """Every bot: who it listens to, how it decides, what it may do."""
    return Listing(items=(await context.read(config_store.load)).bots)


@router.post("/bots", operation_id="save_bot", responses=_NEW)
async def save_bot(body: BotBody, context: GetContext, who: Admin, response: Response) -> BotConfig:
    """Add a bot, or change the one whose id is sent; fields that are left out stay."""
    bot, _ = await save(
        context, who, response, lambda setup, version: edits.save_bot(setup, body, version)
    )
    return bot


@router.get("/defaults/bot", operation_id="read_bot_defaults")
async def read_bot_defaults(_who: Viewer) -> BotDefaults:
    """The numbers that a new bot begins with."""
    return BotDefaults()


@router.get("/bots/{bot_id}", operation_id="read_bot")
async def read_bot(bot_id: Id, context: GetContext, _who: Viewer) -> BotConfig:
    """One bot."""
    return pick((await context.read(config_store.load)).bots, bot_id, "bot")


@router.delete("/bots/{bot_id}", operation_id="delete_bot", status_code=status.HTTP_204_NO_CONTENT)
async def delete_bot(bot_id: Id, context: GetContext, who: Admin) -> None:
    """Delete a bot; 409 while it holds anything. Its account stays."""
    held = await context.read(lambda sql: books.open_symbols(sql, bot=bot_id))
    await context.configure(
        lambda setup, _version: rules.remove_bot(setup, bot_id, held),
        who.person,
    )


@router.post("/bots/{bot_id}/flatten", operation_id="flatten_bot")
async def flatten_bot(bot_id: Id, context: GetContext, who: Trader, key: GetKey) -> Placed:
    """Close every position of a bot and cancel its orders. Works under the kill switch."""
    unique = f"{bot_id}|{key}" if key else None
    body = {"bot": bot_id}
    return Placed.model_validate(
        await context.ask("executor", "flatten", {**body}, by=who.person, key=unique)
    )


@router.post("/bots/{bot_id}/clear-halt", operation_id="clear_halt")
async def clear_halt(
    bot_id: Id, body: ClearBody, context: GetContext, who: Admin, key: GetKey
) -> Cleared:
    """Let a halted bot, or one of its symbols, trade again. The alert that told of the halt names
    the symbol and the number to go on with; what was skipped is denied, never traded late.
    """
    unique = f"{bot_id}|{body.symbol}|{key}" if key else None
    asked: dict[str, JsonValue] = {
        "bot": bot_id,
        "symbol": body.symbol,
        "next_sequence": body.next_sequence,
    }
    return Cleared.model_validate(
        await context.ask("executor", "clear_halt", asked, by=who.person, key=unique)
    )


@router.get("/accounts", operation_id="list_accounts")
async def list_accounts(context: GetContext, _who: Viewer) -> Listing[AccountView]:
    """Every account, and the bot it belongs to."""
    setup = await context.read(config_store.load)
    return Listing(items=tuple(_view(account, setup) for account in setup.accounts))


@router.post("/accounts", operation_id="save_account", responses=_NEW_ACCOUNT)
async def save_account(
    body: AccountBody, context: GetContext, who: Admin, response: Response
) -> AccountView:
    """Add an account, or change the one whose id is sent. Keys of a broker are sealed to the
    executor at once; nobody else can open them, and they are never shown again.
    """
    taken = frozenset(a.id for a in (await context.read(config_store.load)).accounts)
    body = body.model_copy(update={"id": free_id(body.id, body.name, taken, "account")})
    keys = await _sealed(context, body)
    account, setup = await save(
        context,
        who,
        response,
        lambda setup, _version: edits.save_account(setup, body, keys),
    )
    return _view(account, setup)


async def _sealed(context: Context, body: AccountBody) -> SealedKeys | None:
    """The keys that were sent, sealed in their place.

    Raises:
        Malformed: one came without the other.
    """
    if body.api_key is None and body.api_secret is None:
        return None
    if body.api_key is None or body.api_secret is None or body.id is None:
        raise Malformed("api_key and api_secret belong together; send both")

    async def seal(field: str, secret: str) -> str:
        return await context.configuration.seal(
            OWNER, config_id=body.id or "", field=field, secret=secret
        )

    key, secret = body.api_key, body.api_secret.get_secret_value()
    return SealedKeys(
        await seal("api_key", key), await seal("api_secret", secret), hint(key), wall_now()
    )


@router.delete(
    "/accounts/{account_id}",
    operation_id="delete_account",
    status_code=status.HTTP_204_NO_CONTENT,
)
async def delete_account(account_id: Id, context: GetContext, who: Admin) -> None:
    """Delete an account; 409 while a bot uses it or anything is open on it."""
    held = await context.read(lambda sql: books.open_symbols(sql, account=account_id))
    await context.configure(
        lambda setup, _version: rules.remove_account(setup, account_id, held),
        who.person,
    )


def _view(account: AccountConfig, setup: Setup) -> AccountView:
    owner = next((bot.id for bot in setup.bots if bot.account == account.id), None)
    return AccountView.of(account, owner)
