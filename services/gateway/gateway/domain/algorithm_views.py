"""What the REST interface answers about algorithms and the jobs that start them."""

from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import BeforeValidator, Field

from gateway.domain.views import Listing, Number, View
from signalbox.contracts.values import UtcTime


def _finite(value: object) -> Decimal | None:
    """QuantConnect's numbers are text or floats, and some are NaN: those are none."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


Loose = Annotated[Number | None, BeforeValidator(_finite)]


class AlgorithmView(View):
    """A project, and how it runs live if it does, as QuantConnect last described it."""

    id: str = Field(description="The project's id.")
    config_id: str
    name: str
    status: str = Field(description="In QuantConnect's own words, or Not deployed.")
    target: str = ""
    language: str = ""
    modified: UtcTime | None = None
    deploy_id: str = ""
    launched: str = ""
    stopped: str = ""
    brokerage: str = ""
    message: str = ""
    performance: dict[str, str] = Field({}, description="Equity, fees, return and the like.")
    fetched_at: UtcTime | None = Field(None, description="When QuantConnect said so.")


class Unread(View):
    """An account whose algorithms cannot be read now, and why."""

    config_id: str
    message: str


class AlgorithmListing(Listing[AlgorithmView]):
    """A part of the list of algorithms, by id."""

    problems: tuple[Unread, ...] = Field(
        (), description="What cannot be read now; its algorithms are missing or old."
    )


class FileView(View):
    """A file of a project."""

    name: str
    size: int | None = None  # bytes
    modified: UtcTime | None = None


class HoldingView(View):
    """What an algorithm holds of one symbol at QuantConnect."""

    symbol: str = Field(description="The ticker, which may be an old one.")
    symbol_id: str = ""
    quantity: Loose = None
    average_price: Loose = None
    price: Loose = None
    value: Loose = None
    unrealized: Loose = None


class CashView(View):
    """What an algorithm holds of one currency."""

    currency: str
    amount: Loose = None
    value: Loose = None  # in the account's currency


class PortfolioView(View):
    """What an algorithm holds."""

    holdings: tuple[HoldingView, ...] = ()
    cash: tuple[CashView, ...] = ()


class NodeView(View):
    """A machine at QuantConnect."""

    id: str
    name: str = ""
    busy: bool = False
    used_by: str | None = None


class NodesView(View):
    """The account's live nodes, and how many are free."""

    live: tuple[NodeView, ...] = ()
    free_live: int = 0
    free_backtest: int = 0


class PerformanceAt(View):
    """How a live algorithm stood at one instant."""

    at: UtcTime
    equity: Loose = None
    holdings: Loose = None
    unrealized: Loose = None
    net_profit: Loose = None
    fees: Loose = None
    return_: Loose = Field(None, alias="return", description="Fraction, since the launch.")


class AlgorithmDetail(AlgorithmView):
    """A project with its files, what it holds, and how it has done."""

    description: str = ""
    parameters: dict[str, str] = {}
    files: tuple[FileView, ...] = ()
    portfolio: PortfolioView | None = None
    nodes: NodesView | None = None
    history: tuple[PerformanceAt, ...] = ()
    logs: tuple[str, ...] = ()  # the last lines
    notes: tuple[str, ...] = Field((), description="What could not be read, and why.")


class AlgorithmStatus(View):
    """What became of an algorithm that was told to end."""

    id: str
    config_id: str
    status: str
    deploy_id: str = ""


class JobView(View):
    """Work at QuantConnect that takes a while."""

    id: str
    kind: str
    config_id: str
    algorithm_id: str
    algorithm_name: str = ""
    status: str = Field(description="running, done or failed.")
    step: str = ""
    progress: float = Field(0, description="0 to 1.")
    message: str = ""
    deploy_id: str = ""
    requested_by: str = ""
    created_at: UtcTime | None = None
    finished_at: UtcTime | None = None
    updated_at: UtcTime | None = None
