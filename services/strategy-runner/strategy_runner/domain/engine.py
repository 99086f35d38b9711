"""One strategy instance on one symbol: fed bar by bar; a repeated bar gets its old answer again."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from signalbox.contracts.config import StrategyInstance
from signalbox.contracts.intervals import interval_length
from signalbox.contracts.payloads import Bar
from strategy_runner.domain.strategy import Opinion, kind_named

HISTORY = 1000  # bars to warm up on: as many as the stream keeps, so that a backlog is remembered
REMEMBERED = 500  # opinions kept for bars that come again
LONGEST_BREAK = timedelta(days=4)  # between two sessions; a longer one may hide a missing session


class Engine:
    """Keeps a strategy's place in the series of bars."""

    def __init__(self, instance: StrategyInstance, history: Iterable[Bar] = ()) -> None:
        """Warm up on history, oldest first.

        Raises:
            Malformed: there is no such strategy or interval, or it refuses its parameters.
        """
        interval_length(instance.interval)
        self.instance = instance
        self.bars = 0
        self._strategy = kind_named(instance.strategy).start(instance.parameters)
        self._last: Bar | None = None
        self._said: dict[datetime, Opinion] = {}  # by the bar's opening, newest last
        for bar in history:
            self.hear(bar)

    @property
    def warm(self) -> bool:
        """Whether the next bar may get an opinion."""
        return self.bars >= self._strategy.warm_up

    def takes(self, bar: Bar) -> bool:
        """Whether this bar is known already or follows without a gap; else warm up again."""
        if self._last is None or bar.opened_at <= self._last.opened_at:
            return True
        return follows(self._last, bar)

    def hear(self, bar: Bar) -> Opinion | None:
        """The opinion on a bar: on the next one, on one that comes again, or none."""
        if self._last is not None and bar.opened_at <= self._last.opened_at:
            return self._said.get(bar.opened_at)
        self._last = bar
        opinion = self._strategy.update(bar)
        self.bars += 1
        if opinion is None or self.bars <= self._strategy.warm_up:
            return None
        self._said[bar.opened_at] = opinion
        if len(self._said) > REMEMBERED:
            del self._said[next(iter(self._said))]
        return opinion


def follows(last: Bar, bar: Bar) -> bool:
    """Whether `bar` is the next one: it opens at the last close, or a session later, and its prices
    are of the same feed and scale.
    """
    if (bar.epoch, bar.origin) != (last.epoch, last.origin):
        return False
    if bar.opened_at == last.closed_at:
        return True
    return not last.session_open and bar.opened_at - last.closed_at <= LONGEST_BREAK
