"""Backtests, out of what qc-ingest says of them."""

from collections.abc import Iterator
from datetime import datetime

from pydantic import JsonValue, TypeAdapter, ValidationError

from gateway.domain.changes import Change, Latest
from signalbox.contracts.payloads import State
from signalbox.contracts.values import UtcTime

SERVICE = "qc-ingest"
BACKTEST = "backtest"
_TIME: TypeAdapter[datetime] = TypeAdapter(UtcTime)


def backtest(known: State) -> Iterator[Change]:
    """A row in `backtests`, at its newest state."""
    body = known.body
    yield Latest(
        "backtests",
        ("id",),
        {
            "id": known.id,
            "config_id": str(body.get("config_id") or "")[:64],
            "project_id": str(body.get("project_id") or "")[:64],
            "status": str(body.get("status") or "queued")[:16],
            "created_at": _time(body.get("created_at")) or known.at,
            "at": known.at,
            "body": body,
        },
        by="at",
    )


def _time(value: JsonValue) -> datetime | None:
    try:
        return _TIME.validate_python(value)
    except ValidationError:
        return None
