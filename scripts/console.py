"""One readable log on the terminal, and every line in full in a file per program."""

import json
import re
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from logging import makeLogRecord
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

from signalbox.runtime.logs import redact

_FILE_BYTES = 10 << 20
_OLD_FILES = 3
_LINE_BYTES = 64 << 10
_REPEAT_S = 5.0
_LEVELS = {"debug": 0, "info": 1, "warning": 2, "error": 3, "critical": 4}
_COLOURS = {"warning": "33", "error": "31", "critical": "31;1", "ready": "32"}
_SHOWN = {"time", "level", "service", "logger", "message", "error"}
_UVICORN = re.compile(r"(DEBUG|INFO|WARNING|ERROR|CRITICAL): +(.*)")
_NATS = re.compile(r"\[\d+\] [\d/]+ [\d:.]+ \[(DBG|TRC|INF|WRN|ERR|FTL)\] (.*)")
_NATS_LEVELS = {"INF": "debug", "WRN": "warning", "ERR": "error", "FTL": "critical"}
_KNOWN = ("Plaintext passwords detected",)  # random ones, in a file that only its owner reads

Entry = dict[str, object]


def entry(program: str, line: str) -> Entry:
    """A line of a program as fields: its own JSON, or what a plain line tells."""
    if line.startswith("{"):
        try:
            found = json.loads(line)
        except ValueError:
            found = None
        if isinstance(found, dict):
            whole: Entry = {"service": program, "level": "info", "message": "", **found}
            if str(whole.get("logger")).startswith("uvicorn") and whole["level"] == "info":
                whole["level"] = "debug"  # requests, and what the server says of its own start
            return whole
    level, message = _plain(line)
    return {"time": _now(), "level": level, "service": program, "message": redact(message)}


def _plain(line: str) -> tuple[str, str]:
    if found := _NATS.match(line):
        known = found[2].startswith(_KNOWN)
        return "debug" if known else _NATS_LEVELS.get(found[1], "debug"), found[2]
    if found := _UVICORN.match(line):
        return ("debug" if found[1] == "INFO" else found[1].lower()), found[2]
    # Of a traceback the last line is shown; the file has it whole.
    return ("debug" if line.startswith((" ", "\t", "Traceback ")) else "info"), line


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def readable(found: Mapping[str, object], *, colour: bool) -> str:
    """`12:00:01 executor  WARNING  message  key=value`; of a traceback the last line."""
    level = str(found["level"])
    more = "".join(f"  {k}={v}" for k, v in found.items() if k not in _SHOWN)
    error = str(found.get("error", "")).strip().rpartition("\n")[2]
    message = f"{found['message']}{more}{'  ' + error if error else ''}"
    shown = f"{level.upper()} " if level in _LEVELS and level != "info" else ""
    text = f"{_clock(found)} {found['service']:<16} {shown}{message}"
    code = _COLOURS.get(level)
    return f"\x1b[{code}m{text}\x1b[0m" if colour and code else text


def _clock(found: Mapping[str, object]) -> str:
    """The time of day on this machine's clock."""
    try:
        at = datetime.fromisoformat(str(found.get("time", "")))
    except ValueError:
        at = datetime.now(UTC)
    return f"{at.astimezone():%H:%M:%S}"


class Console:
    """Takes the output of all programs."""

    def __init__(self, folder: Path, *, level: str = "info", out: TextIO | None = None) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._out = out or sys.stdout
        self._colour = self._out.isatty()
        self._lowest = _LEVELS.get(level.lower(), 1)
        self._files: dict[str, RotatingFileHandler] = {}
        self._last: dict[str, tuple[object, float]] = {}  # by program: shown what, and when

    def take(self, program: str, line: str) -> None:
        """Keep one line of a program, and show it when it is loud enough."""
        if not line.strip():
            return
        found = entry(program, line)
        self._file(program).emit(makeLogRecord({"msg": json.dumps(found, ensure_ascii=False)}))
        loud = _LEVELS.get(str(found["level"]), 1) >= self._lowest
        if loud and not self._repeats(program, found["message"]):
            self._show(readable(found, colour=self._colour))

    def _repeats(self, program: str, message: object) -> bool:
        """Whether the program has said just that a moment ago; the file has every line."""
        last, at = self._last.get(program, (None, 0.0))
        now = time.monotonic()
        if message == last and now - at < _REPEAT_S:
            return True
        self._last[program] = (message, now)
        return False

    def say(self, message: str, *, level: str = "info", about: str = "signalbox") -> None:
        """Show and keep something that the supervisor itself has to say."""
        found: Entry = {"time": _now(), "level": level, "service": about, "message": message}
        self._file("supervisor").emit(makeLogRecord({"msg": json.dumps(found)}))
        self._show(readable(found, colour=self._colour))

    def plain(self, text: str) -> None:
        """Show a text as it is."""
        self._show(text)

    def _show(self, text: str) -> None:
        try:
            self._out.write(f"{text}\n")
            self._out.flush()
        except BrokenPipeError:
            self._out = Path("/dev/null").open("w")  # noqa: SIM115 - until the process ends

    def _file(self, program: str) -> RotatingFileHandler:
        if program not in self._files:
            self._files[program] = RotatingFileHandler(
                self._folder / f"{program}.jsonl",
                maxBytes=_FILE_BYTES,
                backupCount=_OLD_FILES,
                encoding="utf-8",
            )
        return self._files[program]

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()


class Lines:
    """Cuts a stream of bytes into lines; a line without end is cut at a limit."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The lines that are complete now."""
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > _LINE_BYTES:
            whole.append(self._rest)
            self._rest = b""
        for line in whole:
            yield line.decode("utf-8", "backslashreplace").rstrip("\r")

    def end(self) -> Iterator[str]:
        """What is left when the stream has ended."""
        if self._rest:
            yield self._rest.decode("utf-8", "backslashreplace")
        self._rest = b""
