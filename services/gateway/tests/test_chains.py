"""The whole chain by the id of any of its parts."""

from collections.abc import Callable
from typing import Any

import pytest

PARTS: dict[str, Callable[[Any], str]] = {
    "signal": lambda told: str(told.signal.signal_id),
    "verdict": lambda told: str(told.verdicts()[0].data.verdict_id),
    "order": lambda told: told.order_id,
    "fill": lambda told: told.opening().fill_id,
    "lot": lambda told: str(told.lot_id),
}


@pytest.mark.parametrize("part", PARTS)
async def test_every_part_leads_to_the_whole(
    gateway: Any, story: Callable[..., Any], part: str
) -> None:
    told = story()
    gateway.feed(*told.all(), told.exit())
    async with gateway() as web:
        chain = (await web.get(f"/api/chains/{PARTS[part](told)}")).json()
    assert chain["signal"]["id"] == str(told.signal.signal_id)
    assert {v["bot"] for v in chain["verdicts"]} == {"alpha", "beta"}
    assert [o["id"] for o in chain["orders"]] == [told.order_id]
    assert [lot["realised_pnl"] for lot in chain["lots"]] == ["98"]


async def test_an_order_without_a_signal_stands_alone_with_its_lots(
    gateway: Any, story: Callable[..., Any]
) -> None:
    told = story()
    sold = told.exit()
    gateway.feed(*told.all(), sold)
    async with gateway() as web:
        chain = (await web.get(f"/api/chains/{sold.data.order_id}")).json()
        unknown = await web.get("/api/chains/nobody")
    assert (chain["signal"], chain["verdicts"]) == (None, [])
    assert [o["id"] for o in chain["orders"]] == [sold.data.order_id]
    assert [lot["open"] for lot in chain["lots"]] == [False]
    assert unknown.status_code == 404
