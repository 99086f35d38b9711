"""What live algorithms post to the outside: at most once, unordered, within an hourly quota.

The body is that of the emitter in `docs/quantconnect`: an object whose `payload` is text, with the
hash of that text in a header where the project's parameters hold a key; insights and fills. What
QuantConnect itself posts to the targets of a deployment is documented nowhere; here it is the same.
"""

import asyncio
import hashlib
import hmac
import json
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx

from sandbox.quantconnect.algorithm import Heard
from sandbox.quantconnect.deployment import Deployment, Target
from sandbox.quantconnect.formats import Json
from sandbox.quantconnect.rules import DOWN, FLAT, UP
from sandbox.quantconnect.tasks import Tasks

log = logging.getLogger(__name__)

SIGNATURE = "X-Signalbox-Signature"
_TIMEOUT_S = 30.0
_MOST_WAITING = 2000
_BATCH = 200
_HOUR_S = 3600
_DIRECTIONS = {UP: 1, FLAT: 0, DOWN: -1}
_BOTH = frozenset({"insight", "orderEvent"})
_INSIGHT = (
    *("id", "symbol", "ticker", "weight", "reference", "generatedTime", "closeTime"),
    *("sourceModel", "tag"),
)
_FILL = (
    *("id", "orderId", "orderEventId", "symbol", "time"),
    *("fillQuantity", "fillPrice", "isAssignment"),
)
_FILLED = 3


@dataclass(slots=True)
class _Queue:
    """What one deployment still has to say, and when it has spoken."""

    waiting: deque[tuple[str, Json]] = field(default_factory=lambda: deque(maxlen=_MOST_WAITING))
    sent_at: deque[float] = field(default_factory=deque)
    is_busy: bool = False


@dataclass(slots=True)
class Courier:
    """Collects for a while, then posts. An address that does not answer costs the message."""

    tasks: Tasks
    wall: Callable[[], float]
    pay: Callable[[], bool]  # for a post beyond the quota; False: no credit
    flush_s: float = 0.0
    per_hour: int = 3600
    http: httpx.AsyncClient | None = None  # made when it is first needed
    _queues: dict[str, _Queue] = field(default_factory=dict)

    def listen(self, deployment: Deployment) -> Heard:
        """Ears for one deployment."""
        queue = self._queues.setdefault(deployment.run_id, _Queue())

        def heard(kind: str, item: Json) -> None:
            if kind == "orderEvent" and item["status"] != "filled":
                return
            if not any(kind in target.events for target in receivers(deployment)):
                return
            queue.waiting.append((kind, item))
            if not queue.is_busy:
                queue.is_busy = True
                name = f"webhooks of {deployment.run_id}"
                self.tasks.start(name, self._flush(deployment, queue))

        return heard

    async def close(self) -> None:
        """Close the connections."""
        if self.http is not None:
            await self.http.aclose()

    async def _flush(self, deployment: Deployment, queue: _Queue) -> None:
        try:
            while queue.waiting:
                await asyncio.sleep(self.flush_s)
                batch = [queue.waiting.popleft() for _ in range(min(len(queue.waiting), _BATCH))]
                for target in receivers(deployment):
                    await self._send(deployment, queue, target, batch)
        finally:
            queue.is_busy = False
            if not deployment.is_alive:
                self._queues.pop(deployment.run_id, None)

    async def _send(
        self,
        deployment: Deployment,
        queue: _Queue,
        target: Target,
        batch: Sequence[tuple[str, Json]],
    ) -> None:
        items = [item for item in batch if item[0] in target.events]
        if not items:
            return
        now = self.wall()
        while queue.sent_at and queue.sent_at[0] <= now - _HOUR_S:
            queue.sent_at.popleft()
        if len(queue.sent_at) >= self.per_hour and not self.pay():
            deployment.log(deployment.launched, "Notification dropped: no quota, no credit")
            return
        queue.sent_at.append(now)
        text = payload(deployment, items, now)
        headers = dict(target.headers) | signature(text, deployment.parameters)
        if self.http is None:
            self.http = httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False)
        try:
            await self.http.post(target.address, json={"payload": text}, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError) as error:
            log.warning("a webhook did not arrive: %s", type(error).__name__)


def receivers(deployment: Deployment) -> list[Target]:
    """The targets of a deployment, and where its algorithm sends by itself."""
    url = deployment.parameters.get("signalbox_url", "")
    own = [Target(url, events=_BOTH)] if url else []
    return [*deployment.targets, *own]


def payload(deployment: Deployment, items: Sequence[tuple[str, Json]], now: float) -> str:
    """The text that is signed and posted."""
    body: Json = {
        "v": 1,
        "projectId": deployment.project_id,
        "deployId": deployment.deploy_id,
        "sentAt": int(now),
    }
    for kind, item in items:
        if kind == "insight":
            body.setdefault("insights", []).append(_insight(item))
        else:
            body.setdefault("orderEvents", []).append(_fill(item))
    return json.dumps(body, separators=(",", ":"), sort_keys=True)


def signature(text: str, parameters: dict[str, str]) -> dict[str, str]:
    """The header that proves who wrote the text; none without a key."""
    key = parameters.get("signalbox_key", "")
    if not key:
        return {}
    digest = hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
    return {SIGNATURE: f"sha256={digest}"}


def _insight(item: Json) -> Json:
    """As numbers, which is what an algorithm has in hand."""
    found = {name: item[name] for name in _INSIGHT}
    for name in ("confidence", "magnitude"):
        found[name] = None if item[name] is None else float(item[name])
    return found | {"type": 0, "direction": _DIRECTIONS[item["direction"]]}


def _fill(item: Json) -> Json:
    found = {name: item[name] for name in _FILL}
    direction = 0 if item["direction"] == "buy" else 1
    return found | {"ticker": item["symbolValue"], "status": _FILLED, "direction": direction}
