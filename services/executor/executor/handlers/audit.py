"""At start: books that contradict their fills are halted before anything trades on them."""

from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import Connection

from executor.adapters import bookkeeping, store
from executor.domain.check import mismatches
from executor.domain.desk import START, Desk
from executor.handlers.booking import BOOKS_MISMATCH, ExecutorMoment, halt, way_out
from signalbox.contracts.events import Event
from signalbox.runtime import metrics


def audit(sql: Connection, moment: ExecutorMoment) -> Iterator[Event]:
    """Outcomes: nothing; or for every key, or whole bot, that contradicts itself a halt and a
    critical alert, unless it is halted for that.
    """
    found = defaultdict(list)
    for bot, symbol, what in mismatches(bookkeeping.kept(sql), bookkeeping.sums(sql)):
        metrics.INVARIANTS.labels("position_equals_fills").inc()
        found[bot, symbol].append(what)
    desk = Desk.of(moment.config, {})
    store.read(sql, desk, {bot for bot, _ in found})
    for key, wrong in found.items():
        track = desk.tracks.get(key, START)
        if track.halted == BOOKS_MISMATCH:
            continue
        words = (
            f"the books of {key[0]} on {key[1]} contradict themselves: {'; '.join(wrong)}. It is"
            f" halted; compare its orders and fills, {way_out(track.sequence + 1)}"
        )
        yield from halt(desk, key, BOOKS_MISMATCH, words, moment)
    store.save(sql, desk)
