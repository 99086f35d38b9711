"""When the router speaks: on a signal, a withdrawal, a person's answer, and when time is up."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import Connection

from decision_router.adapters import store
from decision_router.adapters.store import Work
from decision_router.domain import arbitration
from decision_router.domain.arbitration import Pending
from signalbox.contracts.config import RouterConfig
from signalbox.contracts.events import Event, SignalRaised, SignalWithdrawn, VerdictReached
from signalbox.contracts.payloads import Verdict
from signalbox.contracts.values import Outcome, SourceType
from signalbox.runtime import metrics
from signalbox.runtime.handlers import Handlers
from signalbox.runtime.moment import Moment

RouterMoment = Moment[RouterConfig]


def build_handlers() -> Handlers[Work]:
    """What the router does with the stream of signals."""
    handlers = Handlers(
        "SIGNALS",
        "decision-router",
        load=store.load,
        save=store.save,
        after=measure,
    )

    @handlers.on(SignalRaised)
    def on_signal_raised(
        event: SignalRaised, work: Work, moment: RouterMoment
    ) -> Iterator[VerdictReached]:
        """Outcomes: one verdict per listening bot, which may have to wait for a person; one for
        bot `none` when nobody listens."""
        signal, situation = event.data, work.situation
        source = (signal.source_type, signal.source_id)
        work.waited_s.append((moment.wall - event.time).total_seconds())
        bots = situation.listening(source)
        if not bots:
            yield reach(work, arbitration.unheard(signal, situation.now), event, moment)
        for bot in bots:
            state = work.state((bot.id, signal.symbol))
            verdict = arbitration.first_round(state, signal, bot, situation)
            reached = reach(work, verdict, event, moment)
            if verdict.outcome is Outcome.PENDING:
                until = state.voice(source).may_act_until(verdict.signal)
                work.keep(Pending(reached, until, moment.epoch))
            yield reached

    @handlers.on(SignalWithdrawn)
    def on_signal_withdrawn(
        event: SignalWithdrawn, work: Work, moment: RouterMoment
    ) -> Iterator[VerdictReached]:
        """Outcomes: the word stands until its new expiry only; a round that waits for it lapses
        then, which is at once when that has passed."""
        taken_back = event.data
        source = (taken_back.source_type, taken_back.source_id)
        for bot in work.situation.listening(source):
            key = (bot.id, taken_back.symbol)
            work.changed[key] = work.state(key).withdrawing(taken_back)
        for pending in work.waiting_for(taken_back.signal_id):
            shortened = pending.shortened(taken_back.valid_until)
            work.keep(shortened)
            if shortened.is_over(work.situation):
                verdict = arbitration.withdraw(shortened, work.situation.now)
                yield end(work, shortened, verdict, moment)

    return handlers


def approve(
    sql: Connection, moment: RouterMoment, verdict_id: UUID, by: str
) -> list[VerdictReached]:
    """A person lets a waiting round go on; what then comes of it is decided anew.

    Raises:
        Conflict: it does not wait; the message says why.
    """
    work = store.load_round(sql, verdict_id, moment)
    pending = work.waiting[verdict_id]
    state = work.state((pending.verdict.bot, pending.verdict.signal.symbol))
    verdict = arbitration.approve(state, pending, work.situation, by)
    made = end(work, pending, verdict, moment)
    store.save(sql, work, moment)
    return [made]


def decline(
    sql: Connection, moment: RouterMoment, verdict_id: UUID, by: str
) -> list[VerdictReached]:
    """A person ends a waiting round.

    Raises:
        Conflict: it does not wait; the message says why.
    """
    work = store.load_round(sql, verdict_id, moment)
    pending = work.waiting[verdict_id]
    verdict = arbitration.decline(pending, work.situation.now, by)
    made = end(work, pending, verdict, moment)
    store.save(sql, work, moment)
    return [made]


def lapse_due(sql: Connection, moment: RouterMoment) -> list[VerdictReached]:
    """Rounds that nobody answered in time end; those that ended long ago are forgotten."""
    work = store.load_due(sql, moment)
    made = [
        end(work, pending, arbitration.lapse(pending, moment.now), moment)
        for pending in tuple(work.waiting.values())
    ]
    store.save(sql, work, moment)
    store.forget(sql, moment)
    return made


def reach(work: Work, verdict: Verdict, cause: Event, moment: RouterMoment) -> VerdictReached:
    """Write a verdict down under the next number of its bot and symbol."""
    key = (verdict.bot, verdict.signal.symbol)
    state = work.changed[key] = work.state(key).after(verdict, moment.epoch)
    work.reached.append(verdict)
    return moment.event(VerdictReached, verdict, cause=cause, sequence=state.sequence)


def end(work: Work, pending: Pending, verdict: Verdict, moment: RouterMoment) -> VerdictReached:
    """Write the second round down; it ends the waiting of the first."""
    work.keep(replace(pending, ended_by=verdict))
    return reach(work, verdict, pending.event, moment)


def measure(work: Work) -> None:
    """Tell the metrics what a batch has done."""
    count(work.reached)
    for waited_s in work.waited_s:
        metrics.STAGE_SECONDS.labels("signal_to_decision").observe(waited_s)


def count(verdicts: Sequence[Verdict]) -> None:
    """Tell the metrics what was decided."""
    for verdict in verdicts:
        loser = verdict.signal.source_type
        metrics.DECISIONS.labels(loser, verdict.outcome, verdict.reason).inc()
        winner = _winner(verdict)
        if winner is not None:
            metrics.CONFLICTS.labels(winner, loser, verdict.reason).inc()


def _winner(verdict: Verdict) -> SourceType | None:
    if verdict.winner_id is None:
        return None
    return next(w.source_type for w in verdict.inputs if w.signal_id == verdict.winner_id)
