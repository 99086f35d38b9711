"""Lists of what QuantConnect's algorithms have said."""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("query", "own_ids"),
    [
        ("", ["q2", "q1"]),
        ("config=demo", ["q2", "q1"]),
        ("config=other", []),
        ("symbol=MSFT", ["q2"]),
        ("action=buy", ["q2", "q1"]),
        ("action=sell", []),
        ("processed=true", ["q2"]),
        ("processed=false", ["q1"]),
        ("from=2026-08-03T16:01:00Z", ["q2"]),
        ("to=2026-08-03T16:01:00Z", ["q1"]),
        ("from=2026-08-03T16:02:00Z", []),
    ],
)
async def test_quantconnects_signals_are_filtered(
    gateway: Any, story: Callable[..., Any], query: str, own_ids: list[str]
) -> None:
    one, two = story(), story(own_id="q2", symbol="MSFT", minute=1)
    gateway.feed(*one.all(), *two.all(), two.approved())
    async with gateway() as web:
        found = (await web.get(f"/api/quantconnect/signals?{query}")).json()["items"]
    wanted = {told.signal.own_id: str(told.signal.signal_id) for told in (one, two)}
    assert [signal["id"] for signal in found] == [wanted[own_id] for own_id in own_ids]
