"""Turns archived events into what the REST interface answers."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from gateway.adapters.read_tables import withdrawals
from gateway.domain.views import OrderView, SignalView, VerdictView
from gateway.domain.words import explain
from signalbox.contracts.values import OrderState


def data_of(body: str) -> dict[str, Any]:
    """The payload of a CloudEvent."""
    data: dict[str, Any] = json.loads(body)["data"]
    return data


def signal_view(body: str, withdrawn_until: datetime | None) -> SignalView:
    """A signal, its expiry shortened when its source took it back."""
    data = data_of(body)
    view = SignalView.model_validate({**data, "id": data["signal_id"]})
    if withdrawn_until is None:
        return view
    shorter = min(view.valid_until, withdrawn_until)
    return view.model_copy(update={"valid_until": shorter, "withdrawn": True})


def verdict_view(body: str, *, current: bool) -> VerdictView:
    """A verdict, its reason in words."""
    envelope = json.loads(body)
    data = envelope["data"]
    signal = data["signal"]
    spoken = ("source_type", "source_id", "symbol", "action", "confidence", "valid_until")
    return VerdictView.model_validate(
        {
            **data,
            **{name: signal[name] for name in spoken},
            "id": data["verdict_id"],
            "signal_id": signal["signal_id"],
            "explanation": explain(data["reason"]),
            "current": current,
            "sequence": envelope.get("sequence"),
            "config_version": envelope.get("configversion", 0),
        }
    )


def order_fields(body: str, created_at: datetime) -> dict[str, Any]:
    """The fields of an order's newest state."""
    data = data_of(body)
    return {
        **data,
        "id": data["order_id"],
        "final": OrderState(data["state"]).final,
        "created_at": created_at,
        "updated_at": data["at"],
    }


def order_view(body: str, created_at: datetime) -> OrderView:
    """An order as it stands."""
    return OrderView.model_validate(order_fields(body, created_at))


def withdrawn_until(sql: Connection, signal_ids: Iterable[str]) -> Mapping[str, datetime]:
    """The earliest expiry that their sources shortened these signals to."""
    query = (
        select(withdrawals.c.signal_id, func.min(withdrawals.c.valid_until).label("until"))
        .where(withdrawals.c.signal_id.in_(list(signal_ids)))
        .group_by(withdrawals.c.signal_id)
    )
    return {row.signal_id: row.until for row in sql.execute(query)}
