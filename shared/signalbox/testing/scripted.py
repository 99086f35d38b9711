"""A model's server on loopback that does what a script says, over real TCP."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

_REASON = "Scripted"


class How(StrEnum):
    """In which way an answer reaches the client, or does not."""

    WHOLE = "whole"
    DRIP = "drip"  # a byte now and then, for ever
    HANG = "hang"  # nothing at all
    DROP_BEFORE = "drop before"  # closed without a byte
    DROP_AFTER = "drop after"  # closed after the headers
    CUT = "cut"  # closed in the middle of the promised length


@dataclass(frozen=True, slots=True)
class Step:
    """One answer."""

    status: int = 200
    body: Any = None  # bytes as they are, anything else as JSON
    headers: dict[str, str] = field(default_factory=dict)
    how: How = How.WHOLE

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True, slots=True)
class Seen:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass(slots=True)
class Script:
    """The steps, the last one for ever, and what was asked. A function answers by the request."""

    steps: list[Step | Callable[[Seen], Step]]
    seen: list[Seen] = field(default_factory=list)
    open: int = 0  # requests that are being answered
    most_open: int = 0
    port: int = 0
    release: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def next(self, request: Seen) -> Step:
        self.seen.append(request)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        return step(request) if callable(step) else step


@asynccontextmanager
async def scripted(*steps: Step | Callable[[Seen], Step]) -> AsyncIterator[Script]:
    """A server for the time of the block."""
    script = Script(list(steps))
    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await _talk(script, reader, writer)
        writer.close()
        talks.discard(task)

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    script.port = server.sockets[0].getsockname()[1]
    try:
        yield script
    finally:
        server.close()
        for task in list(talks):
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        await server.wait_closed()


async def _talk(script: Script, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer until a step ends the connection or the client does."""
    while (request := await _read(reader)) is not None:
        script.open += 1
        script.most_open = max(script.most_open, script.open)
        try:
            goes_on = await _answer(writer, script, script.next(request))
        finally:
            script.open -= 1
        if not goes_on:
            return


async def _read(reader: asyncio.StreamReader) -> Seen | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.rstrip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {k.lower(): v for k, v in (line.split(": ", maxsplit=1) for line in lines)}
    content = await reader.readexactly(int(headers.get("content-length", "0")))
    return Seen(method, path, headers, json.loads(content) if content else None)


async def _answer(writer: asyncio.StreamWriter, script: Script, step: Step) -> bool:
    """Whether the connection goes on."""
    if step.how is How.HANG:
        await script.release.wait()
    if step.how in {How.HANG, How.DROP_BEFORE}:
        return False
    content = step.content
    headers = {"content-type": "application/json", "content-length": str(len(content))}
    lines = "".join(f"{k}: {v}\r\n" for k, v in (headers | step.headers).items())
    writer.write(f"HTTP/1.1 {step.status} {_REASON}\r\n{lines}\r\n".encode())
    if step.how is How.WHOLE:
        writer.write(content)
        await writer.drain()
        return True
    if step.how is How.CUT:
        writer.write(content[: len(content) // 2])
    await writer.drain()
    while step.how is How.DRIP:
        writer.write(b" ")
        await writer.drain()
        with suppress(TimeoutError):
            await asyncio.wait_for(script.release.wait(), 0.02)
    return False
