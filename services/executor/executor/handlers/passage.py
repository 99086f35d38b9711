"""An order's way to its broker and back. Every call lies between two commits. An order whose
outcome is not known is looked for under its own name, and not sent again before it is proven
absent.
"""

import logging
from collections.abc import Sequence

from executor.adapters.budget import Urgency
from executor.domain.broker import Answer, BrokerFill, BrokerOrder, Kind, contradiction, fill_of
from executor.domain.money import ZERO
from executor.domain.orders import Ticket
from executor.domain.resting import altered
from executor.domain.scene import Denial
from executor.domain.submission import tries
from executor.handlers import sending
from executor.handlers.alarms import VANISHED
from executor.handlers.brokerage import Brokerage
from executor.handlers.gate import Gate
from executor.handlers.resting import Resting
from signalbox.contracts.errors import RateLimited, Refused, SignalboxError
from signalbox.contracts.ids import plain
from signalbox.contracts.values import OrderState
from signalbox.runtime.fence import FenceLost

log = logging.getLogger(__name__)


class Passage:
    """The orders of one account. Different symbols do not wait for each other; of one symbol one
    order at a time is at the broker.
    """

    def __init__(self, brokerage: Brokerage, gate: Gate, resting: Resting) -> None:
        self._at = brokerage
        self._gate = gate
        self._resting = resting
        self._pace = brokerage.pace
        self._broker = brokerage.broker

    async def step(self, symbol: str) -> None:
        """Follow what is at the broker; when nothing but stops is, send what is planned; when
        nothing is planned either, let the right stops rest.
        """
        at = self._at
        for ticket in at.tickets(symbol):
            if ticket.sent and at.is_due(ticket):
                await self._pursue(ticket)
        stops = [ticket for ticket in at.tickets(symbol) if ticket.stop]
        orders = [ticket for ticket in at.tickets(symbol) if not ticket.stop]
        sent = [ticket for ticket in orders if ticket.sent]
        planned = [ticket for ticket in orders if not ticket.sent]
        if planned and not sent:
            await self._send(planned[0], stops)
        elif planned and not planned[0].entry and sent[0].entry:
            await self._make_way(sent[0])
        elif not orders:
            begun = await self._resting.keep(symbol)
            if begun is not None:
                await self._post(begun)

    async def _make_way(self, entry: Ticket) -> None:
        """An entry that still works would stand against the exit: it is called back."""
        if entry.submission.recall is not None:
            return
        why = Denial("superseded", "an exit of the same symbol goes first")
        ending = (OrderState.CANCELED, why)
        await self._at.do(entry, lambda _s, desk, m: sending.call_back(desk, entry, ending, m))

    async def _send(self, ticket: Ticket, stops: Sequence[Ticket]) -> None:
        """Send a planned order; the stops that rest are called back first, and have ended before
        it goes.
        """
        at, watch = self._at, self._at.watch(ticket)
        if stops and all(stop.submission.recall is not None for stop in stops):
            await self._resting.wait(ticket, stops)
            return
        market = await self._market(ticket, stops)
        if market is None:
            return
        if stops:
            await self._resting.make_way(ticket, stops, market)
            if not any(stop.resting for stop in at.tickets(ticket.order.symbol)):
                watch.due = at.now
            return
        await at.do(ticket, lambda _s, desk, m: sending.begin(desk, ticket, market, m))
        begun = at.kept(ticket)
        if begun is not None and begun.order.state is OrderState.SUBMITTING:
            if begun.entry:
                at.work.memory.outflow.count()
            await self._post(begun)

    async def _market(self, ticket: Ticket, stops: Sequence[Ticket]) -> sending.Market | None:
        """What the broker says before an order may go; None while it has to wait. A stop that was
        carried out there is booked first: what it has sold is not missing.
        """
        at, symbol = self._at, ticket.order.symbol
        watch = at.watch(ticket)
        if watch.due > at.now or at.unswept or not self._gate.ready(ticket):
            return None
        watch.due = at.now + self._pace.again_s  # unless it comes further
        try:
            await self._broker.turn()
            asset = await self._broker.asset(symbol)
            if await self._gate.hindered(ticket, asset):
                return None
            there = None if ticket.entry else await self._broker.position(symbol)
            if not await self._rest_still(stops):
                watch.due = at.now  # the books are others now
                return None
            missing = ZERO if ticket.entry else await self._gate.cover(ticket, there)
        except FenceLost:
            raise
        except Refused as error:
            await at.shut(str(error))
            return None
        except SignalboxError as error:
            log.warning("order %s waits, the broker cannot be asked: %s", symbol, error)
            return None
        if missing is None:
            await self._resting.distrust(symbol, stops)
            return None
        return sending.Market(asset, missing, self._gate.barred(symbol))

    async def _rest_still(self, stops: Sequence[Ticket]) -> bool:
        """Whether the stops that rested do so after another look."""
        resting = [stop for stop in stops if stop.resting]
        for stop in resting:
            await self._pursue(stop, Urgency.SUBMIT)
        kept = [self._at.kept(stop) for stop in resting]
        return all(stop is not None and stop.resting for stop in kept)

    async def _post(self, ticket: Ticket) -> None:
        """Send it, once, and commit what became of it."""
        at, watch = self._at, self._at.watch(ticket)
        watch.limited = False
        surplus = at.tally.leave(ticket)
        if surplus is not None:
            await at.shut(surplus.message, surplus.code)
            return
        answer = await self._broker.submit(ticket)
        if answer.order is not None:
            await self.adopt(ticket, answer.order, answer.request_id)
            return
        match answer.kind:
            case Kind.LIMITED:
                watch.limited = ticket.order.state is OrderState.SUBMITTING
                watch.due = at.now + answer.retry_after_s
            case Kind.REJECTED | Kind.REFUSED | Kind.MISSING:
                if tries(ticket) > 1:  # the first one may have arrived: looked for once more
                    await self._doubt(ticket, answer, self._pace.lookups_s[0])
                else:
                    await at.do(ticket, lambda _s, d, m: sending.turned_away(d, ticket, answer, m))
                if answer.kind is Kind.REFUSED:
                    await at.shut(answer.message)
            case Kind.EXISTS:
                await self._doubt(ticket, answer, 0.0)
            case _:
                await self._doubt(ticket, answer, self._pace.lookups_s[0])

    async def _doubt(self, ticket: Ticket, answer: Answer, wait_s: float) -> None:
        watch = self._at.watch(ticket)
        watch.missing, watch.due = 0, self._at.now + wait_s
        await self._at.do(ticket, lambda _s, desk, m: sending.doubt(desk, ticket, answer, m))

    async def _pursue(self, ticket: Ticket, urgency: Urgency = Urgency.READ) -> None:
        at, watch, order = self._at, self._at.watch(ticket), ticket.order
        watch.due, watch.summoned = at.now + self._pace.again_s, False
        watch.recalled = ticket.submission.recall is not None
        try:
            if order.state is OrderState.SUBMITTING:
                await self._resume(ticket)
            elif order.state is OrderState.UNKNOWN:
                await self._look_for(ticket)
            else:
                await self._follow(ticket, urgency)
        except FenceLost:
            raise
        except RateLimited as error:
            watch.due = at.now + error.retry_after_s
        except Refused as error:
            await at.shut(str(error))
        except SignalboxError as error:  # no answer is no evidence: the order stays as it is
            log.warning("order %s cannot be looked at: %s", order.order_id, error)
        kept = at.kept(ticket)
        if kept is not None:
            await at.work.alarms.tell_of_doubt(kept, self._pace.alarm_s)

    async def _resume(self, ticket: Ticket) -> None:
        """Nobody is sending it: the broker took nothing, or this process was not there."""
        if not self._at.watch(ticket).limited:
            await self._doubt(ticket, Answer(Kind.UNKNOWN), 0.0)
            return
        await self._broker.turn()
        await self._at.do(ticket, lambda _s, desk, m: sending.retry(desk, ticket, m))
        await self._post_if_begun(ticket)

    async def _look_for(self, ticket: Ticket) -> None:
        """Found: it is ours. Not found often enough: sent again under its name, or given up."""
        at, watch, pauses = self._at, self._at.watch(ticket), self._pace.lookups_s
        shown = await self._broker.find(ticket.order.order_id)
        if shown is not None:
            await self.adopt(ticket, shown)
            return
        watch.missing += 1
        if watch.missing < len(pauses):
            watch.due = at.now + pauses[watch.missing]
            return
        watch.missing -= 1  # where it has to wait, one more look comes before the next try
        await self._broker.turn()
        await at.do(ticket, lambda _s, desk, m: sending.repost(desk, ticket, m))
        if at.kept(ticket) is None:
            at.lost[ticket.order.order_id] = [at.now + wait_s for wait_s in self._pace.abandoned_s]
        await self._post_if_begun(ticket)

    async def _post_if_begun(self, ticket: Ticket) -> None:
        kept = self._at.kept(ticket)
        if kept is not None and kept.submission.posts > ticket.submission.posts:
            await self._post(kept)

    async def _follow(self, ticket: Ticket, urgency: Urgency) -> None:
        """Look at an open order; ask for its end when nobody wants it any more."""
        watch, order = self._at.watch(ticket), ticket.order
        if ticket.submission.recall is not None and not watch.cancelled:
            answer = await self._broker.cancel(order.broker_order_id)
            watch.cancelled = answer.kind in {Kind.DONE, Kind.REJECTED, Kind.MISSING}
            watch.looks = 0
            if answer.kind is Kind.REFUSED:
                raise Refused(answer.message)
        if ticket.submission.recall is not None:
            urgency = Urgency.SUBMIT  # another order may wait for its end
        shown = await self._broker.order(order.broker_order_id, urgency)
        if shown is not None:
            watch.missing = 0
            await self._at.work.alarms.over_of(order, VANISHED, "the broker shows it again")
            await self.adopt(ticket, shown)
            return
        if ticket.submission.recall and await self._broker.find(order.order_id) is None:
            watch.missing += 1
            if watch.missing >= len(self._pace.lookups_s):
                await self._at.do(ticket, lambda _s, desk, m: sending.vanished(desk, ticket, m))
                return
        words = f"the broker does not know order {order.order_id} any more; it is asked again"
        await self._at.work.alarms.tell_of(order, VANISHED, words)

    async def adopt(self, ticket: Ticket, shown: BrokerOrder, request_id: str = "") -> None:
        """Take over what the broker shows of our order."""
        at, order = self._at, ticket.order
        wrong = contradiction(ticket, shown)
        if wrong and not altered(ticket, shown):
            await at.shut(wrong, "order_contradicts")
            return
        if wrong:
            await self._resting.altered(ticket, wrong)
        fills: list[BrokerFill] = []
        if shown.filled < order.filled:
            words = (
                f"the broker shows {plain(shown.filled)} of order {order.order_id} as filled,"
                f" {plain(order.filled)} are booked: a fill was taken back or corrected. Nothing is"
                " unbooked by itself; compare the account."
            )
            await at.work.alarms.note("fill_taken_back", f"bot:{order.bot}", words, order.order_id)
        elif shown.filled != order.filled:
            fills = await self._fills(ticket, shown)
            at.touched[order.symbol] = at.now
        seen = sending.Shown(shown, fills, request_id)
        await at.do(ticket, lambda _s, desk, m: sending.adopt(desk, ticket, seen, m))
        watch, pauses = at.watch(ticket), self._pace.watch_s
        kept = at.kept(ticket)
        pause_s = pauses[min(watch.looks, len(pauses) - 1)]
        watch.due = at.now + (self._pace.resting_s if kept and kept.resting else pause_s)
        watch.looks += 1
        if watch.looks % len(pauses) == 0:
            watch.cancelled = False  # ask again
        if shown.state is None:
            words = f"the broker says {shown.status!r} of an order, which is not known here"
            await at.work.alarms.note("unknown_status", f"bot:{order.bot}", words, shown.status)

    async def _fills(self, ticket: Ticket, shown: BrokerOrder) -> list[BrokerFill]:
        """Its executions; none when they cannot be read now, which is no evidence either. One that
        is not listed for long is taken from the order itself.
        """
        at, watch = self._at, self._at.watch(ticket)
        try:
            fills = await self._broker.fills(broker_id=shown.broker_id)
        except Refused:
            raise
        except SignalboxError as error:
            log.warning("fills of order %s cannot be read: %s", shown.client_id, error)
            return []
        if any(fill.cumulative == shown.filled for fill in fills):
            watch.unlisted = None
            return fills
        if watch.unlisted is None:
            watch.unlisted = at.now
        if at.now - watch.unlisted < self._pace.alarm_s:
            return fills
        whole = fill_of(shown, ticket, at.work.service.moment().wall)
        return [whole] if whole else fills
