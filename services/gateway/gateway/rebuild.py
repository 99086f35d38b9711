"""Rebuilds every read model from the archive: `python -m gateway.rebuild`.

Stop the gateway first. It is one transaction: until it ends the old read models stay.
"""

import logging
import sys
import time
from collections.abc import Callable

from sqlalchemy import Connection, MetaData, delete, select

from gateway.adapters import archive, merge
from gateway.adapters.tables import READ_MODELS, metadata
from gateway.app import SERVICE
from gateway.projections.registry import project
from signalbox.contracts.errors import SignalboxError
from signalbox.runtime.db import Database
from signalbox.runtime.migrate import check_schema
from signalbox.runtime.settings import ServiceSettings

log = logging.getLogger(__name__)

PAGE = 2000


def rebuild(sql: Connection, tell: Callable[[int, int], None], *, size: int = PAGE) -> int:
    """Empty the read models and bring every archived event into them again, in order.

    `tell` hears after each page how far it is: the last event's number, and the newest one's.
    Returns how many events there were.
    """
    _hold_off_writers(sql, metadata)
    newest, count = archive.last_seq(sql), 0
    for table in READ_MODELS:
        sql.execute(delete(table))
    for last, events in archive.replay(sql, size):
        merge.apply(sql, (change for event in events for change in project(event)))
        count += len(events)
        tell(last, newest)
    return count


def _hold_off_writers(sql: Connection, tables: MetaData) -> None:
    """A gateway that still runs waits here; every transaction of its own locks this row first."""
    sql.execute(select(tables.tables["fence"]).with_for_update()).all()


def main() -> int:
    """Rebuild the database that the environment names, and say how it goes."""
    settings = ServiceSettings()
    url = settings.database_url.get_secret_value() if settings.database_url else None
    try:
        db = Database.open(SERVICE, home=settings.home, url=url)
    except SignalboxError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    started = time.monotonic()

    def tell(last: int, newest: int) -> None:
        sys.stdout.write(f"\r{last} of {newest} events")
        sys.stdout.flush()

    try:
        with db.begin() as sql:
            check_schema(sql, SERVICE)
            count = rebuild(sql, tell)
    except SignalboxError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        db.close()
    sys.stdout.write(f"\nrebuilt from {count} events in {time.monotonic() - started:.1f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
