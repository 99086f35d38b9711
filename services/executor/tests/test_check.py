"""Books that contradict their fills are found."""

from decimal import Decimal
from typing import Any

import pytest

from executor.domain.check import Kept, Sums, Traded, mismatches
from executor.domain.desk import Track
from executor.domain.turns import Turn, passed, turn

D = Decimal
KEY, BOOK = ("alpha", "paper-alpha", "AAPL"), ("alpha", "paper-alpha")
FILLS = (
    Traded(*KEY, buy=True, quantity=D(10), price=D(100), fee=D(1)),
    Traded(*KEY, buy=False, quantity=D(4), price=D(110), fee=D("0.5")),
)


def kept(**over: Any) -> Kept:
    fields: dict[str, Any] = {
        "positions": {KEY: D(6)},
        "lots": {KEY: D(6)},
        "cash": {BOOK: D("438.5")},
        "started_with": {BOOK: D(1000)},
    }
    return Kept(**(fields | over))


@pytest.mark.parametrize(
    ("books", "found"),
    [
        pytest.param(kept(), [], id="all agrees"),
        pytest.param(kept(positions={KEY: D(7)}), [("alpha", "AAPL")], id="position"),
        pytest.param(kept(lots={}), [("alpha", "AAPL")], id="lots are missing"),
        pytest.param(kept(positions={}, lots={}), [("alpha", "AAPL")], id="position is missing"),
        pytest.param(kept(cash={BOOK: D("438.51")}), [("alpha", "*")], id="cash"),
        pytest.param(kept(cash={}, started_with={}), [("alpha", "*")], id="book is missing"),
        pytest.param(
            kept(positions={KEY: D(6), ("beta", "x", "T"): D(1)}), [("beta", "T")], id="no fills"
        ),
    ],
)
def test_mismatches(books: Kept, found: list[tuple[str, str]]) -> None:
    sums = Sums()
    sums.take(FILLS)
    told = mismatches(books, sums)
    assert [(bot, symbol) for bot, symbol, _ in told] == found
    assert all("account" in words for _, _, words in told)


@pytest.mark.parametrize(
    ("sequence", "track", "whose"),
    [
        pytest.param(1, Track(), Turn.NEXT, id="the first"),
        pytest.param(8, Track(7), Turn.NEXT, id="the next"),
        pytest.param(7, Track(7), Turn.PAST, id="the last one again"),
        pytest.param(3, Track(7), Turn.PAST, id="an old one"),
        pytest.param(9, Track(7), Turn.EARLY, id="one is missing"),
        pytest.param(2, Track(), Turn.EARLY, id="the first is missing"),
        pytest.param(9, Track(7, "dead_letter"), Turn.NEXT, id="nobody waits on a halted key"),
        pytest.param(7, Track(7, "dead_letter"), Turn.PAST, id="not even there twice"),
    ],
)
def test_turn(sequence: int, track: Track, whose: Turn) -> None:
    assert turn(sequence, track) is whose


def test_a_track_never_goes_back_and_stays_halted() -> None:
    assert passed(3, Track(7, "x")) == Track(7, "x")
    assert passed(9, Track(7)) == Track(9)
