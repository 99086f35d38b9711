"""Pushes: one test for each outcome."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from qc_ingest.adapters import tables
from qc_ingest.handlers import build_handlers
from signalbox.contracts import ids
from signalbox.contracts.config import IngestConfig, QuantConnectConfig
from signalbox.contracts.errors import Malformed, NotFound, Refused, TransientError
from signalbox.contracts.events import PushReceived, SignalRaised, SignalWithdrawn
from signalbox.contracts.payloads import Push
from signalbox.contracts.values import Target
from signalbox.runtime.db import Database
from signalbox.runtime.moment import Moment
from signalbox.testing.examples import NOON, a_moment
from signalbox.testing.runner import run

ID = "5f0d6b3e9a1c4f27b8e2d4a6c9b01357"
CONFIG = QuantConnectConfig(
    id="main", name="Main", user_id="1", token_sealed="x", target=Target.SANDBOX, project_id=7
)
MOMENT = a_moment(IngestConfig(quantconnect=(CONFIG,)), service="qc-ingest", replay=False)


def an_insight(**over: Any) -> dict[str, Any]:
    """As the snippet of the setup guide sends it."""
    at = NOON.timestamp()
    fields = {
        "id": ID,
        "symbol": "AAPL R735QTJ8XC9X",
        "ticker": "AAPL",
        "direction": 1,
        "confidence": 0.7,
        "magnitude": None,
        "weight": None,
        "generatedTime": at - 5,
        "closeTime": at + 3600,
        "sourceModel": "Ema",
        "tag": None,
    }
    return fields | over


def a_push(
    *insights: dict[str, Any], text: str | None = None, config_id: str = "main"
) -> PushReceived:
    body = json.dumps(
        {"v": 1, "projectId": 7, "deployId": "L-1", "sentAt": 1, "insights": insights}
    )
    body = body if text is None else text
    push = Push(
        push_id=ids.derive("push", body), config_id=config_id, body=body, received_at=MOMENT.wall
    )
    return PushReceived.of(push, source="gateway", time=MOMENT.wall)


@pytest.fixture
def db() -> Database:
    return Database.in_memory(tables.metadata)


def pushed(db: Database, *events: PushReceived, moment: Moment[Any] = MOMENT) -> list[Any]:
    return run(build_handlers(), db, tables.metadata, events, moment)


def test_a_pushed_insight_is_raised_for_five_minutes(db: Database) -> None:
    (event,) = pushed(db, a_push(an_insight()))
    assert isinstance(event, SignalRaised)
    assert event.data.signal_id == ids.signal_id("quantconnect", "7", ID)
    assert (event.data.action, event.data.confidence) == ("buy", Decimal("0.7"))
    assert event.data.valid_until == NOON + timedelta(minutes=5, seconds=-5)
    assert event.causationid is None


def test_a_redelivered_push_says_the_same_once(db: Database) -> None:
    push = a_push(an_insight())
    assert len(pushed(db, push)) == 1
    assert pushed(db, push) == []


def test_an_insight_in_two_pushes_of_a_batch_counts_once(db: Database) -> None:
    events = pushed(db, a_push(an_insight()), a_push(an_insight(), an_insight(id="b" * 32)))
    assert [event.data.own_id for event in events] == [ID, "b" * 32]


def test_a_shortened_insight_is_withdrawn(db: Database) -> None:
    pushed(db, a_push(an_insight()))
    (event,) = pushed(db, a_push(an_insight(closeTime=NOON.timestamp() + 1)))
    assert isinstance(event, SignalWithdrawn)
    assert event.data.valid_until == NOON + timedelta(seconds=1)


def test_a_bad_insight_does_not_hold_up_the_others(db: Database) -> None:
    events = pushed(db, a_push({"id": 1}, an_insight()))
    assert [event.data.own_id for event in events] == [ID]


def test_an_old_insight_is_only_seen(db: Database) -> None:
    assert pushed(db, a_push(an_insight(generatedTime=NOON.timestamp() - 600))) == []


@pytest.mark.parametrize(
    ("push", "error"),
    [
        pytest.param(a_push(text="hello"), Malformed, id="not json"),
        pytest.param(a_push(text='{"projectId": 7}'), Malformed, id="no insights"),
        pytest.param(a_push(text='{"projectId": 8, "insights": []}'), Refused, id="other project"),
        pytest.param(a_push(config_id="gone"), NotFound, id="config is gone"),
    ],
)
def test_what_is_no_push_is_set_aside(
    db: Database, push: PushReceived, error: type[Exception]
) -> None:
    with pytest.raises(error):
        pushed(db, push)


def test_pushes_wait_while_the_market_clock_stands_still(db: Database) -> None:
    frozen = a_moment(MOMENT.config, frozen=True)
    with pytest.raises(TransientError):
        pushed(db, a_push(an_insight()), moment=frozen)
