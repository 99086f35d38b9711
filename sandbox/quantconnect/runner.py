"""Runs backtests on a few nodes, one after the other where there are more."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from sandbox.history import History
from sandbox.quantconnect.algorithm import Algorithm
from sandbox.quantconnect.backtest import RUNNING, Backtest
from sandbox.quantconnect.formats import hex32
from sandbox.quantconnect.rules import Rule, RuleError
from sandbox.quantconnect.tasks import Tasks
from signalbox.contracts.errors import SignalboxError
from signalbox.contracts.payloads import Bar

BACKTEST_NODES = tuple(f"BN-{hex32('backtest node', n)}" for n in (1, 2))
MOST_BACKTESTS = 100  # that are kept
_STEPS = 50  # of progress


@dataclass(slots=True)
class Runner:
    """The backtests of the account, oldest first."""

    history: History
    tasks: Tasks
    seconds: float = 0.0  # that one takes at least
    shows_running: bool = False  # some clients know no other status than queued and completed
    backtests: dict[str, Backtest] = field(default_factory=dict)
    free: list[str] = field(default_factory=lambda: list(BACKTEST_NODES))
    _nodes: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))

    def start(self, backtest: Backtest) -> None:
        """Queue one."""
        self.backtests[backtest.id] = backtest
        ended = [b.id for b in self.backtests.values() if b.is_over]
        for id_ in ended[: max(len(self.backtests) - MOST_BACKTESTS, 0)]:
            del self.backtests[id_]
        self.tasks.start(backtest.id, self._run(backtest))

    def delete(self, backtest: Backtest) -> None:
        """End it and forget it."""
        self.tasks.cancel(backtest.id)
        del self.backtests[backtest.id]

    async def _run(self, backtest: Backtest) -> None:
        async with self._nodes:
            node = self.free.pop(0)
            backtest.node = node
            try:
                rule = backtest.initialize()
                await self._work(backtest, rule)
            except RuleError as error:
                backtest.fail(f"During the algorithm initialization: {error}")
            except SignalboxError as error:
                backtest.fail(f"No data: {error}")
            finally:
                self.free.append(node)

    async def _work(self, backtest: Backtest, rule: Rule) -> None:
        bars: list[Bar] = []
        for symbol in rule.symbols:
            bars += await self.history.bars(symbol, rule.interval, backtest.start, backtest.end)
        groups = backtest.groups(bars)
        run = backtest.run
        start = backtest.start or backtest.created
        if run is None:
            return
        if self.shows_running:
            backtest.status = RUNNING
        run.log(start, f"The sandbox runs {rule.model}, not the project's code")
        run.begin(groups[0][0].opened_at if groups else start)
        await self._steps(backtest, run, groups)
        run.log(backtest.end or start, f"Algorithm ended with equity {run.equity:.2f}")
        backtest.finish(run, start, backtest.end or start)

    async def _steps(self, backtest: Backtest, run: Algorithm, groups: Sequence[list[Bar]]) -> None:
        size = -(-len(groups) // _STEPS) or 1
        starts = range(0, len(groups), size)
        for first in starts:
            await asyncio.sleep(self.seconds / len(starts))
            for group in groups[first : first + size]:
                run.think(group)
            backtest.progress = round(min(first + size, len(groups)) / len(groups) * 0.99, 4)
