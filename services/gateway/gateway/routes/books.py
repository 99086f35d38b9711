"""Positions, and what every bot is worth now."""

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from gateway.adapters.views import books
from gateway.domain.book_views import EquityView, PositionView
from gateway.domain.views import Listing
from gateway.routes.access import Admin, Trader, Viewer
from gateway.routes.context import GetContext, GetKey
from gateway.routes.orders import Placed
from gateway.routes.query import Id, Word
from signalbox.contracts.values import Slug

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
    """What an account holds of a symbol at its broker, and how it came to differ from the book:
    traded at `price`, by a `split`, or, where neither is sent, without a trade.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    quantity: Annotated[Decimal, Field(max_digits=30)]  # units; negative is short
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
    account: Slug | None = Field(
        None, description="Needed where the bot has left an account and may hold the symbol in two."
    )
    price: Annotated[Decimal, Field(gt=0, max_digits=30)] | None = None
    split: Annotated[
        str | None,
        Field(
            pattern=r"^[1-9]\d{0,3}:[1-9]\d{0,3}$", description="New units for old, such as 2:1."
        ),
    ] = None


@router.post("/positions/{bot}/{symbol:path}/correct", operation_id="correct_position")
async def correct_position(
    bot: Id, symbol: Id, body: Correction, context: GetContext, *, who: Admin, key: GetKey
) -> Placed:
    """Make the book of a bot at a broker hold what its account does. Nothing is sent. A split
    changes the lots and their stops; any other difference is booked as bought or sold by
    `external`, without a price at the market's. Who, why, from what to what is told as an alert.
    """
    unique = f"{bot}|{symbol}|{key}" if key else None
    asked = {"bot": bot, "symbol": symbol, **body.model_dump(mode="json", exclude_none=True)}
    return Placed.model_validate(
        await context.ask("executor", "correct", asked, by=who.person, key=unique)
    )


@router.get("/equity/now", operation_id="list_equity_now")
async def list_equity_now(context: GetContext, _who: Viewer) -> Listing[EquityView]:
    """What every bot is worth now, on the account that it has now."""
    return Listing(items=await context.read(books.list_books))
