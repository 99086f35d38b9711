"""The sandbox, from its other side: what goes wrong there, and what its broker's own books say."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx

from sandbox.alpaca.api import SECRET

ACCOUNT = "chaos-broker"  # its id, and the key that opens it
_MOST = 500  # orders that one answer lists
_ANSWER_S = 20.0
_THINKING_S = 1.0
_PAID, _FREE = "openai/responses", "openai/responses/input_tokens"
_MANY = 1_000_000  # questions; a fault counts down what it meets
_DOUBTS = ("lost", "500after", "truncated")  # each leaves open whether an order was taken


@dataclass(frozen=True, slots=True)
class BrokerBooks:
    """What the broker shows of one account."""

    account: str
    started_with: Decimal
    cash: Decimal
    names: tuple[str, ...]  # our names of its orders, each as often as it is there
    positions: Mapping[str, Decimal]


class Outside:
    """The broker and the models, as the storm meets them."""

    def __init__(self, address: Callable[[], str]) -> None:
        self._address = address
        self._started_with = Decimal(0)
        self._asked = 0

    async def open(self) -> None:
        """Note what the account begins with. From now on models take their time, so that a death
        meets calls under way.
        """
        self._started_with = Decimal((await self._broker("account"))["cash"])
        await self._think(_THINKING_S)

    async def doubt(self, number: int) -> None:
        """Let the next order take effect, and its answer go wrong in one of several ways."""
        kind = _DOUBTS[number % len(_DOUBTS)]
        await self._fault(kind=kind, path="alpaca/post/v2/orders", count=1)

    async def calm(self) -> None:
        """Nothing goes wrong any more, and models answer at once."""
        self._asked = await self.asked()
        await self._ask("DELETE", "/faults")
        await self._think(0)

    async def asked(self) -> int:
        """How many questions have reached the models of OpenAI's form since the beginning."""
        active = (await self._ask("GET", "/faults"))["active"]
        left = next(one["count"] for one in active if one["path"] == _PAID)
        return self._asked + _MANY - int(left)

    async def _think(self, seconds: float) -> None:
        await self._fault(kind="slow", path=_FREE, seconds=0)  # met first, so that it is not paid
        await self._fault(kind="slow", path=_PAID, seconds=seconds, count=_MANY)

    async def broker_books(self) -> BrokerBooks:
        """Everything that the broker shows now."""
        orders = await self._orders()
        positions = await self._broker("positions")
        return BrokerBooks(
            ACCOUNT,
            self._started_with,
            Decimal((await self._broker("account"))["cash"]),
            tuple(order["client_order_id"] for order in orders),
            {one["symbol"]: Decimal(one["qty"]) for one in positions},
        )

    async def _orders(self) -> list[dict[str, Any]]:
        """All of them, page by page; one at the edge of two pages counts once."""
        found: dict[str, dict[str, Any]] = {}
        query: dict[str, Any] = {"status": "all", "limit": _MOST}
        while True:
            page = await self._broker("orders", **query)
            known = len(found)
            found |= {order["id"]: order for order in page}
            if len(page) < _MOST or len(found) == known:
                return list(found.values())
            oldest = min(datetime.fromisoformat(order["created_at"]) for order in page)
            query["until"] = (oldest + timedelta(microseconds=1)).isoformat()

    async def _fault(self, **fault: Any) -> None:
        await self._ask("POST", "/faults", json=fault)

    async def _broker(self, path: str, **query: Any) -> Any:
        login = {"apca-api-key-id": ACCOUNT, "apca-api-secret-key": SECRET}
        return await self._ask("GET", f"/alpaca/v2/{path}", params=query, headers=login)

    async def _ask(self, method: str, path: str, **options: Any) -> Any:
        async with httpx.AsyncClient(timeout=_ANSWER_S, trust_env=False) as client:
            answer = await client.request(method, self._address() + path, **options)
        return answer.raise_for_status().json()
