"""A stack of its own for every measurement: server, the two services of the money path or the floor
in their place.
"""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

from bench.samples import OPEN, configs, quotes
from signalbox.contracts.clock import ClockReading
from signalbox.contracts.config import Document
from signalbox.runtime.bus import Bus, Credentials
from signalbox.runtime.clock import wall_now
from signalbox.runtime.db import sqlite_path
from signalbox.runtime.natsserver import NatsServer, free_port
from signalbox.runtime.provision.files import prepare
from signalbox.runtime.provision.streams import provision_streams
from signalbox.testing.examples import a_moment
from signalbox.testing.wait import until

_TICKS = os.sysconf("SC_CLK_TCK")
_READY_S = 60.0
_ROWS = {"inbox", "outbox", "orders", "fills"}  # one or more for each signal; the rest is per batch
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"
_COMMITS = "SELECT count(DISTINCT batch) FROM inbox"


@dataclass(slots=True)
class Stack:
    """What runs, and what it has used so far."""

    home: Path
    server: NatsServer
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    buses: list[Bus] = field(default_factory=list)

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds by process, user and system."""
        pids = {"nats": self.server.process.pid}
        pids |= {name: process.pid for name, process in self.processes.items()}
        return {name: _cpu_s(pid) for name, pid in pids.items()}

    def resident_mb(self) -> dict[str, float]:
        """Resident memory by service, MB."""
        return {name: _resident_mb(p.pid) for name, p in self.processes.items()}

    def stored(self) -> dict[str, int]:
        """Rows by table and transactions of messages, since the start, of router and executor."""
        found: Counter[str] = Counter()
        for name in self.processes:
            path = sqlite_path(self.home, name)
            if not path.exists():
                path = self.home / f"floor-{name}.sqlite"
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as sql:
                tables = {row[0] for row in sql.execute(_TABLES)}
                for table in sorted(tables & _ROWS):
                    count = f"SELECT count(*) FROM {table}"  # noqa: S608 - our own names
                    found[table] += sql.execute(count).fetchone()[0]
                found["commits"] += sql.execute(_COMMITS).fetchone()[0]
        return dict(found)

    async def bus(self, user: str) -> Bus:
        """A connection as one of the topology's users."""
        bus = Bus(user, self.server.url, Credentials.read(self.home, user))
        await bus.connect()
        self.buses.append(bus)
        return bus


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _resident_mb(pid: int) -> float:
    line = next(
        x for x in Path(f"/proc/{pid}/status").read_text().splitlines() if x.startswith("VmRSS")
    )
    return int(line.split()[1]) / 1024


@asynccontextmanager
async def stack(side: str, sync_interval: str) -> AsyncIterator[Stack]:
    """`ours` or `floor` on a fresh server in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="signalbox-bench-") as folder:
        home = Path(folder)
        prepare(home)
        server = NatsServer.start(home, port=0, sync_interval=sync_interval)
        running = Stack(home, server)
        tasks: list[asyncio.Task[None]] = []
        try:
            await provision_streams(home, server.url)
            tasks.append(asyncio.create_task(_prepare_market(running)))
            await (_start_ours if side == "ours" else _start_floor)(running)
            yield running
        finally:
            for task in tasks:
                task.cancel()
            for bus in running.buses:
                await bus.close()
            for process in running.processes.values():
                process.terminate()
            for process in running.processes.values():
                process.wait(30)
            server.stop()


async def _prepare_market(running: Stack) -> None:
    """Configuration and quotes once; the clock as long as it runs."""
    router, executor = configs()
    gateway, market = await running.bus("gateway"), await running.bus("market-data")
    for name, document in (("decision-router", router), ("executor", executor)):
        await gateway.bucket_put("CONFIG", name, _document(document))
    await market.confirmed(await market.send(*quotes(a_moment())))
    while True:
        reading = ClockReading(
            epoch=1, market_at=OPEN, wall_at=wall_now(), speed=0, replay=True, position=0
        )
        await market.bucket_put("CLOCK", "clock", reading.model_dump_json().encode())
        await asyncio.sleep(1)


def _document(document: Document) -> bytes:
    return json.dumps({"version": 1, "document": document.model_dump(mode="json")}).encode()


async def _start_ours(running: Stack) -> None:
    environment = os.environ | {
        "SIGNALBOX_HOME": str(running.home),
        "SIGNALBOX_LOG_LEVEL": "WARNING",
    }
    for name in ("SIGNALBOX_NATS_URL", "SIGNALBOX_DATABASE_URL"):
        environment.pop(name, None)
    migrate = [sys.executable, "-m", "signalbox.runtime.migrate", "all"]
    await asyncio.to_thread(subprocess.run, migrate, env=environment, check=True, stdout=-3)
    for name in ("decision-router", "executor"):
        port = running.ports[name] = free_port()
        factory = f"{name.replace('-', '_')}.app:create_app"
        running.processes[name] = subprocess.Popen(  # noqa: ASYNC220 - before anything is measured
            [sys.executable, "-m", "uvicorn", "--factory", factory, "--port", str(port),
             "--no-access-log", "--log-level", "warning"],
            env=environment,
        )  # fmt: skip
    for port in running.ports.values():
        await until(lambda p=port: _is_ready(p), _READY_S)  # type: ignore[misc]  # bound per round


async def _is_ready(port: int) -> bool:
    def ask() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    return await asyncio.to_thread(ask)


async def _start_floor(running: Stack) -> None:
    for name, place in (("decision-router", "router"), ("executor", "executor")):
        command = [sys.executable, "-m", "bench.floor", place, str(running.home)]
        running.processes[name] = subprocess.Popen(command)  # noqa: ASYNC220 - as above
    provision = await running.bus("provision")

    async def pulling(stream: str, durable: str) -> bool:
        return bool((await provision.js.consumer_info(stream, durable)).num_waiting)

    await until(lambda: pulling("SIGNALS", "decision-router"), _READY_S)
    await until(lambda: pulling("VERDICTS", "executor"), _READY_S)
