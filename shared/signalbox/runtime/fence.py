"""Who may write: a number in one SQL row, leased by one process, compared in every transaction."""

import os
import time

from sqlalchemy import Connection, MetaData, select

from signalbox.contracts.errors import SignalboxError
from signalbox.runtime.columns import drive, insert_new, upsert

LEASE_S = 5.0
_LOOK = {  # in every transaction, so straight through the driver
    "sqlite": "SELECT number FROM fence WHERE id = 1",  # BEGIN IMMEDIATE has locked already
    "postgresql": "SELECT number FROM fence WHERE id = 1 FOR UPDATE",
}


class FenceLost(SignalboxError):
    """Another process has taken over; this one must stop writing."""


class Fence:
    """This process's side of the fence row."""

    def __init__(self, metadata: MetaData, *, exclusive: bool) -> None:
        self._table = metadata.tables["fence"]
        self._holder = f"{os.uname().nodename}:{os.getpid()}:{os.urandom(4).hex()}"[:64]
        self._exclusive = (
            exclusive  # the database has no other process: a lease left behind is void
        )
        self.number = 0

    def take(self, sql: Connection) -> bool:
        """Take the fence when it is free; the number grows with every take-over."""
        nobody = {"id": 1, "number": 0, "holder": "", "expires_at": 0}
        sql.execute(insert_new(self._table), [nobody])  # a missing row could not be locked
        row = sql.execute(select(self._table).with_for_update()).one()
        now = time.time_ns() // 1000
        if not self._exclusive and row.expires_at > now and row.holder != self._holder:
            return False
        self.number = row.number + 1
        self._write(sql, now)
        return True

    def renew(self, sql: Connection) -> None:
        """Extend the lease."""
        self.check(sql)
        self._write(sql, time.time_ns() // 1000)

    def check(self, sql: Connection) -> None:
        """Lock and compare the row.

        Raises:
            FenceLost: the number is not ours.
        """
        found = drive(sql, _LOOK[sql.dialect.name])
        number = found[0][0] if found else None
        if number != self.number:
            raise FenceLost(f"the fence is at {number}, ours was {self.number}")

    def release(self, sql: Connection) -> None:
        """Let a standby take over at once."""
        self.check(sql)
        self._write(sql, 0, lease_s=0)

    def _write(self, sql: Connection, now_us: int, lease_s: float = LEASE_S) -> None:
        row = {
            "id": 1,
            "number": self.number,
            "holder": self._holder,
            "expires_at": now_us + int(lease_s * 1e6),
        }
        sql.execute(upsert(self._table, ["id"]), [row])
