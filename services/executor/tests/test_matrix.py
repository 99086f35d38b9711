"""What becomes of an accepted word, whoever says it, beside whatever there is: order by order.

The table is written from the rules, for both cases of rank; each row is tried for every pair of
source types, in one batch, through the handlers.
"""

from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

import pytest

from signalbox.contracts.events import VerdictReached
from signalbox.contracts.limits import Limits
from signalbox.contracts.payloads import Order
from signalbox.contracts.values import Action, OrderState, SourceType
from signalbox.testing.examples import a_bot

BUY, SELL, CLOSE, HOLD = Action.BUY, Action.SELL, Action.CLOSE, Action.HOLD
RANKS = "MQLES"  # manual, QuantConnect, language model, external, strategy: highest first
TYPES = dict(
    zip(
        RANKS,
        (
            SourceType.MANUAL,
            SourceType.QUANTCONNECT,
            SourceType.LLM,
            SourceType.EXTERNAL,
            SourceType.STRATEGY,
        ),
        strict=True,
    )
)
OUTRANKED = {"M": "QLES", "Q": "LES", "L": "ES", "E": "S", "S": ""}  # by each, under the defaults
PAIRS = list(
    product(RANKS, RANKS)
)  # who speaks, whose the rest is; of one type they are two sources
MANY = Limits(max_open_positions=100, max_orders_per_minute=10_000, loss_streak=0)

# What there is, made before by these words; what waits has met no quote yet.
THERE: dict[str, tuple[tuple[str, Action], ...]] = {
    "nothing": (),
    "their long": (("theirs", BUY),),
    "their short": (("theirs", SELL),),
    "their buy waits": (("theirs", BUY),),
    "their short waits": (("theirs", SELL),),
    "own long": (("own", BUY),),
    "own short": (("own", SELL),),
    "own buy waits": (("own", BUY),),
    "own short waits": (("own", SELL),),
    "their long, own long": (("theirs", BUY), ("own", BUY)),
    "their short, own short": (("theirs", SELL), ("own", SELL)),
    "their long, own short": (("theirs", BUY), ("own", SELL)),
    "their buy waits, own buy waits": (("theirs", BUY), ("own", BUY)),
}
ROWS = [
    # who speaks, what there is, how the bot is set; what comes of it where the speaker outranks
    # the other source, and where it does not
    (BUY, "nothing", "", "enters", "enters"),
    (BUY, "their long", "", "enters", "enters"),
    (BUY, "their buy waits", "", "enters", "enters"),
    (BUY, "own long", "", "enters", "enters"),
    (BUY, "own buy waits", "", "enters; own replaced", "enters; own replaced"),
    (BUY, "their buy waits, own buy waits", "", "enters; own replaced", "enters; own replaced"),
    (BUY, "nothing", "shorts", "enters", "enters"),
    (BUY, "their short", "shorts", "closes theirs, enters", "enters"),
    (BUY, "their short", "shorts, apart", "enters", "enters"),
    (BUY, "their short waits", "shorts", "enters; theirs canceled", "enters"),
    (BUY, "their short waits", "shorts, apart", "enters", "enters"),
    (BUY, "own short", "shorts", "closes own, enters", "closes own, enters"),
    (BUY, "own short waits", "shorts", "enters; own replaced", "enters; own replaced"),
    (BUY, "their short, own short", "shorts", "closes own, theirs, enters", "closes own, enters"),
    (BUY, "their short, own short", "shorts, apart", "closes own, enters", "closes own, enters"),
    (SELL, "nothing", "", "nothing", "nothing"),
    (SELL, "their long", "", "closes theirs", "nothing"),
    (SELL, "their long", "apart", "nothing", "nothing"),
    (SELL, "their buy waits", "", "nothing; theirs canceled", "nothing"),
    (SELL, "their buy waits", "apart", "nothing", "nothing"),
    (SELL, "own long", "", "closes own", "closes own"),
    (SELL, "own long", "apart", "closes own", "closes own"),
    (SELL, "own buy waits", "", "nothing; own canceled", "nothing; own canceled"),
    (SELL, "their long, own long", "", "closes own, theirs", "closes own"),
    (SELL, "their long, own long", "apart", "closes own", "closes own"),
    (
        SELL,
        "their buy waits, own buy waits",
        "",
        "nothing; own canceled; theirs canceled",
        "nothing; own canceled",
    ),
    (SELL, "nothing", "shorts", "enters short", "enters short"),
    (SELL, "their long", "shorts", "closes theirs, enters short", "enters short"),
    (SELL, "their long", "shorts, apart", "enters short", "enters short"),
    (SELL, "their buy waits", "shorts", "enters short; theirs canceled", "enters short"),
    (SELL, "their buy waits", "shorts, apart", "enters short", "enters short"),
    (SELL, "their short", "shorts", "enters short", "enters short"),
    (SELL, "their short waits", "shorts", "enters short", "enters short"),
    (SELL, "own long", "shorts", "closes own, enters short", "closes own, enters short"),
    (SELL, "own short", "shorts", "enters short", "enters short"),
    (SELL, "own buy waits", "shorts", "enters short; own replaced", "enters short; own replaced"),
    (
        SELL,
        "their long, own short",
        "shorts",
        "closes theirs, enters short",
        "enters short",
    ),
    (CLOSE, "nothing", "", "nothing", "nothing"),
    (CLOSE, "their long", "", "nothing", "nothing"),
    (CLOSE, "their buy waits", "", "nothing", "nothing"),
    (CLOSE, "their short", "shorts", "nothing", "nothing"),
    (CLOSE, "their short waits", "shorts", "nothing", "nothing"),
    (CLOSE, "own long", "", "closes own", "closes own"),
    (CLOSE, "own short", "shorts", "closes own", "closes own"),
    (CLOSE, "own buy waits", "", "nothing; own canceled", "nothing; own canceled"),
    (CLOSE, "own short waits", "shorts", "nothing; own canceled", "nothing; own canceled"),
    (CLOSE, "their long, own long", "", "closes own", "closes own"),
    (CLOSE, "their long, own short", "shorts", "closes own", "closes own"),
    (HOLD, "own long", "", "nothing", "nothing"),
    (HOLD, "own buy waits", "", "nothing", "nothing"),
]
BOTS: dict[str, dict[str, Any]] = {
    "": {},
    "apart": {"flatten_lower": False},
    "shorts": {"allow_short": True},
    "shorts, apart": {"allow_short": True, "flatten_lower": False},
}


def names(row: Any) -> str | None:
    return row.value if isinstance(row, Action) else row if isinstance(row, str) else None


def became(orders: Iterable[Order], incoming: VerdictReached) -> str:
    """What came of one word, in the words of the table."""
    last = {order.order_id: order for order in orders}
    ended = {o.source_id: o.state for o in last.values() if o.verdict_id != incoming.id}
    order, *after = (o for o in last.values() if o.verdict_id == incoming.id)
    others = "".join(f"; {who} {state}" for who, state in sorted(ended.items()))
    if order.state is OrderState.DENIED:
        return {"nothing_to_change": "nothing"}.get(order.reason, order.reason) + others
    if order.purpose == "entry":
        return ("enters" if order.side == "buy" else "enters short") + others
    slices = order.fill.slices if order.fill else ()
    assert all(part.effect == "closed" for part in slices)
    assert order.state is OrderState.FILLED
    done = [f"closes {', '.join(part.source_id for part in slices)}"]
    for entry in after:  # the second half of a flip, on its way to a quote
        assert (entry.purpose, entry.leg, entry.state) == ("entry", 1, OrderState.ACCEPTED)
        done.append("enters" if entry.side == "buy" else "enters short")
    return ", ".join(done) + others


@pytest.mark.parametrize(("action", "there", "bot", "above", "otherwise"), ROWS, ids=names)
def test_what_an_accepted_word_does(
    shop_with: Callable[..., Any],
    action: Action,
    there: str,
    bot: str,
    *,
    above: str,
    otherwise: str,
) -> None:
    shop = shop_with(**BOTS[bot] | {"flatten_lower": False}, limits=MANY)
    symbols = {pair: "".join(pair) for pair in PAIRS}
    waits = "waits" in there
    for symbol in symbols.values() if not waits else ():
        shop.quote(symbol=symbol)
    for owner, said in THERE[there]:
        shop.later(seconds=1)
        shop.handle(
            *(
                shop.verdict(
                    said,
                    symbol=symbol,
                    source_type=TYPES[mine if owner == "own" else theirs],
                    source_id=owner,
                )
                for (mine, theirs), symbol in symbols.items()
            )
        )
    shop.later(seconds=1)
    shop.configure(a_bot(**BOTS[bot], limits=MANY))
    incoming = {
        (mine, theirs): shop.verdict(
            action, symbol=symbol, source_type=TYPES[mine], source_id="own"
        )
        for (mine, theirs), symbol in symbols.items()
    }
    made = [e.data for e in shop.handle(*incoming.values()) if isinstance(e.data, Order)]
    got = {
        pair: became((o for o in made if o.symbol == symbols[pair]), verdict)
        for pair, verdict in incoming.items()
    }
    wanted = {pair: above if pair[1] in OUTRANKED[pair[0]] else otherwise for pair in PAIRS}
    assert got == wanted
