"""What is known of every bot's book for the summary of the present market day."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, time
from decimal import Decimal

from sqlalchemy import Connection, and_, func, select

from gateway.adapters.book_tables import equity_curves, equity_days, positions
from gateway.adapters.views.books import list_books
from gateway.domain.book_views import SummaryView
from gateway.domain.today import Known, summary

Book = tuple[str, str]  # bot and account


def read_summary(sql: Connection, now: datetime) -> SummaryView:
    """Every bot's day, and all of them together; `now` is market time."""
    day = datetime.combine(now.date(), time(), now.tzinfo)
    return summary(list(_known(sql, day)), day)


def _known(sql: Connection, day: datetime) -> Iterator[Known]:
    opened = select(positions.c.bot, positions.c.account).where(positions.c.open.is_(True))
    held = Counter((row.bot, row.account) for row in sql.execute(opened))
    curves = _curves(sql, day)
    for now in list_books(sql):
        began_with, highest = curves.get((now.bot, now.account), (now.equity, now.equity))
        yield Known(now, began_with, highest, held[now.bot, now.account])


def _curves(sql: Connection, day: datetime) -> dict[Book, tuple[Decimal, Decimal]]:
    """What the day began with, and the highest of all days."""
    days, whole = equity_days.c, equity_curves.c
    same = and_(days.bot == whole.bot, days.account == whole.account)
    before = select(days.last).where(same, days.day < day).order_by(days.day.desc()).limit(1)
    today = select(days.first).where(same, days.day >= day).order_by(days.day).limit(1)
    began_with = func.coalesce(before.scalar_subquery(), today.scalar_subquery())
    rows = sql.execute(select(whole.bot, whole.account, began_with.label("began"), whole.high))
    return {(row.bot, row.account): (row.began, row.high) for row in rows}
