"""Running migrations, each database in one transaction: an interrupted one changes nothing."""

import fcntl
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from signalbox.contracts.errors import InvariantBroken
from signalbox.runtime.db import postgres_engine, schema_name, sqlite_engine, sqlite_path
from signalbox.runtime.migrate import VERSION_TABLE, current, head, mismatch, versions_folder

log = logging.getLogger(__name__)

Target = Literal["up", "down", "base"]
_LOCK = 0x51B0  # any number, the same for every process that migrates


def migrate(service: str, *, home: Path, url: str | None, target: Target = "up") -> str:
    """Bring a database to the newest schema, one step down, or to nothing; say what was done.

    Raises:
        InvariantBroken: the schema is newer than this code, or the service is running.
    """
    folder = versions_folder(service)
    if folder is None:
        return f"{service} stores nothing"
    with _engine(service, home, url) as engine:
        if target == "up" and _is_current(engine, service):
            return f"{service} is at {head(service)}"
        with _alone(service, home, url), engine.begin() as sql:
            if url:
                sql.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
                sql.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema_name(service)}"))
            before = current(sql)
            _run(service, folder, sql, target)
            after = current(sql)
    return f"{service}: {before or 'nothing'} -> {after or 'nothing'}"


@contextmanager
def _engine(service: str, home: Path, url: str | None) -> Iterator[Engine]:
    if url:
        engine = postgres_engine(url, service, size=1)
    else:
        path = sqlite_path(home, service)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        engine = sqlite_engine(f"sqlite:///{path}", write=True)
    try:
        yield engine
    finally:
        engine.dispose()


def _is_current(engine: Engine, service: str) -> bool:
    """Refuses a newer schema in words."""
    with engine.connect() as sql:
        found, wanted = current(sql), head(service)
    if found is not None and wanted is not None and found > wanted:
        raise InvariantBroken(mismatch(service, wanted, found))
    return found == wanted


@contextmanager
def _alone(service: str, home: Path, url: str | None) -> Iterator[None]:
    """Hold the lock that a running service holds on its SQLite file; PostgreSQL has its own."""
    if url:
        yield
        return
    path = sqlite_path(home, service).with_suffix(".lock")
    with path.open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InvariantBroken(
                f"{service} is running on {path.parent}: stop it before its tables are changed"
            ) from error
        yield


def _run(service: str, folder: Path, sql: Connection, target: Target) -> None:
    config = Config()
    config.set_main_option("script_location", str(folder.parent).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    steps = _steps(script, target)
    with EnvironmentContext(config, script, fn=steps, destination_rev="head") as environment:
        environment.configure(connection=sql, version_table=VERSION_TABLE, transactional_ddl=True)
        environment.run_migrations()
    log.info("migrated", extra={"of": service, "target": target})


def _steps(script: ScriptDirectory, target: Target) -> Callable[[Any, MigrationContext], list[Any]]:
    def steps(revision: Any, _context: MigrationContext) -> list[Any]:
        if target == "up":
            return list(script._upgrade_revs("head", revision))
        return list(script._downgrade_revs("base" if target == "base" else "-1", revision))

    return steps
