"""Keeps the stops of an account's lots at its broker while nothing else is to be done on their
symbol. The watch goes on beside it: `protect.py`.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from executor.adapters import brokered
from executor.domain.alarms import Alarm
from executor.domain.broker import objection
from executor.domain.desk import Desk
from executor.domain.money import ZERO
from executor.domain.orders import Ticket
from executor.domain.resting import Level, level_of, outdated, trails
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


@dataclass(frozen=True, slots=True)
class _Look:
    """What is to be done on a symbol."""

    wrong: tuple[tuple[Ticket, Denial], ...] = ()  # stops to be called back, and why
    lacking: tuple[UUID, ...] = ()  # lots
    behind: tuple[Ticket, ...] = ()  # stops that only trail: they can wait

    @property
    def what(self) -> frozenset[object]:
        """The orders and lots, at whatever level a trailing stop is by now; empty: nothing."""
        return frozenset([*(ticket.order.order_id for ticket, _ in self.wrong), *self.lacking])


_NOTHING = _Look()
_FAILED: frozenset[object] = frozenset({"failed"})


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
        self._moving = ""  # the stop that may follow the price now
        self._move_due = 0.0  # when the next one may, on the loop's clock

    def due(self) -> set[str]:
        """The symbols where a stop is missing or is not the right one any more."""
        at, found, behind = self._at, set[str](), list[Ticket]()
        if at.unswept:
            return found
        tickets: dict[str, list[Ticket]] = {}
        for ticket in at.tickets():
            tickets.setdefault(ticket.order.symbol, []).append(ticket)
        for symbol in {*at.work.memory.guarded, *tickets}:
            try:
                look = self._look(symbol, tickets.get(symbol, ()))
            except Exception:  # noqa: BLE001 - `keep` meets it again, where it is told
                look, what = _NOTHING, _FAILED
            else:
                what = look.what
            vain = self._vain.get(symbol)
            waits = vain is not None and vain.what == what and at.now < vain.until
            if what and not waits:
                found.add(symbol)
            behind.extend(look.behind)
        return found | self._next_move(behind)

    def _next_move(self, behind: Sequence[Ticket]) -> set[str]:
        """The symbol of the one stop that may follow the price now: the oldest, while the broker is
        asked little else.
        """
        at = self._at
        if all(ticket.order.order_id != self._moving for ticket in behind):
            self._moving = ""
        if behind and not self._moving and at.now >= self._move_due and at.broker.idle():
            oldest = min(behind, key=lambda ticket: (ticket.planned_at, ticket.order.order_id))
            self._moving, self._move_due = oldest.order.order_id, at.now + at.pace.move_s
        return {t.order.symbol for t in behind if t.order.order_id == self._moving}

    async def keep(self, symbol: str) -> Ticket | None:
        """Call back what is not right; else begin what is missing: one stop, to be posted now."""
        at = self._at
        self._vain[symbol] = _Vain(_FAILED, at.now + at.pace.again_s)
        look = self._look(symbol, at.tickets(symbol))
        if at.unswept:
            return None
        moves = [(t, _CHANGED) for t in look.behind if t.order.order_id == self._moving]
        for ticket, why in (*look.wrong, *moves):
            await self._call_back(ticket, why)
        if look.wrong or moves or not look.lacking:
            return None
        self._vain[symbol] = _Vain(look.what, at.now + at.pace.again_s)  # unless it comes further
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
        """What is to be done: nothing while something else is open on the symbol, or has been until
        just now.
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
            return _Look(wrong=tuple((ticket, why) for ticket in tickets))
        levels, now = self._levels(symbol), at.work.service.moment().now
        old = [
            ticket
            for ticket in tickets
            if self._allowed(ticket.order.bot) and outdated(ticket, _of(ticket, levels), now)
        ]
        behind = tuple(ticket for ticket in old if trails(ticket, _of(ticket, levels)))
        quiet = at.now - self._busy_at.get(symbol, -1e9) >= at.pace.quiet_s
        return _Look(
            wrong=tuple((ticket, _CHANGED) for ticket in old if ticket not in behind),
            lacking=tuple(_lacking(tickets, levels)) if quiet else (),
            behind=behind,
        )

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
            missing, split = await self._holdings.cover(symbol, await at.broker.position(symbol))
        except Refused as error:
            await at.shut(str(error))
            return None
        except SignalboxError as error:
            log.warning("a stop of %s waits, the broker cannot be asked: %s", symbol, error)
            return None
        if missing != ZERO or split is not None or self._holdings.suspected(symbol):
            return None
        self._vain[symbol] = _Vain(look.what, at.now + at.pace.vain_s)
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
