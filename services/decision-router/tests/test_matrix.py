"""The whole conflict matrix of every policy, as the tables say; nothing in them is computed.

A row is the source whose word comes in, a column the one whose word is live. Highest first: M
manual, Q QuantConnect, L language model, E external, S strategy. Two of one type are two sources.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from decision_router.domain.arbitration import first_round
from decision_router.domain.replay import replay
from decision_router.domain.situation import Situation
from decision_router.domain.state import State
from signalbox.contracts.config import BotConfig, Policy, RouterConfig
from signalbox.contracts.payloads import Signal
from signalbox.contracts.values import Action, Outcome, Reason, SourceType
from signalbox.testing.examples import NOON, a_bot, a_signal, a_withdrawal

SECOND = timedelta(seconds=1)
BUY, SELL, HOLD, CLOSE = Action.BUY, Action.SELL, Action.HOLD, Action.CLOSE
TYPES = {
    "M": SourceType.MANUAL,
    "Q": SourceType.QUANTCONNECT,
    "L": SourceType.LLM,
    "E": SourceType.EXTERNAL,
    "S": SourceType.STRATEGY,
}
MARKS = {
    "+": (Outcome.ACCEPTED, Reason.LEADS),
    "&": (Outcome.ACCEPTED, Reason.AGREES),
    "^": (Outcome.SUPPRESSED, Reason.LED_BY_HIGHER),
    "-": (Outcome.SUPPRESSED, Reason.HELD_BY_HIGHER),
    "=": (Outcome.SUPPRESSED, Reason.HELD_BY_EQUAL),
    "v": (Outcome.SUPPRESSED, Reason.VETOED),
    "w": (Outcome.SUPPRESSED, Reason.OUTWEIGHED),
    "c": (Outcome.SUPPRESSED, Reason.NO_CONSENSUS),
    "h": (Outcome.SUPPRESSED, Reason.BLOCKED_BY_HOLD),
    "n": (Outcome.REFUSED, Reason.NO_CONSENSUS),  # there is nobody to be named as the winner
    "o": (Outcome.REFUSED, Reason.OUTWEIGHED),
}

ALL_ACT = """
     M  Q  L  E  S
  M  +  +  +  +  +
  Q  +  +  +  +  +
  L  +  +  +  +  +
  E  +  +  +  +  +
  S  +  +  +  +  +
"""
NONE_AGREES = """
     M  Q  L  E  S
  M  n  n  n  n  n
  Q  n  n  n  n  n
  L  n  n  n  n  n
  E  n  n  n  n  n
  S  n  n  n  n  n
"""
ONE_DIFFERS = """
     M  Q  L  E  S
  M  c  c  c  c  c
  Q  c  c  c  c  c
  L  c  c  c  c  c
  E  c  c  c  c  c
  S  c  c  c  c  c
"""
LED = """
     M  Q  L  E  S
  M  +  +  +  +  +
  Q  ^  +  +  +  +
  L  ^  ^  +  +  +
  E  ^  ^  ^  +  +
  S  ^  ^  ^  ^  +
"""
ADDS = """
     M  Q  L  E  S
  M  +  +  +  +  +
  Q  &  +  +  +  +
  L  &  &  +  +  +
  E  &  &  &  +  +
  S  &  &  &  &  +
"""
HELD = """
     M  Q  L  E  S
  M  =  +  +  +  +
  Q  -  =  +  +  +
  L  -  -  =  +  +
  E  -  -  -  =  +
  S  -  -  -  -  =
"""
UPSIDE_DOWN = """
     M  Q  L  E  S
  M  =  -  -  -  -
  Q  +  =  -  -  -
  L  +  +  =  -  -
  E  +  +  +  =  -
  S  +  +  +  +  =
"""
OF_ONE_RANK = """
     M  Q  L  E  S
  M  =  =  =  =  =
  Q  =  =  =  =  =
  L  =  =  =  =  =
  E  =  =  =  =  =
  S  =  =  =  =  =
"""
OUTWEIGHED = """
     M  Q  L  E  S
  M  w  w  w  w  w
  Q  +  w  w  w  w
  L  +  +  w  w  w
  E  +  +  +  w  w
  S  +  +  +  w  w
"""
VETOED = """
     M  Q  L  E  S
  M  v  v  v  v  v
  Q  v  v  v  v  v
  L  v  v  v  v  v
  E  v  v  v  v  v
  S  v  v  v  v  v
"""
BLOCKED = """
     M  Q  L  E  S
  M  +  +  +  +  +
  Q  h  +  +  +  +
  L  h  h  +  +  +
  E  h  h  h  +  +
  S  h  h  h  h  +
"""
BLOCKED_OR_ALONE = """
     M  Q  L  E  S
  M  n  n  n  n  n
  Q  h  n  n  n  n
  L  h  h  n  n  n
  E  h  h  h  n  n
  S  h  h  h  h  n
"""
OWN_WEIGHT = """
     M  Q  L  E  S
  M  o  o  o  o  o
  Q  +  +  +  +  +
  L  +  +  +  +  +
  E  +  +  +  +  +
  S  +  +  +  +  +
"""

# What the live word says of the one that comes in: the same, the opposite, a hold; or nothing.
SAME, OPPOSITE, HOLDS, NOTHING = "same", "opposite", "holds", "nothing"
# Trust against the ranks: the weights are M 0.21, Q 0.35, L 0.49, E 0.63, S 0.7, the margin 0.1.
TRUST = dict(zip(TYPES.values(), map(Decimal, ("0.3", "0.5", "0.7", "0.9", "1")), strict=True))
WEIGHTED: dict[str, Any] = {"kind": "weighted", "trust": TRUST}
MANUAL_IS_LIGHT = {"kind": "weighted", "trust": TRUST | {SourceType.MANUAL: Decimal("0.1")}}
TWO, ONE = {"kind": "consensus", "consensus_of": 2}, {"kind": "consensus", "consensus_of": 1}
THREE = {"kind": "consensus", "consensus_of": 3}
REVERSED = {"priorities": {kind: place for place, kind in enumerate(TYPES.values(), 1)}}
BLOCK = {"hold": "block"}

MATRIX = [
    pytest.param({}, NOTHING, ALL_ACT, id="priority, nothing is said"),
    pytest.param({}, SAME, LED, id="priority, the same side"),
    pytest.param({}, OPPOSITE, HELD, id="priority, the other side"),
    pytest.param({}, HOLDS, ALL_ACT, id="priority, a hold abstains"),
    pytest.param(BLOCK, HOLDS, BLOCKED, id="priority, a hold blocks"),
    pytest.param(BLOCK, OPPOSITE, HELD, id="priority, holds would block"),
    pytest.param({"add_on_agreement": True}, SAME, ADDS, id="priority, agreement adds"),
    pytest.param({"add_on_agreement": True}, OPPOSITE, HELD, id="priority, no agreement"),
    pytest.param(REVERSED, OPPOSITE, UPSIDE_DOWN, id="priorities of the bot's own"),
    pytest.param({"priorities": {}}, OPPOSITE, OF_ONE_RANK, id="no priorities, the other side"),
    pytest.param({"priorities": {}}, SAME, ALL_ACT, id="no priorities, the same side"),
    pytest.param(TWO, NOTHING, NONE_AGREES, id="consensus of two, nothing is said"),
    pytest.param(TWO, SAME, ALL_ACT, id="consensus of two, the same side"),
    pytest.param(TWO, OPPOSITE, ONE_DIFFERS, id="consensus of two, the other side"),
    pytest.param(TWO, HOLDS, NONE_AGREES, id="consensus of two, a hold abstains"),
    pytest.param(TWO | BLOCK, HOLDS, BLOCKED_OR_ALONE, id="consensus of two, a hold blocks"),
    pytest.param(ONE, NOTHING, ALL_ACT, id="consensus of one, nothing is said"),
    pytest.param(ONE, OPPOSITE, ONE_DIFFERS, id="consensus of one, the other side"),
    pytest.param(ONE | BLOCK, HOLDS, BLOCKED, id="consensus of one, a hold blocks"),
    pytest.param(THREE, SAME, NONE_AGREES, id="consensus of three, two agree"),
    pytest.param(WEIGHTED, NOTHING, ALL_ACT, id="weighted, nothing is said"),
    pytest.param(WEIGHTED, SAME, ALL_ACT, id="weighted, the same side"),
    pytest.param(WEIGHTED, OPPOSITE, OUTWEIGHED, id="weighted, the other side"),
    pytest.param(WEIGHTED, HOLDS, ALL_ACT, id="weighted, a hold abstains"),
    pytest.param(WEIGHTED | BLOCK, HOLDS, BLOCKED, id="weighted, a hold blocks"),
    pytest.param(MANUAL_IS_LIGHT, NOTHING, OWN_WEIGHT, id="weighted, below the margin alone"),
    pytest.param({"kind": "veto"}, NOTHING, ALL_ACT, id="veto, nothing is said"),
    pytest.param({"kind": "veto"}, SAME, ALL_ACT, id="veto, the same side"),
    pytest.param({"kind": "veto"}, OPPOSITE, VETOED, id="veto, the other side"),
    pytest.param({"kind": "veto"}, HOLDS, ALL_ACT, id="veto, a hold abstains"),
    pytest.param({"kind": "veto"} | BLOCK, HOLDS, BLOCKED, id="veto, a hold blocks"),
]


def cells(grid: str) -> dict[str, str]:
    """What each table says, by row and column: `QL` is QuantConnect's word against a model's."""
    head, *rows = (line.split() for line in grid.strip().splitlines())
    return {
        row[0] + column: mark for row in rows for column, mark in zip(head, row[1:], strict=True)
    }


def word(letter: str, action: Action, **over: Any) -> Signal:
    fields = {"source_type": TYPES[letter], "source_id": "incoming", "action": action}
    return a_signal(**(fields | over))


def live(letter: str, relation: str, action: Action) -> Signal | None:
    """The word that stands when `action` comes in."""
    said = {SAME: action, OPPOSITE: action.opposite, HOLDS: HOLD}.get(relation)
    if said is None:
        return None
    return word(letter, said, source_id="live", raised_at=NOON - SECOND)


def after(state: State, signal: Signal, bot: BotConfig) -> State:
    now = Situation((bot,), {}, now=signal.raised_at)
    return state.after(first_round(state, signal, bot, now), epoch=0)


def found(state: State, incoming: Signal, bot: BotConfig, standing: Signal | None) -> str:
    """The mark of what comes of a word; anything that is not as it must be has none."""
    verdict = first_round(state, incoming, bot, Situation((bot,), {}, now=NOON))
    outcome, reason = verdict.outcome, verdict.reason
    suppressed = outcome is Outcome.SUPPRESSED
    winner = standing.signal_id if standing is not None and suppressed else None
    if verdict.winner_id != winner or not verdict.rule:
        return f"winner {verdict.winner_id}"
    again = replay(verdict, RouterConfig(bots=(bot,)))
    if again.model_dump_json() != verdict.model_dump_json():
        return "another verdict when replayed"
    if bot.approval == "manual" and outcome is Outcome.PENDING:
        assert reason is Reason.AWAITS_APPROVAL
        return "accepted"
    if bot.approval == "manual" and outcome is Outcome.ACCEPTED:
        return "accepted without a person"
    marks = {pair: mark for mark, pair in MARKS.items()}
    return marks.get((outcome, reason), f"{outcome} {reason}")


@pytest.mark.parametrize("action", [BUY, SELL])
@pytest.mark.parametrize(("policy", "relation", "grid"), MATRIX)
def test_the_matrix(policy: dict[str, Any], relation: str, grid: str, action: Action) -> None:
    bot, got = a_bot(policy=Policy(**policy)), {}
    for pair in cells(grid):
        standing = live(pair[1], relation, action)
        state = State() if standing is None else after(State(), standing, bot)
        got[pair] = found(state, word(pair[0], action), bot, standing)
    assert got == cells(grid)


@pytest.mark.parametrize("action", [BUY, SELL])
@pytest.mark.parametrize(("policy", "relation", "grid"), MATRIX)
def test_with_approval_what_would_be_accepted_waits_and_all_else_is_as_it_was(
    policy: dict[str, Any], relation: str, grid: str, action: Action
) -> None:
    bot, got = a_bot(policy=Policy(**policy), approval="manual"), {}
    for pair in cells(grid):
        standing = live(pair[1], relation, action)
        state = State() if standing is None else after(State(), standing, bot)
        got[pair] = found(state, word(pair[0], action), bot, standing)
    wanted = {pair: "accepted" if mark in "+&" else mark for pair, mark in cells(grid).items()}
    assert got == wanted


def ended(how: str, standing: Signal, bot: BotConfig) -> State:
    """A word that has been live and is no longer."""
    if how == "expired":
        return after(State(), standing.model_copy(update={"valid_until": NOON}), bot)
    state = after(State(), standing, bot)
    if how == "withdrawn":
        return state.withdrawing(a_withdrawal(standing, valid_until=NOON))
    if how == "closed":
        closing = standing.model_copy(update={"action": CLOSE, "own_id": "closing"})
        return after(state, closing, bot)
    if how == "too unsure":
        unsure = a_bot(
            policy=bot.policy.model_copy(update={"thresholds": dict.fromkeys(SourceType, 1)})
        )
        return after(State(), standing, unsure)
    assert how == "source switched off"
    return after(State(), standing, a_bot(policy=bot.policy, enabled=False))


ENDS = ["expired", "withdrawn", "closed", "too unsure", "source switched off"]
ALONE = [
    pytest.param({}, ALL_ACT, id="priority"),
    pytest.param(BLOCK, ALL_ACT, id="a hold blocks"),
    pytest.param(TWO, NONE_AGREES, id="consensus"),
    pytest.param(WEIGHTED, ALL_ACT, id="weighted"),
    pytest.param({"kind": "veto"}, ALL_ACT, id="veto"),
]


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("said", [BUY, SELL, HOLD])
@pytest.mark.parametrize(("policy", "grid"), ALONE)
def test_a_word_that_is_over_has_no_say(
    policy: dict[str, Any], grid: str, said: Action, how: str
) -> None:
    bot, got = a_bot(policy=Policy(**policy)), {}
    for pair in cells(grid):
        standing = word(pair[1], said, source_id="live", raised_at=NOON - SECOND)
        got[pair] = found(ended(how, standing, bot), word(pair[0], SELL), bot, None)
    assert got == cells(grid)


@pytest.mark.parametrize("relation", [SAME, OPPOSITE, HOLDS, NOTHING])
@pytest.mark.parametrize("policy", [{}, BLOCK, TWO, THREE, WEIGHTED, {"kind": "veto"} | BLOCK])
def test_a_close_always_passes(policy: dict[str, Any], relation: str) -> None:
    bot = a_bot(policy=Policy(**policy, cooldown_s=60))
    for pair in cells(ALL_ACT):
        standing = live(pair[1], relation, SELL)
        state = State() if standing is None else after(State(), standing, bot)
        assert found(state, word(pair[0], CLOSE), bot, None) == "+", pair
