"""Only one process writes, and the one that lost finds out before it does harm."""

import time

import pytest
from sqlalchemy import func, select

from signalbox.runtime.db import Database, new_metadata
from signalbox.runtime.fence import LEASE_S, Fence, FenceLost

METADATA = new_metadata()


@pytest.fixture
def db() -> Database:
    return Database.in_memory(METADATA)


def test_take_refuses_when_another_holds_the_lease(db: Database) -> None:
    first, second = (Fence(METADATA, exclusive=False) for _ in range(2))
    with db.begin() as sql:
        assert first.take(sql)
        assert not second.take(sql)
        first.check(sql)


def test_take_succeeds_when_the_lease_has_run_out(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (Fence(METADATA, exclusive=False) for _ in range(2))
    with db.begin() as sql:
        assert first.take(sql)
    later = time.time_ns() + int((LEASE_S + 1) * 1e9)
    monkeypatch.setattr(time, "time_ns", lambda: later)
    with db.begin() as sql:
        assert second.take(sql)
        assert second.number == first.number + 1
        with pytest.raises(FenceLost):
            first.check(sql)
        with pytest.raises(FenceLost):
            first.renew(sql)


def test_take_succeeds_at_once_when_the_holder_has_released(db: Database) -> None:
    first, second = (Fence(METADATA, exclusive=False) for _ in range(2))
    with db.begin() as sql:
        assert first.take(sql)
        first.release(sql)
        assert second.take(sql)


def test_take_succeeds_at_once_when_nobody_else_can_hold_the_database(db: Database) -> None:
    with db.begin() as sql:
        assert Fence(METADATA, exclusive=True).take(sql)
        assert Fence(METADATA, exclusive=True).take(sql)


def test_take_leaves_a_row_to_lock_before_anybody_reads_it(db: Database) -> None:
    """Two first starts at once must not both find nothing."""
    fence = METADATA.tables["fence"]
    with db.begin() as sql:
        assert Fence(METADATA, exclusive=False).take(sql)
        assert sql.scalar(select(func.count()).select_from(fence)) == 1
