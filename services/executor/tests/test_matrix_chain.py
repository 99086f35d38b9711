"""Router and executor together: two sources say something of one symbol, this is what is traded.

Rows speak second, columns first; M manual, Q QuantConnect, L language model, E external, S
strategy. Every cell is written from the rules.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from decision_router.domain.arbitration import first_round
from decision_router.domain.situation import Situation
from decision_router.domain.state import State
from signalbox.contracts.config import BotConfig, Policy
from signalbox.contracts.events import VerdictReached
from signalbox.contracts.limits import Limits
from signalbox.contracts.payloads import Order
from signalbox.contracts.values import Action, Outcome, Reason, SourceType
from signalbox.testing.examples import a_signal, reached

BUY, SELL, CLOSE = Action.BUY, Action.SELL, Action.CLOSE
MINUTE = timedelta(minutes=1)
TYPES = {
    "M": SourceType.MANUAL,
    "Q": SourceType.QUANTCONNECT,
    "L": SourceType.LLM,
    "E": SourceType.EXTERNAL,
    "S": SourceType.STRATEGY,
}
MANY = Limits(max_open_positions=100, max_orders_per_minute=10_000, loss_streak=0)

# What is traded: B an entry long, X the other source's lots are closed, F an entry follows that, C
# its waiting order ends and nothing is traded, 0 nothing to change, O an entry long and its waiting
# order ends.
# What is not: the router's mark.
UNHEARD = {
    Reason.LED_BY_HIGHER: "^",
    Reason.HELD_BY_HIGHER: "-",
    Reason.HELD_BY_EQUAL: "=",
    Reason.OUTWEIGHED: "w",
    Reason.VETOED: "v",
    Reason.NO_CONSENSUS: "n",
}
FLATTENS = """
     M  Q  L  E  S
  M  =  X  X  X  X
  Q  -  =  X  X  X
  L  -  -  =  X  X
  E  -  -  -  =  X
  S  -  -  -  -  =
"""
CANCELS = """
     M  Q  L  E  S
  M  =  C  C  C  C
  Q  -  =  C  C  C
  L  -  -  =  C  C
  E  -  -  -  =  C
  S  -  -  -  -  =
"""
CHANGES_NOTHING = """
     M  Q  L  E  S
  M  =  0  0  0  0
  Q  -  =  0  0  0
  L  -  -  =  0  0
  E  -  -  -  =  0
  S  -  -  -  -  =
"""
FOLLOWS = """
     M  Q  L  E  S
  M  B  B  B  B  B
  Q  ^  B  B  B  B
  L  ^  ^  B  B  B
  E  ^  ^  ^  B  B
  S  ^  ^  ^  ^  B
"""
ALL_BUY = """
     M  Q  L  E  S
  M  B  B  B  B  B
  Q  B  B  B  B  B
  L  B  B  B  B  B
  E  B  B  B  B  B
  S  B  B  B  B  B
"""
LOTS_OF_A_SILENT_SOURCE = """
     M  Q  L  E  S
  M  0  X  X  X  X
  Q  0  0  X  X  X
  L  0  0  0  X  X
  E  0  0  0  0  X
  S  0  0  0  0  0
"""
NEVER = """
     M  Q  L  E  S
  M  0  0  0  0  0
  Q  0  0  0  0  0
  L  0  0  0  0  0
  E  0  0  0  0  0
  S  0  0  0  0  0
"""
UPSIDE_DOWN = """
     M  Q  L  E  S
  M  =  -  -  -  -
  Q  X  =  -  -  -
  L  X  X  =  -  -
  E  X  X  X  =  -
  S  X  X  X  X  =
"""
OUTWEIGHS_AND_TOUCHES_NOTHING = """
     M  Q  L  E  S
  M  w  w  w  w  w
  Q  0  w  w  w  w
  L  0  0  w  w  w
  E  0  0  0  w  w
  S  0  0  0  w  w
"""
VETOED = """
     M  Q  L  E  S
  M  v  v  v  v  v
  Q  v  v  v  v  v
  L  v  v  v  v  v
  E  v  v  v  v  v
  S  v  v  v  v  v
"""
NO_CONSENSUS = """
     M  Q  L  E  S
  M  n  n  n  n  n
  Q  n  n  n  n  n
  L  n  n  n  n  n
  E  n  n  n  n  n
  S  n  n  n  n  n
"""
COVERS = FLATTENS.replace("X", "F")
ENTERS_AND_CANCELS = """
     M  Q  L  E  S
  M  =  O  O  O  O
  Q  -  =  O  O  O
  L  -  -  =  O  O
  E  -  -  -  =  O
  S  -  -  -  -  =
"""

# What the first word has led to when the second comes.
POSITION, ORDER, NOTHING = "a position", "an order that waits", "nothing"
SILENT = "a position, its word expired"
TRUST = dict(zip(TYPES.values(), map(Decimal, ("0.3", "0.5", "0.7", "0.9", "1")), strict=True))
WEIGHTED = Policy(kind="weighted", trust=TRUST)
REVERSED = Policy(priorities={kind: place for place, kind in enumerate(TYPES.values(), 1)})
APART = {"flatten_lower": False}
SHORTS = {"allow_short": True}
CHAINS = [
    (BUY, SELL, POSITION, {}, FLATTENS),
    (BUY, SELL, ORDER, {}, CANCELS),
    (BUY, SELL, NOTHING, {}, CHANGES_NOTHING),
    (BUY, SELL, SILENT, {}, LOTS_OF_A_SILENT_SOURCE),
    (BUY, SELL, POSITION, APART, CHANGES_NOTHING),
    (BUY, SELL, ORDER, APART, CHANGES_NOTHING),
    (BUY, SELL, SILENT, APART, NEVER),
    (BUY, BUY, POSITION, {}, FOLLOWS),
    (BUY, BUY, ORDER, {}, FOLLOWS),
    (BUY, BUY, NOTHING, {}, FOLLOWS),
    (BUY, BUY, SILENT, {}, ALL_BUY),
    (BUY, BUY, POSITION, {"policy": Policy(add_on_agreement=True)}, ALL_BUY),
    (BUY, CLOSE, POSITION, {}, NEVER),
    (BUY, CLOSE, ORDER, {}, NEVER),
    (BUY, SELL, POSITION, {"policy": REVERSED}, UPSIDE_DOWN),
    (BUY, SELL, POSITION, {"policy": WEIGHTED}, OUTWEIGHS_AND_TOUCHES_NOTHING),
    (BUY, SELL, ORDER, {"policy": WEIGHTED}, OUTWEIGHS_AND_TOUCHES_NOTHING),
    (BUY, SELL, POSITION, {"policy": Policy(kind="veto")}, VETOED),
    (BUY, BUY, POSITION, {"policy": Policy(kind="veto")}, ALL_BUY),
    (BUY, SELL, POSITION, {"policy": Policy(kind="consensus", consensus_of=1)}, NO_CONSENSUS),
    (BUY, BUY, POSITION, {"policy": Policy(kind="consensus", consensus_of=1)}, ALL_BUY),
    (SELL, BUY, POSITION, SHORTS, COVERS),
    (SELL, BUY, ORDER, SHORTS, ENTERS_AND_CANCELS),
    (SELL, BUY, SILENT, SHORTS | APART, ALL_BUY),
]


def cells(grid: str) -> dict[str, str]:
    head, *rows = (line.split() for line in grid.strip().splitlines())
    return {
        row[0] + column: mark for row in rows for column, mark in zip(head, row[1:], strict=True)
    }


@dataclass
class Chain:
    """A router's memory of each symbol, and the executor that follows it."""

    shop: Any
    bot: BotConfig
    states: dict[str, State] = field(default_factory=dict)

    def speaks(self, letter: str, action: Action, symbol: str, **over: Any) -> VerdictReached:
        now: datetime = self.shop.now
        fields = {"own_id": symbol, "raised_at": now, "price": None, "confidence": Decimal("0.7")}
        who = {"source_type": TYPES[letter], "symbol": symbol, "action": action}
        signal = a_signal(**(who | fields | over))
        state = self.states.get(symbol, State())
        verdict = first_round(state, signal, self.bot, Situation((self.bot,), {}, now=now))
        state = self.states[symbol] = state.after(verdict, epoch=0)
        return reached(verdict, state.sequence, self.shop.moment())


def traded(verdict: VerdictReached, orders: list[Order]) -> str:
    """The mark of what came of the second word."""
    if verdict.data.outcome is not Outcome.ACCEPTED:
        return (
            UNHEARD[verdict.data.reason] if not orders else f"{orders[0].state} of a refused word"
        )
    last = {order.order_id: order for order in orders}
    order, *after = (o for o in last.values() if o.verdict_id == verdict.id)
    mine = [order, *after]
    others = [f"{o.source_id} {o.state}" for o in last.values() if o not in mine]
    slices = order.fill.slices if order.fill else ()
    owners = {(part.source_id, part.effect) for part in slices}
    match order.state.value, order.reason, order.purpose, others:
        case "denied", "nothing_to_change", _, []:
            return "0"
        case "denied", "nothing_to_change", _, ["first canceled"]:
            return "C"
        case "filled", _, "exit", [] if owners == {("first", "closed")}:
            return "F" if [o.purpose for o in after] == ["entry"] else "X"
        case "filled", _, "entry", [] if owners == {("second", "opened")}:
            return "B" if order.side == "buy" else "short"
        case "accepted", _, "entry", []:
            return "B" if order.side == "buy" else "short"
        case "accepted", _, "entry", ["first canceled"]:
            return "O" if order.side == "buy" else "short"
    return f"{order.state} {order.reason} {order.purpose} {others} {owners}"


def described(value: Any) -> str | None:
    if isinstance(value, Action):
        return value.value
    if isinstance(value, dict):
        policy = value.get("policy")
        return policy.kind if policy else "-".join(value) or "default"
    return "" if "\n" in value else value


@pytest.mark.parametrize(("first", "second", "there", "over", "grid"), CHAINS, ids=described)
def test_a_conflict(
    shop_with: Callable[..., Any],
    first: Action,
    second: Action,
    there: str,
    *,
    over: dict[str, Any],
    grid: str,
) -> None:
    shop = shop_with(**over, limits=MANY)
    chain = Chain(shop, shop.config.bots[0])
    wanted = cells(grid)
    if there != ORDER:
        for symbol in wanted:
            shop.quote(symbol=symbol)
    life = {"valid_until": shop.now + MINUTE} if there == SILENT else {}
    seen = {"price": Decimal(1)} if there == NOTHING else {}  # so far away that it is denied
    opening = [chain.speaks(s[1], first, s, source_id="first", **life, **seen) for s in wanted]
    assert {event.data.outcome for event in opening} == {Outcome.ACCEPTED}
    shop.handle(*opening)
    assert all(bool(shop.held(symbol)) is (there in {POSITION, SILENT}) for symbol in wanted)
    shop.later(seconds=60 if there == SILENT else 1)
    verdicts = {s: chain.speaks(s[0], second, s, source_id="second") for s in wanted}
    made = [e.data for e in shop.handle(*verdicts.values()) if isinstance(e.data, Order)]
    got = {s: traded(v, [o for o in made if o.symbol == s]) for s, v in verdicts.items()}
    assert got == wanted
