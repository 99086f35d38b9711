"""One database per service: one writer thread, a few readers, and nobody else."""

import asyncio
import fcntl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

from sqlalchemy import Connection, Engine, MetaData, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import StaticPool

from signalbox.contracts.errors import InvariantBroken
from signalbox.runtime.columns import ExactDecimal, Json, UtcDateTime, insert_new, upsert
from signalbox.runtime.tables import new_metadata

__all__ = [
    "Database",
    "ExactDecimal",
    "Json",
    "UtcDateTime",
    "insert_new",
    "new_metadata",
    "upsert",
]

T = TypeVar("T")

_READERS = 2
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=5000",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-16000",
)


def sqlite_engine(url: str, *, write: bool, **options: Any) -> Engine:
    """An engine whose transactions begin where we say: IMMEDIATE for the writer."""
    options.setdefault("connect_args", {"check_same_thread": False, "isolation_level": None})
    engine = create_engine(url, **options)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        for pragma in _PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def schema_name(service: str) -> str:
    """The PostgreSQL schema of a service."""
    return service.replace("-", "_")


def postgres_engine(url: str, service: str, *, size: int, write: bool = True) -> Engine:
    """An engine that sees one service's schema only, with a limit on everything that could hang.

    A reader's statements all see one state of the database, as SQLite's do.
    """
    settings = (
        f"-c search_path={schema_name(service)} -c synchronous_commit=on -c statement_timeout=30000"
        " -c lock_timeout=10000 -c idle_in_transaction_session_timeout=60000"
    )
    if not write:
        settings += (
            r" -c default_transaction_isolation=repeatable\ read"
            " -c default_transaction_read_only=on"
        )
    return create_engine(
        make_url(url),
        pool_size=size,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={"options": settings, "connect_timeout": 5},
    )


def sqlite_path(home: Path, service: str) -> Path:
    """Where a service's SQLite file lies."""
    return home / "db" / f"{service}.sqlite"


class Database:
    """The service's own database."""

    def __init__(self, writer: Engine, reader: Engine, *, lock: IO[bytes] | None = None) -> None:
        self.writer = writer
        self.reader = reader
        self.exclusive = lock is not None  # nobody else can hold this database
        self._lock = lock
        self._kept: Connection | None = None  # of the writer thread
        self._write_thread = ThreadPoolExecutor(1, "db-write")
        self._read_threads = ThreadPoolExecutor(_READERS, "db-read")

    @classmethod
    def open(cls, service: str, *, home: Path, url: str | None) -> "Database":
        """Open PostgreSQL at `url`, else the SQLite file in `home`.

        Raises:
            InvariantBroken: another process holds the SQLite file.
        """
        if url:
            writer = postgres_engine(url, service, size=1)
            return cls(writer, postgres_engine(url, service, size=_READERS, write=False))
        path = sqlite_path(home, service)
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_suffix(".lock").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise InvariantBroken(
                f"another {service} holds {path}; stop it first, or use PostgreSQL for several"
            ) from error
        address = f"sqlite:///{path}"
        writer = sqlite_engine(address, write=True, pool_size=2, max_overflow=0)  # one is kept
        reader = sqlite_engine(address, write=False, pool_size=_READERS, max_overflow=0)
        return cls(writer, reader, lock=lock)

    @classmethod
    def in_memory(cls, metadata: MetaData) -> "Database":
        """A fresh database with all tables, for tests."""
        engine = sqlite_engine("sqlite://", write=True, poolclass=StaticPool)
        with engine.begin() as connection:
            metadata.create_all(connection)
        return cls(engine, engine)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction in the calling thread."""
        with self.writer.begin() as connection:
            yield connection

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction in the writer thread."""

        def run() -> T:
            with self._writing() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._write_thread, run)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A transaction. A file of our own cannot go away, so its connection is kept: taking one
        from the pool each time costs as much as a statement.
        """
        if not self.exclusive:
            with self.writer.begin() as connection:
                yield connection
            return
        if self._kept is None:
            self._kept = self.writer.connect()
        try:
            with self._kept.begin():
                yield self._kept
        except BaseException:  # a COMMIT that fails leaves the driver's transaction open
            kept, self._kept = self._kept, None
            kept.close()
            raise

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a reader thread; it sees what is committed and changes nothing."""

        def run() -> T:
            with self.reader.connect() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._read_threads, run)

    async def ping(self) -> None:
        """Fail unless the database answers."""
        await self.read(lambda sql: sql.execute(text("SELECT 1")))

    def close(self) -> None:
        """Finish what is queued and let the file go."""
        self._write_thread.shutdown(wait=True)
        self._read_threads.shutdown(wait=True)
        if self._kept is not None:
            self._kept.close()
        self.writer.dispose()
        self.reader.dispose()
        if self._lock is not None:
            self._lock.close()
