"""Backtests: what a reading says, when it is final, and whether the dates were honoured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from pydantic import JsonValue

from qc_ingest.domain.history import Row, parse_trades
from qc_ingest.domain.statistics import parse_statistics, parse_total_performance
from qc_ingest.domain.wire import (
    Json,
    normal,
    parse_number_or_none,
    parse_text,
    parse_time_or_none,
    rows_of,
)
from signalbox.contracts.errors import TransientError

START, END = "signalbox_start", "signalbox_end"  # the parameters that ask for dates
_MARK = "signalbox"
_MOST_NAME = 120
_ZONES = timedelta(days=1)  # midnight on an exchange is another day in UTC
_MOST_TRACE = 8000


@dataclass(frozen=True, slots=True)
class Reading:
    """What `backtests/read` says now. The status is QuantConnect's own text."""

    id: str
    name: str = ""
    status: str = ""
    completed: bool = False
    progress: Decimal = Decimal(0)  # 0 to 1
    error: str = ""
    stacktrace: str = ""
    start: datetime | None = None
    end: datetime | None = None
    statistics: Mapping[str, str] = field(default_factory=dict)
    performance: Mapping[str, JsonValue] = field(default_factory=dict)
    trades: Sequence[Row] = ()  # closed ones

    @property
    def has_failed(self) -> bool:
        """Whether the algorithm broke."""
        return bool(self.error or self.stacktrace)

    @property
    def is_final(self) -> bool:
        """Whether its numbers will not change. Before, they are placeholders that look real."""
        return self.has_failed or bool(self.completed and self.statistics and self.performance)


@dataclass(frozen=True, slots=True)
class Summary:
    """A line of `backtests/list`."""

    id: str
    name: str
    status: str = ""
    created: datetime | None = None


def parse_backtest(value: Json) -> Reading:
    """The answer of `backtests/create` or `backtests/read`.

    Raises:
        TransientError: it names no backtest.
    """
    fields = normal(value)
    backtest_id = parse_text(fields.get("backtestid"), longest=64)
    if not backtest_id:
        raise TransientError("the answer about a backtest names none")
    progress = parse_number_or_none(fields.get("progress")) or Decimal(0)
    error = parse_text(fields.get("error"), longest=2000)
    if fields.get("hasinitializeerror") is True and not error:
        error = "The algorithm failed in initialize."
    return Reading(
        id=backtest_id,
        name=parse_text(fields.get("name"), longest=256),
        status=parse_text(fields.get("status"), longest=64),
        completed=fields.get("completed") is True,
        progress=min(max(progress, Decimal(0)), Decimal(1)),
        error=error,
        stacktrace=parse_text(fields.get("stacktrace"), longest=_MOST_TRACE),
        start=parse_time_or_none(fields.get("backteststart")),
        end=parse_time_or_none(fields.get("backtestend")),
        statistics=parse_statistics(fields.get("statistics")),
        performance=parse_total_performance(fields.get("totalperformance")),
        trades=parse_trades(fields.get("totalperformance")),
    )


def parse_summaries(rows: Json) -> list[Summary]:
    """The lines of `backtests/list`; unreadable ones are left out."""
    return [
        Summary(
            id=backtest_id,
            name=parse_text(row.get("name"), longest=256),
            status=parse_text(row.get("status"), longest=64),
            created=parse_time_or_none(row.get("created")),
        )
        for row in rows_of(rows)
        if (backtest_id := parse_text(row.get("backtestid"), longest=64))
    ]


def name_at_quantconnect(name: str, backtest_id: str) -> str:
    """A name that carries our id, so that it is found again when a create's answer was lost."""
    return f"{name[:_MOST_NAME]} [{_MARK} {backtest_id}]"


def find_ours(summaries: Sequence[Summary], backtest_id: str) -> Summary | None:
    """The backtest that carries our id."""
    mark = f"[{_MARK} {backtest_id}]"
    return next((summary for summary in summaries if mark in summary.name), None)


def with_dates(
    parameters: Mapping[str, str], start: date | None, end: date | None
) -> dict[str, str]:
    """The parameters to send: the user's, and the dates that were asked for."""
    asked = {START: start, END: end}
    dates = {name: day.isoformat() for name, day in asked.items() if day is not None}
    return {**parameters, **dates}


def ignored_dates(start: date | None, end: date | None, reading: Reading) -> str:
    """Why the result is not of the dates that were asked for; empty when it is."""
    pairs = ((START, start, reading.start), (END, end, reading.end))
    missed = [
        f"{name} {asked} was asked for, the result says {found.date()}"
        for name, asked, found in pairs
        if asked is not None and found is not None and abs(found.date() - asked) > _ZONES
    ]
    if not missed:
        return ""
    return (
        f"The algorithm does not use the dates: {'; '.join(missed)}. Let initialize read the"
        f" parameters {START} and {END}."
    )
