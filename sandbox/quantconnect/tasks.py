"""What goes on after a request was answered."""

import asyncio
import logging
from collections.abc import Coroutine

log = logging.getLogger(__name__)


class Tasks:
    """Owns what was started, and ends it."""

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Task[None]] = {}

    def start(self, name: str, work: Coroutine[None, None, None]) -> None:
        """Begin; it is forgotten when it is done."""
        task = asyncio.create_task(work, name=name)
        self._running[name] = task
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task.get_name(), None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s ended by an error", task.get_name(), exc_info=error)

    @property
    def running(self) -> list[str]:
        """What has not ended yet."""
        return list(self._running)

    def cancel(self, name: str) -> None:
        """End one; nothing when it is not there."""
        task = self._running.get(name)
        if task is not None:
            task.cancel()

    async def close(self) -> None:
        """End them all, and wait until they have ended."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
