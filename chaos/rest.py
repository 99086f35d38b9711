"""The gateway's REST interface as another system meets it, patient with a gateway that restarts."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx

_PATIENCE_S = 60.0
_ANSWER_S = 40.0  # a model may be waited for
_PAUSE_S = 0.1
_PAGE = 200


class Unexpected(Exception):
    """The gateway answered something else than was asked for."""


class Gateway:
    """Signed in as one user."""

    def __init__(self, address: Callable[[], str], password: str, username: str = "admin") -> None:
        self._address = address
        self._login = {"username": username, "password": password}
        self.token = ""
        self.http = httpx.AsyncClient(timeout=_ANSWER_S, trust_env=False)

    async def sign_in(self) -> None:
        """Get a token."""
        answer = await self.send("POST", "/api/auth/token", json=self._login)
        if answer.status_code != 200:
            raise Unexpected(f"signing in: {answer.status_code} {answer.text}")
        self.token = answer.json()["access_token"]

    async def close(self) -> None:
        """Let the connections go."""
        await self.http.aclose()

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request, repeated while the gateway is away or not ready."""
        deadline = asyncio.get_running_loop().time() + _PATIENCE_S
        while True:
            try:
                answer = await self._once(method, path, options)
                if answer.status_code != 503:
                    return answer
                problem = f"503 {answer.text}"
            except (httpx.TransportError, KeyError) as error:
                problem = repr(error)
            if asyncio.get_running_loop().time() > deadline:
                raise Unexpected(f"{method} {path}: {problem} for {_PATIENCE_S:g} s")
            await asyncio.sleep(_PAUSE_S)

    async def _once(self, method: str, path: str, options: dict[str, Any]) -> httpx.Response:
        headers = {**options.get("headers", {})}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        url = self._address() + path
        return await self.http.request(method, url, **{**options, "headers": headers})

    async def get(self, path: str, **query: Any) -> Any:
        """What a GET answers."""
        return await self._json("GET", path, params=query)

    async def post(self, path: str, body: Any = None, **options: Any) -> Any:
        """What a POST answers; it is done once, however often it has to be sent."""
        headers = {"Idempotency-Key": str(uuid4()), **options.pop("headers", {})}
        return await self._json("POST", path, json=body, headers=headers, **options)

    async def put(self, path: str, body: Any) -> Any:
        """What a PUT answers."""
        return await self._json("PUT", path, json=body)

    async def _json(self, method: str, path: str, **options: Any) -> Any:
        answer = await self.send(method, path, **options)
        if answer.status_code not in {200, 201, 202}:
            raise Unexpected(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()

    async def every(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """A whole list, page by page."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = await self.get(path, limit=_PAGE, **query, **cursor)
            found += page["items"]
            if not page["next_cursor"]:
                return found
            cursor = {"cursor": page["next_cursor"]}

    async def find(self, path: str) -> Any:
        """What a GET answers; None when there is nothing yet."""
        answer = await self.send("GET", path)
        return answer.json() if answer.status_code == 200 else None

    async def archived(self, last: int = 0) -> AsyncIterator[dict[str, Any]]:
        """Every archived event that followed a number, then those that come."""
        headers = {"Authorization": f"Bearer {self.token}", "Last-Event-ID": str(last)}
        url = self._address() + "/api/stream"
        async with self.http.stream("GET", url, headers=headers, timeout=30) as answer:
            async for line in answer.aiter_lines():
                body = line.removeprefix("data: ")
                if body != line and '"specversion"' in body:
                    yield json.loads(body)


@asynccontextmanager
async def signed_in(address: Callable[[], str], password: str) -> AsyncIterator[Gateway]:
    """A client for the time of a block."""
    gateway = Gateway(address, password)
    try:
        await gateway.sign_in()
        yield gateway
    finally:
        await gateway.close()
