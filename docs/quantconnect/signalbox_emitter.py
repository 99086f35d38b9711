"""Sends what a live algorithm says to Signalbox: its insights and, if you like, its fills.

Save this file as `signalbox_emitter.py` in your QuantConnect project. Add two project parameters,
`signalbox_url` and `signalbox_key`; Signalbox shows both when it makes the webhook of a connection.
Then add to your algorithm:

    from signalbox_emitter import SignalboxEmitter

    def initialize(self):
        self.signalbox = SignalboxEmitter(self)

    def on_order_event(self, order_event):  # only where fills are the signals
        self.signalbox.on_order_event(order_event)

Insights are sent as they come. Nothing is sent from backtests, and never more often an hour than
QuantConnect allows without charge: 20 posts for a Quant Researcher, 60 for a Team, 240 for a
Trading Firm (`SignalboxEmitter(self, posts_per_hour=60)`). E-mail and Telegram messages share that
number. When it is used up, words wait and travel together, up to 150 in one post.

The key itself never travels: it signs the text of each post.
"""

import calendar
import hashlib
import hmac
import json
import math
from collections import deque
from datetime import datetime, timedelta
from typing import Any

from AlgorithmImports import (
    GeneratedInsightsCollection,
    Insight,
    OrderEvent,
    OrderStatus,
    QCAlgorithm,
)

_HOUR_S = 3600
_MOST_BYTES = 50_000  # of one post; Signalbox takes 64 KB
_MOST_WAITING = 5_000  # words; beyond that the oldest are left to Signalbox's own reading
_Word = tuple[str, dict[str, Any]]  # the list it belongs to, and the word itself
_FILLS = (OrderStatus.FILLED, OrderStatus.PARTIALLY_FILLED)


class SignalboxEmitter:
    """Collects words and posts them, signed, within the hourly quota."""

    def __init__(self, algorithm: QCAlgorithm, posts_per_hour: int = 20) -> None:
        self._algorithm = algorithm
        self._url = algorithm.get_parameter("signalbox_url", "")
        self._key = algorithm.get_parameter("signalbox_key", "").encode()
        self._per_hour = posts_per_hour
        self._posts: deque[int] = deque()  # unix times of the last hour's posts
        self._waiting: deque[_Word] = deque(maxlen=_MOST_WAITING)
        if algorithm.live_mode and not (self._url and self._key):
            algorithm.error(
                "Signalbox: set the project parameters signalbox_url and signalbox_key;"
                " until then nothing is sent."
            )
        algorithm.insights_generated += self._on_insights_generated
        algorithm.schedule.on(
            algorithm.date_rules.every_day(),
            algorithm.time_rules.every(timedelta(minutes=1)),
            self.flush,
        )

    def on_order_event(self, order_event: OrderEvent) -> None:
        """Send a fill; other order events say nothing that Signalbox acts on."""
        if order_event.status in _FILLS:
            self._remember("orderEvents", [self._fill(order_event)])

    def flush(self) -> None:
        """Send what waits, as far as the quota allows. Runs every minute by itself."""
        now = _unix(self._algorithm.utc_time)
        while self._waiting and self._may_post(now):
            batch = self._next_batch()
            if not self._post(batch, now):
                return
            self._posts.append(now)
            for _ in batch:
                self._waiting.popleft()

    def _on_insights_generated(
        self, algorithm: Any, collection: GeneratedInsightsCollection
    ) -> None:
        self._remember("insights", [_insight(insight) for insight in collection.insights])

    def _remember(self, kind: str, words: list[dict[str, Any]]) -> None:
        if self._algorithm.live_mode and self._url and self._key:
            self._waiting.extend((kind, word) for word in words)
            self.flush()

    def _may_post(self, now: int) -> bool:
        """A quarter of the quota goes out at once, the rest evenly over the hour."""
        while self._posts and now - self._posts[0] >= _HOUR_S:
            self._posts.popleft()
        at_once = self._per_hour // 4
        if len(self._posts) < max(at_once, 1):
            return self._per_hour > 0
        return now - self._posts[-1] >= _HOUR_S / (self._per_hour - at_once)

    def _next_batch(self) -> list[_Word]:
        """As many of the oldest as one post holds."""
        batch: list[_Word] = []
        size = 0
        for kind, word in self._waiting:
            size += len(json.dumps(_text(word))) + 1  # it travels as text inside of text
            if batch and size > _MOST_BYTES:
                break
            batch.append((kind, word))
        return batch

    def _post(self, batch: list[_Word], now: int) -> bool:
        body: dict[str, Any] = {
            "v": 1,
            "projectId": self._algorithm.project_id,
            "deployId": self._algorithm.algorithm_id,
            "sentAt": now,
        }
        for kind, word in batch:
            body.setdefault(kind, []).append(word)
        text = _text(body)
        signature = hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
        headers = {"X-Signalbox-Signature": f"sha256={signature}"}
        return self._algorithm.notify.web(self._url, {"payload": text}, headers)

    def _fill(self, event: OrderEvent) -> dict[str, Any]:
        return {
            "id": f"{self._algorithm.algorithm_id}-{event.order_id}-{event.id}",
            "orderId": event.order_id,
            "orderEventId": event.id,
            "symbol": str(event.symbol.id),
            "ticker": event.symbol.value,
            "time": _unix(event.utc_time),
            "status": int(event.status),
            "direction": int(event.direction),
            "fillQuantity": _number(event.fill_quantity),
            "fillPrice": _number(event.fill_price),
            "isAssignment": bool(event.is_assignment),
        }


def _insight(insight: Insight) -> dict[str, Any]:
    return {
        "id": str(insight.id).replace("-", ""),
        "symbol": str(insight.symbol.id),
        "ticker": insight.symbol.value,
        "type": int(insight.type),
        "direction": int(insight.direction),
        "confidence": _number(insight.confidence),
        "magnitude": _number(insight.magnitude),
        "weight": _number(insight.weight),
        "reference": _number(insight.reference_value),
        "generatedTime": _unix(insight.generated_time_utc),
        "closeTime": _unix(insight.close_time_utc),
        "sourceModel": insight.source_model,
        "tag": insight.tag,
    }


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


def _number(value: float | None) -> float | None:
    """JSON knows no NaN."""
    return float(value) if value is not None and math.isfinite(value) else None


def _unix(utc: datetime) -> int:
    """The engine's times are UTC without saying so; `.timestamp()` would take them for local."""
    return calendar.timegm(utc.timetuple())
