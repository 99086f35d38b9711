"""The policies: what a buy or sell may do against the live words of the other sources.

Each is a function of the signal, the live words and the policy; none looks at anything else.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from decision_router.domain.ruling import Ruling, accepted, held
from signalbox.contracts.config import Policy
from signalbox.contracts.ids import plain
from signalbox.contracts.payloads import LiveSignal, Signal
from signalbox.contracts.values import Action, Reason, SourceType

Live = Sequence[LiveSignal]
Rule = Callable[[Signal, Live, Policy], Ruling]


def settle(signal: Signal, live: Live, policy: Policy) -> Ruling:
    """What the bot's policy makes of a buy or sell; the order of `live` does not matter.

    `live` holds a hold only where the policy lets holds block.
    """
    own = _priority(policy, signal.source_type)
    holds = [w for w in live if w.action is Action.HOLD]
    above = _strongest((w for w in holds if _priority(policy, w.source_type) > own), policy)
    if above is not None:
        return held(
            Reason.BLOCKED_BY_HOLD,
            f"{above.source_type} holds, and a hold from above blocks",
            _ranks(signal, above, policy),
            above,
        )
    sides = [w for w in live if w.action is not Action.HOLD]
    return RULES[policy.kind](signal, sides, policy)


def by_priority(signal: Signal, live: Live, policy: Policy) -> Ruling:
    """Follow the highest source; among equals the first side holds and the newest word acts."""
    own = _priority(policy, signal.source_type)
    above = [w for w in live if _priority(policy, w.source_type) > own]
    if winner := _strongest(_against(signal, above), policy):
        rule = f"{winner.source_type} leads {signal.source_type} and says {winner.action}"
        return held(Reason.HELD_BY_HIGHER, rule, _ranks(signal, winner, policy), winner)
    if winner := _strongest(above, policy):
        ranks = _ranks(signal, winner, policy)
        if policy.add_on_agreement:
            return accepted(Reason.AGREES, f"adds to what {winner.source_type} says", ranks)
        rule = f"{winner.source_type} leads {signal.source_type} on the same side"
        return held(Reason.LED_BY_HIGHER, rule, ranks, winner)
    equals = [w for w in live if _priority(policy, w.source_type) == own]
    if winner := _strongest(_against(signal, equals), policy):
        rule = f"{winner.source_type} {winner.source_id} has the same priority and differs"
        return held(Reason.HELD_BY_EQUAL, rule, _ranks(signal, winner, policy), winner)
    return accepted(Reason.LEADS, "no higher source speaks against it", {"priority": str(own)})


def by_consensus(signal: Signal, live: Live, policy: Policy) -> Ruling:
    """Act when enough sources agree, and more than differ; the signal's own source counts."""
    against = _against(signal, live)
    agree = 1 + len(live) - len(against)
    numbers = {
        "agree": str(agree),
        "differ": str(len(against)),
        "needed": str(policy.consensus_of),
    }
    if agree >= policy.consensus_of and agree > len(against):
        rule = f"{agree} sources agree, {policy.consensus_of} must"
        return accepted(Reason.LEADS, rule, numbers)
    rule = f"{agree} of {agree + len(against)} sources agree, {policy.consensus_of} must"
    return held(Reason.NO_CONSENSUS, rule, numbers, _strongest(against, policy))


def by_weight(signal: Signal, live: Live, policy: Policy) -> Ruling:
    """Act when the side's weight, confidence times trust, leads the other side's by the margin; a
    draw is no lead, whatever the margin.
    """
    against = _against(signal, live)
    other = _weight(against, policy)
    side = _weight((w for w in live if w.action is signal.action), policy)
    own = side + signal.confidence * _trust(policy, signal.source_type)
    numbers = {"own": plain(own), "other": plain(other), "margin": plain(policy.margin)}
    if own > other and own - other >= policy.margin:
        return accepted(Reason.LEADS, f"{signal.action} outweighs the other side", numbers)
    rule = f"{signal.action} does not lead by the margin"
    return held(Reason.OUTWEIGHED, rule, numbers, _strongest(against, policy))


def by_veto(signal: Signal, live: Live, policy: Policy) -> Ruling:
    """Act unless any source says the opposite, whatever its rank."""
    against = _against(signal, live)
    if winner := _strongest(against, policy):
        rule = f"{winner.source_type} says {winner.action}, and any opposite word blocks"
        return held(Reason.VETOED, rule, {"differ": str(len(against))}, winner)
    return accepted(Reason.LEADS, "no source says the opposite", {"differ": "0"})


RULES: dict[str, Rule] = {
    "priority": by_priority,
    "consensus": by_consensus,
    "weighted": by_weight,
    "veto": by_veto,
}


def _against(signal: Signal, live: Live) -> list[LiveSignal]:
    opposite = signal.action.opposite
    return [word for word in live if word.action is opposite]


def _strongest(words: Iterable[LiveSignal], policy: Policy) -> LiveSignal | None:
    """The word that is named as the winner: of the highest source, there the newest."""
    return max(
        words,
        key=lambda w: (_priority(policy, w.source_type), w.raised_at, w.signal_id.int),
        default=None,
    )


def _ranks(signal: Signal, winner: LiveSignal, policy: Policy) -> dict[str, str]:
    return {
        "priority": str(_priority(policy, signal.source_type)),
        "winner_priority": str(_priority(policy, winner.source_type)),
    }


def _priority(policy: Policy, source_type: SourceType) -> int:
    """Higher leads; a type that the policy does not list comes last."""
    return policy.priorities.get(source_type, 0)


def _trust(policy: Policy, source_type: SourceType) -> Decimal:
    return policy.trust.get(source_type, Decimal(1))


def _weight(words: Iterable[LiveSignal], policy: Policy) -> Decimal:
    return sum((w.confidence * _trust(policy, w.source_type) for w in words), Decimal(0))
