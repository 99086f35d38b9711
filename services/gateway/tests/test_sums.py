"""Reports let the database put rows together; every digit is the same as of row by row."""

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal, localcontext
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import delete, insert, select

from gateway.adapters.book_tables import earnings
from gateway.adapters.read_tables import outcomes
from gateway.adapters.views import calibration, ledger
from gateway.adapters.views.calibration import ScoreFilter
from gateway.adapters.views.ledger import LedgerFilter
from gateway.adapters.views.paging import Span
from gateway.domain.calibration import Scores, calibrate
from gateway.domain.calibration_views import Judged
from gateway.domain.performance import Owner, Tally
from signalbox.contracts.values import Action
from signalbox.runtime.db import Database
from signalbox.runtime.migrating import migrate
from signalbox.testing.examples import NOON

pytestmark = pytest.mark.integration
MONDAY = NOON.replace(hour=0)
OWNER = ("bot", "symbol", "source_type", "source_id")
COUNTS = ("trades", "wins", "losses", "fills")
AMOUNTS = (
    "realised_pnl", "fees", "gross_profit", "gross_loss", "traded", "measured", "slipped",
    "squares",
)  # fmt: skip


def an_amount(dice: Random) -> Decimal:
    """Nothing, a few digits, or many on either side of the point."""
    places = dice.choice([0, 2, 8, 20])
    size = dice.choice([0, 1, 10**6, 10**24])
    with localcontext(prec=60):
        return Decimal(dice.randint(-size * 10**places, size * 10**places)).scaleb(-places)


def a_row(dice: Random, day: int, owner: tuple[str, ...]) -> dict[str, Any]:
    return {
        "day": MONDAY + timedelta(days=day),
        **dict(zip(OWNER, owner, strict=True)),
        **{name: dice.randint(0, 5) for name in COUNTS},
        **{name: an_amount(dice) for name in AMOUNTS},
    }


def a_score(dice: Random, number: int) -> dict[str, Any]:
    with localcontext(prec=60):
        returned = an_amount(dice).scaleb(-24)
    return {
        "id": str(number), "signal_id": str(number), "horizon_s": 60.0, "symbol": "AAPL",
        "source_type": "llm", "source_id": dice.choice("ab"), "at": NOON,
        "action": dice.choice(["buy", "sell"]), "entry_price": Decimal(1), "exit_price": Decimal(1),
        "confidence": Decimal(dice.randint(0, 100)) / 100, "forward_return": returned,
    }  # fmt: skip


@pytest.fixture
def db(tmp_path: Path, database_url: str | None) -> Any:
    migrate("gateway", home=tmp_path, url=database_url)
    opened = Database.open("gateway", home=tmp_path, url=database_url)
    yield opened
    opened.close()


async def test_what_was_earned_is_the_exact_sum_of_its_days(db: Database) -> None:
    owners = [(bot, "BRK.B", "llm", "a,b c") for bot in ("alpha", "beta")] + [
        ("alpha", "BTC/USD", kind, "1") for kind in ("llm", "strategy")
    ]
    for seed in range(5):
        dice = Random(seed)  # noqa: S311 - for examples
        rows = [a_row(dice, day, one) for day in range(40) for one in owners if dice.random() < 0.8]
        with db.begin() as sql:
            sql.execute(delete(earnings))
            sql.execute(insert(earnings), rows)
        sums: defaultdict[Owner, Tally] = defaultdict(Tally)
        gains: defaultdict[Owner, list[Any]] = defaultdict(list)
        for row in await db.read(lambda sql: sql.execute(select(earnings)).mappings().all()):
            owner = Owner(*(row[name] for name in OWNER))
            sums[owner] += Tally(**{name: row[name] for name in (*AMOUNTS, *COUNTS)})
            gains[owner].append((row["day"], row["realised_pnl"]))
        found = (await db.read(ledger.everything_earned)).earned
        assert {one.owner: one.tally for one in found} == sums
        assert {one.owner: sorted(one.gains) for one in found} == {
            owner: sorted(days) for owner, days in gains.items()
        }
    part = LedgerFilter("alpha", "BTC/USD", Span(None, MONDAY - timedelta(days=1)))
    assert (await db.read(lambda sql: ledger.ledger(sql, part, {}))).earned == []


async def test_scores_are_judged_as_if_one_by_one(db: Database) -> None:
    dice = Random(7)  # noqa: S311 - for examples
    with db.begin() as sql:
        sql.execute(insert(outcomes), [a_score(dice, number) for number in range(1500)])
    one_by_one: defaultdict[Judged, list[Scores]] = defaultdict(list)
    for row in await db.read(lambda sql: sql.execute(select(outcomes)).mappings().all()):
        whom = Judged(row["source_type"], row["source_id"])
        single = Scores.of(Action(row["action"]), row["confidence"], [row["forward_return"]])
        one_by_one[whom].append(single)
    found = await db.read(lambda sql: calibration.scores(sql, "source", ScoreFilter()))
    assert {whom: calibrate(some) for whom, some in found.items()} == {
        whom: calibrate(some) for whom, some in one_by_one.items()
    }
    assert sum(map(len, found.values())) < sum(map(len, one_by_one.values())) / 2
    (by_symbol,) = await db.read(lambda sql: calibration.scores(sql, "symbol", ScoreFilter()))
    assert by_symbol == Judged(None, "AAPL")
