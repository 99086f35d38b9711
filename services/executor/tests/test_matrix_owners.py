"""Whatever a book holds and however a bot ranks its sources: nobody closes what is another's."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from executor.domain.book import Book, Holding
from executor.domain.plan import plan
from executor.domain.scene import Denial, Scene
from signalbox.contracts.config import Policy
from signalbox.contracts.limits import Limits
from signalbox.contracts.payloads import Lot
from signalbox.contracts.values import Action, Side, SourceType
from signalbox.testing.examples import NOON, a_bot, a_quote, a_signal, a_verdict, an_account

KINDS, IDS = st.sampled_from(SourceType), st.sampled_from(["one", "two"])
UNITS = st.integers(-9, 9).filter(bool)
RANKS = st.one_of(
    st.just(Policy().priorities), st.dictionaries(KINDS, st.integers(0, 3)), st.just({})
)


def a_lot(number: int, kind: SourceType, name: str, units: int) -> Lot:
    return Lot(
        lot_id=UUID(int=number),
        source_type=kind,
        source_id=name,
        quantity=Decimal(units),
        entry_price=Decimal(200),
        opened_at=NOON + timedelta(seconds=number),
        order_id="0" * 32,
    )


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.tuples(KINDS, IDS, UNITS), max_size=8),
    st.tuples(KINDS, IDS, st.sampled_from(Action)),
    RANKS,
    st.booleans(),
    st.booleans(),
)
def test_an_order_closes_its_own_source_or_lower_ones(
    owned: list[tuple[SourceType, str, int]],
    word: tuple[SourceType, str, Action],
    ranks: dict[SourceType, int],
    flatten: bool,
    shorts: bool,
) -> None:
    kind, name, action = word
    # A source is long or short, never both: its newer word closes what stands against it.
    sides: dict[tuple[SourceType, str], int] = {}
    lots = [
        a_lot(number, k, n, abs(units) * sides.setdefault((k, n), 1 if units > 0 else -1))
        for number, (k, n, units) in enumerate(owned, 1)
    ]
    units = sum((lot.quantity for lot in lots), Decimal(0))
    book = Book(
        "alpha",
        "paper-alpha",
        Decimal(10**6),
        Decimal(10**6),
        holdings={"AAPL": Holding(units, cost=units * 200, price=Decimal(210), lots=tuple(lots))},
    )
    bot = a_bot(
        policy=Policy(priorities=ranks),
        flatten_lower=flatten,
        allow_short=shorts,
        limits=Limits(max_position_notional=Decimal(10**6)),
    )
    scene = Scene(bot, an_account(), book, a_quote(), NOON)
    signal = a_signal(action=action, source_type=kind, source_id=name)
    answer = plan(a_verdict(signal), 1, scene)
    if isinstance(answer, Denial):
        assert answer.code == "nothing_to_change"
        return
    assert action is not Action.HOLD
    closing = [lot for lot in lots if lot.lot_id in answer.targets]
    own = [lot for lot in closing if (lot.source_type, lot.source_id) == (kind, name)]
    for lot in closing:
        if lot not in own:
            assert flatten
            assert action is not Action.CLOSE
            assert ranks.get(lot.source_type, 0) < ranks.get(kind, 0)
        assert (lot.quantity > 0) is (answer.side is Side.SELL)
    assert [lot.lot_id for lot in own] == list(answer.targets[: len(own)])
    if answer.entry:
        assert not closing
        assert answer.side is Side.BUY or shorts
        assert answer.side.value == action.value
    else:
        assert answer.quantity == sum(abs(lot.quantity) for lot in closing) > 0
