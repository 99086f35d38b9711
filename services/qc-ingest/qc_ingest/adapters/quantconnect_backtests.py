"""Backtests: start, follow, read and remove them."""

from collections.abc import Mapping
from datetime import datetime

from qc_ingest.adapters.transport import Body, Transport
from qc_ingest.domain.backtests import Reading, Summary, parse_backtest, parse_summaries
from qc_ingest.domain.history import PAGE, Page, Rows, pages_of, parse_page
from qc_ingest.domain.wire import Json

_PATHS = {Rows.ORDERS: "backtests/orders/read", Rows.INSIGHTS: "backtests/read/insights"}
_CHART_POINTS = 1000


class Backtests:
    """The `backtests` endpoints."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def create(
        self, project_id: int, compile_id: str, name: str, parameters: Mapping[str, str]
    ) -> Reading:
        """Start one of a build."""
        sent: dict[str, Json] = dict(parameters)
        body: Body = {
            "projectId": project_id,
            "compileId": compile_id,
            "backtestName": name,
            "parameters": sent,
        }
        fields = await self._transport.change("backtests/create", body, expects=("backtest",))
        return parse_backtest(fields.get("backtest"))

    async def read(self, project_id: int, backtest_id: str) -> Reading:
        """How one stands; look at `is_final` before its numbers."""
        body: Body = {"projectId": project_id, "backtestId": backtest_id}
        fields = await self._transport.read("backtests/read", body, expects=("backtest",))
        return parse_backtest(fields.get("backtest"))

    async def all(self, project_id: int) -> list[Summary]:
        """Every backtest of a project; QuantConnect does not page this list."""
        body: Body = {"projectId": project_id, "includeStatistics": False}
        fields = await self._transport.read("backtests/list", body, expects=("backtests",))
        return parse_summaries(fields.get("backtests"))

    async def delete(self, project_id: int, backtest_id: str) -> None:
        """Remove one; a running one is cancelled."""
        body: Body = {"projectId": project_id, "backtestId": backtest_id}
        await self._transport.change("backtests/delete", body)

    async def chart(
        self, project_id: int, backtest_id: str, name: str, start: datetime, end: datetime
    ) -> Json:
        """One chart, raw.

        Raises:
            PermanentError: there is none of this name.
            Loading: it was not ready within a minute.
        """
        body: Body = {
            "projectId": project_id,
            "backtestId": backtest_id,
            "name": name,
            "count": _CHART_POINTS,
            "start": int(start.timestamp()),
            "end": int(end.timestamp()),
        }
        fields = await self._transport.prepared("backtests/chart/read", body, expects=("chart",))
        return fields.get("chart")

    async def pages(
        self, kind: Rows, project_id: int, backtest_id: str, start: int = 0
    ) -> dict[int, Page]:
        """The page of orders or insights that begins at `start`, by that, oldest first. Closed
        trades come all at once, in every page.

        Raises:
            Loading: the data was not ready within a minute.
        """
        if kind is Rows.TRADES:
            trades = (await self.read(project_id, backtest_id)).trades
            return {start: Page((), len(trades), is_last=True)} | pages_of(trades)
        body: Body = {
            "projectId": project_id,
            "backtestId": backtest_id,
            "start": start,
            "end": start + PAGE,
        }
        fields = await self._transport.prepared(_PATHS[kind], body, expects=(kind.value,))
        return {start: parse_page(kind, fields, start)}
