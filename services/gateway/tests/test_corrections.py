"""A book made right by an admin: what is asked of the executor, and who may ask."""

from typing import Any

import pytest

URL = "/api/positions/alpha/BTC%2FUSD/correct"
BODY = {"quantity": "0.0997", "price": "50000.5", "reason": "bought by hand"}


async def test_an_admin_says_what_the_broker_holds(gateway: Any) -> None:
    gateway.service.answers["executor", "correct"] = {"orders": ["c1"]}
    async with gateway("trader") as web:
        assert (await web.post(URL, json=BODY)).status_code == 403
    async with gateway() as web:
        made = await web.post(URL, json=BODY)
    assert made.json() == {"orders": ["c1"], "message": ""}
    (asked,) = gateway.service.asked
    assert asked[:3] == ("executor", "correct", {"bot": "alpha", "symbol": "BTC/USD", **BODY})


async def test_a_split_is_named_and_has_no_price_and_the_account_may_be(gateway: Any) -> None:
    gateway.service.answers["executor", "correct"] = {"orders": []}
    said = {"quantity": "20", "split": "2:1", "reason": "two for one", "account": "left"}
    async with gateway() as web:
        assert (await web.post(URL, json=said)).json()["orders"] == []
    (asked,) = gateway.service.asked
    assert asked[2] == {"bot": "alpha", "symbol": "BTC/USD", **said}


@pytest.mark.parametrize(
    "wrong",
    [
        {"price": "0"},
        {"quantity": "NaN"},
        {"lots": 1},
        {"reason": " "},
        {"split": "2"},
        {"account": ""},
    ],
)
async def test_what_is_no_holding_is_refused(gateway: Any, wrong: dict[str, Any]) -> None:
    async with gateway() as web:
        assert (await web.post(URL, json=BODY | wrong)).status_code == 422
    assert gateway.service.asked == []
