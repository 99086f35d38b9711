"""Bars in memory: what is due, what is shown, what came late."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from market_data.domain.rows import Row
from market_data.domain.shelf import Shelf, Taken

START = datetime(2026, 8, 3, 14, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PRICE = Decimal(100)


def row(minute: int, close: int = 100, volume: int = 1) -> Row:
    opened = START + minute * MINUTE
    top = max(PRICE, Decimal(close))
    return Row(opened, opened + MINUTE, opened, PRICE, top, PRICE, Decimal(close), Decimal(volume))


def closes(minute: int) -> datetime:
    return START + (minute + 1) * MINUTE


def test_only_what_is_published_is_shown() -> None:
    shelf = Shelf("AAPL", "1m")
    shelf.take([row(n) for n in range(5)])
    assert shelf.shown(closes(9), 10) == ()
    shelf.begin(closes(1))
    assert [r.opened_at for r in shelf.shown(closes(9), 10)] == [START, START + MINUTE]
    assert len(shelf.shown(closes(0), 10)) == 1
    due = shelf.due()
    assert [r.closed_at for r in due] == [closes(2), closes(3), closes(4)]
    shelf.send(due[0])
    assert len(shelf.shown(closes(9), 10)) == 3  # whoever hears of it may ask for it
    assert len(shelf.due()) == 3  # it is not out yet
    shelf.sent(due[0])
    assert len(shelf.due()) == 2
    assert shelf.shown(closes(9), 2) == [row(1), row(2)]


def test_a_correction_replaces_and_a_late_bar_finds_its_place() -> None:
    shelf = Shelf("AAPL", "1m")
    shelf.begin(START)
    assert shelf.take([row(0), row(2)]) == Taken(new=2, corrected=0, late=0)
    for one in shelf.due():
        shelf.sent(one)
    assert shelf.take([row(0, 101), row(1), row(2)]) == Taken(new=1, corrected=1, late=1)
    assert [r.close for r in shelf.rows] == [101, 100, 100]
    assert shelf.due() == []


def test_memory_is_bounded_and_the_oldest_go_first() -> None:
    shelf = Shelf("AAPL", "1m", most=3)
    shelf.begin(START)
    shelf.take([row(n, volume=n % 4) for n in range(10)])
    assert [r.opened_at for r in shelf.rows] == [row(n).opened_at for n in (7, 8, 9)]
    assert shelf.last_volume() == 1


@given(st.lists(st.integers(0, 30), max_size=40), st.integers(1, 10))
def test_whatever_the_order_every_new_minute_is_due_once(minutes: list[int], batch: int) -> None:
    shelf, out = Shelf("AAPL", "1m"), list[Row]()
    shelf.begin(START)
    for first in range(0, len(minutes), batch):
        shelf.take([row(n) for n in minutes[first : first + batch]])
        for one in shelf.due():
            shelf.sent(one)
            out.append(one)
    assert [r.opened_at for r in out] == sorted({r.opened_at for r in out})
    assert [r.opened_at for r in shelf.rows] == sorted({row(n).opened_at for n in minutes})
    if minutes:
        assert out[-1].opened_at == row(max(minutes)).opened_at
