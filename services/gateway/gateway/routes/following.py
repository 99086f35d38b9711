"""Waits for other services: for what they have begun, and for what they have yet to hear of."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from signalbox.contracts.errors import NotFound

T = TypeVar("T")

OWNER = "qc-ingest"
_TRIES = 20
_BETWEEN_S = 0.1


async def until_told(look: Callable[[], Awaitable[T | None]]) -> T | None:
    """What `look` finds within two seconds, so that whoever is told an id can read it too."""
    for _ in range(_TRIES):
        found = await look()
        if found is not None:
            return found
        await asyncio.sleep(_BETWEEN_S)
    return None


async def once_known(ask: Callable[[], Awaitable[T]]) -> T:
    """What another service answers about a config. One that was saved a moment ago has to reach it
    first, so within two seconds it is asked again while it knows of none.

    Raises:
        NotFound: it still knows of none.
    """
    for _ in range(_TRIES - 1):
        try:
            return await ask()
        except NotFound:
            await asyncio.sleep(_BETWEEN_S)
    return await ask()
