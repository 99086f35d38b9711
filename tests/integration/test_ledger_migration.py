"""The ledger's sums and market days come with what is there already, not with a rebuild."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal as D
from pathlib import Path

import pytest
from sqlalchemy import insert, inspect, select

from gateway.adapters.book_tables import earnings, equity_curves, equity_days
from gateway.adapters.primary_tables import bots
from gateway.adapters.tables import metadata
from gateway.adapters.views import ledger as views
from gateway.adapters.views.equity import equity_series, list_equity
from gateway.adapters.views.ledger import LedgerFilter
from gateway.adapters.views.paging import ALWAYS
from gateway.adapters.views.today import read_summary
from gateway.domain.cursor import Page
from gateway.domain.reports import report
from gateway.handlers import build_handlers
from signalbox.contracts import payloads as p
from signalbox.contracts.events import EquityMarked, Event, OrderChanged
from signalbox.contracts.ids import lot_id
from signalbox.contracts.values import OrderState, Side, SourceType
from signalbox.runtime import ledger
from signalbox.runtime.db import Database
from signalbox.runtime.migrating import migrate
from signalbox.testing.examples import NOON, a_moment, an_order

pytestmark = pytest.mark.integration
Kept = list[tuple[object, ...]]


def fill(number: int, side: Side, pnl: str, slippage: str | None) -> OrderChanged:
    """Ten of one lot, bought or sold."""
    part = p.LotSlice(
        lot_id=lot_id("one"),
        source_type=SourceType.LLM,
        source_id="gpt",
        effect="opened" if side is Side.BUY else "closed",
        quantity=D(10),
        entry_price=D(200),
        realised_pnl=D(pnl),
    )
    done = p.Fill(
        fill_id=str(number),
        quantity=D(10),
        price=D("201.5"),
        fee=D(1),
        slippage_bps=None if slippage is None else D(slippage),
        slices=(part,),
    )
    order = an_order(
        order_id=f"{number:032x}",
        side=side,
        state=OrderState.FILLED,
        filled=D(10),
        fill=done,
        at=NOON + timedelta(days=number),
    )
    return a_moment().event(OrderChanged, order)


def worth(number: int, equity: int, at_s: int) -> EquityMarked:
    """A mark; several may be made at one instant of the market."""
    marked = p.Equity(
        bot="alpha",
        account="paper-alpha",
        equity=D(equity),
        cash=D(0),
        exposure_gross=D(equity) / 2,
        exposure_net=D(0),
        realised_pnl=D(0),
        unrealised_pnl=D(0),
        fees=D(0),
        at=NOON + timedelta(seconds=at_s),
        cause=str(number),
    )
    return a_moment().event(EquityMarked, marked)


MARKS = [(1000, 0), (1200, 5), (900, 5), (1100, 5), (1300, 90_000), (650, 90_001)]
MARKED = [worth(number, equity, at_s) for number, (equity, at_s) in enumerate(MARKS)]


def archive(db: Database, events: Sequence[Event]) -> None:
    for handlers in build_handlers(lambda _: None):
        mine = [event for event in events if handlers.stream == event.STREAM]
        if mine:
            with db.begin() as sql:
                ledger.handle(sql, metadata, handlers, mine, a_moment())


def kept(db: Database) -> list[Kept]:
    """What the ledger holds, in the order of its keys."""
    with db.begin() as sql:
        return [
            [tuple(row) for row in sql.execute(select(table).order_by(*table.primary_key))]
            for table in (earnings, equity_days, equity_curves)
        ]


def test_the_ledger_reads_alike_on_both_databases(tmp_path: Path, database_url: str | None) -> None:
    migrate("gateway", home=tmp_path, url=database_url)
    db = Database.open("gateway", home=tmp_path, url=database_url)
    archive(db, [fill(1, Side.BUY, "-1", "2.5"), *MARKED])
    with db.begin() as sql:
        (bot,) = report(views.ledger(sql, LedgerFilter(), {}), "bot")
        curve = equity_series(sql, 10, bot="alpha", account=None, span=ALWAYS).items
        steps = list_equity(sql, Page(), bot=None, account=None, span=ALWAYS, step_s=60).items
        bound = {"account": "paper-alpha", "bound_version": 1, "body": {}}
        sql.execute(insert(bots).values(id="alpha", **bound))
        (today,) = read_summary(sql, NOON + timedelta(days=1)).bots
    db.close()
    assert (bot.slippage_bps, bot.max_drawdown, bot.days) == (D("2.5"), D("0.5"), 2)
    assert (today.pnl_today, today.drawdown) == (D(-450), D("0.5"))
    assert [point.equity for point in curve] == [650, 1300, 1100, 900, 1200, 1000]
    assert {point.at for point in steps} == {NOON + timedelta(seconds=s) for s in (5, 90_001)}


def tables(home: Path, url: str | None) -> list[str]:
    db = Database.open("gateway", home=home, url=url)
    with db.begin() as sql:
        found = inspect(sql).get_table_names()
    db.close()
    return found


def test_an_older_database_brings_its_ledger_along(
    tmp_path: Path, database_url: str | None
) -> None:
    events = [fill(1, Side.BUY, "-1", "2.5"), fill(2, Side.SELL, "14", None), *MARKED]
    migrate("gateway", home=tmp_path, url=database_url)
    db = Database.open("gateway", home=tmp_path, url=database_url)
    archive(db, events)
    before = kept(db)
    db.close()
    assert [len(rows) for rows in before] == [4, 2, 1], "two days, owner and asker"
    while "equity_days" in tables(tmp_path, database_url):
        migrate("gateway", home=tmp_path, url=database_url, target="down")
    migrate("gateway", home=tmp_path, url=database_url)
    db = Database.open("gateway", home=tmp_path, url=database_url)
    assert kept(db) == before
    db.close()
