"""What is known of every bot's book for the summary of the present market day."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, time
from decimal import Decimal

from sqlalchemy import Connection, select

from gateway.adapters.book_tables import equity_days, positions
from gateway.adapters.views.books import list_books
from gateway.domain.book_views import EquityView, SummaryView
from gateway.domain.today import Known, summary


def read_summary(sql: Connection, now: datetime) -> SummaryView:
    """Every bot's day, and all of them together; `now` is market time."""
    day = datetime.combine(now.date(), time(), now.tzinfo)
    return summary(list(_known(sql, day)), day)


def _known(sql: Connection, day: datetime) -> Iterator[Known]:
    opened = select(positions.c.bot, positions.c.account).where(positions.c.open.is_(True))
    held = Counter((row.bot, row.account) for row in sql.execute(opened))
    for now in list_books(sql):
        began_with, highest = _days(sql, now, day)
        yield Known(now, began_with, highest, held[now.bot, now.account])


def _days(sql: Connection, now: EquityView, day: datetime) -> tuple[Decimal, Decimal]:
    """What the day began with, and the highest of all days."""
    query = select(equity_days).where(
        equity_days.c.bot == now.bot, equity_days.c.account == now.account
    )
    days = sql.execute(query.order_by(equity_days.c.day)).all()
    before = [row.last for row in days if row.day < day]
    today = [row.first for row in days if row.day >= day]
    began_with = [*before[-1:], *today, now.equity][0]
    return began_with, max((row.high for row in days), default=now.equity)
