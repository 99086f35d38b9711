"""What an account holds at its broker against what our books say. Differences are told, not mended
by orders.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from executor.adapters import brokered
from executor.domain.broker import BrokerPosition
from executor.domain.money import ZERO, halfway, multiply, subtract
from executor.domain.splits import Split, far, likely
from executor.handlers.brokerage import MISMATCH, Brokerage
from signalbox.contracts.ids import plain
from signalbox.runtime import metrics

_SURE = 2  # looks in a row that must show the same difference
_CRYPTO_SHARE = Decimal("0.003")  # what another fee than the configured one may make up
_JUMP = Decimal("1.2")  # times; the smallest split that is looked for is 5:4
_DOUBTED = timedelta(days=7)  # market time in which a broker books a split
_PRICE_TOO = "the price has moved the other way"
_UNITS_ONLY = "its units fit; the price before is not known since the executor started"
_DUST = Decimal(1)  # account currency: what is left of a pair when its fee was another one


@dataclass(frozen=True, slots=True)
class _Agreed:
    """A price at which broker and books agreed, and when they last did."""

    price: Decimal
    at: datetime


class Holdings:
    """One account."""

    def __init__(self, brokerage: Brokerage) -> None:
        self._at = brokerage
        self._suspects: dict[str, int] = {}
        self._looks = 0
        self._before: dict[str, list[_Agreed]] = {}  # by symbol, oldest first
        self._splits: dict[str, Split] = {}  # that people have been told of
        self._overvalued: set[str] = set()  # symbols: old units at new prices are worth too much

    async def cover(
        self, symbol: str, shown: BrokerPosition | None
    ) -> tuple[Decimal | None, Split | None]:
        """How many units the broker holds less than our books say, by a fee; None when the two
        differ by more, or are on other sides: an exit could open a position. And the split that
        the difference looks like.
        """
        at = self._at
        ours = await at.read(lambda sql: brokered.held(sql, at.account))
        held, there = ours.get(symbol, ZERO), shown.quantity if shown else ZERO
        split = self._split(symbol, held, there)
        missing = subtract(held.copy_abs(), there.copy_abs())
        if (held > 0) is (there > 0) and missing <= ZERO:
            return ZERO, split
        return max(missing, ZERO) if same(symbol, held, there) else None, split

    def suspected(self, symbol: str) -> bool:
        """Whether the first looks of this process show a difference that is not told yet."""
        return self._looks < _SURE and symbol in self._suspects

    def overvalued(self) -> str | None:
        """A symbol by which the book looks richer than it is, until its split is booked."""
        return min(self._overvalued, default=None)

    async def compare(self, shown: Sequence[BrokerPosition]) -> bool:
        """Tell of symbols where broker and books differ, once two looks in a row say so. A list
        that shows nothing is a difference as any other: it does not make our books flat. Returns
        whether a second look is due soon.
        """
        at = self._at
        ours = await at.read(lambda sql: brokered.held(sql, at.account))
        theirs = {one.symbol: one.quantity for one in shown}
        moving = {  # a stop that rests moves nothing, unless something was heard of it
            t.order.symbol for t in at.tickets() if t.sent and (not t.resting or at.is_due(t))
        }
        for symbol in sorted({*ours, *theirs, *at.mismatched}):
            if symbol in moving or at.now - at.touched.get(symbol, -1e9) < at.pace.settle_s:
                self._suspects.pop(symbol, None)
                continue
            held, there = ours.get(symbol, ZERO), theirs.get(symbol, ZERO)
            price = self._price(symbol)
            if same(symbol, held, there, price):
                self._remember(symbol, price)
                await self._agreed(symbol)
            else:
                await self._differs(symbol, held, there)
        self._looks += 1
        metrics.POSITION_MISMATCHES.labels(at.account).set(len(at.mismatched))
        return bool(self._suspects.keys() - at.mismatched)

    def _price(self, symbol: str) -> Decimal | None:
        quote = self._at.work.memory.board.snapshot().get(symbol)
        return halfway(quote) if quote else None

    def _remember(self, symbol: str, price: Decimal | None) -> None:
        """The price at which broker and books agree, and for a while also those that it has jumped
        from: the jump may be a split that the broker does not show yet.
        """
        if price is None:
            return
        now = self._at.work.service.moment().now
        known = () if symbol in self._at.mismatched else self._before.get(symbol, ())
        doubted = [
            one for one in known if now - one.at < _DOUBTED and far(one.price, price) >= _JUMP
        ]
        self._before[symbol] = [*doubted, _Agreed(price, now)]

    def _split(self, symbol: str, held: Decimal, there: Decimal) -> Split | None:
        if "/" in symbol:
            return None
        now = self._price(symbol)
        before: list[Decimal | None] = [one.price for one in self._before.get(symbol, ())]
        found = (likely(held, there, price, now) for price in reversed(before or [None]))
        return next((split for split in found if split is not None), None)

    async def _agreed(self, symbol: str) -> None:
        self._suspects.pop(symbol, None)
        self._splits.pop(symbol, None)
        self._overvalued.discard(symbol)
        await self._at.over(MISMATCH, f"broker and books agree on {symbol} again", symbol)

    async def _differs(self, symbol: str, held: Decimal, there: Decimal) -> None:
        at = self._at
        self._suspects[symbol] = self._suspects.get(symbol, 0) + 1
        split = self._split(symbol, held, there)
        if split is not None and (split.new < split.old) is (held > ZERO):
            self._overvalued.add(symbol)
        known = symbol in at.mismatched and split in {None, self._splits.get(symbol)}
        if self._suspects[symbol] < _SURE or known:
            return
        words = (
            f"account {at.account} holds {plain(there)} of {symbol} at the broker, the books say"
            f" {plain(held)}."
        )
        how = await at.correction_of(symbol)
        if split is not None:
            self._splits[symbol] = split
            price_too = bool(self._before.get(symbol))
            words += (
                f" It looks like a split of {split}: no order of ours did it, and"
                f" {_PRICE_TOO if price_too else _UNITS_ONLY}. Nothing is opened there; stops and"
                " exits of sources wait: their levels are of before. Look it up, then correct the"
                f' book: {how}, "split": "{split}".'
            )
        else:
            words += (
                " Nothing is opened there until they agree, and no order is made to mend it:"
                f" somebody else may trade in this account. Correct the book ({how}), or trade the"
                " difference back at the broker."
            )
        await at.tell(MISMATCH, words, symbol, str(split or ""))


def same(symbol: str, held: Decimal, there: Decimal, price: Decimal | None = None) -> bool:
    """Whether two positions agree; of crypto to the part that a fee may make up, or to dust, where
    a price says that it is.
    """
    apart = subtract(held, there).copy_abs()
    if "/" not in symbol or not apart:
        return not apart
    if price is not None and multiply(apart, price) < _DUST:
        return True
    larger = max(held.copy_abs(), there.copy_abs())
    return (held > 0) is (there > 0) and apart <= multiply(larger, _CRYPTO_SHARE)
