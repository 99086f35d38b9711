"""A real system of its own: started as `make run` starts it, killed by process id."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from signalbox.testing.wait import until, until_sync

ROOT = Path(__file__).parents[1]
START_S = 90.0
_STOP_S = 60.0
# What the shell around may say, too.
OWN = ("SIGNALBOX_", "QUANTC", "OPENAI_", "ANTHROPIC_", "ALPACA_")


@dataclass(slots=True)
class System:
    """One state directory, and the system that runs on it now. Ports are free ones."""

    home: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[str] | None" = None

    def launch(self, **more: str) -> "subprocess.Popen[str]":
        """Start the supervisor; returns at once. Settings of the shell around do not count."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(OWN)}
        own = {"SIGNALBOX_HOME": str(self.home), "SIGNALBOX_FREE_PORTS": "1"}
        self.home.mkdir(parents=True, exist_ok=True)
        with self.terminal.open("a") as output:
            return subprocess.Popen(
                [sys.executable, ROOT / "scripts" / "up.py"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**kept, **own, **self.environment, **more},
                cwd=self.home,
                text=True,
            )

    def start(self, **more: str) -> None:
        """Start, and wait until every program is ready."""
        self.process = self.launch(**more)
        until_sync(self.all_ready, START_S, every=0.05)

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Ask it to stop; returns its exit code. Killed, with all it started, when it does not."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.kill_all()
            return self.process.wait()

    def kill_all(self) -> None:
        """Everything at once, the supervisor first: a power cut."""
        running = self.pids()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
        for pid in running.values():
            _kill(pid)
        if self.process is not None:
            self.process.wait(10)

    @property
    def terminal(self) -> Path:
        """The file that holds what the terminal showed."""
        return self.home / "terminal"

    def log(self) -> str:
        """What the terminal showed so far."""
        return self.terminal.read_text() if self.terminal.exists() else ""

    def programs(self) -> dict[str, dict[str, Any]]:
        """What `run.json` says of each program; nothing while there is none."""
        path = self.home / "run.json"
        try:
            found: dict[str, dict[str, Any]] = json.loads(path.read_text())["programs"]
        except FileNotFoundError:
            return {}
        return found

    def pids(self) -> dict[str, int]:
        """The process of each program that runs."""
        return {name: int(one["pid"]) for name, one in self.programs().items() if one["pid"]}

    def port(self, program: str) -> int:
        """Where a program listens."""
        return int(self.programs()[program]["port"])

    def url(self, program: str) -> str:
        """Where a program is asked over HTTP."""
        return f"http://127.0.0.1:{self.port(program)}"

    def all_ready(self) -> bool:
        """Whether every program is. Fails when the supervisor has ended."""
        if self.process is not None and self.process.poll() is not None:
            raise AssertionError(f"it ended with {self.process.returncode}:\n{self.log()[-4000:]}")
        programs = self.programs()
        return {"gateway", "sandbox"} < set(programs) and all(p["ready"] for p in programs.values())

    def is_ready(self, program: str) -> bool:
        """Whether a program is."""
        return bool(self.programs().get(program, {}).get("ready"))

    def kill(self, program: str) -> int:
        """Kill a program's process; returns its id."""
        pid = self.pids()[program]
        _kill(pid)
        return pid

    def is_back(self, program: str, after: int) -> bool:
        """Whether another process of the program is ready."""
        found = self.programs().get(program, {})
        return bool(found.get("ready")) and found["pid"] != after

    async def kill_and_wait(self, program: str, within_s: float = 60.0) -> None:
        """Kill a program and wait until it is back and everything is ready."""
        pid = self.kill(program)
        await until(lambda: self.is_back(program, pid), within_s, every=0.05)
        await until(self.all_ready, within_s, every=0.05)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
