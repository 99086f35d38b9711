"""Real servers for tests: a NATS per test, one PostgreSQL per run with a database per test.

A pytest plugin. PostgreSQL is the one of SIGNALBOX_TEST_DATABASE_URL, else a binary of this
machine, else a container. Where there is none the tests that need it fail under CI and are left out
with a printed reason elsewhere.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import nats
import pytest
from nats.aio.client import Client
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from signalbox.runtime.natsserver import NatsServer, free_port
from signalbox.runtime.provision.files import prepare, read_credentials
from signalbox.runtime.provision.streams import provision_streams
from signalbox.testing.wait import until_sync

TEST_DATABASE = "SIGNALBOX_TEST_DATABASE_URL"
_POSTGRES_IMAGE = "postgres:16-alpine"
_PORTS = 3  # tried in turn: another process may take one before PostgreSQL does


@dataclass(slots=True)
class RunningNats:
    """A provisioned server with a home of its own."""

    server: NatsServer

    @property
    def home(self) -> Path:
        """Its state directory."""
        return self.server.home

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.server.url

    async def connect(self, user: str, *, denied: list[str] | None = None) -> Client:
        """A connection as one of the topology's users; denials are collected in `denied`."""
        login = read_credentials(self.home, user)

        async def note(error: Exception) -> None:
            if denied is not None:
                denied.append(str(error))

        return await nats.connect(
            self.url,
            user=login["user"],
            password=login["password"],
            inbox_prefix=login["inbox_prefix"].encode(),
            error_cb=note,
        )

    def restart(self) -> None:
        """Kill it and start it again on the same port and store."""
        self.server.kill()
        self.server = NatsServer.start(self.home, port=self.server.port)


def start_nats(home: Path, *, sync_interval: str = "always") -> RunningNats:
    """Start and provision a server; the caller stops it."""
    prepare(home)
    server = NatsServer.start(home, port=0, sync_interval=sync_interval)
    try:
        report = asyncio.run(provision_streams(home, server.url))
    except BaseException:
        server.kill()
        raise
    assert not report.problems, report.problems
    return RunningNats(server)


@pytest.fixture(scope="session")
def nats_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], RunningNats]]:
    """Starts as many servers as are asked for, and stops them all at the end."""
    running: list[RunningNats] = []

    def start() -> RunningNats:
        running.append(start_nats(tmp_path_factory.mktemp("nats")))
        return running[-1]

    yield start
    for one in running:
        one.server.kill()


@pytest.fixture(scope="module")
def shared_nats(nats_servers: Callable[[], RunningNats]) -> RunningNats:
    """One server for the tests of a module that do not mind each other's messages."""
    return nats_servers()


@pytest.fixture
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNats]:
    """A fresh server of this test's own."""
    running = start_nats(tmp_path_factory.mktemp("nats"))
    yield running
    running.server.kill()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL of which every test gets a database of its own."""
    with ExitStack() as stack:
        yield _postgres(stack)


@pytest.fixture
def fresh_database(postgres_url: str) -> Iterator[str]:
    """The address of an empty PostgreSQL database that goes away after the test."""
    name = f"sb_{uuid4().hex[:12]}"
    _admin(postgres_url, f"CREATE DATABASE {name}")
    yield make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
    _admin(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str | None:
    """Both databases in turn: None stands for SQLite files in the home."""
    if request.param == "sqlite":
        return None
    url: str = request.getfixturevalue("fresh_database")
    return url


def _admin(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as sql:
        sql.execute(text(statement))
    engine.dispose()


def _postgres(stack: ExitStack) -> str:
    given = os.environ.get(TEST_DATABASE)
    if given:
        return given
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if binaries:
        return stack.enter_context(_local(binaries[0]))
    try:
        return stack.enter_context(_container())
    except Exception as error:  # noqa: BLE001 - whatever the engine lacks, the reason is printed
        reason = f"no PostgreSQL: {TEST_DATABASE} is unset, no binary is installed, {error!r}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    sys.stderr.write(f"{reason}\n")
    pytest.skip(reason)


@contextmanager
def _local(binaries: Path) -> Iterator[str]:
    """A cluster in a temporary folder; the server refuses to run as root, so it does not."""
    folder = Path(tempfile.mkdtemp(prefix="signalbox-pg-"))
    data = folder / "data"
    as_user = _unprivileged(folder)
    subprocess.run(
        [*as_user, binaries / "initdb", "-D", data, "-U", "signalbox", "-A", "trust", "-N"],
        check=True,
        capture_output=True,
        timeout=60,
        cwd=folder,
    )
    process = None
    try:
        for _ in range(_PORTS):
            port = free_port()
            process = _serve([*as_user, binaries / "postgres", "-D", data], port, folder)
            url = f"postgresql+psycopg://signalbox@127.0.0.1:{port}/postgres"
            if _comes_up(process, url):
                break
        else:
            raise AssertionError((folder / "log").read_text())
        yield url
    finally:
        if process is not None:
            process.terminate()
            process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _serve(command: list[str | Path], port: int, folder: Path) -> "subprocess.Popen[bytes]":
    options = (
        f"port={port}",
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "fsync=off",
    )
    flags = [part for option in options for part in ("-c", option)]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen([*command, *flags], stdout=log, stderr=log, cwd=folder)


def _comes_up(process: "subprocess.Popen[bytes]", url: str) -> bool:
    until_sync(lambda: process.poll() is not None or _answers(url), 30)
    return process.poll() is None


def _unprivileged(folder: Path) -> list[str]:
    """How to run as somebody else than root, who then owns `folder`."""
    if os.geteuid() != 0:
        return []
    for user in ("postgres", "nobody"):
        try:
            shutil.chown(folder, user)
        except LookupError:
            continue
        return ["setpriv", f"--reuid={user}", "--clear-groups", "--"]
    raise AssertionError("neither user postgres nor nobody exists here")


def _answers(url: str) -> bool:
    try:
        _admin(url, "SELECT 1")
    except OperationalError:
        return False
    return True


@contextmanager
def _container() -> Iterator[str]:
    from testcontainers.postgres import PostgresContainer  # noqa: PLC0415 - needs a Docker engine

    with PostgresContainer(_POSTGRES_IMAGE, driver="psycopg") as container:
        yield container.get_connection_url()
