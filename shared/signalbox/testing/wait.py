"""Waiting for what is bound to happen, with a deadline instead of a guess."""

import asyncio
import inspect
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar, overload

from signalbox.runtime.clock import wall_now

T = TypeVar("T")


@overload
async def until(
    look: Callable[[], Awaitable[T]], timeout_s: float = 20.0, *, every: float = 0.02
) -> T: ...


@overload
async def until(look: Callable[[], T], timeout_s: float = 20.0, *, every: float = 0.02) -> T: ...


async def until(look: Callable[[], Any], timeout_s: float = 20.0, *, every: float = 0.02) -> Any:
    """Look again until what is seen is truthy; return it.

    Raises:
        AssertionError: it never was; the message tells what was seen last.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        seen = look()
        found = await seen if inspect.isawaitable(seen) else seen
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(_late(look, timeout_s, found))
        await asyncio.sleep(every)


async def within_a_day(needed_s: float = 30.0) -> None:
    """Return while the UTC day lasts that long; at its very end, when the next has begun."""

    def is_long_enough() -> bool:
        now = wall_now()
        return (now + timedelta(seconds=needed_s)).date() == now.date()

    await until(is_long_enough, needed_s + 20)


def until_sync(look: Callable[[], T], timeout_s: float = 20.0, *, every: float = 0.02) -> T:
    """The same outside an event loop."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(_late(look, timeout_s, found))
        threading.Event().wait(every)


def _late(look: Callable[[], object], timeout_s: float, seen: object) -> str:
    name = getattr(look, "__qualname__", repr(look))
    return f"{name} did not come true within {timeout_s:g} s, at last it was {seen!r}"
