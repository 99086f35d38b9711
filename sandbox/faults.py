"""Faults that can be switched on while the sandbox runs, so that clients meet them in time."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

_LONGEST_S = 120
Answer = Callable[[Request], Awaitable[Response]]


class Kind(StrEnum):
    """What goes wrong."""

    LIMITED = "429"
    BROKEN = "500"
    MAINTENANCE = "503html"
    SLOW = "slow"
    LOADING = "loading"
    TRUNCATED = "truncated"
    CASING = "casing"
    REVOKED = "revoked"
    DOWN = "down"
    LOST = "lost"  # the request takes effect, its answer never arrives
    SKEW = "skew"  # the other side's clock is ahead by so many seconds
    # Of language models alone:
    OVERLOADED = "529"
    QUOTA = "quota"  # the account may spend no more
    HTML = "200html"  # a page where an answer should be
    UNCOUNTED = "uncounted"  # an answer without its token counts
    REFUSED = "refused"  # the model will not
    LENGTH = "length"  # the limit of tokens is reached in the middle
    INVALID = "invalid"  # prose instead of JSON
    NAN = "nan"  # a confidence that is no number
    STRANGE = "strange"  # a decision about another symbol; of a broker: an unheard-of status
    # Of the broker alone:
    BROKEN_AFTER = "500after"  # the request takes effect, its answer is an error
    REJECTED = "rejected"  # the order is refused
    PARTIAL = "partial"  # the first quote fills half of the order
    HELD = "held"  # the order is taken and not filled
    EMPTY = "empty"  # a list without anything in it; a stream that says nothing
    TWICE = "twice"  # a message comes twice


class Fault(BaseModel):
    """One fault: on which paths, how often, and how badly."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    # Prefix of the path below /api/v2; empty: all of it. Language models: `openai/`, `anthropic/`;
    # the broker: `alpaca/post/v2/orders`, method first.
    path: str = Field("", max_length=200)
    count: int | None = Field(None, gt=0)  # requests it still meets; none: until it is cleared
    seconds: float = Field(2.0, ge=-100_000, le=100_000)  # of `slow`, `skew` and Retry-After

    @model_validator(mode="after")
    def _only_a_clock_runs_behind(self) -> Self:
        if self.kind is not Kind.SKEW and not 0 <= self.seconds <= _LONGEST_S:
            raise ValueError(f"seconds is {self.seconds}, not from 0 to {_LONGEST_S}")
        return self


class Dropped(Response):
    """An answer that breaks off: the connection is closed before the promised length."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Begin, and never finish."""
        headers = [(b"content-type", b"application/json"), (b"content-length", b"4096")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"succ', "more_body": True})


@dataclass(slots=True)
class Faults:
    """The faults that are on."""

    active: list[Fault] = field(default_factory=list)

    def find(self, path: str, *, named: bool = False) -> Fault | None:
        """The fault that meets a request, counted down; `named`: only by its path."""
        for fault in self.active:
            if not path.startswith(fault.path) or (named and not fault.path):
                continue
            if fault.count is not None:
                fault.count -= 1
                if fault.count == 0:
                    self.active.remove(fault)
            return fault
        return None

    async def through(self, request: Request, path: str, answer: Answer) -> Response:
        """The answer to a request, or what the fault makes of it."""
        fault = self.find(path)
        if fault is None:
            return await answer(request)
        early = _instead(fault)
        if early is not None:
            return early
        if fault.kind is Kind.REVOKED:
            request.state.revoked = True
        if fault.kind is Kind.SKEW:
            request.state.skew_s = fault.seconds
        if fault.kind is Kind.SLOW:
            await asyncio.sleep(fault.seconds)
        response = await answer(request)
        return Dropped() if fault.kind is Kind.LOST else _spoil(response, fault.kind)

    def routes(self) -> list[Route]:
        """Where faults are switched."""

        async def switch(request: Request) -> Response:
            if request.method == "DELETE":
                self.active.clear()
            if request.method == "POST":
                try:
                    self.active.append(Fault.model_validate_json(await request.body()))
                except ValidationError as error:
                    text = str(error.errors(include_url=False, include_input=False)[0]["msg"])
                    return JSONResponse({"error": text}, status_code=422)
            return JSONResponse({"active": [f.model_dump() for f in self.active]})

        return [Route("/faults", switch, methods=["GET", "POST", "DELETE"])]


def _instead(fault: Fault) -> Response | None:
    match fault.kind:
        case Kind.LIMITED:
            headers = {"Retry-After": f"{fault.seconds:g}"}
            return Response(b"Too Many Requests", status_code=429, headers=headers)
        case Kind.BROKEN:
            return Response(b"", status_code=500)
        case Kind.MAINTENANCE:
            page = "<html><body>Down for maintenance</body></html>"
            return Response(page, status_code=503, media_type="text/html")
        case Kind.LOADING:
            return JSONResponse({"status": "loading", "progress": 0.4, "success": True})
        case Kind.DOWN:
            return Dropped()
        case _:
            return None


def _spoil(response: Response, kind: Kind) -> Response:
    if kind is Kind.TRUNCATED:
        return Response(
            bytes(response.body)[: len(response.body) // 2], media_type="application/json"
        )
    if kind is Kind.CASING:
        return JSONResponse(_recase(json.loads(bytes(response.body)), _pascal))
    return response


def _recase(value: Any, rename: Callable[[str], str]) -> Any:
    """Old results keep old casing: the outer keys PascalCase, those inside lists kebab-case."""
    if isinstance(value, dict):
        return {rename(key): _recase(item, rename) for key, item in value.items()}
    if isinstance(value, list):
        return [_recase(item, _kebab) for item in value]
    return value


def _pascal(key: str) -> str:
    return key[:1].upper() + key[1:]


def _kebab(key: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", lambda found: f"-{found[1].lower()}", key)
