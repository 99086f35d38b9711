"""Insights from a QuantConnect over HTTP to the stream of signals, beside the floor."""

import asyncio
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import nats
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from bench.ingestion_floor import FILE as FLOOR_FILE
from bench.ingestion_floor import PROJECT
from bench.stack import Stack
from sandbox.quantconnect.desk import Desk
from sandbox.serving import LOGIN, serving
from signalbox.contracts.clock import ClockReading
from signalbox.contracts.config import IngestConfig, QuantConnectConfig
from signalbox.contracts.subjects import PREFIX, command_subject
from signalbox.contracts.values import Target
from signalbox.runtime.clock import wall_now
from signalbox.runtime.db import sqlite_path
from signalbox.runtime.natsserver import NatsServer, free_port
from signalbox.runtime.provision.files import prepare
from signalbox.runtime.provision.streams import provision_streams
from signalbox.runtime.secrets import seal
from signalbox.testing.examples import NOON
from signalbox.testing.wait import until

MOST_GROWN_MB = 32.0  # two of the three connections' page caches filling up; more is a leak
_SYMBOL = "AAPL R735QTJ8XC9X"
_READY_S, _GIVE_UP_S = 60.0, 120.0
_FETCH = command_subject("qc-ingest", "fetch")


@dataclass(frozen=True, slots=True)
class Run:
    """One side once."""

    per_s: float
    cpu_us: dict[str, float]  # per signal, by process
    resident_mb: Sequence[float]  # before, after a tenth, after all
    stored: dict[str, float]  # per signal: messages published, rows by table, commits


@dataclass(slots=True)
class _Sink:
    """Counts what the stream has stored."""

    marks: dict[int, float] = field(default_factory=dict)  # by count: resident MB at that instant
    count: int = 0

    async def start(self, running: Stack) -> None:
        bus = await running.bus("provision")

        async def on_message(_message: Msg) -> None:
            self.count += 1
            if self.count in self.marks:
                self.marks[self.count] = running.resident_mb()["qc-ingest"]

        await bus.js.subscribe(
            f"{PREFIX}.signals.>",
            stream="SIGNALS",
            config=ConsumerConfig(ack_policy=AckPolicy.NONE, deliver_policy=DeliverPolicy.NEW),
            manual_ack=True,
            pending_msgs_limit=-1,
            pending_bytes_limit=-1,
            cb=on_message,
        )


async def measure(side: str, sync_interval: str, count: int) -> Run:
    """One side on a stack of its own: all insights are there at once, and are fetched."""
    desk = Desk()
    desk.begin(1, [])
    deployment = desk.newest(PROJECT)
    assert deployment  # noqa: S101 - the desk was begun a line above
    async with serving(desk) as sandbox, _stack(side, sandbox.url, sync_interval) as running:
        await _fetch(running)  # first contact: what is there already says nothing
        sink = _Sink({count // 10: 0.0, count: 0.0})
        await sink.start(running)
        deployment.insights.extend(_insight(n) for n in range(count))
        resident, before = running.resident_mb()["qc-ingest"], running.cpu_s()
        start = time.perf_counter()
        await _fetch(running)
        await until(lambda: sink.count >= count, _GIVE_UP_S)
        took_s = time.perf_counter() - start
        after, stored = running.cpu_s(), {"messages": sink.count, **_stored(running.home)}
    cpu_us = {name: (after[name] - before[name]) / count * 1e6 for name in before}
    per_signal = {name: number / count for name, number in stored.items()}
    return Run(count / took_s, cpu_us, [resident, *sink.marks.values()], per_signal)


def _stored(home: Path) -> dict[str, int]:
    """Rows by table, and transactions that published something, of whichever side ran."""
    path = sqlite_path(home, "qc-ingest")
    path = path if path.exists() else home / FLOOR_FILE
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as sql:
        names = {"known": "count(*) FROM known", "outbox": "count(*) FROM outbox",
                 "commits": "count(DISTINCT batch) FROM outbox"}  # fmt: skip
        return {n: int(sql.execute(f"SELECT {what}").fetchone()[0]) for n, what in names.items()}


async def report(sync: str, sync_interval: str, pairs: int, count: int) -> str:
    """Pairs in turn, a table, and the JSON line of it."""
    runs: dict[str, list[Run]] = {"ours": [], "floor": []}
    for _ in range(pairs):
        for side, done in runs.items():
            done.append(await measure(side, sync_interval, count))
    per_s = {side: statistics.median(run.per_s for run in done) for side, done in runs.items()}
    ratio = statistics.median(
        ours.per_s / floor.per_s for ours, floor in zip(*runs.values(), strict=True)
    )
    print(f"\ningestion of {count} insights, sync_interval {sync}: medians of {pairs} pairs")
    print(f"{'':12}{'signals/s':>12}{'cpu us':>9}{'nats':>7}   MB before, after a tenth, after all")
    for side, done in runs.items():
        cost = {n: statistics.median(run.cpu_us[n] for run in done) for n in done[0].cpu_us}
        memory = ", ".join(
            f"{statistics.median(values):.0f}"
            for values in zip(*(run.resident_mb for run in done), strict=True)
        )
        print(f"{side:12}{per_s[side]:12.0f}{cost['qc-ingest']:9.0f}{cost['nats']:7.0f}   {memory}")
    for side, done in runs.items():
        numbers = ", ".join(f"{name} {number:.2f}" for name, number in done[-1].stored.items())
        print(f"per signal, {side}: {numbers} (one fsync a commit)")
    spent = [sum(run.cpu_us.values()) for run in runs["ours"]]
    floor = [sum(run.cpu_us.values()) for run in runs["floor"]]
    ratio_cpu = statistics.median(f / o for o, f in zip(spent, floor, strict=True))
    print(f"ratio {ratio:.2f} (signals/s), {ratio_cpu:.2f} (CPU)")
    print("of the memory, SQLite's page caches take up to 16 MB a connection")
    print(f"wanted: after the first tenth it grows by up to {MOST_GROWN_MB:g} MB")
    grown = statistics.median(run.resident_mb[2] - run.resident_mb[1] for run in runs["ours"])
    line = {
        "ingestion": count,
        "sync": sync,
        "per_s": round(per_s["ours"], 1),
        "floor_per_s": round(per_s["floor"], 1),
        "ratio": round(ratio, 3),
        "ratio_cpu": round(ratio_cpu, 3),
        "cpu_us": round(statistics.median(spent), 1),
        "resident_mb": [round(mb, 1) for mb in runs["ours"][-1].resident_mb],
        "grown_mb": round(grown, 1),  # from the first tenth to the end
    }
    return json.dumps(line)


async def _fetch(running: Stack) -> None:
    gateway = await running.bus("gateway")
    deadline = (wall_now() + timedelta(seconds=_GIVE_UP_S)).isoformat()
    asked = {"request_id": f"{time.time_ns()}", "by": "bench", "deadline": deadline, "body": {}}
    body = json.dumps(asked).encode()
    answer = json.loads((await gateway.nc.request(_FETCH, body, timeout=_GIVE_UP_S)).data)
    if answer.get("problem"):
        raise RuntimeError(answer["problem"]["message"])


def _insight(number: int) -> dict[str, Any]:
    """An insight as `live/insights/read` gives it, of noon on the market clock."""
    at = NOON.timestamp() + number / 1000
    return {
        "id": f"{number:032x}",
        "groupId": None,
        "sourceModel": "Momentum(8)",
        "generatedTime": at,
        "closeTime": at + 3600,
        "symbol": _SYMBOL,
        "ticker": "AAPL",
        "type": "price",
        "reference": 508.89,
        "referenceFinal": 0,
        "direction": ("up", "flat", "down")[number % 3],
        "period": 3600,
        "magnitude": 0.012,
        "confidence": 0.62,
        "weight": None,
        "scoreFinal": False,
        "scoreDirection": 0,
        "scoreMagnitude": 0,
        "estimatedValue": 0,
        "tag": None,
    }


@asynccontextmanager
async def _stack(side: str, sandbox_url: str, sync_interval: str) -> AsyncIterator[Stack]:
    with tempfile.TemporaryDirectory(prefix="signalbox-bench-") as folder:
        home = Path(folder)
        prepare(home)
        server = NatsServer.start(home, port=0, sync_interval=sync_interval)
        running = Stack(home, server)
        clock: asyncio.Task[None] | None = None
        try:
            await provision_streams(home, server.url)
            clock = asyncio.create_task(_keep_clock(running))
            await _start(running, side, sandbox_url)
            yield running
        finally:
            if clock is not None:
                clock.cancel()
            for bus in running.buses:
                await bus.close()
            for process in running.processes.values():
                process.terminate()
                process.wait(30)
            server.stop()


async def _keep_clock(running: Stack) -> None:
    market = await running.bus("market-data")
    at = NOON + timedelta(minutes=1)
    while True:
        reading = ClockReading(
            epoch=1, market_at=at, wall_at=wall_now(), speed=0, replay=True, position=0
        )
        await market.bucket_put("CLOCK", "clock", reading.model_dump_json().encode())
        await asyncio.sleep(1)


async def _start(running: Stack, side: str, sandbox_url: str) -> None:
    """Our service with one connection, or the floor; ready when it answers `fetch`."""
    gateway = await running.bus("gateway")
    public = await gateway.bucket_get("KEYS", "qc-ingest") or b""
    config = QuantConnectConfig(
        id="bench",
        name="Bench",
        user_id=LOGIN.user_id,
        token_sealed=seal(public.decode(), config_id="bench", field="token", plaintext=LOGIN.token),
        target=Target.SANDBOX,
        project_id=PROJECT,
        max_age_s=86_400,
    )
    document = IngestConfig(quantconnect=(config,)).model_dump(mode="json")
    body = json.dumps({"version": 1, "document": document}).encode()
    await gateway.bucket_put("CONFIG", "qc-ingest", body)
    environment = os.environ | {
        "SIGNALBOX_HOME": str(running.home),
        "SIGNALBOX_LOG_LEVEL": "WARNING",
        "SIGNALBOX_SANDBOX_URL": sandbox_url,
        "SIGNALBOX_SANDBOX_POLL_S": "9",  # it reads when it is asked
    }
    for name in ("SIGNALBOX_NATS_URL", "SIGNALBOX_DATABASE_URL"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "bench.ingestion_floor", str(running.home), sandbox_url]
    if side == "ours":
        migrate = [sys.executable, "-m", "signalbox.runtime.migrate", "qc-ingest"]
        await asyncio.to_thread(subprocess.run, migrate, env=environment, check=True, stdout=-3)
        factory = ["uvicorn", "--factory", "qc_ingest.app:create_app", "--no-access-log"]
        port = str(free_port())
        command = [sys.executable, "-m", *factory, "--port", port, "--log-level", "warning"]
    running.processes["qc-ingest"] = subprocess.Popen(command, env=environment)  # noqa: ASYNC220 - before anything is measured
    await until(lambda: _answers(running), _READY_S)


async def _answers(running: Stack) -> bool:
    try:
        await _fetch(running)
    except (nats.errors.Error, RuntimeError):
        return False
    return True
