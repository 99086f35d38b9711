"""What protects a lot is shown with it, and what closed one with its order."""

from collections.abc import Callable
from decimal import Decimal as D
from typing import Any
from uuid import UUID

from signalbox.contracts import payloads as p
from signalbox.contracts.values import OrderState, SourceType
from signalbox.testing.examples import NOON

LOT = p.Lot(
    lot_id=UUID(int=7),
    source_type=SourceType.LLM,
    source_id="demo",
    quantity=D(5),
    entry_price=D(200),
    opened_at=NOON,
    order_id="0" * 32,
    protection=p.Protection(stop_price=D("190.5"), trailing=D("0.1"), best_price=D(205)),
)


async def test_stops_are_shown(gateway: Any, story: Callable[..., Any]) -> None:
    told = story()
    closed = told.order(OrderState.FILLED, purpose="protective", trigger="stop")
    gateway.feed(told.position((LOT,)), closed)
    async with gateway("viewer") as web:
        (held,) = (await web.get("/api/positions")).json()["items"]
        (order,) = (await web.get("/api/orders")).json()["items"]
    assert held["lots"][0]["protection"] == {
        "stop_price": "190.5",
        "target_price": None,
        "trailing": "0.1",
        "best_price": "205",
        "exit_at": None,
    }
    assert (order["purpose"], order["trigger"]) == ("protective", "stop")
