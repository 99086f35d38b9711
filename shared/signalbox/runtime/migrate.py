"""Which schema a service's database has, and which it should have.

`python -m signalbox.runtime.migrate all|<service> [down]` brings one, or every one, up to date, or
one step back. A running service asks `check_schema` and never loads the migration library.
"""

import argparse
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, MetaData, Table, column, inspect, select, table
from sqlalchemy.exc import SQLAlchemyError

from signalbox.contracts.errors import InvariantBroken, SignalboxError
from signalbox.runtime.settings import ServiceSettings
from signalbox.runtime.tables import RUNTIME_TABLES, new_metadata
from signalbox.runtime.topology import SERVICES

if TYPE_CHECKING:
    from alembic.operations import Operations

VERSION_TABLE = "alembic_version"
_FILE = re.compile(r"(\d{4})_\w+\.py")


def versions_folder(service: str) -> Path | None:
    """Where a service keeps its migrations; None when it stores nothing."""
    package = find_spec(service.replace("-", "_"))
    if package is None or not package.submodule_search_locations:
        return None
    folder = Path(package.submodule_search_locations[0]) / "migrations" / "versions"
    return folder if any(_FILE.fullmatch(file.name) for file in _files(folder)) else None


def _files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def head(service: str) -> str | None:
    """The revision this code was built for, by its files' names; None when it stores nothing."""
    folder = versions_folder(service)
    if folder is None:
        return None
    return max(found[1] for file in _files(folder) if (found := _FILE.fullmatch(file.name)))


def current(sql: Connection) -> str | None:
    """The revision this database is at; None when it was never migrated."""
    if not inspect(sql).has_table(VERSION_TABLE):
        return None
    found: str | None = sql.scalar(select(column("version_num")).select_from(table(VERSION_TABLE)))
    return found


def check_schema(sql: Connection, service: str) -> None:
    """Refuse a schema that this code was not built for.

    Raises:
        InvariantBroken: too old, too new, or never made; the message says what to do.
    """
    wanted, found = head(service), current(sql)
    if wanted != found:
        raise InvariantBroken(mismatch(service, wanted, found))


def mismatch(service: str, wanted: str | None, found: str | None) -> str:
    """In words: what differs, and what helps."""
    if found is not None and (wanted is None or found > wanted):
        return (
            f"the database of {service} is at schema {found}, this code knows none newer than"
            f" {wanted or 'none'}: start the newer code, or restore the backup made before it"
        )
    return (
        f"the database of {service} is at schema {found or 'none'}, this code needs {wanted}:"
        f" run `python -m signalbox.runtime.migrate {service}`"
    )


def create_runtime_tables(op: "Operations | None" = None) -> None:
    """In a migration: make the tables that every service has, from the one definition of them."""
    metadata, tables = _runtime_tables()
    metadata.create_all(_connection(op), tables=tables)


def drop_runtime_tables(op: "Operations | None" = None) -> None:
    """In a migration: remove them."""
    metadata, tables = _runtime_tables()
    metadata.drop_all(_connection(op), tables=tables)


def _runtime_tables() -> tuple[MetaData, list[Table]]:
    metadata = new_metadata()
    return metadata, [metadata.tables[name] for name in RUNTIME_TABLES]


def _connection(op: "Operations | None") -> Connection:
    if op is not None:
        return op.get_bind()
    from alembic.op import get_bind  # noqa: PLC0415 - a running service never loads it

    return get_bind()


def main(arguments: list[str] | None = None) -> int:
    """Migrate, and say what was done."""
    from signalbox.runtime.migrating import migrate  # noqa: PLC0415 - a running service never loads it

    parser = argparse.ArgumentParser(
        prog="python -m signalbox.runtime.migrate", description=__doc__
    )
    parser.add_argument("service", choices=("all", *SERVICES))
    parser.add_argument("direction", nargs="?", choices=("up", "down"), default="up")
    given = parser.parse_args(arguments)
    settings = ServiceSettings()
    url = settings.database_url.get_secret_value() if settings.database_url else None
    for service in SERVICES if given.service == "all" else (given.service,):
        try:
            done = migrate(service, home=settings.home, url=url, target=given.direction)
        except (SignalboxError, SQLAlchemyError) as error:
            sys.stderr.write(f"{error}\n")
            return 1
        sys.stdout.write(f"{done}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
