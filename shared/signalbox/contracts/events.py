"""Every event. Each is a CloudEvent 1.0 in structured mode; `data` is its payload.

A new optional field keeps `v1`. Anything else is a new class and `v2`, published beside `v1` until
nobody reads that.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, TypeAdapter, ValidationError

from signalbox.contracts import ids, notices
from signalbox.contracts import payloads as p
from signalbox.contracts.assessments import LlmDecision, OutcomeScore
from signalbox.contracts.envelope import Event as Event  # noqa: PLC0414 - read with the events
from signalbox.contracts.errors import Malformed
from signalbox.contracts.misfits import in_words
from signalbox.contracts.subjects import subject


class SignalRaised(Event):
    """One source has spoken about one symbol. Read by router, llm-decider, lab and gateway."""

    STREAM = "SIGNALS"
    type: Literal["signalbox.SignalRaised.v1"]
    data: p.Signal

    @classmethod
    def key(cls, data: p.Signal) -> UUID:
        return data.signal_id

    @classmethod
    def address(cls, data: p.Signal) -> str:
        return subject("signals", data.source_type, data.source_id, data.symbol)


class SignalWithdrawn(Event):
    """A source takes its word back. Read by router, executor, llm-decider, lab and gateway."""

    STREAM = "SIGNALS"
    type: Literal["signalbox.SignalWithdrawn.v1"]
    data: p.Withdrawal

    @classmethod
    def key(cls, data: p.Withdrawal) -> UUID:
        return ids.withdrawal_id(data.signal_id, data.valid_until)

    @classmethod
    def address(cls, data: p.Withdrawal) -> str:
        return subject("signals", data.source_type, data.source_id, data.symbol)


class LlmDecisionMade(Event):
    """A model has answered, refused or failed. Published by llm-decider; read by gateway."""

    STREAM = "LLM"
    type: Literal["signalbox.LlmDecisionMade.v1"]
    data: LlmDecision

    @classmethod
    def key(cls, data: LlmDecision) -> UUID:
        return data.decision_id

    @classmethod
    def address(cls, data: LlmDecision) -> str:
        return subject("llm", data.config_id, data.symbol)


class VerdictReached(Event):
    """The router has judged a signal for a bot; `sequence` is gapless per (bot, symbol). Read by
    executor and gateway.
    """

    STREAM = "VERDICTS"
    type: Literal["signalbox.VerdictReached.v1"]
    data: p.Verdict

    @classmethod
    def key(cls, data: p.Verdict) -> UUID:
        return data.verdict_id

    @classmethod
    def address(cls, data: p.Verdict) -> str:
        return subject("verdicts", data.bot, data.signal.symbol)


class OrderChanged(Event):
    """An order has a new state, or a fill. Published by executor; read by gateway."""

    STREAM = "ORDERS"
    type: Literal["signalbox.OrderChanged.v1"]
    data: p.Order

    @classmethod
    def key(cls, data: p.Order) -> UUID:
        return ids.order_event_id(data.order_id, data.state, data.filled)

    @classmethod
    def address(cls, data: p.Order) -> str:
        return subject("orders", data.bot, data.symbol)


class PositionChanged(Event):
    """A fill has changed what a bot holds. Published by executor; read by gateway."""

    STREAM = "BOOKS"
    type: Literal["signalbox.PositionChanged.v1"]
    data: p.Position

    @classmethod
    def key(cls, data: p.Position) -> UUID:
        return ids.derive("position", data.bot, data.symbol, data.cause)

    @classmethod
    def address(cls, data: p.Position) -> str:
        return subject("books", data.bot)


class EquityMarked(Event):
    """A bot's account was valued. Published by executor at each fill and market minute; read by
    gateway.
    """

    STREAM = "BOOKS"
    type: Literal["signalbox.EquityMarked.v1"]
    data: p.Equity

    @classmethod
    def key(cls, data: p.Equity) -> UUID:
        return ids.derive("equity", data.bot, data.cause)

    @classmethod
    def address(cls, data: p.Equity) -> str:
        return subject("books", data.bot)


class OutcomeScored(Event):
    """A signal's horizon has passed. Published by lab; read by gateway."""

    STREAM = "OUTCOMES"
    type: Literal["signalbox.OutcomeScored.v1"]
    data: OutcomeScore

    @classmethod
    def key(cls, data: OutcomeScore) -> UUID:
        return ids.derive("outcome", data.signal_id, data.horizon_s)

    @classmethod
    def address(cls, data: OutcomeScore) -> str:
        return subject("outcomes", data.source_id, data.symbol)


class BarClosed(Event):
    """A bar is complete. Published by market-data; read by strategy-runner, llm-decider and
    gateway.
    """

    STREAM = "MARKET"
    type: Literal["signalbox.BarClosed.v1"]
    data: p.Bar

    @classmethod
    def key(cls, data: p.Bar) -> UUID:
        return ids.derive("bar", data.symbol, data.interval, data.epoch, data.opened_at.isoformat())

    @classmethod
    def address(cls, data: p.Bar) -> str:
        return subject("market", "bars", data.symbol, data.interval)


class QuoteUpdated(Event):
    """Best bid and ask. Published by market-data; read by executor, llm-decider and gateway."""

    STREAM = "MARKET"
    type: Literal["signalbox.QuoteUpdated.v1"]
    data: p.Quote

    @classmethod
    def key(cls, data: p.Quote) -> UUID:
        return ids.derive("quote", data.symbol, data.epoch, data.at.isoformat())

    @classmethod
    def address(cls, data: p.Quote) -> str:
        return subject("market", "quotes", data.symbol)


class NewsPublished(Event):
    """A headline has come in. Published by market-data; read by llm-decider and gateway."""

    STREAM = "MARKET"
    type: Literal["signalbox.NewsPublished.v1"]
    data: p.News

    @classmethod
    def key(cls, data: p.News) -> UUID:
        return ids.derive("news", data.news_id, data.symbol)

    @classmethod
    def address(cls, data: p.News) -> str:
        return subject("market", "news", data.symbol)


class StateChanged(Event):
    """Something that a service looks after has a new state. Read by gateway."""

    STREAM = "STATE"
    type: Literal["signalbox.StateChanged.v1"]
    data: p.State

    @classmethod
    def key(cls, data: p.State) -> UUID:
        return ids.derive("state", data.service, data.kind, data.id, data.at.isoformat())

    @classmethod
    def address(cls, data: p.State) -> str:
        return subject("state", data.service, data.kind, data.id)


class PushReceived(Event):
    """QuantConnect has called a webhook. Published by gateway; read by qc-ingest."""

    STREAM = "INGRESS"
    type: Literal["signalbox.PushReceived.v1"]
    data: p.Push

    @classmethod
    def key(cls, data: p.Push) -> UUID:
        return data.push_id

    @classmethod
    def address(cls, data: p.Push) -> str:
        return subject("ingress", "quantconnect", data.config_id)


class AlertRaised(Event):
    """A person should know, or may stop worrying. Published by every service; read by gateway."""

    STREAM = "ALERTS"
    type: Literal["signalbox.AlertRaised.v1"]
    data: notices.Alert

    @classmethod
    def key(cls, data: notices.Alert) -> UUID:
        return ids.derive(
            "alert", data.service, data.code, data.about, data.active, data.occurrence
        )

    @classmethod
    def address(cls, data: notices.Alert) -> str:
        return subject("alerts", data.severity)


class MessageDeadLettered(Event):
    """A message was set aside for a person. Published by every service; read by gateway."""

    STREAM = "DEAD"
    type: Literal["signalbox.MessageDeadLettered.v1"]
    data: notices.DeadLetter

    @classmethod
    def key(cls, data: notices.DeadLetter) -> UUID:
        return ids.derive("dead", data.service, data.stream, data.message_id)

    @classmethod
    def address(cls, data: notices.DeadLetter) -> str:
        return subject("dead", data.service)


AnyEvent = (
    SignalRaised
    | SignalWithdrawn
    | LlmDecisionMade
    | VerdictReached
    | OrderChanged
    | PositionChanged
    | EquityMarked
    | OutcomeScored
    | BarClosed
    | QuoteUpdated
    | NewsPublished
    | StateChanged
    | PushReceived
    | AlertRaised
    | MessageDeadLettered
)
EVENTS: tuple[type[Event], ...] = AnyEvent.__args__
_ANY: TypeAdapter[AnyEvent] = TypeAdapter(Annotated[AnyEvent, Field(discriminator="type")])


def decode(raw: bytes) -> AnyEvent:
    """The event that `raw` holds.

    Raises:
        Malformed: not JSON, an unknown type or version, or a misfit; the message says which.
    """
    try:
        return _ANY.validate_json(raw)
    except ValidationError as error:
        raise Malformed(in_words(error)) from error
