"""What those do that work on their own time: models asked, signals scored. Looked at when the
market stands still and they have caught up.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from pydantic import JsonValue

from chaos.evidence import Evidence
from signalbox.contracts.events import LlmDecisionMade, OutcomeScored, StateChanged
from signalbox.contracts.payloads import Signal
from signalbox.contracts.values import Action

MOST_ATTEMPTS = 3  # of one call at one provider
_SIDES = {Action.BUY, Action.SELL}


def every_question_is_answered_once(seen: Evidence) -> Iterator[str]:
    """A model's word about a symbol at a bar is one word, and no call was tried too often."""
    words: defaultdict[UUID, set[bytes]] = defaultdict(set)
    for one in seen.streams.get("LLM", ()):
        if isinstance(one.event, LlmDecisionMade):
            words[one.event.data.decision_id].add(one.body)
    for decision_id, bodies in words.items():
        if len(bodies) > 1:
            yield f"decision {decision_id} was made {len(bodies)} times"
    for made in seen.decisions:
        if made.attempts > MOST_ATTEMPTS and made.fallback_for is None:
            yield f"decision {made.decision_id} took {made.attempts} attempts"


def money_spent_is_what_decisions_cost(seen: Evidence) -> Iterator[str]:
    """The month's purse of all models holds their costs and nothing else: no attempt was paid that
    no decision tells of, none forgotten. What nobody knows counts at its worst on either side.
    """
    decisions = seen.decisions
    if seen.stands_at is None or not decisions:
        return
    purse = next((body for body in _states(seen, "budget") if _is_total(body)), None)
    if purse is None:
        yield f"{len(decisions)} decisions were made, and no purse is told"
        return
    months = {f"{one.wall_at:%Y-%m}" for one in decisions if one.wall_at}
    if months - {purse["key"]}:
        return  # of a month that has ended the purse is not told any more
    cost = sum((one.cost_usd for one in decisions), Decimal(0))
    spent = Decimal(str(purse["spent_usd"])) + Decimal(str(purse["reserved_usd"]))
    if spent != cost:
        yield f"the purse says {spent}, {len(decisions)} decisions cost {cost}"


def no_question_is_asked_behind_the_books(seen: Evidence) -> Iterator[str]:
    """Each request that a provider has got is an attempt that a decision tells of."""
    attempts = {
        one.call_id or one.decision_id: one.attempts
        for one in seen.decisions
        if one.provider == "openai" or one.fallback_for
    }
    if seen.asked is not None and seen.asked > sum(attempts.values()):
        yield f"models were asked {seen.asked} times, decisions tell of {sum(attempts.values())}"


def every_signal_is_scored_once(seen: Evidence) -> Iterator[str]:
    """The lab knows each signal once; whose time has come has a score, or a reason for none. It may
    have heard late that the market stands still: what ends within that moment may wait or not.
    """
    scores = Counter(event.data.signal_id for event in seen.events(OutcomeScored))
    for signal_id, count in scores.items():
        if count > 1:
            yield f"signal {signal_id} was scored {count} times"
        if signal_id not in seen.signals:
            yield f"there is a score of signal {signal_id}, which no stream holds"
    if seen.stands_at is None:
        return
    body = next(_states(seen, "scoring"), {"waiting": 0, "scored": 0, "unscored": {}})
    unscored = body["unscored"]
    reasons = sum(map(int, unscored.values())) if isinstance(unscored, dict) else 0
    told = {"waiting": body["waiting"], "scored": body["scored"], "unscored": reasons}
    waiting = _waiting(seen, seen.stands_at, int(str(body["waiting"])))
    done = len(seen.signals) - waiting - len(scores)
    expected = {"waiting": waiting, "scored": len(scores), "unscored": done}
    if told != expected:
        yield f"the lab says {told} of {len(seen.signals)} signals, expected {expected}"


def _waiting(seen: Evidence, stands_at: datetime, told: int) -> int:
    """How many horizons have not passed: what was told, where the moment leaves it open."""
    ends = [_ends_at(event.data) for event in seen.signals.values()]
    most, least = (
        sum(end is not None and end >= at for end in ends)
        for at in (stands_at, seen.ran_to or stands_at)
    )
    return min(max(told, least), most)


def _ends_at(signal: Signal) -> datetime | None:
    """When a signal's horizon passes; None where it never had one to wait for."""
    ends_at = signal.valid_until
    if signal.horizon_s is not None:
        ends_at = signal.raised_at + timedelta(seconds=signal.horizon_s)
    can_wait = signal.action in _SIDES and ends_at > signal.raised_at
    return ends_at if can_wait else None


def _states(seen: Evidence, kind: str) -> Iterator[Mapping[str, JsonValue]]:
    """The last words of a kind, newest first."""
    for event in reversed(seen.events(StateChanged)):
        if event.data.kind == kind:
            yield event.data.body


def _is_total(body: Mapping[str, JsonValue]) -> bool:
    return body["scope"] == "total" and body["period"] == "month"
