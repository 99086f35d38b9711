"""The floor of ingestion: the same pages, rows and messages through httpx, SQL and nats-py.

`python -m bench.ingestion_floor HOME URL`. It takes qc-ingest's place and answers its `fetch`.
"""

import asyncio
import json
import sqlite3
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import nats
import uvloop
from nats.aio.client import Client
from nats.aio.msg import Msg
from sqlalchemy import create_engine

from bench.floor import RowMaker
from qc_ingest.adapters import tables
from qc_ingest.domain.signature import sign
from sandbox.serving import LOGIN
from signalbox.contracts.events import SignalRaised
from signalbox.contracts.subjects import command_subject
from signalbox.contracts.values import SourceType
from signalbox.runtime.bus import Credentials, server_url
from signalbox.testing.examples import a_moment, a_signal

FILE = "floor-qc-ingest.sqlite"
PROJECT = 23456781
PAGE = 100
_SYMBOL_ID = "AAPL R735QTJ8XC9X"


class Floor:
    """Reads page after page; one transaction each, its messages confirmed while the next is read.

    What is stored and published is true in shape and size, with only the ids its own.
    """

    def __init__(self, nc: Client, http: httpx.AsyncClient, home: Path) -> None:
        self.nc = nc
        self.http = http
        path = home / FILE
        schema = create_engine(f"sqlite:///{path}")
        tables.metadata.create_all(schema)
        schema.dispose()
        self.thread = ThreadPoolExecutor(1)
        self.sql = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.sql.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
        self.known, self.cursors = RowMaker(tables.known), RowMaker(tables.cursors)
        signal = a_signal(
            source_type=SourceType.QUANTCONNECT,
            source_id=str(PROJECT),
            own_id="0" * 32,
            symbol="AAPL",
            reasoning="Momentum(8) expects up until 2026-08-03 17:00 UTC.",
            details={"configId": "bench", "deployId": "L" * 34, "symbolId": _SYMBOL_ID,
                     "time": "2026-08-03T16:00:00.001000+00:00", "insightId": "0" * 32,
                     "closeTime": "2026-08-03T17:00:00.001000+00:00",
                     "sourceModel": "Momentum(8)", "magnitude": "0.012"},
        )  # fmt: skip
        event = a_moment().event(SignalRaised, signal)
        self.subject, self.body = event.subject, event.encode()
        self.waiting: dict[str, asyncio.Future[None]] = {}
        self.batch = 0

    async def run(self) -> None:
        """Answer until killed."""
        self.prefix = self.nc.new_inbox()
        await self.nc.subscribe(f"{self.prefix}.*", cb=self._on_ack)
        await self.nc.subscribe(command_subject("qc-ingest", "fetch"), cb=self._on_fetch)
        await asyncio.Event().wait()

    async def _on_fetch(self, message: Msg) -> None:
        live = await self._ask("live/read", {"projectId": PROJECT})
        place = {"projectId": PROJECT, "algorithmId": live["deployId"]}
        start = await self._at(self._next_index)
        while True:
            span = {"start": start, "end": start + PAGE}
            rows = (await self._ask("live/insights/read", place | span))["insights"]
            if rows:
                messages = await self._at(self._write, rows, start + len(rows))
                for sent in messages:
                    await self._publish(*sent)
            if len(rows) < PAGE:
                break
            start += PAGE
        await self._ask("live/orders/read", place | {"start": 0, "end": PAGE})
        await asyncio.gather(*self.waiting.values())
        await message.respond(b"{}")

    async def _at(self, work: Any, *given: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.thread, work, *given)

    async def _ask(self, path: str, body: dict[str, Any]) -> Any:
        headers = sign(LOGIN.user_id, LOGIN.token, int(time.time()))
        return json.loads((await self.http.post(path, json=body, headers=headers)).content)

    def _next_index(self) -> int:
        found = self.sql.execute("SELECT max(next_index) FROM cursors").fetchone()[0]
        return int(found or 0)

    def _write(self, rows: Sequence[dict[str, Any]], index: int) -> list[tuple[str, str, bytes]]:
        ids = [row["id"] for row in rows]
        bodies = [json.dumps(row, separators=(",", ":")) for row in rows]
        self.batch += 1
        out = [(self.batch, n, i, self.subject, self.body, "0" * 55, 0) for n, i in enumerate(ids)]
        run = self.sql.executemany
        marks = ",".join("?" * len(ids))
        self.sql.execute("BEGIN IMMEDIATE")
        run("UPDATE outbox SET sent = 1 WHERE batch = ?", [(self.batch - 1,)])
        query = f"SELECT own_id FROM known WHERE config_id = 'x' AND own_id IN ({marks})"  # noqa: S608 - marks only
        self.sql.execute(query, ids).fetchall()
        run(self.known.put, self.known.rows("own_id", ids, body=bodies))
        run(self.cursors.put, self.cursors.rows("next_index", [index]))  # type: ignore[list-item]  # a number
        run("INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?)", out)
        self.sql.execute("COMMIT")
        return [(i, self.subject, self.body) for i in ids]

    async def _publish(self, message_id: str, subject: str, body: bytes) -> None:
        self.waiting[message_id] = asyncio.get_running_loop().create_future()
        headers = {
            "Content-Type": "application/cloudevents+json",
            "Nats-Msg-Id": message_id,
            "traceparent": "0" * 55,
        }
        reply = f"{self.prefix}.{message_id}"
        await self.nc.publish(subject, body, reply=reply, headers=headers)

    async def _on_ack(self, message: Msg) -> None:
        reply = json.loads(message.data)
        if "error" in reply:
            raise RuntimeError(reply["error"])
        self.waiting.pop(message.subject[len(self.prefix) + 1 :]).set_result(None)


async def main(home: Path, url: str) -> None:
    """Connect as qc-ingest."""
    login = Credentials.read(home, "qc-ingest")
    nc = await nats.connect(
        server_url(home, None),
        user=login.user,
        password=login.password,
        inbox_prefix=b"_INBOX_qc-ingest",
        pending_size=64 * 1024 * 1024,
    )
    async with httpx.AsyncClient(base_url=f"{url}/api/v2/", trust_env=False) as http:
        await Floor(nc, http, home).run()


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1]), sys.argv[2]))
