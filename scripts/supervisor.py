"""Keeps programs running: starts them, reads what they say, restarts what dies, stops in order."""

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from scripts.console import Console, Lines
from signalbox.contracts.errors import SignalboxError

BACKOFF_S = (1, 2, 5, 10)
_SECRETS = {
    "SIGNALBOX_ADMIN_PASSWORD",
    "QUANTCONNECT_API_KEY",
    "QUANTCONNECT_API_SECRET",
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "ALPACA_API_KEY",
    "ALPACA_API_SECRET",
}
_FEED_KEYS = {"ALPACA_API_KEY", "ALPACA_API_SECRET"}  # market-data reads prices with them
_STABLE_S = 5.0  # so long after it was ready, the next failure counts as the first
_POLL_S = 0.2
_WATCH_S = 2.0
_SLOW_S = 10.0  # then one wants to know why
_PROBE_TIMEOUT_S = 2.0
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None

Probe = Callable[[], Awaitable[str | None]]  # None when ready, else why not
Hook = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Program:
    """What to run, and how to tell that it is ready."""

    name: str
    command: Sequence[str]
    probe: Probe
    port: int
    environment: Mapping[str, str] = field(default_factory=dict)
    held: Callable[[], IO[bytes]] | None = None  # an open file that it inherits on every start
    when_ready: Hook | None = None  # each time it has become ready


def _end_with_parent() -> None:
    """In the child: be told to stop when the supervisor dies without a word."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def inherited(name: str) -> dict[str, str]:
    """The environment of a program: keys and passwords are for the gateway, which seals them, and
    those of the price feed for market-data.
    """
    own = {"gateway": _SECRETS, "market-data": _FEED_KEYS}.get(name, set())
    return {k: v for k, v in os.environ.items() if k not in _SECRETS - own}


class Child:
    """One program, kept running until it is stopped."""

    def __init__(self, program: Program, console: Console, changed: Callable[[], None]) -> None:
        self.program = program
        self.ready = False
        self.restarts = 0
        self._console = console
        self._changed = changed
        self._ready_at = 0.0  # when the present process was ready first
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Of the process that runs now."""
        process = self._process
        return process.pid if process and process.returncode is None else None

    def start(self) -> None:
        """Begin; returns at once."""
        self._task = asyncio.create_task(self._keep_running())

    async def _keep_running(self) -> None:
        failures = 0
        while not self._stopping:
            code = await self._run_once()
            stable = self._ready_at and time.monotonic() - self._ready_at > _STABLE_S
            self.ready = False
            self._changed()
            if self._stopping:
                return
            failures = 1 if stable else failures + 1
            delay_s = BACKOFF_S[min(failures, len(BACKOFF_S)) - 1]
            self._say(f"ended with code {code}, starts again in {delay_s} s", level="error")
            await asyncio.sleep(delay_s)
            self.restarts += 1

    async def _run_once(self) -> int | str:
        self._ready_at = 0.0
        try:
            process = await self._spawn()
        except (OSError, RuntimeError) as error:
            return str(error)
        self._process = process
        self._changed()
        watch = asyncio.create_task(self._watch(time.monotonic()))
        await self._read(process)
        code = await process.wait()
        watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watch
        return code

    async def _spawn(self) -> asyncio.subprocess.Process:
        held = await asyncio.to_thread(self.program.held) if self.program.held else None
        try:
            return await asyncio.create_subprocess_exec(
                *self.program.command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**inherited(self.program.name), **self.program.environment},
                pass_fds=(held.fileno(),) if held else (),
                start_new_session=True,  # Ctrl-C reaches the supervisor only, which stops in order
                preexec_fn=_end_with_parent,
            )
        finally:
            if held:
                held.close()

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        lines, output = Lines(), process.stdout
        while output and (chunk := await output.read(1 << 16)):
            for line in lines.feed(chunk):
                self._console.take(self.program.name, line)
        for line in lines.end():
            self._console.take(self.program.name, line)

    async def _watch(self, began: float) -> None:
        """Say when it becomes ready, when it no longer is, and why it takes so long."""
        said: str | None = None
        while True:
            problem = await self.program.probe()
            if self._stopping:
                return
            if problem is None and not self.ready:
                self.ready = await self._now_ready(time.monotonic() - began)
                self._changed()
            elif problem is not None and self.ready:
                self._say(f"not ready: {problem}", level="warning")
                self.ready, began, said = False, time.monotonic(), problem
                self._changed()
            elif problem not in {None, said} and time.monotonic() - began > _SLOW_S:
                self._say(f"not ready yet: {problem}", level="warning")
                said = problem
            await asyncio.sleep(_WATCH_S if self.ready else _POLL_S)

    async def _now_ready(self, after_s: float) -> bool:
        try:
            if self.program.when_ready:
                await self.program.when_ready()
        except (SignalboxError, OSError) as error:
            self._say(f"{error}; tried again", level="error")
            await asyncio.sleep(_WATCH_S)
            return False
        self._say(f"ready after {after_s:.1f} s", level="ready")
        # Not each time: that what it needs was away for a moment is no failure of its own.
        self._ready_at = self._ready_at or time.monotonic()
        return True

    def _say(self, message: str, *, level: str) -> None:
        self._console.say(message, level=level, about=self.program.name)

    async def stop(self, patience_s: float) -> None:
        """Ask it to end; kill it when it does not in time."""
        self._stopping = True
        if self._task is None:
            return
        if self.pid is None:  # between two starts
            self._task.cancel()
        self.signal(signal.SIGTERM)
        _, late = await asyncio.wait({self._task}, timeout=patience_s)
        if late:
            self._say(f"did not stop within {patience_s:g} s and is killed", level="warning")
            self.kill()
            await asyncio.wait({self._task})

    def kill(self) -> None:
        """End it at once."""
        self._stopping = True
        self.signal(signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal if it runs."""
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)


def http_probe(port: int) -> Probe:
    """Readiness by `GET /readyz`."""

    async def probe() -> str | None:
        try:
            async with asyncio.timeout(_PROBE_TIMEOUT_S):
                return _problem(await _get(port, "/readyz"))
        except (OSError, TimeoutError):
            return "does not answer"

    return probe


async def _get(port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        host = f"127.0.0.1:{port}"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return await reader.read()
    finally:
        writer.close()


def _problem(answer: bytes) -> str | None:
    head, _, body = answer.partition(b"\r\n\r\n")
    if head.split(b" ", 2)[1:2] == [b"200"]:
        return None
    try:
        checks = json.loads(body)["checks"]
        return "; ".join(f"{name}: {said}" for name, said in checks.items() if said != "ok")
    except (ValueError, KeyError, AttributeError):
        return head.split(b"\r\n", 1)[0].decode("latin-1") or "answers nothing"


def write_run_file(path: Path, children: Mapping[str, Child]) -> None:
    """Who runs where, for tests and for people: `run.json`, replaced at once, private."""
    body = {
        "pid": os.getpid(),
        "programs": {
            name: {
                "pid": child.pid,
                "port": child.program.port,
                "ready": child.ready,
                "restarts": child.restarts,
            }
            for name, child in children.items()
        },
    }
    temporary = path.with_suffix(".new")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(body, file, indent=2)
    temporary.replace(path)
