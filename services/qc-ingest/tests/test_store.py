"""Leases, cursors and known words on both databases."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from qc_ingest.adapters import store
from qc_ingest.domain.health import Connection, NotTaken, Trouble
from qc_ingest.domain.judge import Known, Status
from qc_ingest.domain.pages import Cursor, Kind
from signalbox.runtime.db import Database
from signalbox.runtime.migrating import migrate

pytestmark = pytest.mark.integration

WALL = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LIFE = timedelta(seconds=30)


@pytest.fixture
async def db(tmp_path: Path, database_url: str | None) -> AsyncIterator[Database]:
    migrate("qc-ingest", home=tmp_path, url=database_url)
    opened = Database.open("qc-ingest", home=tmp_path, url=database_url)
    yield opened
    opened.close()


def a_word(n: int = 0) -> Known:
    return Known(
        config_id="main",
        own_id=f"{n:032x}",
        kind=Kind.INSIGHTS,
        project_id=2**40,
        deploy_id="L-1",
        digest="d",
        status=Status.RAISED,
        reason="r" * 300,
        seen_at=WALL,
        body={"a": "0.10", "b": [None, "\ud800\x00"]},
        symbol="AAPL",
        direction="buy",
        valid_until=WALL + LIFE,
    )


async def test_words_come_back_as_they_were(db: Database) -> None:
    words = [a_word(n) for n in range(900)]
    await db.write(lambda sql: store.save_known(sql, words))
    await db.write(lambda sql: store.save_known(sql, words[:1]))
    ids = [w.own_id for w in words]
    found = await db.read(lambda sql: store.load_known(sql, "main", [*ids, "none", ids[0]]))
    assert len(found) == 900
    assert found[ids[5]].body == words[5].body
    assert (found[ids[5]].valid_until, found[ids[5]].reason) == (WALL + LIFE, "r" * 256)
    assert await db.read(lambda sql: store.load_known(sql, "other", ids)) == {}
    assert await db.read(lambda sql: store.load_known(sql, "main", [])) == {}
    late = WALL + LIFE
    assert await db.write(lambda sql: store.forget_known(sql, late, most=500)) == 500
    assert await db.write(lambda sql: store.forget_known(sql, late)) == 400


async def test_what_was_not_taken_is_counted_for_a_day(db: Database) -> None:
    statuses = [Status.REFUSED, Status.HELD, Status.RAISED, Status.SEEN, Status.IGNORED]
    words = [
        replace(a_word(n), status=status, reason=f"why {n}", seen_at=WALL - timedelta(hours=n))
        for n, status in enumerate(statuses)
    ]
    await db.write(lambda sql: store.save_known(sql, words))

    async def since(hours: float, config_id: str = "main") -> NotTaken | None:
        return await db.read(
            lambda sql: store.load_not_taken(sql, config_id, WALL - timedelta(hours=hours))
        )

    assert await since(24) == NotTaken(2, 2**40, "why 0")
    assert await since(0.5) == NotTaken(1, 2**40, "why 0")
    assert await since(0) is None
    assert await since(24, "other") is None


async def test_a_lease_has_one_holder(db: Database) -> None:
    async def take(holder: str, seconds: int) -> bool:
        wall = WALL + timedelta(seconds=seconds)
        return await db.write(lambda sql: store.take_lease(sql, "main", holder, wall, LIFE))

    assert await take("one", 0)
    assert not await take("two", 29)
    assert await take("one", 29)
    assert not await take("two", 58)
    assert await take("two", 59)
    await db.write(lambda sql: store.drop_leases(sql, "two"))
    assert await take("one", 60)


async def test_cursors_and_connections_come_back_as_they_were(db: Database) -> None:
    old, new = (Cursor("main", 7, deploy, Kind.FILLS, next_index=5) for deploy in ("L-1", "L-2"))
    await db.write(lambda sql: store.save_cursor(sql, old))
    await db.write(lambda sql: store.save_cursor(sql, new))
    start = Cursor("main", 7, "L-2", Kind.FILLS)
    assert await db.read(lambda sql: store.load_cursor(sql, start)) == new
    await db.write(lambda sql: store.close_cursors(sql, "main", 7, keep="L-2"))
    assert await db.read(lambda sql: store.open_lists(sql, "main")) == [(7, "L-2")]
    failed = Connection("main", clock_skew_s=-4.5).failed(Trouble.LIMITED, "words", WALL)
    await db.write(lambda sql: store.save_connection(sql, failed))
    assert await db.read(store.load_connections) == {"main": failed}
    await db.write(lambda sql: store.drop_connection(sql, "main"))
    assert await db.read(store.load_connections) == {}
