"""The snippet that users paste: it fits QuantConnect's types, and what it sends is taken."""

import importlib.util
import json
import math
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from itertools import pairwise
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from gateway.domain import webhooks
from qc_ingest.domain.insights import Insight
from qc_ingest.domain.orders import OrderEvent
from qc_ingest.domain.pushes import PushBody, parse_push
from signalbox.contracts.config import QuantConnectConfig
from signalbox.contracts.errors import Refused
from signalbox.contracts.values import Target

ROOT = Path(__file__).parents[2]
SNIPPET = ROOT / "docs" / "quantconnect" / "signalbox_emitter.py"
GUIDE = ROOT / "docs" / "quantconnect.md"
CLIENTS = ROOT / ".venv-clients" / "bin" / "python"
KEY = "sbx_hook_key"
PROJECT, DEPLOY = 23456781, "L-0f3c9a5be1d74c6f8a2b7d9e4c1a6b80"
START = datetime(2026, 11, 20, 14, 31)  # noqa: DTZ001 - the engine's times say no zone
CONFIG = QuantConnectConfig(
    id="desk", name="Desk", user_id="1", token_sealed="x", project_id=PROJECT
)


class OrderStatus(IntEnum):
    """QuantConnect's own numbers."""

    SUBMITTED = 1
    PARTIALLY_FILLED = 2
    FILLED = 3
    CANCELED = 5


class FakeEvent:
    """`algorithm.insights_generated`: what is added is called."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[Any, Any], None]] = []

    def __iadd__(self, listener: Callable[[Any, Any], None]) -> "FakeEvent":
        self.listeners.append(listener)
        return self


class FakeAlgorithm:
    """As much of QCAlgorithm as the snippet uses, with ears for what is posted."""

    project_id = PROJECT
    algorithm_id = DEPLOY

    def __init__(self, *, live: bool = True, **parameters: str) -> None:
        self.live_mode = live
        self.utc_time = START
        self.insights_generated = FakeEvent()
        self.date_rules = SimpleNamespace(every_day=lambda: "every day")
        self.time_rules = SimpleNamespace(every=lambda span: span)
        self.schedule = SimpleNamespace(on=self._plan)
        self.notify = SimpleNamespace(web=self._web)
        self.posts: list[tuple[datetime, bytes, dict[str, str]]] = []
        self.errors: list[str] = []
        self.minutely: list[Callable[[], None]] = []
        self.can_post = True
        self._parameters = parameters

    def get_parameter(self, name: str, default: str) -> str:
        return self._parameters.get(name, default)

    def error(self, message: str) -> None:
        self.errors.append(message)

    def say(self, *insights: Any) -> None:
        """The framework has generated these insights in one time step."""
        for listener in self.insights_generated.listeners:
            listener(self, SimpleNamespace(insights=list(insights)))

    def pass_time(self, minutes: int) -> None:
        for _ in range(minutes):
            self.utc_time += timedelta(minutes=1)
            for action in self.minutely:
                action()

    def _plan(self, _date_rule: object, span: timedelta, action: Callable[[], None]) -> None:
        assert span == timedelta(minutes=1)
        self.minutely.append(action)

    def _web(self, _url: str, data: dict[str, str], headers: dict[str, str]) -> bool:
        if self.can_post:
            self.posts.append((self.utc_time, json.dumps(data).encode(), headers))
        return self.can_post


@pytest.fixture
def snippet(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The file itself, with the engine's names from here."""
    engine = ModuleType("AlgorithmImports")
    for name in ("GeneratedInsightsCollection", "Insight", "OrderEvent", "QCAlgorithm"):
        setattr(engine, name, object)
    engine.OrderStatus = OrderStatus  # type: ignore[attr-defined]  # made right here
    monkeypatch.setitem(sys.modules, "AlgorithmImports", engine)
    found = importlib.util.spec_from_file_location("signalbox_emitter", SNIPPET)
    assert found
    assert found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


SYMBOL = SimpleNamespace(id="SPY R735QTJ8XC9X", value="SPY")


def an_insight(number: int = 1, **over: Any) -> Any:
    fields: dict[str, Any] = {
        "id": UUID(int=number),
        "symbol": SYMBOL,
        "type": 0,
        "direction": 1,
        "confidence": 0.62,
        "magnitude": None,
        "weight": math.nan,
        "reference_value": 508.89,
        "generated_time_utc": START - timedelta(seconds=5, milliseconds=270),
        "close_time_utc": START + timedelta(minutes=10),
        "source_model": "EmaCrossAlpha(10,30)",
        "tag": 'a "quoted" täg',
    }
    return SimpleNamespace(**(fields | over))


def an_order_event(number: int = 2, **over: Any) -> Any:
    fields: dict[str, Any] = {
        "id": number,
        "order_id": 7,
        "symbol": SYMBOL,
        "utc_time": START - timedelta(seconds=1),
        "status": OrderStatus.FILLED,
        "direction": 0,
        "fill_quantity": 40.0,
        "fill_price": 508.9,
        "is_assignment": False,
    }
    return SimpleNamespace(**(fields | over))


def an_algorithm(**over: Any) -> FakeAlgorithm:
    names = {"signalbox_url": "https://desk.example/hooks/quantconnect/desk", "signalbox_key": KEY}
    return FakeAlgorithm(**(names | over))


def received(post: tuple[datetime, bytes, dict[str, str]], key: str = KEY) -> PushBody:
    """What both of our ends make of the very bytes: the gateway's door, then qc-ingest's parser."""
    at, body, headers = post
    assert len(body) < 64 * 1024
    assert key.encode() not in body
    call = webhooks.Call(body.decode(), None, headers["X-Signalbox-Signature"])
    said = webhooks.read(call.body)
    proven = webhooks.proof(call, said, [key])
    assert proven == "signature"
    webhooks.admit(proven, said, Target.REAL, at.replace(tzinfo=UTC))
    return parse_push(call.body, CONFIG)


@pytest.mark.e2e
def test_it_fits_quantconnects_own_types(tmp_path: Path) -> None:
    """The file, and the algorithm that the guide shows, under mypy's strictest rules."""
    assert CLIENTS.exists(), f"{CLIENTS} is missing; `make clients` makes it"
    target = tmp_path / SNIPPET.name
    target.write_text(SNIPPET.read_text())
    (shown,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    (tmp_path / "main.py").write_text(shown)
    command = [str(CLIENTS), "-m", "mypy", "--config-file=", "--strict", "--no-error-summary", "."]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (found.stdout, found.stderr, found.returncode) == ("", "", 0)


def test_both_ends_agree_on_an_insight(snippet: ModuleType) -> None:
    algorithm = an_algorithm()
    snippet.SignalboxEmitter(algorithm)
    algorithm.say(an_insight(), an_insight(2, direction=-1, confidence=None))
    (post,) = algorithm.posts
    push = received(post)
    assert (push.project_id, push.deploy_id) == (PROJECT, DEPLOY)
    first, second = [found.item for found in push.found]
    assert isinstance(first, Insight)
    assert isinstance(second, Insight)
    assert (first.id, first.symbol_id, first.ticker) == (f"{1:032x}", SYMBOL.id, "SPY")
    assert (first.direction, second.direction) == ("up", "down")
    assert (str(first.confidence), second.confidence, first.weight) == ("0.62", None, None)
    assert (str(first.reference), first.tag) == ("508.89", 'a "quoted" täg')
    assert first.generated_at == datetime(2026, 11, 20, 14, 30, 54, tzinfo=UTC)
    assert first.closes_at == datetime(2026, 11, 20, 14, 41, tzinfo=UTC)
    assert not first.is_volatility
    with pytest.raises(Refused, match="sent 301 s ago"):
        received((post[0] + timedelta(seconds=301), *post[1:]))


def test_a_changed_text_or_another_key_is_refused(snippet: ModuleType) -> None:
    algorithm = an_algorithm()
    snippet.SignalboxEmitter(algorithm)
    algorithm.say(an_insight())
    at, body, headers = algorithm.posts[0]
    with pytest.raises(AssertionError):
        received((at, body.replace(b"SPY", b"QQQ"), headers))
    with pytest.raises(AssertionError):
        received((at, body, headers), key="another")
    again = json.dumps(json.loads(body), indent=2).encode()  # a proxy may write it anew
    assert received((at, again, headers)) == received((at, body, headers))


def test_both_ends_agree_on_a_fill(snippet: ModuleType) -> None:
    algorithm = an_algorithm()
    emitter = snippet.SignalboxEmitter(algorithm)
    for number, status in enumerate((OrderStatus.SUBMITTED, OrderStatus.CANCELED)):
        emitter.on_order_event(an_order_event(number, status=status, fill_quantity=0.0))
    assert algorithm.posts == []
    emitter.on_order_event(an_order_event(2, fill_quantity=-12.5))
    (found,) = received(algorithm.posts[0]).found
    assert isinstance(found.item, OrderEvent)
    assert found.item.id == f"{DEPLOY}-7-2"
    assert (str(found.item.fill_quantity), str(found.item.fill_price)) == ("-12.5", "508.9")
    assert found.item.is_fill


@pytest.mark.parametrize("per_hour", [1, 2, 3, 5, 7, 20, 60])
def test_no_hour_sees_more_posts_than_the_quota(snippet: ModuleType, per_hour: int) -> None:
    algorithm = an_algorithm()
    snippet.SignalboxEmitter(algorithm, posts_per_hour=per_hour)
    for number in range(240):
        algorithm.say(an_insight(number))
        algorithm.pass_time(1)
    algorithm.pass_time(60)
    times = [at for at, _, _ in algorithm.posts]
    for place, at in enumerate(times):
        within = [t for t in times[place:] if t - at < timedelta(hours=1)]
        assert len(within) <= per_hour
    longest = max(later - at for at, later in pairwise(times))
    assert longest <= timedelta(hours=2) / per_hour + timedelta(minutes=1), "it never falls silent"
    words = [found.item.id for post in algorithm.posts for found in received(post).found]
    assert words == [f"{number:032x}" for number in range(240)]


def test_a_burst_travels_together_in_posts_that_the_door_takes(snippet: ModuleType) -> None:
    algorithm = an_algorithm()
    snippet.SignalboxEmitter(algorithm)
    algorithm.say(*(an_insight(number) for number in range(10_000)))
    algorithm.pass_time(180)
    found = [received(post).found for post in algorithm.posts]
    assert max(map(len, found)) >= 100
    words = [word.item.id for some in found for word in some]
    assert words == [f"{number:032x}" for number in range(10_000)][-5000:][: len(words)]
    assert len(words) == 5000, "the newest; reading brings the others"


def test_a_post_that_is_not_taken_is_sent_again(snippet: ModuleType) -> None:
    algorithm = an_algorithm()
    snippet.SignalboxEmitter(algorithm)
    algorithm.can_post = False
    algorithm.say(an_insight())
    algorithm.pass_time(30)
    algorithm.can_post = True
    algorithm.pass_time(1)
    assert [f.item.id for f in received(algorithm.posts[0]).found] == [f"{1:032x}"]


def test_nothing_is_sent_from_a_backtest_or_without_a_key(snippet: ModuleType) -> None:
    for algorithm in (an_algorithm(live=False), an_algorithm(signalbox_key="")):
        emitter = snippet.SignalboxEmitter(algorithm)
        algorithm.say(an_insight())
        emitter.on_order_event(an_order_event())
        algorithm.pass_time(5)
        assert algorithm.posts == []
        assert bool(algorithm.errors) is algorithm.live_mode
        assert not any(KEY in error for error in algorithm.errors)
