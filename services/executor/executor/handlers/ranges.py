"""How far prices move, for the bots whose sizing asks for it: read from market-data's bars and kept
in mind. Nothing is stored; a restart reads it again.
"""

import asyncio
import logging
from datetime import datetime, timedelta

from pydantic import JsonValue, TypeAdapter, ValidationError

from executor.domain.volatility import Key, bars_for, key_of, range_of, seconds_of
from executor.handlers.booking import ExecutorMoment
from executor.handlers.work import Work
from signalbox.contracts.errors import SignalboxError
from signalbox.contracts.payloads import Bar

log = logging.getLogger(__name__)

_LOOK_S = 1.0
_AGAIN_S = 30.0  # after bars could not be read, or were too few
_ASK_TIMEOUT_S = 5.0
_BARS = TypeAdapter(list[Bar])


class Ranges:
    """Asks for bars when the next one of a series must have closed."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._later: dict[Key, float] = {}  # on the loop's clock: not asked again before

    async def follow_for_ever(self) -> None:
        """Keep what is wanted up to date."""
        while True:
            await self.follow()
            await asyncio.sleep(_LOOK_S)

    async def follow(self) -> None:
        """One look."""
        moment = self._work.service.moment()
        for key in sorted(self._wanted(moment)):
            if self._due(key, moment.now, moment.epoch):
                await self._read(key)

    def _wanted(self, moment: ExecutorMoment) -> set[Key]:
        """Of every bot that sizes by it: its symbols, else all that have a quote."""
        quoted = self._work.memory.board.snapshot()
        return {
            key_of(symbol, bot.sizing)
            for bot in moment.config.bots
            if bot.enabled and bot.sizing.kind == "volatility_target"
            for symbol in bot.symbols or quoted
        }

    def _due(self, key: Key, now: datetime, epoch: int) -> bool:
        if asyncio.get_running_loop().time() < self._later.get(key, 0.0):
            return False
        known = self._work.memory.ranges.get(key)
        if known is None or known.epoch != epoch:
            return True
        return now >= known.at + timedelta(seconds=seconds_of(key[1]))

    async def _read(self, key: Key) -> None:
        symbol, interval, period = key
        moment, memory = self._work.service.moment(), self._work.memory
        count = bars_for(period)
        body: dict[str, JsonValue] = {"symbol": symbol, "interval": interval, "count": count}
        found = None
        try:
            answer = await self._work.service.ask(
                "market-data", "bars", body, by="executor", timeout_s=_ASK_TIMEOUT_S
            )
            found = range_of(_BARS.validate_python(answer["bars"]), period, moment.epoch)
        except (SignalboxError, ValidationError, KeyError) as error:
            log.warning("no bars of %s %s: %r", symbol, interval, error)
        before = memory.ranges.get(key)
        if found is not None:
            memory.ranges = {**memory.ranges, key: found}
        if found is None or (before is not None and before.at == found.at):
            self._later[key] = asyncio.get_running_loop().time() + _AGAIN_S
