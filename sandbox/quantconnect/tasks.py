"""What goes on after a request was answered."""

import asyncio
from collections.abc import Coroutine


class Tasks:
    """Owns what was started, and ends it."""

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Task[None]] = {}

    def start(self, name: str, work: Coroutine[None, None, None]) -> None:
        """Begin; it is forgotten when it is done."""
        task = asyncio.create_task(work, name=name)
        self._running[name] = task
        task.add_done_callback(lambda _task: self._running.pop(name, None))

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
