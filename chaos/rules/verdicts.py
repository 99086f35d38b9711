"""Signals and verdicts: nothing lost, nothing judged twice, every number in its place."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from uuid import UUID

from chaos.evidence import Evidence
from signalbox.contracts import ids
from signalbox.contracts.events import VerdictReached
from signalbox.contracts.values import Outcome, Reason

NOBODY = "none"


def no_acknowledged_signal_is_lost(seen: Evidence) -> Iterator[str]:
    """What a stream has acknowledged is in it, and was judged."""
    judged = {event.data.signal.signal_id for event in seen.verdicts}
    for signal_id in seen.acknowledged:
        if signal_id not in seen.signals:
            yield f"signal {signal_id} was acknowledged and is not in the stream"
        if signal_id not in judged:
            yield f"signal {signal_id} was acknowledged and has no verdict"


def one_verdict_for_each_signal_and_listener(seen: Evidence) -> Iterator[str]:
    """Every bot that listens answers once, under one version of the configuration."""
    first: defaultdict[UUID, list[VerdictReached]] = defaultdict(list)
    for event in seen.verdicts:
        if event.data.round == 0:
            first[event.data.signal.signal_id].append(event)
    for signal_id, signal in seen.signals.items():
        reached = first[signal_id]
        versions = {event.configversion for event in reached}
        if len(versions) != 1:
            yield f"signal {signal_id} was judged under the versions {sorted(versions)}"
            continue
        bots = seen.bots(versions.pop())
        if bots is None:
            yield f"signal {signal_id} was judged under a version that was never put out"
            continue
        data = signal.data
        wanted = Counter(b.id for b in bots if b.listens_to(data.source_type, data.source_id))
        found = Counter(event.data.bot for event in reached)
        if found != (wanted or Counter([NOBODY])):
            yield f"signal {signal_id}: verdicts of {dict(found)}, listening {dict(wanted)}"
    for signal_id in first.keys() - seen.signals.keys():
        yield f"there is a verdict on signal {signal_id}, which no stream holds"


def later_rounds_follow_a_pending_one(seen: Evidence) -> Iterator[str]:
    """Only what waited gets a second round, once; a signal is accepted once for a bot."""
    rounds: defaultdict[tuple[UUID, str], list[VerdictReached]] = defaultdict(list)
    for event in seen.verdicts:
        rounds[event.data.signal.signal_id, event.data.bot].append(event)
    for key, events in rounds.items():
        numbers = [event.data.round for event in events]
        outcomes = [event.data.outcome for event in events]
        if numbers not in ([0], [0, 1]):
            yield f"signal and bot {key} have the rounds {numbers}"
        elif len(numbers) == 2 and outcomes[0] is not Outcome.PENDING:
            yield f"signal and bot {key} had a second round after {outcomes[0]}"
        if outcomes.count(Outcome.ACCEPTED) > 1:
            yield f"signal and bot {key} were accepted {outcomes.count(Outcome.ACCEPTED)} times"


def sequences_have_no_gap(seen: Evidence) -> Iterator[str]:
    """Verdicts of a bot and symbol are numbered 1, 2, 3, and lie in the stream in that order."""
    numbers: defaultdict[tuple[str, str], list[int | None]] = defaultdict(list)
    for event in seen.verdicts:
        numbers[event.data.bot, event.data.signal.symbol].append(event.sequence)
    for key, found in numbers.items():
        if found != list(range(1, len(found) + 1)):
            at = next(i for i, n in enumerate(found) if n != i + 1)
            yield f"sequence of {key} breaks at {at + 1}: {found[at : at + 3]}"


def suppressed_name_their_winner(seen: Evidence) -> Iterator[str]:
    """A loser's verdict names a signal that the router knew."""
    for event in seen.verdicts:
        verdict = event.data
        known = {word.signal_id for word in verdict.inputs}
        if verdict.outcome is Outcome.SUPPRESSED and verdict.winner_id not in known:
            yield f"verdict {verdict.verdict_id} is suppressed by {verdict.winner_id}"


def ids_follow_from_their_cause(seen: Evidence) -> Iterator[str]:
    """Ids are derived, so that a repeat is the same thing."""
    for event in seen.verdicts:
        verdict = event.data
        expected = ids.verdict_id(verdict.signal.signal_id, verdict.bot, verdict.round)
        if verdict.verdict_id != expected or event.id != expected:
            yield f"verdict {verdict.verdict_id} should be {expected}"
    for order in seen.orders:
        expected = ids.order_event_id(order.data.order_id, order.data.state, order.data.filled)
        if order.id != expected:
            yield f"order event {order.id} should be {expected}"


def nobody_listens_only_where_nobody_does(seen: Evidence) -> Iterator[str]:
    """The verdict of bot `none` says why."""
    for event in seen.verdicts:
        if (event.data.bot == NOBODY) != (event.data.reason is Reason.NO_SUBSCRIBER):
            yield f"verdict {event.data.verdict_id} of {event.data.bot}: {event.data.reason}"
