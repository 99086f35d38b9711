"""What both providers share here: key, models, faults, and how a text comes about."""

import asyncio
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.faults import Dropped, Fault, Faults, Kind
from sandbox.llm import rule
from sandbox.llm.counting import PromptCache, tokens

_MOST_BYTES = 4 * 1024 * 1024
_PAGE = "<html><body>Sign in to this network</body></html>"


class Refused(Exception):
    """An error answer in a provider's own form."""

    def __init__(self, status: int, body: dict[str, Any], **headers: str) -> None:
        super().__init__(status)
        self.response = JSONResponse(body, status_code=status, headers=headers)


@dataclass(frozen=True, slots=True)
class House:
    """One provider as it stands: its key, its models, its prompt cache."""

    name: str  # the first part of the path
    key: str = field(repr=False)
    models: tuple[str, ...]
    faults: Faults
    cache: PromptCache

    def fault(self, path: str) -> Fault | None:
        """The fault that meets a request by its path, such as `openai/responses`."""
        return self.faults.find(f"{self.name}/{path}", named=True)


@dataclass(frozen=True, slots=True)
class Written:
    """The text of an answer and how it ended."""

    text: str
    output: int  # tokens
    ended: str = "complete"  # or `length`, `refused`


def write(prompt: str, schema: Any, most: int, fault: Fault | None) -> Written:
    """What the rule answers within so many tokens, or what the fault makes of it."""
    kind = fault.kind if fault else None
    text = rule.answer(prompt, schema)
    if kind is Kind.REFUSED:
        return Written("I cannot help with that.", 8, "refused")
    if kind is Kind.INVALID:
        text = f"Sure! Here is my view: buy. {text[:40]}"
    elif kind in {Kind.NAN, Kind.STRANGE}:
        found = json.loads(text)
        for decision in found.get("decisions", []):
            decision.update(
                {"confidence": float("nan")} if kind is Kind.NAN else {"symbol": "ZZZZ"}
            )
        text = json.dumps(found)
    size = tokens(text)
    if kind is Kind.LENGTH or size > most:
        cut = min(most, size // 2 if kind is Kind.LENGTH else size)
        return Written(text[: cut * len(text) // size], cut, "length")
    return Written(text, size)


async def body_of(request: Request) -> dict[str, Any]:
    """The JSON object of a request; an empty one when it is none."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > _MOST_BYTES:
            return {}
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def new_id(kind: str) -> str:
    """A fresh identifier, such as `resp_…`."""
    return f"{kind}_{secrets.token_hex(12)}"


async def through(
    fault: Fault | None, errors: Callable[[Kind], Refused | None], answer: Callable[[], Response]
) -> Response:
    """The answer, or what a fault puts in its place. `errors` are the provider's own forms."""
    if fault is not None:
        refused = errors(fault.kind)
        if refused is not None:
            if fault.kind is Kind.LIMITED:
                refused.response.headers["retry-after"] = f"{fault.seconds:g}"
            return refused.response
        if fault.kind is Kind.SLOW:
            await asyncio.sleep(fault.seconds)
    try:
        response = answer()
    except Refused as refused:
        return refused.response
    return _spoilt(response, fault.kind) if fault is not None else response


def _spoilt(response: Response, kind: Kind) -> Response:
    match kind:
        case Kind.DOWN | Kind.LOST:
            return Dropped()
        case Kind.BROKEN:
            return Response(b"", status_code=500)
        case Kind.MAINTENANCE:
            return Response(_PAGE, status_code=503, media_type="text/html")
        case Kind.HTML:
            return Response(_PAGE, media_type="text/html")
        case Kind.TRUNCATED:
            half = bytes(response.body)[: len(response.body) // 2]
            return Response(half, media_type="application/json")
        case Kind.UNCOUNTED:
            return JSONResponse(json.loads(bytes(response.body)) | {"usage": None})
        case _:
            return response
