"""Backtests."""

from sqlalchemy import Connection, Row, select

from gateway.adapters.read_tables import backtests
from gateway.adapters.views.paging import Span, cut, equal
from gateway.domain import quantconnect
from gateway.domain.backtest_views import BacktestView
from gateway.domain.cursor import Page
from gateway.domain.views import Listing

_DELETED = "deleted"


def list_backtests(
    sql: Connection,
    page: Page,
    *,
    config: str | None,
    project: str | None,
    status: str | None,
    span: Span,
) -> Listing[BacktestView]:
    """Backtests by the time they were asked for."""
    table = backtests
    query = select(*table.c).where(
        table.c.status != _DELETED,
        *equal(
            [
                (table.c.config_id, config),
                (table.c.project_id, project),
                (table.c.status, status),
            ]
        ),
        *span.within(table.c.created_at),
    )
    rows, following = cut(sql, query, table.c.created_at, table.c.id, page)
    return Listing(items=tuple(map(_view, rows)), next_cursor=following)


def one_backtest(sql: Connection, backtest_id: str) -> BacktestView | None:
    """One backtest; None also when it was deleted."""
    query = select(backtests).where(backtests.c.id == backtest_id, backtests.c.status != _DELETED)
    row = sql.execute(query).one_or_none()
    return _view(row) if row else None


def _view(row: Row[tuple[object, ...]]) -> BacktestView:
    return quantconnect.backtest(row.id, row.body, row.created_at, row.at)
