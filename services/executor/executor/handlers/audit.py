"""At start: books that contradict their fills are halted before anything trades on them."""

from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import Connection

from executor.adapters import bookkeeping, store
from executor.domain.check import mismatches
from executor.domain.desk import START, Desk
from executor.handlers.booking import ExecutorMoment, alert
from signalbox.contracts.events import Event
from signalbox.runtime import metrics

_CODE = "books_mismatch"


def audit(sql: Connection, moment: ExecutorMoment) -> Iterator[Event]:
    """Outcomes: nothing; or for every contradiction a critical alert and a halt, of the key or of
    the whole bot.
    """
    found = mismatches(bookkeeping.kept(sql), bookkeeping.sums(sql))
    desk = Desk.of(moment.config, {})
    store.read(sql, desk, {bot for bot, _, _ in found})
    for bot, symbol, what in found:
        metrics.INVARIANTS.labels("position_equals_fills").inc()
        track = desk.tracks.get((bot, symbol), START)
        desk.put_track(bot, symbol, replace(track, halted=_CODE))
        words = (
            f"the books of {bot} on {symbol} contradict themselves: {what}. It is halted; compare"
            " its orders and fills, then clear the halt naming the next verdict's number."
        )
        yield alert(moment, _CODE, f"key:{bot}/{symbol}", words, what)
    store.save(sql, desk)
