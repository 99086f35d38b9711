"""A client of the sandbox that signs what it asks."""

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any

import httpx

from sandbox.quantconnect.desk import Desk
from sandbox.quantconnect.endpoints import Context

AT = 1_790_000_000
MOMENTUM, BREADTH = 23456781, 23456782


def signed(user: str = "123", key: str = "abc", at: int = AT) -> str:
    """The authorization header of a request."""
    digest = hashlib.sha256(f"{key}:{at}".encode()).hexdigest()
    return "Basic " + base64.b64encode(f"{user}:{digest}".encode()).decode()


@dataclass
class Client:
    """Signs every request, and reads envelopes."""

    http: httpx.AsyncClient
    desk: Desk
    context: Context
    clock: list[float] = field(default_factory=lambda: [float(AT)])

    async def raw(
        self, path: str, body: Any = None, method: str = "POST", **over: Any
    ) -> httpx.Response:
        headers = {"Authorization": signed(), "Timestamp": str(AT)} | over.pop("headers", {})
        if method == "GET":
            over["params"] = body
        else:
            over.setdefault("json", body or {})
        return await self.http.request(method, f"/api/v2/{path}", headers=headers, **over)

    async def call(self, path: str, /, **body: Any) -> dict[str, Any]:
        found: dict[str, Any] = (await self.raw(path, body)).json()
        return found

    async def good(self, path: str, /, **body: Any) -> dict[str, Any]:
        found = await self.call(path, **body)
        assert found["success"], found
        return found

    async def error(self, path: str, /, **body: Any) -> str:
        response = await self.raw(path, body)
        found = response.json()
        assert (response.status_code, found["success"]) == (200, False)
        return " ".join(found["errors"])
