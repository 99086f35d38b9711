"""What a buy or sell may do against the live words of others, policy by policy."""

from datetime import timedelta
from decimal import Decimal
from itertools import product

import pytest

from decision_router.domain.policies import settle
from signalbox.contracts.config import Policy
from signalbox.contracts.payloads import LiveSignal
from signalbox.contracts.values import Action, Outcome, Reason, SourceType
from signalbox.testing.examples import NOON, a_signal

D = Decimal
BUY, SELL, HOLD = Action.BUY, Action.SELL, Action.HOLD
MANUAL, QC, LLM, EXTERNAL, STRATEGY = (
    SourceType.MANUAL,
    SourceType.QUANTCONNECT,
    SourceType.LLM,
    SourceType.EXTERNAL,
    SourceType.STRATEGY,
)
RANKS = [MANUAL, QC, LLM, EXTERNAL, STRATEGY]  # highest first


def live(
    source_type: SourceType,
    action: Action,
    confidence: str = "0.7",
    *,
    source_id: str = "other",
    minute: int = 0,
) -> LiveSignal:
    signal = a_signal(
        source_type=source_type,
        source_id=source_id,
        own_id=f"{action}-{minute}",
        raised_at=NOON + timedelta(minutes=minute),
    )
    return LiveSignal(
        signal_id=signal.signal_id,
        source_type=source_type,
        source_id=source_id,
        action=action,
        confidence=D(confidence),
        raised_at=signal.raised_at,
        valid_until=signal.valid_until,
    )


MATRIX = list(product(RANKS, RANKS, [BUY, SELL], [BUY, SELL]))


def expected(incoming: SourceType, holder: SourceType, same: bool) -> tuple[Outcome, Reason]:
    lead = RANKS.index(holder) - RANKS.index(incoming)
    if lead < 0:
        reason = Reason.LED_BY_HIGHER if same else Reason.HELD_BY_HIGHER
        return Outcome.SUPPRESSED, reason
    if lead == 0 and not same:
        return Outcome.SUPPRESSED, Reason.HELD_BY_EQUAL
    return Outcome.ACCEPTED, Reason.LEADS


@pytest.mark.parametrize(
    ("incoming", "holder", "action", "held"),
    MATRIX,
    ids=[f"{i}-{a}-against-{h}-{b}" for i, h, a, b in MATRIX],
)
def test_settle_follows_the_conflict_matrix(
    incoming: SourceType, holder: SourceType, action: Action, held: Action
) -> None:
    word = live(holder, held)
    ruling = settle(a_signal(source_type=incoming, action=action), [word], Policy())
    assert (ruling.outcome, ruling.reason) == expected(incoming, holder, action is held)
    suppressed = ruling.outcome is Outcome.SUPPRESSED
    assert ruling.winner_id == (word.signal_id if suppressed else None)


def test_settle_names_the_ranks_that_decided() -> None:
    ruling = settle(a_signal(source_type=LLM, action=SELL), [live(QC, BUY)], Policy())
    assert ruling.numbers == {"priority": "30", "winner_priority": "40"}
    assert ruling.rule == "quantconnect leads llm and says buy"


def test_settle_follows_priorities_that_the_bot_has_changed() -> None:
    upside_down = Policy(priorities={STRATEGY: 9, QC: 1})
    signal = a_signal(source_type=STRATEGY, action=SELL)
    assert settle(signal, [live(QC, BUY)], upside_down).reason is Reason.LEADS
    # A type that is not listed comes last.
    assert settle(a_signal(source_type=LLM), [live(QC, SELL)], upside_down).reason is (
        Reason.HELD_BY_HIGHER
    )


def test_settle_names_the_highest_and_there_the_newest_opposite_as_winner() -> None:
    old, new = live(QC, SELL, minute=-2), live(QC, SELL, source_id="second", minute=-1)
    words = [live(LLM, SELL), old, new, live(MANUAL, BUY)]
    ruling = settle(a_signal(source_type=STRATEGY, action=BUY), words, Policy())
    assert (ruling.reason, ruling.winner_id) == (Reason.HELD_BY_HIGHER, new.signal_id)


def test_settle_lets_a_lower_source_add_when_the_bot_says_so() -> None:
    policy = Policy(add_on_agreement=True)
    adds = settle(a_signal(source_type=LLM, action=BUY), [live(QC, BUY)], policy)
    assert (adds.outcome, adds.reason, adds.winner_id) == (Outcome.ACCEPTED, Reason.AGREES, None)
    differs = settle(
        a_signal(source_type=STRATEGY, action=BUY), [live(QC, BUY), live(LLM, SELL)], policy
    )
    assert differs.reason is Reason.HELD_BY_HIGHER


@pytest.mark.parametrize(
    ("words", "k", "reason", "suppressed"),
    [
        pytest.param([], 2, Reason.NO_CONSENSUS, False, id="alone"),
        pytest.param([], 1, Reason.LEADS, False, id="one is enough"),
        pytest.param([(LLM, BUY)], 2, Reason.LEADS, False, id="two agree"),
        pytest.param([(LLM, SELL)], 2, Reason.NO_CONSENSUS, True, id="the other differs"),
        pytest.param(
            [(LLM, BUY), (QC, SELL), (MANUAL, SELL)], 2, Reason.NO_CONSENSUS, True, id="a draw"
        ),
        pytest.param(
            [(LLM, BUY), (EXTERNAL, BUY), (QC, SELL)], 3, Reason.LEADS, False, id="three to one"
        ),
    ],
)
def test_settle_by_consensus(
    words: list[tuple[SourceType, Action]], k: int, reason: Reason, suppressed: bool
) -> None:
    policy = Policy(kind="consensus", consensus_of=k)
    ruling = settle(a_signal(action=BUY), [live(*w) for w in words], policy)
    assert (ruling.reason, ruling.winner_id is not None) == (reason, suppressed)
    agree = 1 + sum(action is BUY for _, action in words)
    assert (ruling.numbers["agree"], ruling.numbers["needed"]) == (str(agree), str(k))


@pytest.mark.parametrize(
    ("words", "reason", "own", "other"),
    [
        pytest.param([], Reason.LEADS, "0.7", "0", id="alone"),
        pytest.param([(LLM, SELL, "0.6")], Reason.LEADS, "0.7", "0.6", id="exactly the margin"),
        pytest.param([(LLM, SELL, "0.61")], Reason.OUTWEIGHED, "0.7", "0.61", id="too close"),
        pytest.param([(QC, SELL, "0.8")], Reason.LEADS, "0.7", "0.4", id="little trust"),
        pytest.param(
            [(LLM, SELL, "1"), (EXTERNAL, BUY, "0.5")], Reason.LEADS, "1.2", "1", id="two to one"
        ),
    ],
)
def test_settle_by_weight(
    words: list[tuple[SourceType, Action, str]], reason: Reason, own: str, other: str
) -> None:
    policy = Policy(kind="weighted", trust={QC: D("0.5")})
    ruling = settle(a_signal(action=BUY), [live(*w) for w in words], policy)
    assert ruling.reason is reason
    assert ruling.numbers == {"own": own, "other": other, "margin": "0.1"}


def test_settle_by_weight_takes_a_draw_for_no_lead_without_a_margin_too() -> None:
    policy = Policy(kind="weighted", margin=D(0), trust={STRATEGY: D(0), LLM: D(1)})
    draw = settle(a_signal(source_type=LLM), [live(LLM, SELL)], policy)
    assert (draw.outcome, draw.reason) == (Outcome.SUPPRESSED, Reason.OUTWEIGHED)
    weightless = settle(a_signal(source_type=STRATEGY), [], policy)
    assert (weightless.outcome, weightless.reason) == (Outcome.REFUSED, Reason.OUTWEIGHED)
    assert settle(a_signal(source_type=LLM), [live(LLM, SELL, "0.69")], policy).reason is (
        Reason.LEADS
    )


def test_settle_by_weight_refuses_what_weighs_less_than_the_margin() -> None:
    signal = a_signal(confidence=D("0.05"))
    ruling = settle(signal, [], Policy(kind="weighted"))
    assert (ruling.outcome, ruling.reason) == (Outcome.REFUSED, Reason.OUTWEIGHED)


@pytest.mark.parametrize("holder", RANKS)
def test_settle_by_veto_lets_any_opposite_word_block(holder: SourceType) -> None:
    policy, signal = Policy(kind="veto"), a_signal(source_type=QC, action=BUY)
    blocked = settle(signal, [live(holder, SELL)], policy)
    assert (blocked.outcome, blocked.reason) == (Outcome.SUPPRESSED, Reason.VETOED)
    assert settle(signal, [live(holder, BUY)], policy).reason is Reason.LEADS


@pytest.mark.parametrize("kind", ["priority", "consensus", "weighted", "veto"])
def test_settle_lets_a_hold_from_above_block_under_every_policy(kind: str) -> None:
    policy = Policy.model_validate({"kind": kind, "hold": "block", "consensus_of": 1})
    signal = a_signal(source_type=LLM, action=BUY)
    above, below, equal = live(QC, HOLD), live(STRATEGY, HOLD), live(LLM, HOLD)
    blocked = settle(signal, [above, below], policy)
    assert (blocked.reason, blocked.winner_id) == (Reason.BLOCKED_BY_HOLD, above.signal_id)
    assert settle(signal, [below, equal], policy).outcome is Outcome.ACCEPTED
