"""Keeps the stops of an account's lots at its broker while nothing else is to be done on their
symbol. The watch goes on beside it: `protect.py`.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from executor.adapters import brokered
from executor.adapters.alarms import Alarm
from executor.domain.broker import objection
from executor.domain.desk import Desk
from executor.domain.money import ZERO
from executor.domain.orders import Ticket
from executor.domain.resting import Level, level_of, outdated
from executor.domain.scene import Denial
from executor.domain.submission import Cleared
from executor.handlers import sending
from executor.handlers.alarms import EXIT_WAITS
from executor.handlers.booking import ExecutorMoment
from executor.handlers.brokerage import Brokerage
from executor.handlers.holdings import Holdings
from executor.handlers.stops import Placing, call_back_all, place_one
from signalbox.contracts.accounts import AccountConfig
from signalbox.contracts.errors import Refused, SignalboxError
from signalbox.contracts.events import Event
from signalbox.contracts.payloads import Lot
from signalbox.contracts.values import OrderState, Severity

log = logging.getLogger(__name__)

WATCHED = "stop_watched"
_OFF = Denial("config_changed", "stops of this account are not left at the broker any more")
_DIFFERS = Denial("position_mismatch", "the broker's position differs from the books")
_CHANGED = Denial("replaced", "the lot, or its stop, is another one now")
_Look = tuple[tuple[tuple[Ticket, Denial], ...], tuple[tuple[UUID, Level], ...]]
_NOTHING: _Look = ((), ())


@dataclass(frozen=True, slots=True)
class _Vain:
    """What nothing came of, and until when, on the loop's clock, nothing will."""

    what: frozenset[object]
    until: float


class Resting:
    """Of one account."""

    def __init__(self, brokerage: Brokerage, holdings: Holdings) -> None:
        self._at = brokerage
        self._holdings = holdings
        self._busy_at: dict[str, float] = {}  # by symbol: when another order was last open there
        self._vain: dict[str, _Vain] = {}  # by symbol

    def due(self) -> set[str]:
        """The symbols where a stop is missing or is not the right one any more."""
        at, found = self._at, set[str]()
        if at.unswept:
            return found
        tickets: dict[str, list[Ticket]] = {}
        for ticket in at.tickets():
            tickets.setdefault(ticket.order.symbol, []).append(ticket)
        for symbol in {*at.work.memory.guarded, *tickets}:
            look = self._look(symbol, tickets.get(symbol, ()))
            vain = self._vain.get(symbol)
            waits = vain is not None and vain.what == _what(look) and at.now < vain.until
            if look != _NOTHING and not waits:
                found.add(symbol)
        return found

    async def keep(self, symbol: str) -> Ticket | None:
        """Call back what is not right; else begin what is missing: one stop, to be posted now."""
        at = self._at
        look = self._look(symbol, at.tickets(symbol))
        if look == _NOTHING or at.unswept:
            return None
        wrong, _ = look
        for ticket, why in wrong:
            await self._call_back(ticket, why)
        if wrong:
            return None
        self._vain[symbol] = _Vain(_what(look), at.now + at.pace.again_s)  # unless it comes further
        begun = await self._place(symbol, look)
        if begun is not None:
            self._vain.pop(symbol, None)
        return begun

    async def _call_back(self, ticket: Ticket, why: Denial) -> None:
        ending = (OrderState.CANCELED, why)
        await self._at.do(ticket, lambda _s, desk, m: sending.call_back(desk, ticket, ending, m))

    async def make_way(
        self, ticket: Ticket, stops: Sequence[Ticket], market: sending.Market
    ) -> None:
        """Call back what rests on the symbol of a planned order, if that would go now."""
        await self._at.do(
            ticket, lambda _s, desk, moment: _make_way(desk, ticket, market, moment), stops
        )

    async def wait(self, ticket: Ticket, stops: Sequence[Ticket]) -> None:
        """An order waits for the end of stops; of an exit that waits long people are told."""
        at, order = self._at, ticket.order
        now = at.work.service.moment().now
        slow = [s.order for s in stops if (now - s.order.at).total_seconds() >= at.pace.alarm_s]
        if ticket.entry or not slow:
            return
        name = slow[0].order_id
        words = (
            f"the {order.purpose} of {order.bot} on {order.symbol} waits: the broker has not said"
            f" that stop {name}, which is called back, is over. Look at it there; the exit goes"
            " once it has ended."
        )
        await at.work.alarms.tell_of(order, EXIT_WAITS, words, name)

    async def distrust(self, symbol: str, stops: Sequence[Ticket]) -> None:
        """Where the broker's position differs from the books nothing rests, whatever waits."""
        if symbol in self._at.mismatched:
            for stop in stops:
                if stop.resting:
                    await self._call_back(stop, _DIFFERS)

    async def altered(self, ticket: Ticket, how: str) -> None:
        """A stop that its broker has changed is called back; the lot gets the right one later."""
        words = f"{how}: its broker has changed it. It is called back; a new one follows."
        name = ticket.order.order_id
        await self._at.work.alarms.note("stop_altered", f"bot:{ticket.order.bot}", words, name)
        await self._call_back(ticket, Denial("altered", "its broker has changed it"))

    async def end_alarms(self) -> None:
        """Where no lot lacks a stop, nothing is left to be told."""
        at, account = self._at, self._account()
        off = account is None or not account.stops_at_broker
        for symbol in at.symbols(WATCHED):
            stops = [ticket for ticket in at.tickets(symbol) if ticket.stop]
            if off or not _lacking(stops, self._levels(symbol)):
                words = f"no lot of {symbol} in account {at.account} lacks a stop at the broker"
                await at.over(WATCHED, words, symbol)

    def _account(self) -> AccountConfig | None:
        accounts = self._at.work.service.moment().config.accounts
        return next((one for one in accounts if one.id == self._at.account), None)

    def _lots(self, symbol: str) -> dict[str, tuple[Lot, ...]]:
        """The protected lots of a symbol in the account, by bot."""
        holders = self._at.work.memory.guarded.get(symbol, {})
        return {
            bot: lots for (bot, account), lots in holders.items() if account == self._at.account
        }

    def _look(self, symbol: str, tickets: Sequence[Ticket]) -> _Look:
        """Which stops are to be called back, each with the reason, and which lots lack one. Nothing
        while something else is open on the symbol, or has been until just now.
        """
        at = self._at
        if any(not ticket.stop for ticket in tickets):
            self._busy_at[symbol] = at.now
        account = self._account()
        if account is None or any(not ticket.resting for ticket in tickets):
            return _NOTHING
        why = _OFF if not account.stops_at_broker else None
        if symbol in at.mismatched:
            why = _DIFFERS
        if why is not None:
            return tuple((ticket, why) for ticket in tickets), ()
        levels, now = self._levels(symbol), at.work.service.moment().now
        wrong = tuple(
            (ticket, _CHANGED)
            for ticket in tickets
            if self._allowed(ticket.order.bot) and outdated(ticket, _of(ticket, levels), now)
        )
        quiet = at.now - self._busy_at.get(symbol, -1e9) >= at.pace.quiet_s
        return wrong, tuple(_lacking(tickets, levels).items()) if quiet else ()

    def _levels(self, symbol: str) -> Mapping[UUID, Level]:
        """The stop of each lot that may have one."""
        found: dict[UUID, Level] = {}
        for bot, lots in self._lots(symbol).items():
            if not self._allowed(bot):
                continue
            for lot in lots:
                level = level_of(symbol, lot)
                if level is not None:
                    found[lot.lot_id] = level
        return found

    def _allowed(self, bot_id: str) -> bool:
        """Whether orders of a bot may go to the account at all: what rests there otherwise is left
        alone.
        """
        moment, account = self._at.work.service.moment(), self._account()
        bot = next((one for one in moment.config.bots if one.id == bot_id), None)
        allow_live = self._at.work.memory.allow_live
        return account is not None and not objection(
            account, bot, replay=moment.replay, allow_live=allow_live
        )

    async def _place(self, symbol: str, look: _Look) -> Ticket | None:
        """Begin the next stop of a symbol, where the broker holds what the books say."""
        at = self._at
        try:
            await at.broker.turn()
            asset = await at.broker.asset(symbol)
            missing, split = await self._holdings.cover(symbol)
        except Refused as error:
            await at.shut(str(error))
            return None
        except SignalboxError as error:
            log.warning("a stop of %s waits, the broker cannot be asked: %s", symbol, error)
            return None
        if missing != ZERO or split is not None or self._holdings.suspected(symbol):
            return None
        self._vain[symbol] = _Vain(_what(look), at.now + at.pace.vain_s)
        bots = await at.read(lambda sql: brokered.bots_of(sql, at.account))
        placing = Placing(at.account, symbol, asset)
        await at.work.do(lambda sql, desk, moment: place_one(sql, desk, placing, moment), bots)
        if placing.given_up:
            await self._tell(symbol, placing.given_up)
        return placing.begun

    async def _tell(self, symbol: str, lots: Sequence[Lot]) -> None:
        at = self._at
        words = (
            f"the broker has ended stops of {symbol} in account {at.account} again and again. Their"
            f" lots ({len(lots)}) are watched here only: while this system or its quotes are down"
            " nothing closes them. It is tried again tomorrow; the orders say why."
        )
        alarm = Alarm(WATCHED, at.about(symbol))
        await at.work.alarms.tell(alarm, words, Severity.WARNING)


def _of(ticket: Ticket, levels: Mapping[UUID, Level]) -> Level | None:
    """The stop that the lot of one should have."""
    return next((levels.get(target) for target in ticket.targets), None)


def _what(look: _Look) -> frozenset[object]:
    """The orders and lots of a look, at whatever level a trailing stop is by now."""
    wrong, lacking = look
    return frozenset([*(t.order.order_id for t, _ in wrong), *(lot_id for lot_id, _ in lacking)])


def _lacking(tickets: Sequence[Ticket], levels: Mapping[UUID, Level]) -> dict[UUID, Level]:
    """The lots that should have a stop at the broker and have none."""
    have = {target for ticket in tickets for target in ticket.targets}
    return {lot_id: level for lot_id, level in levels.items() if lot_id not in have}


def _make_way(
    desk: Desk, ticket: Ticket, market: sending.Market, moment: ExecutorMoment
) -> Iterator[Event]:
    """Stops are called back for what would go; what would not, ends or waits beside them."""
    ticket = sending.current(desk, ticket)
    if ticket.order.state is not OrderState.PLANNED:
        return
    if isinstance(sending.judge(desk, ticket, market, moment), Cleared):
        yield from call_back_all(desk, ticket.order.account, ticket.order.symbol, moment)
    else:
        yield from sending.begin(desk, ticket, market, moment)
