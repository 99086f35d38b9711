"""The bars around a signal, from market-data. It never shows one that has not closed yet."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import count

from pydantic import JsonValue, TypeAdapter

from lab.domain.scoring import Claim
from signalbox.contracts.errors import NotFound, TransientError
from signalbox.contracts.intervals import interval_length
from signalbox.contracts.payloads import Bar
from signalbox.contracts.values import Value
from signalbox.runtime.hosts import Asks


class Listed(Value):
    """One series that market-data has."""

    symbol: str
    interval: str


MOST_BARS = 1000  # that market-data gives at once
_STEP = 960  # bars that a wider look for the first one spans; it may overlap with the one before
_TIMEOUT_S = 5.0
_BARS = TypeAdapter(list[Bar])
_LISTED = TypeAdapter(list[Listed])


class Prices:
    """Asks for as few bars as are needed."""

    def __init__(self, host: Asks) -> None:
        self._host = host
        self._finest: dict[str, str] = {}  # interval by symbol

    async def around(self, claims: Sequence[Claim]) -> dict[Claim, list[Bar]]:
        """Bars for claims about one symbol, of its finest interval: see `scoring.score`. None
        where market-data does not know the symbol.

        Raises:
            TransientError: market-data does not answer.
        """
        interval = await self._interval(claims[0].symbol)
        if interval is None:
            return {claim: [] for claim in claims}
        length = interval_length(interval)
        found: dict[Claim, list[Bar]] = {}
        for run in _runs(claims, (MOST_BARS - 3) * length):
            since = min(claim.raised_at for claim in run)
            until = max(claim.due_at for claim in run)
            needed = (until - since) // length + 3  # the one before, and a part at either end
            if needed <= MOST_BARS:
                bars = await self._bars(run[0].symbol, interval, until, needed)
                found |= dict.fromkeys(run, bars)
            else:
                found[run[0]] = await self._both_ends(run[0], interval, length)
        return found

    async def _both_ends(self, claim: Claim, interval: str, length: timedelta) -> list[Bar]:
        """The bars around the beginning of one claim, and the last one before its end."""
        last = await self._bars(claim.symbol, interval, claim.due_at, 1)
        for step in count():
            before = claim.raised_at + (2 * length if step == 0 else step * _STEP * length)
            wanted = 4 if step == 0 else MOST_BARS
            first = await self._bars(claim.symbol, interval, min(before, claim.due_at), wanted)
            if before >= claim.due_at or any(b.opened_at >= claim.raised_at for b in first):
                return first + last
        raise AssertionError("a count without an end has ended")

    async def _bars(self, symbol: str, interval: str, before: datetime, number: int) -> list[Bar]:
        body: dict[str, JsonValue] = {
            "symbol": symbol,
            "interval": interval,
            "before": before.isoformat(),
            "count": number,
        }
        try:
            return _BARS.validate_python((await self._ask("bars", body))["bars"])
        except NotFound as error:
            self._finest.clear()
            raise TransientError(f"market-data has other bars than it listed: {error}") from error

    async def _interval(self, symbol: str) -> str | None:
        """The finest interval of a symbol; asked again as long as it is not known."""
        if symbol not in self._finest:
            listed = _LISTED.validate_python((await self._ask("symbols", {}))["symbols"])
            self._finest = _finest(listed)
        return self._finest.get(symbol)

    async def _ask(self, verb: str, body: dict[str, JsonValue]) -> dict[str, JsonValue]:
        return await self._host.ask("market-data", verb, body, by="lab", timeout_s=_TIMEOUT_S)


def _runs(claims: Sequence[Claim], longest: timedelta) -> Iterator[list[Claim]]:
    """Claims that one look shows, each longer one alone."""
    run: list[Claim] = []
    for claim in sorted(claims, key=lambda c: (c.raised_at, c.due_at)):
        if run and max(c.due_at for c in (*run, claim)) - run[0].raised_at > longest:
            yield run
            run = []
        run.append(claim)
    yield run


def _finest(listed: Sequence[Listed]) -> dict[str, str]:
    """The shortest interval of each symbol."""
    coarse_first = sorted(listed, key=lambda one: interval_length(one.interval), reverse=True)
    return {one.symbol: one.interval for one in coarse_first}
