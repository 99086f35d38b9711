"""Signals, their withdrawals, and QuantConnect's own list of them."""

from collections.abc import Iterator

from gateway.domain.changes import Change, New, Settle
from signalbox.contracts.events import SignalRaised, SignalWithdrawn
from signalbox.contracts.values import SourceType

QUANTCONNECT_SIGNALS = "quantconnect_signals"


def raised(event: SignalRaised) -> Iterator[Change]:
    """A row in `signals`; one of QuantConnect's is listed in `quantconnect_signals` too."""
    signal = event.data
    key = str(signal.signal_id)
    yield New(
        "signals",
        {
            "id": key,
            "source_type": signal.source_type.value,
            "source_id": signal.source_id,
            "symbol": signal.symbol,
            "action": signal.action.value,
            "at": signal.raised_at,
        },
    )
    if signal.source_type is not SourceType.QUANTCONNECT:
        return
    yield New(
        QUANTCONNECT_SIGNALS,
        {
            "id": key,
            "config_id": signal.details.get("configId", "")[:64],
            "symbol": signal.symbol,
            "signal": signal.action.value,
            "confidence": signal.confidence,
            "price": signal.price,
            "timestamp": signal.raised_at,
            "processed": False,
            "created_at": event.time,
        },
    )
    yield Settle(key, QUANTCONNECT_SIGNALS)


def withdrawn(event: SignalWithdrawn) -> Iterator[Change]:
    """A row in `withdrawals`."""
    yield New(
        "withdrawals",
        {
            "id": str(event.id),
            "signal_id": str(event.data.signal_id),
            "valid_until": event.data.valid_until,
        },
    )
