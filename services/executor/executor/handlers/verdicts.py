"""Verdicts: each accepted one becomes exactly one intent, planned or denied."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from executor.adapters import store
from executor.domain.broker import routing
from executor.domain.desk import START, Desk, Track
from executor.domain.exits import only_closing, superseded
from executor.domain.limits import repeated
from executor.domain.money import ZERO, halfway
from executor.domain.orders import Ticket
from executor.domain.plan import plan
from executor.domain.scene import Denial, Intent, Scene
from executor.domain.turns import GAP_PATIENCE_S, Turn, passed, turn
from executor.domain.withdrawal import taken_back
from executor.handlers.booking import (
    ExecutorMoment,
    end,
    halt,
    place,
    record,
    scene_of,
    way_out,
)
from executor.handlers.memory import Gaps, Memory
from signalbox.contracts import ids
from signalbox.contracts.errors import Malformed, OutOfOrder
from signalbox.contracts.events import Event, OrderChanged, VerdictReached
from signalbox.contracts.payloads import Order, Verdict
from signalbox.contracts.values import Action, OrderKind, OrderState, Outcome, Side
from signalbox.runtime.handlers import Handlers

NOBODY = "none"  # the bot of a verdict on a signal that no bot listens to
_SIDES = {Action.BUY: Side.BUY, Action.SELL: Side.SELL}


def build_handlers(memory: Memory) -> Handlers[Desk]:
    """The handlers of the durable `executor` on VERDICTS."""

    def load(sql: Connection, events: Sequence[Event], moment: ExecutorMoment) -> Desk:
        return load_desk(sql, events, moment, memory)

    def save(sql: Connection, desk: Desk, _moment: ExecutorMoment) -> None:
        memory.shelf.save(sql, desk)

    handlers: Handlers[Desk] = Handlers(
        "VERDICTS", "executor", load=load, save=save, after=memory.take
    )

    @handlers.on(VerdictReached)
    def on_verdict_reached(
        event: VerdictReached, desk: Desk, moment: ExecutorMoment
    ) -> Iterable[Event]:
        """Outcomes: ignored (nobody's, or applied before); waits for an earlier number; halted by
        a gap.

        An accepted one is denied; or planned, accepted and filled at once; or planned, accepted
        and left waiting for a quote. One that a cleared halt has skipped is denied.
        """
        return _apply(event, desk, moment, memory.gaps)

    @handlers.on_dead
    def on_dead(
        event: Event | None, desk: Desk, moment: ExecutorMoment, reason: str
    ) -> Iterable[Event]:
        """Outcomes: nothing (unreadable, or nobody's); its key moves on and is halted, its intent
        is denied.
        """
        if not isinstance(event, VerdictReached) or event.data.bot == NOBODY:
            return ()
        return _bury(event, desk, moment, reason)

    return handlers


def _apply(
    event: VerdictReached, desk: Desk, moment: ExecutorMoment, gaps: Gaps
) -> Iterator[Event]:
    verdict = event.data
    if verdict.bot == NOBODY:
        return
    key, sequence = (verdict.bot, verdict.signal.symbol), _sequence(event)
    track = desk.tracks.get(key, START)
    match turn(sequence, track):
        case Turn.PAST:
            yield from _past(event, desk, moment)
            return
        case Turn.EARLY:
            waited_s = gaps.waited_s(key, sequence, moment.wall)
            if waited_s < GAP_PATIENCE_S:
                words = f"verdict {sequence} of {key} came after {track.sequence}"
                raise OutOfOrder(f"{words}; waited {waited_s:.0f} s for the ones between")
            yield from halt_key(desk, key, "sequence_gap", sequence, moment)
    desk.put_track(*key, passed(sequence, desk.tracks.get(key, START)))
    if verdict.outcome is Outcome.ACCEPTED:
        yield from _carry_out(event, desk, moment)


def _bury(
    event: VerdictReached, desk: Desk, moment: ExecutorMoment, reason: str
) -> Iterator[Event]:
    key, sequence = (event.data.bot, event.data.signal.symbol), event.sequence or 0
    desk.put_track(*key, passed(sequence, desk.tracks.get(key, START)))
    if event.data.outcome is Outcome.ACCEPTED and _unknown(event.data, desk):
        yield _deny(event, Denial("dead_letter", reason[:500]), desk, moment)
    yield from halt_key(desk, key, "dead_letter", sequence, moment)


def load_desk(
    sql: Connection, events: Sequence[Event], moment: ExecutorMoment, memory: Memory
) -> Desk:
    """What a batch of verdicts needs."""
    desk = memory.desk(moment.config)
    verdicts = [e.data for e in events if isinstance(e, VerdictReached) and e.data.bot != NOBODY]
    memory.shelf.load(sql, desk, {v.bot for v in verdicts})
    names: list[str] = []
    for v in verdicts:
        if v.outcome is Outcome.ACCEPTED:
            names += desk.name_orders(v.verdict_id, v.bot, v.signal.signal_id, _where(v, desk))
    store.load_known(sql, desk, names)
    return desk


def halt_key(
    desk: Desk, key: tuple[str, str], code: str, sequence: int, moment: ExecutorMoment
) -> Iterator[Event]:
    """Stop a key at a verdict that cannot be applied."""
    bot, symbol = key
    applied = desk.tracks.get(key, START).sequence
    words = (
        f"{bot} is halted on {symbol} ({code}) at verdict {sequence}; the last one applied was"
        f" {applied}. Accepted verdicts are denied; positions can still be closed by hand. Look at"
        f" the dead letters and the log, {way_out(max(sequence, applied) + 1)}"
    )
    yield from halt(desk, key, code, words, moment)


def _sequence(event: VerdictReached) -> int:
    if event.sequence is None or event.sequence < 1:
        raise Malformed(f"verdict {event.id} has sequence {event.sequence}")
    return event.sequence


def _where(verdict: Verdict, desk: Desk) -> str:
    """The account that a verdict is about."""
    bot = desk.bots.get(verdict.bot)
    return verdict.account or (bot.account if bot else NOBODY)


def _unknown(verdict: Verdict, desk: Desk) -> bool:
    """Whether no order has come of this signal for this bot yet."""
    return desk.known.isdisjoint(desk.names[verdict.verdict_id].values())


def _past(event: VerdictReached, desk: Desk, moment: ExecutorMoment) -> Iterator[Event]:
    """Applied before: nothing. Skipped when a halt was cleared: an accepted one is denied, so that
    it has an end.
    """
    desk.repeats += 1
    if event.data.outcome is Outcome.ACCEPTED and _unknown(event.data, desk):
        words = "its key was halted and has since gone on with a later number"
        yield _deny(event, Denial("trading_halted", words), desk, moment)


def _carry_out(event: VerdictReached, desk: Desk, moment: ExecutorMoment) -> Iterator[Event]:
    verdict = event.data
    signal = verdict.signal
    if not _unknown(verdict, desk):
        words = "this signal has an order of this bot already"
        yield _deny(event, Denial("duplicate_order", words), desk, moment)
        return
    scene = scene_of(desk, verdict.bot, signal.symbol, moment)
    answer = plan(verdict, event.configversion, scene)
    if isinstance(answer, Intent) and answer.entry:
        until = desk.stands_until(signal.signal_id, signal.valid_until)
        answer = taken_back(signal.source_id, until, moment.now) or answer
    planned = isinstance(answer, Intent)
    if scene.bot is not None:
        rivals = desk.open_orders(verdict.bot, signal.symbol)
        for ticket, ending in superseded(signal, rivals, scene.bot, planned=planned):
            yield from end(desk, ticket, ending, moment, event)
        still = desk.open_orders(verdict.bot, signal.symbol)
        for ticket in only_closing(signal, still, scene.bot):
            desk.keep_ticket(ticket)
    if isinstance(answer, Denial):
        yield _deny(event, answer, desk, moment)
        return
    if answer.entry and answer.quantity is not None:
        key = (verdict.bot, signal.symbol)
        track = desk.tracks.get(key, START)
        again = repeated(track.repeat, answer.side, answer.quantity, moment.now)
        desk.put_track(*key, Track(track.sequence, track.halted, again))
    desk.delays_s.append((moment.wall - event.time).total_seconds())
    yield from place(desk, _ticket(event, answer, scene, desk, moment), moment, event)


def _ticket(
    event: VerdictReached, intent: Intent, scene: Scene, desk: Desk, moment: ExecutorMoment
) -> Ticket:
    verdict = event.data
    signal = verdict.signal
    account = desk.accounts.get(intent.account)
    order_id = desk.names[verdict.verdict_id][intent.account]
    order = Order(
        order_id=order_id,
        intent_id=verdict.verdict_id,
        bot=verdict.bot,
        account=intent.account,
        symbol=signal.symbol,
        side=intent.side,
        purpose="entry" if intent.entry else "exit",
        kind=OrderKind.MARKET if intent.limit_price is None else OrderKind.LIMIT,
        limit_price=intent.limit_price,
        quantity=intent.quantity,
        filled=ZERO,
        state=OrderState.PLANNED,
        source_type=signal.source_type,
        source_id=signal.source_id,
        confidence=signal.confidence,
        signal_id=signal.signal_id,
        verdict_id=verdict.verdict_id,
        **routing(account, order_id),
        fence=moment.fence,
        at=moment.now,
    )
    last = desk.quotes.get(signal.symbol)
    until = desk.stands_until(signal.signal_id, signal.valid_until)
    return Ticket(
        order=order,
        correlation_id=event.correlationid,
        config_version=event.configversion,
        planned_at=moment.now,
        expires_at=until if intent.entry else None,
        targets=intent.targets,
        arrival=halfway(last) if last else None,
        signal_price=signal.price,
        guard=intent.guard,
        follow=replace(intent.follow, until=until) if intent.follow else None,
    )


def _deny(
    event: VerdictReached, denial: Denial, desk: Desk, moment: ExecutorMoment
) -> OrderChanged:
    verdict = event.data
    signal = verdict.signal
    where = _where(verdict, desk)
    order_id = desk.names[verdict.verdict_id][where]
    if order_id in desk.known:  # another verdict on the same signal has taken the name
        order_id = ids.client_order_id(where, str(verdict.verdict_id), verdict.bot, 0, 0)
    account = desk.accounts.get(where)
    order = Order(
        order_id=order_id,
        intent_id=verdict.verdict_id,
        bot=verdict.bot,
        account=where,
        mode=account.mode if account else "paper",
        symbol=signal.symbol,
        side=_SIDES.get(signal.action),
        purpose="exit" if signal.action is Action.CLOSE else "entry",
        filled=ZERO,
        state=OrderState.DENIED,
        reason=denial.code,
        message=denial.message,
        numbers=denial.numbers,
        source_type=signal.source_type,
        source_id=signal.source_id,
        confidence=signal.confidence,
        signal_id=signal.signal_id,
        verdict_id=verdict.verdict_id,
        broker=account.broker if account else "",
        fence=moment.fence,
        at=moment.now,
    )
    desk.denials[denial.code, signal.source_type] += 1
    ticket = Ticket(
        order=order,
        correlation_id=event.correlationid,
        config_version=event.configversion,
        planned_at=moment.now,
    )
    return record(desk, ticket, moment, event)
