"""The floor: the same messages and rows with plain nats-py and SQL, and no business logic.

`python -m bench.floor router|executor HOME`. Continuous pull, one transaction for whatever has
arrived, publishes with their acknowledgements outstanding together, the next batch written
meanwhile.
"""

import asyncio
import json
import sqlite3
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nats
import uvloop
from nats.aio.client import Client
from nats.aio.msg import Msg
from sqlalchemy import Column, String, Table, Text, create_engine

from bench.samples import Template, order_templates, verdict_template
from decision_router.adapters import tables as router
from executor.adapters import tables as executor
from signalbox.runtime.bus import Credentials, server_url
from signalbox.runtime.columns import ExactDecimal, Json
from signalbox.runtime.pump import MOST, Pump

Rows = Sequence[tuple[object, ...]]
Statements = Callable[[list[tuple[str, str]]], list[tuple[str, Rows]]]

_JSON = '[{"lot_id":"00000000-0000-5000-8000-000000000000","effect":"opened","quantity":"4.7499"}]'
_UNCHANGING = {"bot": "bench", "account": "bench", "source_type": "strategy", "source_id": "bench"}


class RowMaker:
    """Rows of one of our own tables: true in shape and size, with only the keys their own."""

    def __init__(self, table: Table) -> None:
        self.columns = [column.name for column in table.columns]
        self.template = [_sample(column) for column in table.columns]
        marks = ", ".join("?" * len(self.columns))
        self.put = f"INSERT OR REPLACE INTO {table.name} VALUES ({marks})"  # noqa: S608 - our own names

    def rows(self, name: str, keys: Iterable[str], **others: Sequence[str]) -> Rows:
        """One row for each key in column `name`; `others` vary with it."""
        places = [self.columns.index(name), *(self.columns.index(other) for other in others)]
        made = []
        for values in zip(keys, *others.values(), strict=True):
            row = self.template.copy()
            for place, value in zip(places, values, strict=True):
                row[place] = value
            made.append(tuple(row))
        return made


def _sample(column: Column[Any]) -> object:
    if column.name in _UNCHANGING:
        return _UNCHANGING[column.name]
    if isinstance(column.type, ExactDecimal):
        return "4.7499"
    if isinstance(column.type, Text):
        return "x" * 300
    if isinstance(column.type, String):
        return "x" * min(column.type.length or 8, 32)
    return _JSON if isinstance(column.type, Json) else 1_790_000_000_000_000


def router_rows() -> Statements:
    """One state for each symbol of the batch."""
    states = RowMaker(router.states)

    def rows(seen: list[tuple[str, str]]) -> list[tuple[str, Rows]]:
        return [(states.put, states.rows("symbol", {symbol for _, symbol in seen}))]

    return rows


def executor_rows() -> Statements:
    """An order and a fill each, a lot in or out; positions, tracks and the book once a batch."""
    orders, fills, lots, positions, tracks, books = (
        RowMaker(table)
        for table in (
            executor.orders, executor.fills, executor.lots,
            executor.positions, executor.tracks, executor.books,
        )
    )  # fmt: skip

    def rows(seen: list[tuple[str, str]]) -> list[tuple[str, Rows]]:
        ids, names = [i for i, _ in seen], [s for _, s in seen]
        symbols = set(names)
        return [
            (orders.put, orders.rows("order_id", ids, symbol=names)),
            (fills.put, fills.rows("fill_id", ids, symbol=names)),
            (lots.put, lots.rows("lot_id", ids[::2], symbol=names[::2])),
            ("DELETE FROM lots WHERE lot_id = ?", [(i,) for i in ids[1::2]]),
            (positions.put, positions.rows("symbol", symbols)),
            (tracks.put, tracks.rows("symbol", symbols)),
            (books.put, books.rows("bot", ["bench"])),
        ]

    return rows


class Floor:
    """One service's place, taken by the least code."""

    def __init__(self, nc: Client, name: str, stream: str, home: Path) -> None:
        self.nc, self.name, self.stream = nc, name, stream
        self.templates = [verdict_template()] if name == "decision-router" else order_templates()
        routing = name == "decision-router"
        self.rows = router_rows() if routing else executor_rows()
        path = home / f"floor-{name}.sqlite"
        schema = create_engine(f"sqlite:///{path}")
        (router if routing else executor).metadata.create_all(schema)
        schema.dispose()
        self.thread = ThreadPoolExecutor(1)
        self.sql = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.sql.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
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
