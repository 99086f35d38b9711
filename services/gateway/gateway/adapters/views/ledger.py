"""All that performance is derived from."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, localcontext
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    String,
    cast,
    func,
    select,
    type_coerce,
)

from gateway.adapters.book_tables import earnings, equity_days, lots
from gateway.adapters.llm_tables import llm_usage
from gateway.adapters.primary_tables import events
from gateway.adapters.read_tables import order_steps, orders, verdicts
from gateway.adapters.views.equity import accounts, of_accounts
from gateway.adapters.views.paging import ALWAYS, Span, equal
from gateway.domain.curve import NOUGHT, STRETCH, Stretch
from gateway.domain.performance import Owner, Tally, group
from gateway.domain.reports import Days, Earned, Ledger, Open, Took
from gateway.domain.stages import Times
from signalbox.contracts.values import OrderState
from signalbox.runtime.db import ExactDecimal

_OWNER = tuple(field.name for field in fields(Owner))
_SUMMED = tuple(field.name for field in fields(Tally))[1:]  # after the realised profit
_WIDE = Context(prec=60)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIMED = 500  # newest orders that stages are timed of
_STEPS = {
    OrderState.PLANNED: "planned",
    OrderState.SUBMITTING: "submitting",
    OrderState.ACCEPTED: "accepted",
    OrderState.PARTIALLY_FILLED: "filled",
    OrderState.FILLED: "filled",
}


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """Which part of the ledger is wanted; none takes all."""

    bot: str | None = None
    symbol: str | None = None
    span: Span = ALWAYS


def ledger(sql: Connection, wanted: LedgerFilter, marks: Mapping[str, Decimal]) -> Ledger:
    """What was earned in whole market days, the curves, what is open, and how long orders took.

    Open lots are valued at the newest quotes, else at their entry.
    """
    return Ledger(
        earned=_earned(sql, wanted),
        days=_days(sql, wanted),
        open=_open(sql, wanted, marks),
        took=_took(sql, wanted),
    )


def everything_earned(sql: Connection) -> Ledger:
    """What was earned and the curves, since the beginning."""
    return Ledger(earned=_earned(sql, LedgerFilter()), days=_days(sql, LedgerFilter()))


def realised(sql: Connection) -> Mapping[tuple[str, ...], Decimal]:
    """Profit after fees since the beginning, by source."""
    sums = ((one.owner, one.tally) for one in _earned(sql, LedgerFilter()))
    return {key: tally.realised_pnl for key, tally in group(sums, "source").items()}


def llm_cost(sql: Connection) -> Decimal:
    """What all models were paid so far, in US dollars."""
    return sum(sql.scalars(select(llm_usage.c.cost_usd)), Decimal(0))


def _earned(sql: Connection, wanted: LedgerFilter) -> list[Earned]:
    """The database puts each owner's rows into one, which is most of the work; what is text there,
    because it is exact, is summed here.
    """
    at, owner = type_coerce(earnings.c.day, BigInteger), [earnings.c[name] for name in _OWNER]
    gains = cast(at, String) + " " + type_coerce(earnings.c.realised_pnl, String)
    query = (
        select(func.aggregate_strings(gains, ","), *owner, *map(_together, _SUMMED))
        .where(
            *equal([(earnings.c.bot, wanted.bot), (earnings.c.symbol, wanted.symbol)]),
            *wanted.span.within(earnings.c.day),
        )
        .group_by(*owner)
    )
    with localcontext(_WIDE):
        return [_one(*row) for row in sql.execute(query).all()]


def _together(name: str) -> ColumnElement[Any]:
    """All values of a column: the sum of counts, a list of amounts."""
    column = earnings.c[name]
    if isinstance(column.type, ExactDecimal):
        return func.aggregate_strings(type_coerce(column, String), ",")
    return func.sum(column)


def _one(listed: str, *rest: Any) -> Earned:
    owners = len(_OWNER)
    gains = [(_day(int(day)), Decimal(gain)) for day, gain in map(str.split, listed.split(","))]
    sums: list[Any] = [
        sum(map(Decimal, found.split(",")), NOUGHT) if isinstance(found, str) else int(found)
        for found in rest[owners:]
    ]
    whole = Tally(sum((gain for _, gain in gains), NOUGHT), *sums)
    return Earned(Owner(*rest[:owners]), whole, gains)


@lru_cache(maxsize=4096)
def _day(at_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=at_us)


def _days(sql: Connection, wanted: LedgerFilter) -> Mapping[str, Days]:
    table = equity_days
    query = select(table).where(
        of_accounts(accounts(sql, wanted.bot), table.c.bot, table.c.account),
        *wanted.span.within(table.c.day),
    )
    days: defaultdict[str, list[tuple[Any, Stretch]]] = defaultdict(list)
    for row in sql.execute(query.order_by(table.c.day)).mappings():
        days[row["bot"]].append((row["day"], Stretch(*(row[name] for name in STRETCH))))
    return days


def _open(sql: Connection, wanted: LedgerFilter, marks: Mapping[str, Decimal]) -> list[Open]:
    query = select(lots).where(*equal([(lots.c.bot, wanted.bot), (lots.c.symbol, wanted.symbol)]))
    return [
        Open(
            Owner(*(row[name] for name in _OWNER)),
            row["quantity"] * marks.get(row["symbol"], row["entry_price"]),
        )
        for row in sql.execute(query).mappings()
    ]


def _took(sql: Connection, wanted: LedgerFilter) -> list[Took]:
    """The stages of the newest orders that a signal led to."""
    query = (
        select(orders, verdicts.c.round)
        .join(verdicts, verdicts.c.id == orders.c.verdict_id)
        .where(
            orders.c.state != OrderState.DENIED.value,
            *equal([(orders.c.bot, wanted.bot), (orders.c.symbol, wanted.symbol)]),
            *wanted.span.within(orders.c.at),
        )
        .order_by(orders.c.at.desc(), orders.c.id.desc())
        .limit(_TIMED)
    )
    rows = list(sql.execute(query).mappings())
    made = _made(sql, [row[name] for row in rows for name in ("signal_id", "verdict_id")])
    steps = _steps(sql, [row["id"] for row in rows])
    took = []
    for row in rows:
        times = Times(
            signal=None if row["round"] else made.get(row["signal_id"]),
            verdict=made.get(row["verdict_id"]),
            **steps[row["id"]],
        )
        owner = Owner(*(row[name] for name in _OWNER))
        took += [Took(owner, stage, seconds) for stage, seconds in times.seconds()]
    return took


def _made(sql: Connection, ids: list[str]) -> Mapping[str, datetime]:
    """When each of these events was made."""
    query = select(events.c.id, events.c.at).where(events.c.id.in_(ids))
    return {row.id: row.at for row in sql.execute(query)}


def _steps(sql: Connection, order_ids: list[str]) -> Mapping[str, dict[str, datetime]]:
    """When each of these orders first came into each state."""
    query = (
        select(order_steps.c.order_id, order_steps.c.state, func.min(events.c.at).label("at"))
        .join(events, events.c.id == order_steps.c.event_id)
        .where(order_steps.c.order_id.in_(order_ids), order_steps.c.state.in_(_STEPS))
        .group_by(order_steps.c.order_id, order_steps.c.state)
    )
    steps: defaultdict[str, dict[str, datetime]] = defaultdict(dict)
    for row in sql.execute(query):
        known, name = steps[row.order_id], _STEPS[row.state]
        known[name] = min(known.get(name, row.at), row.at)
    return steps
