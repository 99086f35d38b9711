"""What the REST interface answers about backtests."""

from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, JsonValue

from gateway.domain.algorithm_views import Loose
from gateway.domain.views import Number, View
from signalbox.contracts.values import UtcTime


class BacktestView(View):
    """A backtest, and how far it is."""

    id: str
    config_id: str
    algorithm_id: str
    algorithm_name: str = ""
    name: str = ""
    target: str = ""
    status: str = Field(description="queued, compiling, running, completed, failed, canceled.")
    progress: float = Field(0, description="0 to 1.")
    message: str = ""
    parameters: dict[str, str] = {}
    start: str | None = Field(None, description="Asked for.")
    end: str | None = Field(None, description="Asked for.")
    backtest_start: str | None = Field(None, description="Of the result itself.")
    backtest_end: str | None = Field(None, description="Of the result itself.")
    ignores_dates: bool = Field(False, description="Whether the result has other dates than asked.")
    quantconnect_id: str = ""
    requested_by: str = ""
    created_at: UtcTime
    finished_at: UtcTime | None = None
    updated_at: UtcTime
    statistics: dict[str, str] = Field({}, description="In QuantConnect's words, once it is done.")


class BacktestDetail(BacktestView):
    """A backtest with its whole result."""

    performance: dict[str, JsonValue] = {}
    error: str = ""
    stacktrace: str = ""
    notes: tuple[str, ...] = ()
    missing: str | None = Field(None, description="Why the result cannot be shown now.")


class PointView(View):
    """One point of a curve."""

    at: UtcTime
    value: Number


class BacktestSeries(View):
    """Curves of a backtest, at most 1,000 points each, oldest first."""

    equity: tuple[PointView, ...] = ()
    benchmark: tuple[PointView, ...] = ()
    drawdown: tuple[PointView, ...] = ()

    @classmethod
    def of(cls, told: dict[str, JsonValue]) -> Self:
        """Of lists of `[seconds since 1970, "value"]`."""
        curves = {}
        for name in cls.model_fields:
            given = told.get(name)
            rows = given if isinstance(given, list) else []
            curves[name] = [
                {"at": datetime.fromtimestamp(row[0], UTC), "value": row[1]}
                for row in rows
                if isinstance(row, list) and len(row) == 2 and isinstance(row[0], int | float)
            ]
        return cls.model_validate(curves)


Key = Annotated[str, BeforeValidator(lambda given: "" if given is None else str(given))]


class BacktestTradeView(View):
    """A quantity that a backtest opened and closed. Amounts in account currency."""

    id: Key
    symbol: str | None = None
    symbol_id: str | None = None
    direction: str | None = Field(None, description="`long` or `short`.")
    quantity: Loose = None
    opened_at: UtcTime | None = None
    entry_price: Loose = None
    closed_at: UtcTime | None = None
    exit_price: Loose = None
    profit: Loose = Field(None, description="Before fees.")
    fees: Loose = None


class BacktestOrderView(View):
    """An order of a backtest. It is history: nothing here trades."""

    id: Key
    time: UtcTime | None = None
    symbol: str | None = None
    symbol_id: str | None = None
    type: str | None = None
    status: str | None = None
    side: str | None = None
    quantity: Loose = None
    price: Loose = None
    value: Loose = None
    tag: str | None = None


class BacktestInsightView(View):
    """An insight of a backtest. It is history: nothing here is raised as a signal."""

    id: Key
    time: UtcTime | None = None
    closes_at: UtcTime | None = None
    symbol: str | None = None
    symbol_id: str | None = None
    type: str | None = None
    direction: str | None = None
    confidence: Loose = None
    magnitude: Loose = None
    weight: Loose = None
    reference: Loose = Field(None, description="The price when it was made.")
    source_model: str | None = None
    tag: str | None = None


class BacktestEnded(View):
    """What became of a backtest that is not wanted any more."""

    id: str
    status: str = Field(description="`deleted`; of one that still ran its status so far.")
    message: str = ""
