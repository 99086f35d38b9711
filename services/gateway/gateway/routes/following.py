"""Waits for what another service has just begun to show up in the read models."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

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
