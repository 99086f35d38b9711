"""A person lets a halted bot trade again."""

from typing import Any


async def test_an_admin_clears_a_halt(gateway: Any) -> None:
    told = {"bot": "alpha", "symbol": "*", "next_sequence": 1}
    gateway.service.answers["executor", "clear_halt"] = told
    async with gateway("trader") as web:
        assert (await web.post("/api/bots/alpha/clear-halt", json={})).status_code == 403
    async with gateway("admin") as web:
        assert (await web.post("/api/bots/alpha/clear-halt", json={})).json() == told
        wrong = await web.post("/api/bots/alpha/clear-halt", json={"next_sequence": 0})
    assert wrong.status_code == 422
    assert gateway.service.asked[0][:3] == ("executor", "clear_halt", told)
