"""What a source, a bot or a symbol has earned, from the slices of fills alone."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from operator import add, attrgetter
from typing import Literal

from signalbox.contracts.payloads import Fill, LotSlice, Order
from signalbox.contracts.values import Side

Grouping = Literal["source", "bot", "symbol"]
PARTS: Mapping[Grouping, tuple[str, ...]] = {
    "source": ("source_type", "source_id"),
    "bot": ("bot",),
    "symbol": ("symbol",),
}
NOUGHT = Decimal(0)
_WIDE = Context(prec=60)  # sums of money are exact
_RATIO = Decimal("0.0001")
_PLACES = Decimal("0.00000001")


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over slices: money in account currency, after fees."""

    realised_pnl: Decimal = NOUGHT
    fees: Decimal = NOUGHT
    gross_profit: Decimal = NOUGHT  # of slices that closed with a gain
    gross_loss: Decimal = NOUGHT  # of slices that closed with a loss, as a positive number
    trades: int = 0  # lots or parts of lots that were closed
    wins: int = 0
    losses: int = 0
    fills: int = 0  # asked for by this source
    traded: Decimal = NOUGHT  # price times quantity, of openings and closings
    measured: Decimal = NOUGHT  # of that, where slippage is known
    slipped: Decimal = NOUGHT  # slippage in basis points times `measured`
    squares: Decimal = NOUGHT  # of the profits of closed parts

    def __add__(self, other: "Tally") -> "Tally":
        with localcontext(_WIDE):
            return Tally(*map(add, _sums(self), _sums(other)))

    @property
    def win_rate(self) -> Decimal | None:
        """Wins over closed slices, 0 to 1; none before the first."""
        return ratio(Decimal(self.wins), Decimal(self.trades))

    @property
    def expectancy(self) -> Decimal | None:
        """Profit after every fee for each closed part; none before the first."""
        return money(self.realised_pnl, Decimal(self.trades))

    @property
    def average_win(self) -> Decimal | None:
        """Mean profit of the parts that closed with one; none before the first."""
        return money(self.gross_profit, Decimal(self.wins))

    @property
    def average_loss(self) -> Decimal | None:
        """Mean loss of the parts that closed with one, as a positive number."""
        return money(self.gross_loss, Decimal(self.losses))

    @property
    def slippage_bps(self) -> Decimal | None:
        """Mean over what was traded at a known slippage; positive is worse."""
        return ratio(self.slipped, self.measured)

    @property
    def profit_factor(self) -> Decimal | None:
        """Gross profit over gross loss; none while there is no loss."""
        return ratio(self.gross_profit, self.gross_loss)


_sums: Callable[[Tally], tuple[Decimal | int, ...]] = attrgetter(*(f.name for f in fields(Tally)))


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose slices are summed."""

    bot: str
    symbol: str
    source_type: str
    source_id: str

    def part(self, by: Grouping) -> tuple[str, ...]:
        """Which part of the whole it belongs to."""
        return tuple(getattr(self, name) for name in PARTS[by])


def ratio(over: Decimal, under: Decimal) -> Decimal | None:
    """A quotient to four places; none when it is not defined."""
    return (over / under).quantize(_RATIO, ROUND_HALF_EVEN) if under else None


def money(over: Decimal, under: Decimal) -> Decimal | None:
    """An amount for each of so many, to eight places; none for each of nothing."""
    return _short(over / under) if under else None


def _short(amount: Decimal) -> Decimal:
    return amount.quantize(_PLACES, ROUND_HALF_EVEN, _WIDE)


def fee_of(part: LotSlice, fill: Fill, side: Side) -> Decimal:
    """A slice's part of the fee: what the price alone would have earned, less what it did earn."""
    with localcontext(_WIDE):
        if part.effect == "opened":
            return -part.realised_pnl
        moved = (fill.price - part.entry_price) * part.quantity * -side.sign
        return moved - part.realised_pnl


def tally_slice(part: LotSlice, fill: Fill, side: Side) -> Tally:
    """One slice as sums."""
    closed = part.effect == "closed"
    won = closed and part.realised_pnl > 0
    lost = closed and part.realised_pnl < 0
    with localcontext(_WIDE):
        traded = _short(fill.price * part.quantity)
        squares = _short(part.realised_pnl * part.realised_pnl) if closed else NOUGHT
        slipped = _short(traded * fill.slippage_bps) if fill.slippage_bps else NOUGHT
    return Tally(
        realised_pnl=part.realised_pnl,
        fees=fee_of(part, fill, side),
        gross_profit=part.realised_pnl if won else NOUGHT,
        gross_loss=-part.realised_pnl if lost else NOUGHT,
        trades=int(closed),
        wins=int(won),
        losses=int(lost),
        traded=traded,
        measured=NOUGHT if fill.slippage_bps is None else traded,
        slipped=slipped,
        squares=squares,
    )


def tally(order: Order) -> dict[Owner, Tally]:
    """What one order event adds, by owner; nothing without a fill.

    Profit and fees go to the owner of each lot, the fill itself to the source that asked for it.
    """
    fill = order.fill
    if fill is None or order.side is None:
        return {}
    asked = Owner(order.bot, order.symbol, order.source_type, order.source_id)
    sums = {asked: Tally(fills=1)}
    for part in fill.slices:
        owner = Owner(order.bot, order.symbol, part.source_type, part.source_id)
        sums[owner] = sums.get(owner, Tally()) + tally_slice(part, fill, order.side)
    return sums


def group(sums: Iterable[tuple[Owner, Tally]], by: Grouping) -> dict[tuple[str, ...], Tally]:
    """Sums by source (type and id), by bot or by symbol, sorted by that key."""
    grouped: dict[tuple[str, ...], Tally] = {}
    for owner, part in sums:
        key = owner.part(by)
        grouped[key] = grouped.get(key, Tally()) + part
    return dict(sorted(grouped.items()))
