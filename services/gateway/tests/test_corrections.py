"""A book made right by an admin: what is asked of the executor, and who may ask."""

from typing import Any

import pytest

URL = "/api/positions/alpha/BTC%2FUSD/correct"
BODY = {"quantity": "0.0997", "price": "50000.5"}


async def test_an_admin_says_what_the_broker_holds(gateway: Any) -> None:
    gateway.service.answers["executor", "correct"] = {"orders": ["c1"]}
    async with gateway("trader") as web:
        assert (await web.post(URL, json=BODY)).status_code == 403
    async with gateway() as web:
        made = await web.post(URL, json=BODY)
    assert made.json() == {"orders": ["c1"]}
    (asked,) = gateway.service.asked
    assert asked[:3] == ("executor", "correct", {"bot": "alpha", "symbol": "BTC/USD", **BODY})


@pytest.mark.parametrize("wrong", [{"price": "0"}, {"quantity": "NaN"}, {"lots": 1}])
async def test_what_is_no_holding_is_refused(gateway: Any, wrong: dict[str, Any]) -> None:
    async with gateway() as web:
        assert (await web.post(URL, json=BODY | wrong)).status_code == 422
    assert gateway.service.asked == []
