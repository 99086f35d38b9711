"""What tests read through REST, in their own words. None stands for not yet."""

from decimal import Decimal
from typing import Any

from chaos.rest import Gateway
from signalbox.contracts.payloads import Signal


async def judged(gateway: Gateway, signal: Signal, bot: str, *, round_: int = 0) -> Any:
    """The verdict of a bot on a signal."""
    found = await gateway.get("/api/verdicts", signal=str(signal.signal_id), bot=bot)
    return next((one for one in found["items"] if one["round"] == round_), None)


async def settled(gateway: Gateway, signal: Signal, bot: str) -> Any:
    """The order that a bot made of a signal, once it is over."""
    found = await gateway.get("/api/orders", signal=str(signal.signal_id), bot=bot, final=True)
    return next(iter(found["items"]), None)


async def held(gateway: Gateway, bot: str, symbol: str) -> Decimal:
    """What a bot holds."""
    found = (await gateway.get("/api/positions", bot=bot, symbol=symbol))["items"]
    return sum((Decimal(position["quantity"]) for position in found), Decimal(0))


async def holds(gateway: Gateway, bot: str, symbol: str, quantity: object) -> bool:
    """Whether a bot holds that much."""
    return await held(gateway, bot, symbol) == Decimal(str(quantity))
