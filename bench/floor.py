"""The floor: the same messages and rows with plain nats-py and SQL, and no business logic.

`python -m bench.floor router|executor HOME`. Continuous pull, one transaction for whatever has
arrived, publishes with their acknowledgements outstanding together, the next batch written
meanwhile.
"""

import asyncio
import json
import sqlite3
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nats
import uvloop
from nats.aio.client import Client
from nats.aio.msg import Msg

from bench.samples import Template, order_templates, verdict_template
from signalbox.runtime.bus import Credentials, server_url
from signalbox.runtime.pump import MOST, Pump

Rows = Sequence[tuple[object, ...]]
Statements = Callable[[list[tuple[str, str]]], list[tuple[str, Rows]]]

_SCHEMA = """
CREATE TABLE inbox (consumer TEXT, id TEXT, batch INTEGER, PRIMARY KEY (consumer, id));
CREATE TABLE outbox (batch INTEGER, n INTEGER, id TEXT, subject TEXT, body BLOB, trace TEXT,
  sent INTEGER, PRIMARY KEY (batch, n));
CREATE INDEX unsent ON outbox (batch) WHERE sent = 0;
CREATE TABLE states (symbol TEXT PRIMARY KEY, body TEXT);
CREATE TABLE orders (id TEXT PRIMARY KEY, symbol TEXT, body TEXT);
CREATE TABLE fills (id TEXT PRIMARY KEY, order_id TEXT, body TEXT);
CREATE INDEX fills_order ON fills (order_id);
CREATE TABLE lots (id TEXT PRIMARY KEY, symbol TEXT, body TEXT);
CREATE TABLE positions (symbol TEXT PRIMARY KEY, body TEXT);
CREATE TABLE books (bot TEXT PRIMARY KEY, body TEXT);
"""
_ROW = "x" * 160  # about what a row of ours holds
_STATE = "x" * 700


def router_rows(seen: list[tuple[str, str]]) -> list[tuple[str, Rows]]:
    """One state for each symbol of the batch."""
    symbols = {symbol for _, symbol in seen}
    return [("INSERT OR REPLACE INTO states VALUES (?, ?)", [(s, _STATE) for s in symbols])]


def executor_rows(seen: list[tuple[str, str]]) -> list[tuple[str, Rows]]:
    """An order and a fill each, half a lot in and half a lot out; positions, tracks and book once a
    batch.
    """
    symbols = {symbol for _, symbol in seen}
    return [
        ("INSERT OR REPLACE INTO orders VALUES (?, ?, ?)", [(i, s, _ROW * 2) for i, s in seen]),
        ("INSERT INTO fills VALUES (?, ?, ?)", [(f"f{i}", i, _ROW * 2) for i, _ in seen]),
        ("INSERT OR REPLACE INTO lots VALUES (?, ?, ?)", [(i, s, _ROW) for i, s in seen[::2]]),
        ("DELETE FROM lots WHERE id = ?", [(i,) for i, _ in seen[1::2]]),
        ("INSERT OR REPLACE INTO positions VALUES (?, ?)", [(s, _ROW) for s in symbols]),
        ("INSERT OR REPLACE INTO states VALUES (?, ?)", [(s, _ROW[:40]) for s in symbols]),
        ("INSERT OR REPLACE INTO books VALUES (?, ?)", [("bench", _ROW)]),
    ]


class Floor:
    """One service's place, taken by the least code."""

    def __init__(self, nc: Client, name: str, stream: str, home: Path) -> None:
        self.nc, self.name, self.stream = nc, name, stream
        self.templates = [verdict_template()] if name == "decision-router" else order_templates()
        self.rows: Statements = router_rows if name == "decision-router" else executor_rows
        self.thread = ThreadPoolExecutor(1)
        self.sql = sqlite3.connect(
            home / f"floor-{name}.sqlite", isolation_level=None, check_same_thread=False
        )
        self.sql.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + _SCHEMA)
        self.batch = 0
        self.sent: list[tuple[int]] = []
        self.waiting: dict[str, asyncio.Future[None]] = {}
        self.count = 0

    async def run(self) -> None:
        """Take, write, publish, acknowledge, for ever."""
        self.prefix = self.nc.new_inbox()
        await self.nc.subscribe(f"{self.prefix}.*", cb=self._on_ack)
        pump = await Pump(self.nc, self.stream, self.name, group=self.name).start()
        loop = asyncio.get_running_loop()
        tasks: set[asyncio.Task[None]] = set()
        while True:
            try:
                messages = await pump.get(MOST, 1.0)
            except TimeoutError:
                continue
            rows = await loop.run_in_executor(self.thread, self._write, messages)
            futures = [await self._publish(*row[2:6]) for row in rows]
            task = loop.create_task(self._finish(rows[0][0], futures, messages))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    def _write(self, messages: Sequence[Msg]) -> list[tuple[int, int, str, str, bytes, str, int]]:
        seen = [
            (m.headers["Nats-Msg-Id"] if m.headers else "", m.subject.rpartition(".")[2])
            for m in messages
        ]
        self.batch += 1
        done, self.sent = self.sent, []
        out = [row for i, s in seen for row in self._outgoing(i, s)]
        numbered = [(self.batch, n, *row, "0" * 55, 0) for n, row in enumerate(out)]
        run = self.sql.executemany
        self.sql.execute("BEGIN IMMEDIATE")
        run("UPDATE outbox SET sent = 1 WHERE batch = ?", done)
        known = ",".join("?" * len(seen))
        query = f"SELECT id FROM inbox WHERE consumer = 'x' AND id IN ({known})"  # noqa: S608 - marks only
        self.sql.execute(query, [i for i, _ in seen]).fetchall()
        run("INSERT INTO inbox VALUES ('x', ?, ?)", [(i, self.batch) for i, _ in seen])
        for statement, rows in self.rows(seen):
            run(statement, rows)
        run("INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?)", numbered)
        self.sql.execute("COMMIT")
        return numbered

    def _outgoing(self, message_id: str, symbol: str) -> list[tuple[str, str, bytes]]:
        base = message_id[:-1]
        return [(base + t.suffix, _subject(t, symbol), t.body) for t in self.templates]

    async def _publish(
        self, message_id: str, subject: str, body: bytes, trace: str
    ) -> asyncio.Future[None]:
        self.count += 1
        token = str(self.count)
        future = self.waiting[token] = asyncio.get_running_loop().create_future()
        headers = {
            "Content-Type": "application/cloudevents+json",
            "Nats-Msg-Id": message_id,
            "traceparent": trace,
        }
        await self.nc.publish(subject, body, reply=f"{self.prefix}.{token}", headers=headers)
        return future

    async def _on_ack(self, message: Msg) -> None:
        reply = json.loads(message.data)
        if "error" in reply:
            raise RuntimeError(reply["error"])
        self.waiting.pop(message.subject[len(self.prefix) + 1 :]).set_result(None)

    async def _finish(
        self, batch: int, futures: Sequence[asyncio.Future[None]], messages: Sequence[Msg]
    ) -> None:
        for future in futures:
            await future
        self.sent.append((batch,))
        for message in messages:
            await self.nc.publish(message.reply, b"+ACK")


def _subject(template: Template, symbol: str) -> str:
    return template.subject if template.suffix in "pe" else f"{template.subject}.{symbol}"


async def main(name: str, stream: str, home: Path) -> None:
    """Connect as the service whose place is taken."""
    login = Credentials.read(home, name)
    nc = await nats.connect(
        server_url(home, None),
        user=login.user,
        password=login.password,
        inbox_prefix=f"_INBOX_{name}".encode(),
        pending_size=64 * 1024 * 1024,
    )
    await Floor(nc, name, stream, home).run()


if __name__ == "__main__":
    places = {"router": ("decision-router", "SIGNALS"), "executor": ("executor", "VERDICTS")}
    uvloop.run(main(*places[sys.argv[1]], Path(sys.argv[2])))
