"""One JSON object per line, secrets redacted."""

import json
import logging
import re
import sys
from datetime import UTC, datetime

_SECRET_NAME = re.compile(r"authorization|key|secret|token|password|cookie|credential", re.I)
_SECRET_SHAPE = re.compile(
    r"sk-[A-Za-z0-9_-]{8,}|(?:Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}|SU[A-Z0-9]{54,}"
    r"|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_.-]+|://[^/\s:@]+:[^/\s@]+@"
)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def redact(text: str) -> str:
    """The text with everything that looks like a secret replaced by `***`."""
    return _SECRET_SHAPE.sub("***", text)


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON; control characters are escaped by JSON itself."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self.service = service

    def format(self, record: logging.LogRecord) -> str:
        """Standard fields first, then what the call gave as `extra`."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
            "level": record.levelname.lower(),
            "service": self.service,
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        for name, value in vars(record).items():
            if name not in _STANDARD and not name.startswith("color_"):
                line[name] = "***" if _SECRET_NAME.search(name) else redact(str(value))
        if record.exc_info:
            line["error"] = redact(self.formatException(record.exc_info))[-4000:]
        return json.dumps(line, ensure_ascii=False)


def configure(service: str, level: str) -> None:
    """Send every log record of this process to standard output, once."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    for noisy in ("httpx", "httpcore", "nats", "faststream"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
