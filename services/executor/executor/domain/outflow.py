"""What leaves for a broker against what was meant to leave."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from executor.domain.money import ZERO, add
from executor.domain.scene import Denial
from signalbox.contracts.ids import plain


@dataclass(frozen=True, slots=True)
class Flow:
    """Orders of one account within a minute, and what they are worth in its currency."""

    count: int = 0
    notional: Decimal = ZERO


def flow_of(notionals: Iterable[Decimal]) -> Flow:
    """The sum of orders that are worth so much each."""
    flow = Flow()
    for notional in notionals:
        flow = Flow(flow.count + 1, add(flow.notional, notional))
    return flow


def surplus(leaving: Flow, intended: Flow) -> Denial | None:
    """Why nothing more may leave: it would be more, or worth more, than was planned."""
    pairs = (
        ("orders", Decimal(leaving.count), Decimal(intended.count)),
        ("worth of orders", leaving.notional, intended.notional),
    )
    for what, observed, limit in pairs:
        if observed > limit:
            numbers = {"limit": plain(limit), "observed": plain(observed)}
            words = (
                f"{numbers['observed']} {what} would have left for the broker within a minute,"
                f" {numbers['limit']} were planned"
            )
            return Denial("order_surplus", words, numbers)
    return None
