"""The supervisor with small programs: restart, readiness, stopping, logs, one system per home."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from scripts.console import Console, Lines, entry, readable
from scripts.supervisor import Child, Program, http_probe, inherited, write_run_file
from scripts.up import AlreadyRunning, home_lock
from signalbox.runtime.natsserver import free_port
from signalbox.testing.wait import until

pytestmark = pytest.mark.integration
SERVER = """
import json, signal, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"{}")
    def log_message(self, *a): pass
print(json.dumps({"level": "warning", "message": "up", "order_id": "o1"}), flush=True)
signal.signal(signal.SIGTERM, lambda *a: sys.exit(0))
HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""
STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
signal.pause()
"""


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """A console that writes into memory."""
    made = Console(tmp_path / "logs", out=StringIO())
    yield made
    made.close()


def _shown(console: Console) -> str:
    out = console._out
    assert isinstance(out, StringIO)
    return out.getvalue()


def _server(console: Console) -> Child:
    port = free_port()
    command = [sys.executable, "-c", SERVER, str(port)]
    return Child(Program("server", command, http_probe(port), port), console, lambda: None)


async def test_a_killed_program_starts_again_and_is_ready_again(console: Console) -> None:
    child = _server(console)
    child.start()
    await until(lambda: child.ready, 10)
    first = child.pid
    assert first
    os.kill(first, signal.SIGKILL)
    await until(lambda: not child.ready, 5)
    await until(lambda: child.ready, 10)
    assert child.pid != first
    assert child.restarts == 1
    assert "ended with code -9, starts again in 1 s" in _shown(console)
    await child.stop(10)
    assert child.pid is None


async def test_a_program_that_will_not_stop_is_killed(console: Console) -> None:
    async def never() -> str:
        return "never"

    command = [sys.executable, "-c", STUBBORN]
    child = Child(Program("stubborn", command, never, 0), console, lambda: None)
    child.start()
    await until(lambda: "deaf" in _shown(console), 5)
    await child.stop(0.5)
    assert child.pid is None
    assert "did not stop within 0.5 s and is killed" in _shown(console)


async def test_a_program_that_cannot_start_is_tried_again_later(console: Console) -> None:
    async def never() -> str:
        return "never"

    child = Child(Program("gone", ["/no/such/program"], never, 0), console, lambda: None)
    child.start()
    await until(lambda: "starts again in 1 s" in _shown(console), 5)
    await child.stop(5)
    assert "No such file" in _shown(console)


def _open_files(pid: int | None) -> set[Path]:
    return {path.readlink() for path in Path(f"/proc/{pid}/fd").iterdir()}


async def test_an_inherited_file_stays_open_as_long_as_the_program_runs(
    console: Console, tmp_path: Path
) -> None:
    port = free_port()
    command = [sys.executable, "-c", SERVER, str(port)]
    held = tmp_path / "held"
    program = Program("server", command, http_probe(port), port, held=lambda: held.open("ab"))
    child = Child(program, console, lambda: None)
    child.start()
    await until(lambda: child.ready, 10)
    assert held in _open_files(child.pid)
    await child.stop(10)


async def test_the_run_file_names_processes_and_is_private(
    console: Console, tmp_path: Path
) -> None:
    child = _server(console)
    child.start()
    await until(lambda: child.ready, 10)
    path = tmp_path / "run.json"
    write_run_file(path, {"server": child})
    assert path.stat().st_mode & 0o777 == 0o600
    program = json.loads(path.read_text())["programs"]["server"]
    assert (program["pid"], program["ready"], program["restarts"]) == (child.pid, True, 0)
    await child.stop(10)


async def test_lines_are_readable_on_the_terminal_and_whole_in_the_file(
    console: Console, tmp_path: Path
) -> None:
    child = _server(console)
    child.start()
    await until(lambda: child.ready, 10)
    await child.stop(10)
    assert "server           WARNING up  order_id=o1" in _shown(console)
    lines = (tmp_path / "logs" / "server.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["order_id"] == "o1"


@pytest.mark.parametrize(
    ("line", "level", "message"),
    [
        pytest.param('{"level": "error", "message": "no"}', "error", "no", id="own json"),
        pytest.param('{"half": ', "info", '{"half": ', id="broken json"),
        pytest.param("INFO:     Started server", "debug", "Started server", id="uvicorn"),
        pytest.param("ERROR:    in use", "error", "in use", id="uvicorn error"),
        pytest.param("[7] 2026/11/23 04:48:29.1 [ERR] full", "error", "full", id="nats"),
        pytest.param("[7] 2026/11/23 04:48:29.1 [INF] up", "debug", "up", id="nats says much"),
        pytest.param('  File "x.py", line 1', "debug", '  File "x.py", line 1', id="traceback"),
        pytest.param("ValueError: bad", "info", "ValueError: bad", id="end of traceback"),
        pytest.param("key sk-abcdefghijkl", "info", "key ***", id="secret"),
    ],
)
def test_entry(line: str, level: str, message: str) -> None:
    found = entry("x", line)
    assert (found["level"], found["message"]) == (level, message)


def test_what_a_program_repeats_is_shown_once_and_kept_each_time(
    console: Console, tmp_path: Path
) -> None:
    for _ in range(3):
        console.take("x", '{"level": "warning", "message": "refused"}')
    console.take("y", '{"level": "warning", "message": "refused"}')
    assert _shown(console).count("refused") == 2
    assert len((tmp_path / "logs" / "x.jsonl").read_text().splitlines()) == 3


def test_requests_are_kept_but_not_shown() -> None:
    line = '{"level": "info", "logger": "uvicorn.access", "message": "GET /readyz"}'
    assert entry("x", line)["level"] == "debug"


def test_of_an_error_the_last_line_is_shown() -> None:
    found = {"level": "error", "service": "x", "message": "failed", "error": "Trace\nValueError: y"}
    assert readable(found, colour=False).endswith("ERROR failed  ValueError: y")
    assert readable(found, colour=True).startswith("\x1b[31m")


def test_lines_are_cut_at_a_limit_and_survive_bad_bytes() -> None:
    lines = Lines()
    assert list(lines.feed(b"one\ntw")) == ["one"]
    assert list(lines.feed(b"o\r\n\xff\n")) == ["two", "\\xff"]
    assert len(list(lines.feed(b"x" * 100_000))) == 1
    assert list(lines.feed(b"rest")) == []
    assert list(lines.end()) == ["rest"]


def test_a_second_system_on_the_same_home_is_refused_in_words(tmp_path: Path) -> None:
    with (
        home_lock(tmp_path),
        pytest.raises(AlreadyRunning, match=rf"process {os.getpid()}.*SIGNALBOX_HOME"),
        home_lock(tmp_path),
    ):
        pass
    with home_lock(tmp_path):
        pass


async def test_a_supervisor_that_is_killed_takes_its_programs_with_it(tmp_path: Path) -> None:
    code = f"""
import asyncio
from pathlib import Path
from scripts.console import Console
from scripts.supervisor import Child, Program, http_probe
async def main():
    port = {free_port()}
    command = [{sys.executable!r}, "-c", {SERVER!r}, str(port)]
    program = Program("s", command, http_probe(port), port)
    child = Child(program, Console(Path({str(tmp_path)!r})), lambda: None)
    child.start()
    while not child.ready:
        await asyncio.sleep(0.02)
    print("pid", child.pid, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
    )
    assert supervisor.stdout
    pid = 0
    while not pid:
        line = (await asyncio.wait_for(supervisor.stdout.readline(), 20)).decode()
        assert line, "it ended too soon"
        pid = int(line.split()[1]) if line.startswith("pid ") else 0
    supervisor.kill()
    await supervisor.wait()
    await until(lambda: not Path(f"/proc/{pid}").exists(), 10)


def test_keys_and_passwords_reach_the_gateway_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUANTCONNECT_API_SECRET", "canary")
    monkeypatch.setenv("SIGNALBOX_ADMIN_PASSWORD", "canary")
    monkeypatch.setenv("SIGNALBOX_LOG_LEVEL", "DEBUG")
    assert inherited("gateway")["QUANTCONNECT_API_SECRET"] == "canary"
    assert "canary" not in inherited("executor").values()
    assert inherited("executor")["SIGNALBOX_LOG_LEVEL"] == "DEBUG"


def test_the_price_feed_gets_its_own_keys_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPACA_API_SECRET", "canary")
    monkeypatch.setenv("OPENAI_API_KEY", "other")
    assert inherited("market-data")["ALPACA_API_SECRET"] == "canary"
    assert "other" not in inherited("market-data").values()
    assert "canary" not in inherited("executor").values()
