"""`make run` as a newcomer meets it: everything comes up, heals, and goes down in order."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from signalbox.runtime.topology import SERVICES
from signalbox.testing.wait import until_sync

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]
_START_S = 90.0


@dataclass(slots=True)
class Running:
    """A system of its own, on free ports."""

    home: Path
    process: "subprocess.Popen[str]"

    def program(self, name: str) -> dict[str, Any]:
        """What `run.json` says of a program."""
        found: dict[str, Any] = json.loads((self.home / "run.json").read_text())["programs"][name]
        return found

    def kill(self, name: str) -> int:
        """Kill a program's process; return its id."""
        pid = int(self.program(name)["pid"])
        os.kill(pid, signal.SIGKILL)
        return pid

    def is_back(self, name: str, after: int) -> bool:
        """Whether another process of the program is ready."""
        found = self.program(name)
        return bool(found["ready"]) and found["pid"] != after

    def all_ready(self) -> bool:
        """Whether every program is."""
        assert self.process.poll() is None, self.log()
        path = self.home / "run.json"
        programs = json.loads(path.read_text())["programs"] if path.exists() else {}
        return {"gateway", "sandbox"} < set(programs) and all(
            one["ready"] for one in programs.values()
        )

    def log(self) -> str:
        """What the terminal showed."""
        return (self.home / "terminal").read_text()


def _start(home: Path) -> "subprocess.Popen[str]":
    environment = {**os.environ, "SIGNALBOX_HOME": str(home), "SIGNALBOX_FREE_PORTS": "1"}
    with (home / "terminal").open("a") as output:
        return subprocess.Popen(
            [sys.executable, ROOT / "scripts" / "up.py"],
            stdout=output,
            stderr=output,
            env=environment,
            cwd=ROOT,
            text=True,
        )


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One system for the tests of this module, which run in order."""
    home = tmp_path_factory.mktemp("home")
    running = Running(home, _start(home))
    try:
        until_sync(running.all_ready, _START_S, every=0.1)
        yield running
    finally:
        if running.process.poll() is None:
            running.process.terminate()
            running.process.wait(60)


def test_everything_is_ready_and_the_terminal_says_where(system: Running) -> None:
    until_sync(lambda: "Signalbox is ready" in system.log())
    port = system.program("gateway")["port"]
    assert f"http://127.0.0.1:{port}" in system.log()
    assert str(system.home / "admin-password") in system.log()
    assert (system.home / "admin-password").stat().st_mode & 0o777 == 0o600
    for service in SERVICES:
        until_sync(partial(_says_ready, system.program(service)["port"]))


def _says_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return json.load(answer)["ready"] is True
    except urllib.error.HTTPError:  # not at this moment
        return False


def test_no_service_meets_a_permission_it_lacks(system: Running) -> None:
    log = (system.home / "logs" / "nats-server.jsonl").read_text()
    assert "Violation" not in log


def test_a_second_start_on_the_same_home_is_refused_in_words(system: Running) -> None:
    second = _start(system.home)
    assert second.wait(60) == 1
    assert f"already runs on {system.home} (process {system.process.pid})" in system.log()


@pytest.mark.parametrize("name", ["executor", "nats-server", "gateway"])
def test_what_is_killed_comes_back(system: Running, name: str) -> None:
    until_sync(system.all_ready, 60, every=0.1)
    pid = system.kill(name)
    until_sync(lambda: system.is_back(name, pid), 60, every=0.1)
    until_sync(system.all_ready, 60, every=0.1)


def test_a_signal_stops_everything_in_order(system: Running) -> None:
    programs = json.loads((system.home / "run.json").read_text())["programs"]
    pids = [int(one["pid"]) for one in programs.values()]
    system.process.send_signal(signal.SIGINT)
    assert system.process.wait(90) == 0
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert "is killed" not in system.log()
    assert not (system.home / "run.json").exists()


def test_a_second_run_on_the_same_home_goes_on_where_it_was(system: Running) -> None:
    password = (system.home / "admin-password").read_text()
    system.process = _start(system.home)
    until_sync(system.all_ready, _START_S, every=0.1)
    assert (system.home / "admin-password").read_text() == password
    assert system.log().count("tables of executor") == 1
