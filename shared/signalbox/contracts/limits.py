"""What a bot may buy at most, how much of it, and what protects it."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from signalbox.contracts.values import Amount, Confidence, SourceType, Symbol, Value


class Sizing(Value):
    """How much an entry buys: for a fixed notional, for a part of the book's equity, or so much
    that an ordinary move of the price costs a given part of it.
    """

    kind: Literal["fixed_notional", "percent_of_equity", "volatility_target"] = "fixed_notional"
    notional: Amount = Field(Decimal(1000), gt=0)  # account currency
    fraction: Annotated[Confidence, Field(gt=0)] = Decimal("0.02")  # of the equity
    increment: Amount = Field(Decimal("0.0001"), gt=0)  # quantities are rounded down to it
    increments: dict[Symbol, Annotated[Amount, Field(gt=0)]] = {}  # of symbols with another one
    # Of a volatility target: `risk` of the equity is lost when the price moves against the
    # position by `atr_multiple` times the average true range of `atr_period` bars.
    risk: Annotated[Confidence, Field(gt=0)] = Decimal("0.005")
    atr_multiple: Amount = Field(Decimal(2), gt=0, le=100)
    atr_period: int = Field(14, ge=2, le=200)
    atr_interval: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,2}[mhd]$")] = "1d"

    def step(self, symbol: str) -> Decimal:
        """To what quantities of a symbol are rounded down."""
        return self.increments.get(symbol, self.increment)


class Limits(Value):
    """What a bot may do at most."""

    max_order_notional: Amount = Field(Decimal(10_000), gt=0)
    max_quantity: Annotated[Amount, Field(gt=0)] | None = None  # units of one order
    max_position_notional: Amount = Field(Decimal(20_000), gt=0)  # per symbol, after the order
    max_open_positions: int = Field(20, gt=0)
    max_gross_exposure: Amount = Field(Decimal(100_000), gt=0)
    max_orders_per_minute: int = Field(60, gt=0)  # market time
    max_repeats: int = Field(3, gt=0)  # of the same order on a symbol within a minute, market time
    # Fractions of the equity with which the market day began; 1 switches one off.
    max_daily_loss: Annotated[Confidence, Field(gt=0)] = Decimal("0.03")  # then no entries
    halt_daily_loss: Annotated[Confidence, Field(gt=0)] = Decimal("0.05")  # then it is halted
    max_drawdown: Annotated[Confidence, Field(gt=0)] = Decimal("0.15")  # from the peak: halted
    loss_streak: int = Field(10, ge=0)  # losing exits in a row that lock the bot; 0 never does
    reject_streak: int = Field(5, ge=0)  # entries in a row that its broker rejects; 0 never does
    lock_s: int = Field(3600, gt=0)  # for how long, market time
    loss_cooldown_s: int = Field(0, ge=0)  # no entry on a symbol after a losing exit, market time
    restricted: frozenset[Symbol] = frozenset()  # symbols that are never entered
    # Fractions of the equity that a kind of source may have in the market; none without one.
    source_budgets: dict[SourceType, Confidence] = {}
    max_quote_age_s: int = Field(60, gt=0)  # market time
    max_spread: Confidence = Decimal("0.01")  # fraction of the mid
    max_slippage: Confidence = Decimal(
        "0.03"
    )  # fraction from the signal's price; 1 switches it off
    # Entries go as limit orders so far beyond the quote: a buy at the ask times (1 + bps); none as
    # market orders.
    limit_bps: Annotated[Amount, Field(ge=0, le=1000)] | None = None
    wait_for_open: bool = True  # entries outside the session wait for it; else they are denied


class Exits(Value):
    """What protects a lot whose signal names no stop or target itself; none protects nothing.

    Fractions of the price at which the lot was opened.
    """

    stop: Annotated[Amount, Field(gt=0, lt=1)] | None = None
    target: Annotated[Amount, Field(gt=0, le=10)] | None = None
    trailing: Annotated[Amount, Field(gt=0, lt=1)] | None = None  # from the best price since
    hold_s: Annotated[int, Field(gt=0)] | None = None  # market time
