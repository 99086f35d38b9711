"""Pushes: one test for each outcome."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import select

from qc_ingest.adapters import store, tables
from qc_ingest.handlers import build_handlers
from signalbox.contracts import ids
from signalbox.contracts.config import IngestConfig, QuantConnectConfig
from signalbox.contracts.errors import Malformed, NotFound, RateLimited, Refused
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


def counted(status: str) -> float:
    """How many words of the project had this fate, by the metrics of this process."""
    labels = {"source_type": "quantconnect", "source_id": "7", "outcome": status}
    return REGISTRY.get_sample_value("signalbox_signals_total", labels) or 0


def test_a_word_that_changes_and_stands_is_not_counted_again(db: Database) -> None:
    before = counted("raised")
    pushed(db, a_push(an_insight()))
    for hour in (2, 3):
        pushed(db, a_push(an_insight(closeTime=NOON.timestamp() + hour * 3600)))
    assert counted("raised") == before + 1


def words(db: Database) -> list[tuple[str, str, str]]:
    """Everything that is remembered: own id, status, reason."""
    known = tables.known.c
    with db.begin() as sql:
        rows = sql.execute(select(known.own_id, known.status, known.reason).order_by(known.own_id))
        return [tuple(row) for row in rows]


def test_a_bad_insight_does_not_hold_up_the_others_and_says_why(db: Database) -> None:
    events = pushed(
        db, a_push({"id": 1}, an_insight(), an_insight(id="c" * 32, symbol="EURUSD 8G"))
    )
    assert [event.data.own_id for event in events] == [ID]
    assert [word[1:] for word in words(db) if word[0] != ID] == [
        ("refused", "generatedTime is missing"),
        ("refused", "'EURUSD 8G' is a security of type forex, which is not traded here"),
    ]
    with db.begin() as sql:
        noted = store.load_not_taken(sql, "main", MOMENT.wall - timedelta(hours=24))
        assert noted
        assert "2 insights and fills of the last 24 hours not taken" in noted.words()
        assert store.load_not_taken(sql, "main", MOMENT.wall) is None


def test_an_old_insight_is_only_seen(db: Database) -> None:
    at = NOON.timestamp()
    assert pushed(db, a_push(an_insight(generatedTime=at - 1201))) == []
    assert words(db) == [(ID, "seen", "it was older than 1200 s when first seen")]


def test_a_late_push_is_held_for_reading(db: Database) -> None:
    assert pushed(db, a_push(an_insight(generatedTime=NOON.timestamp() - 600))) == []
    assert words(db) == [(ID, "held", "it stands for 300 s, which had passed when it was pushed")]


def a_fill(**over: Any) -> dict[str, Any]:
    fields = {
        "id": "L-1-7-2",
        "orderId": 7,
        "orderEventId": 2,
        "symbol": "AAPL R735QTJ8XC9X",
        "ticker": "AAPL",
        "time": NOON.timestamp() - 5,
        "status": 3,
        "direction": 1,
        "fillQuantity": -40,
        "fillPrice": "210.5",
    }
    return fields | over


@pytest.mark.parametrize(
    ("signals_from", "own_id", "action"), [("fills", "L-1-7-2", "sell"), ("insights", ID, "buy")]
)
def test_the_kind_that_is_not_asked_for_is_stored_and_never_raised(
    db: Database, signals_from: str, own_id: str, action: str
) -> None:
    moment = configured(signals_from=signals_from)
    body = {"projectId": 7, "insights": [an_insight()], "orderEvents": [a_fill()]}
    (event,) = pushed(db, a_push(text=json.dumps(body)), moment=moment)
    assert (event.data.own_id, event.data.action) == (own_id, action)
    (other,) = [word for word in words(db) if word[0] != own_id]
    assert other[1:] == ("ignored", f"signals are taken from {signals_from}")


def test_a_push_to_a_connection_that_is_switched_off_is_stored(db: Database) -> None:
    assert pushed(db, a_push(an_insight()), moment=configured(active=False)) == []
    assert words(db) == [(ID, "ignored", "this connection was switched off")]
    assert pushed(db, a_push(an_insight(), text=None), moment=MOMENT) == []


def configured(**over: Any) -> Moment[Any]:
    config = CONFIG.model_copy(update=over)
    return a_moment(IngestConfig(quantconnect=(config,)), service="qc-ingest", replay=False)


@pytest.mark.parametrize(
    ("push", "error", "says"),
    [
        pytest.param(a_push(text="hello"), Malformed, "not JSON", id="not json"),
        pytest.param(a_push(text='{"projectId": 7}'), Malformed, "no insights", id="no insights"),
        pytest.param(
            a_push(text='{"projectId": 8, "insights": []}'),
            Refused,
            "this key is for 7",
            id="other",
        ),
        pytest.param(a_push(config_id="gone"), NotFound, "'gone', which is gone", id="gone"),
    ],
)
def test_what_is_no_push_is_set_aside_in_words(
    db: Database, push: PushReceived, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        pushed(db, push)
    assert pushed(db, a_push(an_insight())), "the next one is taken"


def test_pushes_wait_while_the_market_clock_stands_still(db: Database) -> None:
    frozen = a_moment(MOMENT.config, frozen=True)
    with pytest.raises(RateLimited):  # waits for as long as it takes: attempts are not counted
        pushed(db, a_push(an_insight()), moment=frozen)
    assert len(pushed(db, a_push(an_insight()))) == 1
