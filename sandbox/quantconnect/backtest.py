"""One backtest: what was asked, how far it is, and what came out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.quantconnect import performance
from sandbox.quantconnect.algorithm import Algorithm
from sandbox.quantconnect.curve import Curve
from sandbox.quantconnect.formats import Json
from sandbox.quantconnect.packed import Packed
from sandbox.quantconnect.project import END, START
from sandbox.quantconnect.rules import Rule, RuleError, make_rule
from signalbox.contracts.payloads import Bar

QUEUED, RUNNING, DONE, FAILED = "In Queue...", "In Progress...", "Completed.", "Runtime Error"
_ZONE = ZoneInfo("America/New_York")  # dates of an algorithm are those of its exchange


@dataclass(frozen=True, slots=True)
class Result:
    """What a finished backtest leaves behind."""

    statistics: dict[str, str]
    runtime: dict[str, str]
    total: Packed  # `totalPerformance`, alone in its list
    figures: Json  # `portfolioStatistics`, for the list of backtests
    orders: Packed
    insights: Packed
    curve: Curve
    days: int


@dataclass(slots=True, kw_only=True)
class Backtest:
    """A queued, running or ended backtest."""

    id: str
    project_id: int
    name: str
    created: datetime
    asked: Any  # parameters as they were sent
    parameters: dict[str, str]  # the project's, when it was built, under those
    honours_dates: bool
    status: str = QUEUED
    progress: float = 0.0
    note: str = ""
    tags: list[str] = field(default_factory=list)
    node: str = ""
    error: str | None = None
    start: datetime | None = None
    end: datetime | None = None  # the last moment of the last day
    logs: list[str] = field(default_factory=list)
    run: Algorithm | None = None
    result: Result | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in {DONE, FAILED}

    def initialize(self) -> Rule:
        """What an algorithm does first: take its rule and its dates from the parameters.

        Raises:
            RuleError: no rule, or no dates, can be made of them.
        """
        rule = make_rule(self.parameters, backtest=True)
        if self.honours_dates:
            first, last = self._date(START), self._date(END)
            if first and last and first > last:
                raise RuleError(f"{START} is {first}, after {END}, which is {last}")
            self.start = _midnight(first) if first else None
            self.end = _last_moment(last) if last else None
        self.run = Algorithm(self.id, rule, logs=self.logs)
        return rule

    def groups(self, bars: Sequence[Bar]) -> list[list[Bar]]:
        """Bars that closed together; the algorithm's own dates are those of its data."""
        ordered = sorted(bars, key=attrgetter("closed_at", "symbol"))
        if ordered:
            self.start = self.start or _midnight(ordered[0].opened_at.astimezone(_ZONE).date())
            self.end = self.end or _last_moment(ordered[-1].closed_at.astimezone(_ZONE).date())
        return [list(group) for _, group in groupby(ordered, key=attrgetter("closed_at"))]

    def finish(self, run: Algorithm, start: datetime, end: datetime) -> None:
        """Keep the result, let the run go."""
        found = performance.Summary.of(run, start, end)
        total = performance.performance(found)
        self.result = Result(
            statistics=performance.texts(found),
            runtime=performance.runtime_texts(found),
            total=Packed([total]),
            figures=total["portfolioStatistics"],
            orders=Packed(run.orders),
            insights=Packed(run.insights),
            curve=run.curve,
            days=len(run.curve.days),
        )
        self.progress, self.status, self.run = 1.0, DONE, None

    def fail(self, why: str) -> None:
        """End it with words."""
        self.error, self.status, self.run = why, FAILED, None

    def page(self, kind: str, start: int, end: int) -> tuple[list[Json], int]:
        """A page of `orders` or `insights`, and how many there are."""
        if self.result is not None:
            packed: Packed = getattr(self.result, kind)
            return packed.page(start, end), len(packed)
        found: list[Json] = getattr(self.run, kind) if self.run is not None else []
        return found[start:end], len(found)

    def _date(self, key: str) -> date | None:
        text = self.parameters.get(key, "")
        try:
            return date.fromisoformat(text) if text else None
        except ValueError as error:
            raise RuleError(f"{key} is {text[:40]!r}, not a date like 2026-01-31") from error


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), _ZONE)


def _last_moment(day: date) -> datetime:
    return _midnight(day + timedelta(days=1)) - timedelta(seconds=1)
