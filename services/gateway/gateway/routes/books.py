"""Positions, and what every bot is worth now."""

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from gateway.adapters.views import books
from gateway.domain.book_views import EquityView, PositionView
from gateway.domain.views import Listing
from gateway.routes.access import Admin, Trader, Viewer
from gateway.routes.context import GetContext, GetKey
from gateway.routes.orders import Placed
from gateway.routes.query import Id, Word

router = APIRouter(prefix="/api", tags=["books"])


@router.get("/positions", operation_id="list_positions")
async def list_positions(
    context: GetContext, _who: Viewer, bot: Word = None, symbol: Word = None
) -> Listing[PositionView]:
    """What every bot holds now, lot by lot."""
    marks = context.hub.marks
    found = await context.read(lambda sql: books.list_positions(sql, marks, bot=bot, symbol=symbol))
    return Listing(items=found)


@router.post("/positions/{bot}/{symbol:path}/close", operation_id="close_position")
async def close_position(
    bot: Id, symbol: Id, context: GetContext, who: Trader, key: GetKey
) -> Placed:
    """Sell or buy back all that a bot holds of a symbol. Works under the kill switch."""
    unique = f"{bot}|{symbol}|{key}" if key else None
    body = {"bot": bot, "symbol": symbol}
    return Placed.model_validate(
        await context.ask("executor", "close", {**body}, by=who.person, key=unique)
    )


class Correction(BaseModel):
    """What an account holds of a symbol at its broker, and what the difference was traded at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quantity: Annotated[Decimal, Field(max_digits=30)]  # units; negative is short
    price: Annotated[Decimal, Field(gt=0, max_digits=30)]


@router.post("/positions/{bot}/{symbol:path}/correct", operation_id="correct_position")
async def correct_position(
    bot: Id, symbol: Id, body: Correction, context: GetContext, *, who: Admin, key: GetKey
) -> Placed:
    """Make the book of a bot at a broker hold what its account does, after somebody has traded
    there by hand. Nothing is sent; the difference is booked as bought or sold by `external`.
    """
    unique = f"{bot}|{symbol}|{key}" if key else None
    asked = {"bot": bot, "symbol": symbol, **body.model_dump(mode="json")}
    return Placed.model_validate(
        await context.ask("executor", "correct", asked, by=who.person, key=unique)
    )


@router.get("/equity/now", operation_id="list_equity_now")
async def list_equity_now(context: GetContext, _who: Viewer) -> Listing[EquityView]:
    """What every bot is worth now, on the account that it has now."""
    return Listing(items=await context.read(books.list_books))
