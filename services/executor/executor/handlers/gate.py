"""Whether an order may go to its broker now; people are told why an exit may not."""

from decimal import Decimal

from executor.domain.broker import Asset, BrokerPosition
from executor.domain.orders import Ticket
from executor.domain.scene import Denial
from executor.domain.submission import hindrance
from executor.handlers.alarms import EXIT_WAITS
from executor.handlers.booking import quote_for, scene_of
from executor.handlers.brokerage import Brokerage
from executor.handlers.holdings import Holdings
from signalbox.contracts.values import SourceType


class Gate:
    """Of one account."""

    def __init__(self, brokerage: Brokerage, holdings: Holdings) -> None:
        self._at = brokerage
        self._holdings = holdings

    def ready(self, ticket: Ticket) -> bool:
        """Whether an entry has a quote to be sized and judged by, and its book the account's cash;
        what is over needs none.
        """
        at, work = self._at, self._at.work
        moment = work.service.moment()
        desk = work.memory.desk(moment.config)
        bot = desk.bots.get(ticket.order.bot)
        over = ticket.expires_at is not None and moment.now >= ticket.expires_at
        if over or not ticket.entry:
            return True
        if (ticket.order.bot, at.account) not in work.memory.opened:
            if at.sweep_due > at.now + at.pace.again_s:
                at.sweep_due = at.now
            return False
        return quote_for(desk, bot, ticket.order.symbol, moment) is not None

    def barred(self, symbol: str) -> Denial | None:
        """Why nothing may be opened."""
        if symbol in self._at.mismatched or self._holdings.suspected(symbol):
            words = f"the broker's position in {symbol} differs from the books"
            return Denial("position_mismatch", words)
        other = self._holdings.overvalued()
        if other is not None:
            words = f"the book looks richer than it is until the split of {other} is booked"
            return Denial("position_mismatch", words)
        return self._at.work.memory.outflow.full()

    async def hindered(self, ticket: Ticket, asset: Asset | None) -> bool:
        """Whether an exit has to wait until its account may trade; people are told."""
        if ticket.entry:
            return False
        work, order = self._at.work, ticket.order
        moment = work.service.moment()
        desk = work.memory.desk(moment.config)
        why = hindrance(
            ticket, asset, scene_of(desk, order.bot, order.symbol, moment, ticket=ticket)
        )
        if why is None:
            return False
        words = (
            f"the {order.purpose} of {order.bot} on {order.symbol} cannot be sent: {why.message}."
            " The position stays open meanwhile; it goes as soon as that is changed."
        )
        await self._at.work.alarms.tell_of(order, EXIT_WAITS, words, why.code)
        return True

    async def cover(self, ticket: Ticket, there: BrokerPosition | None) -> Decimal | None:
        """How many units a fee has taken, so that an exit may not find them; None while the
        broker does not hold what our books say: the order could open a position. After a split
        only what a person has commanded goes: levels and lots are of before it.
        """
        order = ticket.order
        cover, split = await self._holdings.cover(order.symbol, there)
        why = "the broker does not hold what the books say, and the order could open a position"
        then = "it goes as soon as they agree"
        if split is not None and order.source_type is not SourceType.MANUAL:
            cover = None
            why = f"the broker's position looks like a split of {split}, not booked here yet"
            then = "a stop is judged anew after that"
        if cover is None:
            how = await self._at.correction_of(order.symbol, order.bot)
            words = (
                f"the {order.purpose} of {order.bot} on {order.symbol} waits: {why}. Compare them"
                f" and correct the book ({how}); {then}."
            )
            await self._at.work.alarms.tell_of(order, EXIT_WAITS, words, str(split or ""))
        return cover
