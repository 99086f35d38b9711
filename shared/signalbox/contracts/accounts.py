"""Where orders go, and what may not trade."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from signalbox.contracts.values import Amount, Confidence, Name, Slug, Target, UtcTime, Value


class PaperSettings(Value):
    """How the paper broker fills."""

    starting_cash: Amount = Field(Decimal(100_000), gt=0)
    slippage_bps: Amount = Field(Decimal(1), ge=0)
    impact_bps: Amount = Field(
        Decimal(10), ge=0
    )  # times the square root of order size over bar volume
    max_participation: Confidence = Decimal("0.1")  # of a bar's volume, per fill
    # Of what is traded. Without one shares cost nothing and pairs what a broker's lowest tier does.
    # Of a pair it is taken from what the fill brings: units of a buy, money of a sell.
    fee_bps: Annotated[Amount, Field(ge=0, lt=10_000)] | None = None
    fee_per_share: Amount = Field(Decimal(0), ge=0)  # for each share; pairs have none


class AccountConfig(Value):
    """Where orders go."""

    id: Slug
    name: Name
    broker: Literal["paper", "alpaca"] = "paper"
    mode: Literal["paper", "live"] = "paper"
    target: Target = Target.SANDBOX
    paper: PaperSettings = PaperSettings()
    crypto_fee_bps: Amount = Field(Decimal(25), ge=0)  # taken from what a fill at a broker brings
    stops_at_broker: bool = True  # where it takes them, a lot's stop rests there as an order
    key_sealed: str | None = None  # both open in executor only
    secret_sealed: str | None = None
    key_hint: str = ""  # the end of the key, for people
    keys_at: UtcTime | None = None  # when they were entered, wall time


class KillSwitch(Value):
    """What may not trade. Protective exits still may."""

    everything: bool = False
    accounts: frozenset[str] = frozenset()
    bots: frozenset[str] = frozenset()
    by: str = ""
    reason: str = ""
    at: UtcTime | None = None

    def stops(self, bot: str, account: str) -> bool:
        """Whether new orders of this bot are stopped."""
        return self.everything or account in self.accounts or bot in self.bots
