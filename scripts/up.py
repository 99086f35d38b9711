"""`make run`: the whole system on this machine, until Ctrl-C.

Credentials and tables are made, nats-server, the sandbox and all services are started; what dies is
started again. Settings come from the environment and `.env`.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.util import find_spec
from pathlib import Path

from pydantic import Field
from sqlalchemy.exc import SQLAlchemyError

from scripts.console import Console
from scripts.supervisor import Child, Program, http_probe, write_run_file
from signalbox.contracts.errors import SignalboxError
from signalbox.runtime import natsserver
from signalbox.runtime.migrating import migrate
from signalbox.runtime.provision.files import prepare, renew_server_config
from signalbox.runtime.provision.streams import provision_streams
from signalbox.runtime.settings import ServiceSettings
from signalbox.runtime.topology import PORTS, SERVICES

SANDBOX, SANDBOX_PORT = "sandbox", 5612
NATS = "nats-server"
_STOP_S = 30.0
_NATS_START_S = 15.0


class Settings(ServiceSettings):
    """What the environment may say to `make run`."""

    gateway_port: int = Field(8000, ge=0, lt=65536, description="Of page and API; 0: a free one.")
    demo: bool = Field(True, description="Fill an empty database with a demo on the sandbox.")
    free_ports: bool = Field(
        False, description="Give every program a free port, so that several systems run beside."
    )


class AlreadyRunning(SignalboxError):
    """The state directory is in use."""


class System:
    """Everything that runs, and in which order it comes and goes."""

    def __init__(self, settings: Settings, console: Console) -> None:
        self.settings = settings
        self.home = settings.home.resolve()
        self.console = console
        self.children: dict[str, Child] = {}
        self.changed = asyncio.Event()
        self._given: set[int] = set()

    async def start(self) -> None:
        """Bring everything up; returns when all processes are started."""
        for line in prepare(self.home):
            if not line.startswith("made "):
                self.console.say(line, level="warning")
        tables = asyncio.create_task(asyncio.to_thread(self._migrate))
        try:
            await self._start_nats()
        finally:
            await tables
        environment = self._environment()
        if find_spec(SANDBOX) and find_spec(f"{SANDBOX}.app"):
            port = self._port(SANDBOX, SANDBOX_PORT)
            environment["SIGNALBOX_SANDBOX_URL"] = f"http://127.0.0.1:{port}"
            own = {
                "UVICORN_DATE_HEADER": "false",  # because its clock can be set wrong
                "UVICORN_WS": "auto",  # its broker has a stream; no service has one
            }
            self._start_service(SANDBOX, port, environment | own)
        ports = PORTS | {"gateway": self.settings.gateway_port}
        for service in SERVICES:
            self._start_service(service, self._port(service, ports[service]), environment)

    def _environment(self) -> dict[str, str]:
        return {
            "SIGNALBOX_HOME": str(self.home),
            "SIGNALBOX_DEMO": "1" if self.settings.demo else "0",
            "PYTHONUNBUFFERED": "1",
            "UVICORN_WS": "none",
            "MALLOC_ARENA_MAX": "2",  # a heap for each thread keeps megabytes that nobody uses
        }

    def _migrate(self) -> None:
        secret = self.settings.database_url
        url = secret.get_secret_value() if secret else None
        for service in SERVICES:
            done = migrate(service, home=self.home, url=url)
            if " -> " in done:
                self.console.say(f"tables of {done}")

    async def _start_nats(self) -> None:
        if self.settings.nats_url:
            renew_server_config(self.home)  # the users, for whoever starts that server
            await self._provision(self.settings.nats_url)
            return
        binary = natsserver.find_binary()
        version = ".".join(map(str, binary.version))
        self.console.say(f"nats-server {version}, SHA-256 {binary.digest}, {binary.path}")
        wanted = 0 if self.settings.free_ports else natsserver.PORT
        (await asyncio.to_thread(natsserver.claim_store, self.home)).close()
        port = natsserver.prepare_start(self.home, port=wanted)
        self._note_port(NATS, wanted, port)

        async def probe() -> str | None:
            up = await asyncio.to_thread(natsserver.ready, port)
            return None if up else "does not answer"

        child = self._start(
            Program(
                NATS,
                natsserver.command(binary, self.home),
                probe,
                port,
                held=lambda: natsserver.claim_store(self.home),
                when_ready=lambda: self._provision(f"nats://127.0.0.1:{port}"),
            )
        )
        try:
            async with asyncio.timeout(_NATS_START_S):
                await self._until_ready([child])
        except TimeoutError:
            raise natsserver.NoServer(
                f"nats-server is not ready after {_NATS_START_S:g} s; its log is in"
                f" {self.home / 'logs' / NATS}.jsonl"
            ) from None

    async def _provision(self, url: str) -> None:
        """Streams and consumers; what is missing after a restart is made again."""
        report = await provision_streams(self.home, url)
        for problem in report.problems:
            self.console.say(problem, level="error", about="provision")
        for line in report.done:
            if not line.startswith(("made ", "published ")):
                self.console.say(line, level="warning", about="provision")

    def _start_service(self, name: str, port: int, environment: dict[str, str]) -> None:
        package = name.replace("-", "_")
        command = [
            *(sys.executable, "-m", "uvicorn", "--factory", f"{package}.app:create_app"),
            *("--host", "127.0.0.1", "--port", str(port), "--no-access-log"),
            *("--timeout-graceful-shutdown", "20"),
        ]
        self._start(Program(name, command, http_probe(port), port, environment))

    def _start(self, program: Program) -> Child:
        child = Child(program, self.console, self._on_change)
        self.children[program.name] = child
        child.start()
        return child

    def _on_change(self) -> None:
        self.changed.set()
        write_run_file(self.home / "run.json", self.children)

    def _port(self, name: str, wanted: int) -> int:
        chosen = 0 if self.settings.free_ports else wanted
        while chosen == 0 or chosen in self._given or not natsserver.is_free(chosen):
            chosen = natsserver.free_port()
        self._given.add(chosen)
        self._note_port(name, wanted, chosen)
        return chosen

    def _note_port(self, name: str, wanted: int, chosen: int) -> None:
        if wanted not in {0, chosen} and not self.settings.free_ports:
            self.console.say(
                f"port {wanted} is taken, so it is {chosen}", level="warning", about=name
            )

    async def all_ready(self) -> None:
        """Wait until every program is ready."""
        await self._until_ready(list(self.children.values()))

    async def _until_ready(self, children: list[Child]) -> None:
        while not all(child.ready for child in children):
            self.changed.clear()
            await self.changed.wait()

    def banner(self) -> str:
        """Where to go now."""
        port = self.children["gateway"].program.port
        return (
            f"\n  Signalbox is ready:  http://127.0.0.1:{port}\n"
            f"  User admin, password in {self.home / 'admin-password'}\n"
            f"  Logs in {self.home / 'logs'}; Ctrl-C stops everything\n"
        )

    async def stop(self) -> None:
        """Services first, then what they talk to, at last the streams."""
        services = [c for n, c in self.children.items() if n not in {NATS, SANDBOX}]
        await asyncio.gather(*(child.stop(_STOP_S) for child in services))
        for name in (SANDBOX, NATS):
            if name in self.children:
                await self.children[name].stop(_STOP_S)

    def kill(self) -> None:
        """Everything at once."""
        for child in self.children.values():
            child.kill()


@contextmanager
def home_lock(home: Path) -> Iterator[None]:
    """Only one system runs on a state directory.

    Raises:
        AlreadyRunning: another one does; the message names its process.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (home / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            pid = lock.read().strip() or "unknown"
            raise AlreadyRunning(
                f"Signalbox already runs on {home} (process {pid}). Stop it first, or give this"
                " one a state directory of its own with SIGNALBOX_HOME"
            ) from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


@asynccontextmanager
async def stop_signals(system: System) -> AsyncIterator[asyncio.Event]:
    """An event that the first Ctrl-C or SIGTERM sets; the second one kills."""
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()

    def on_signal() -> None:
        if stopping.is_set():
            system.kill()
        else:
            system.console.say("stopping; once more stops at once")
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    yield stopping


async def run(settings: Settings, console: Console) -> int:
    """Run until told to stop; 0 when it went in order."""
    system = System(settings, console)
    async with stop_signals(system) as stopping:
        halt = asyncio.create_task(stopping.wait())
        start = asyncio.create_task(_come_up(system))
        await asyncio.wait({halt, start}, return_when=asyncio.FIRST_COMPLETED)
        failed = start.done() and start.exception() is not None
        if not failed:
            await halt
            start.cancel()
        halt.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(start, return_exceptions=True)
        await system.stop()
    (system.home / "run.json").unlink(missing_ok=True)
    if failed:
        console.say(f"could not start: {start.exception()}", level="critical")
        return 1
    console.say("stopped")
    return 0


async def _come_up(system: System) -> None:
    await system.start()
    await system.all_ready()
    system.console.plain(system.banner())


def main() -> int:
    """The command."""
    settings = Settings()
    try:
        with home_lock(settings.home.resolve()):
            console = Console(settings.home / "logs", level=settings.log_level)
            try:
                return asyncio.run(run(settings, console))
            finally:
                console.close()
    except (SignalboxError, SQLAlchemyError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
