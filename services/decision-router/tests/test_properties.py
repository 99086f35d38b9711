"""What must hold whatever the sources say, and in whatever order."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from decision_router.adapters.tables import metadata
from decision_router.domain.arbitration import arbitrate, first_round
from decision_router.domain.policies import settle
from decision_router.domain.replay import replay
from decision_router.domain.situation import Situation
from decision_router.domain.state import State
from decision_router.handlers import approve, build_handlers, decline, lapse_due
from signalbox.contracts.config import BotConfig, Policy, RouterConfig, SourceRule
from signalbox.contracts.errors import Conflict
from signalbox.contracts.events import Event, VerdictReached
from signalbox.contracts.payloads import LiveSignal, Signal, Verdict
from signalbox.contracts.values import Action, Outcome, SourceType, Target
from signalbox.runtime.db import Database
from signalbox.testing.examples import (
    NOON,
    a_bot,
    a_moment,
    a_signal,
    a_withdrawal,
    raised,
    withdrawn,
)
from signalbox.testing.runner import run

SECOND = timedelta(seconds=1)
UNHURRIED = settings(deadline=None)  # a busy machine fails no property
SLOW = settings(deadline=None, max_examples=40)  # each makes a database
confidences = st.decimals(0, 1, places=3)
kinds = st.sampled_from(["priority", "consensus", "weighted", "veto"])
policies = st.builds(
    Policy,
    kind=kinds,
    hold=st.sampled_from(["abstain", "block"]),
    add_on_agreement=st.booleans(),
    cooldown_s=st.sampled_from([0, 7]),
    consensus_of=st.integers(1, 3),
    trust=st.dictionaries(st.sampled_from(SourceType), confidences),
    margin=st.sampled_from([Decimal(0), Decimal("0.1"), Decimal("0.5")]),
    priorities=st.one_of(
        st.just(Policy().priorities),
        st.dictionaries(st.sampled_from(SourceType), st.integers(0, 3)),
    ),
)


@st.composite
def signals(draw: st.DrawFn) -> list[Signal]:
    """A series of words of a few sources, mostly in order of time."""
    made = []
    for n in range(draw(st.integers(1, 16))):
        raised_at = NOON + SECOND * (n + draw(st.integers(-3, 0)))
        made.append(
            a_signal(
                source_type=draw(st.sampled_from(SourceType)),
                source_id=draw(st.sampled_from(["one", "two"])),
                own_id=str(n),
                symbol=draw(st.sampled_from(["AAPL", "AAPL", "AAPL", "BTC/USD"])),
                action=draw(st.sampled_from([*Action, Action.BUY, Action.SELL])),
                confidence=draw(st.sampled_from(["0.2", "0.70", "0.9"])),
                target=draw(st.sampled_from([Target.SANDBOX, Target.SANDBOX, Target.REAL])),
                raised_at=raised_at,
                valid_until=raised_at + SECOND * draw(st.sampled_from([1, 5, 60, 60, 60])),
            )
        )
    return made


@st.composite
def bots(draw: st.DrawFn, name: str = "alpha") -> BotConfig:
    some = draw(st.sets(st.sampled_from(SourceType), min_size=4))
    off = draw(st.sampled_from([None, None, *SourceType]))
    rules = [SourceRule(source_type=kind, enabled=kind is not off) for kind in sorted(some)]
    fields = {
        "id": name,
        "symbols": draw(st.sampled_from([(), ("AAPL",)])),
        "sources": tuple(rules),
        "policy": draw(policies),
        "approval": draw(st.sampled_from(["auto", "manual"])),
    }
    return a_bot(**fields)


def live(signal: Signal) -> LiveSignal:
    return LiveSignal.model_validate(signal.model_dump())


@UNHURRIED
@given(signals(), policies, st.randoms(use_true_random=False), st.sampled_from(Action))
def test_the_order_of_live_words_does_not_matter(
    given_words: list[Signal], policy: Policy, dice: Random, action: Action
) -> None:
    side = action if action.opposite else Action.BUY
    signal = a_signal(action=side)
    words = sorted(map(live, given_words), key=lambda w: w.signal_id.int)
    shuffled = list(words)
    dice.shuffle(shuffled)
    assert settle(signal, shuffled, policy) == settle(signal, words, policy)


CONFLICTS = st.dictionaries(
    st.tuples(st.sampled_from(SourceType), st.sampled_from(["one", "two"])),
    st.tuples(st.sampled_from([Action.BUY, Action.SELL]), st.sampled_from(["0.5", "0.7"])),
    min_size=2,
    max_size=8,
)


@settings(deadline=None, max_examples=400)
@given(CONFLICTS, policies)
def test_of_two_sides_at_most_one_is_accepted(
    said: dict[tuple[SourceType, str], tuple[Action, str]], policy: Policy
) -> None:
    words = [
        a_signal(source_type=kind, source_id=name, action=action, confidence=Decimal(sure))
        for (kind, name), (action, sure) in said.items()
    ]
    accepted = [
        word
        for word in words
        if settle(word, [live(w) for w in words if w is not word], policy).outcome
        is Outcome.ACCEPTED
    ]
    assert len({word.action for word in accepted}) <= 1
    if policy.kind == "priority" and not policy.add_on_agreement:
        ranks = {policy.priorities.get(word.source_type, 0) for word in accepted}
        highest = max(policy.priorities.get(word.source_type, 0) for word in words)
        assert ranks <= {highest}
    if policy.kind == "veto" and len({word.action for word in words}) == 2:
        assert accepted == []


@UNHURRIED
@given(signals(), policies, st.randoms(use_true_random=False))
def test_the_order_of_remembered_voices_does_not_matter(
    heard: list[Signal], policy: Policy, dice: Random
) -> None:
    bot = a_bot(policy=policy)
    situation = Situation(bots=(bot,), flags={}, now=NOON + 12 * SECOND)
    state = State()
    for signal in heard:
        at = replace(situation, now=signal.raised_at)
        state = state.after(first_round(state, signal, bot, at), epoch=0)
    keys = list(state.voices)
    dice.shuffle(keys)
    shuffled = replace(state, voices={key: state.voices[key] for key in keys})
    asked = a_signal(source_id="three", confidence=Decimal("0.9"))
    assert arbitrate(shuffled, asked, bot, situation) == arbitrate(state, asked, bot, situation)


def history(
    router: RouterConfig, heard: list[Signal], dice: Random, *, replayed: bool
) -> list[VerdictReached]:
    """Signals, withdrawals and a person's answers, one after the other, a second apart."""
    db, made = Database.in_memory(metadata), []
    for n, signal in enumerate(heard):
        moment = a_moment(router, now=NOON + n * SECOND, replay=replayed)
        events: list[Event] = [raised(signal)]
        if dice.random() < 0.2:
            until = NOON + (n + dice.randrange(3)) * SECOND
            events.append(withdrawn(a_withdrawal(dice.choice(heard), valid_until=until)))
        out = run(build_handlers(), db, metadata, events, moment)
        made += [e for e in out if isinstance(e, VerdictReached)]
        with db.begin() as sql:
            made += lapse_due(sql, moment)
        pending = [e for e in made if e.data.outcome is Outcome.PENDING]
        if pending and dice.random() < 0.5:
            act = dice.choice([approve, approve, decline])
            with suppress(Conflict), db.begin() as sql:
                made += act(sql, moment, dice.choice(pending).data.verdict_id, "admin")
    db.close()
    return made


@SLOW
@given(signals(), bots(), bots("beta"), st.randoms(use_true_random=False), st.booleans())
def test_a_replay_of_what_a_verdict_stores_gives_the_same_bytes(
    heard: list[Signal], one: BotConfig, two: BotConfig, dice: Random, replayed: bool
) -> None:
    config = RouterConfig(bots=(one, two), flags={SourceType.EXTERNAL: False})
    made = history(config, heard, dice, replayed=replayed)
    firsts = {(e.data.signal.signal_id, e.data.bot): e for e in made if e.data.round == 0}
    for event in made:
        stored = event.data.model_dump_json()
        verdict = Verdict.model_validate_json(stored)
        first = firsts[verdict.signal.signal_id, verdict.bot] if verdict.round else None
        assert replay(verdict, config, first=first).model_dump_json() == stored


@SLOW
@given(signals(), bots(), bots("beta"), st.randoms(use_true_random=False))
def test_every_signal_gets_one_verdict_per_listening_bot_numbered_without_gaps(
    heard: list[Signal], one: BotConfig, two: BotConfig, dice: Random
) -> None:
    config = RouterConfig(bots=(one, two))
    made = history(config, heard, dice, replayed=False)
    due: list[tuple[str, str]] = []
    for signal in heard:
        names = [b.id for b in config.bots if b.listens_to(signal.source_type, signal.source_id)]
        due += [(str(signal.signal_id), name) for name in names or ["none"]]
    got = [(str(e.data.signal.signal_id), e.data.bot) for e in made if e.data.round == 0]
    assert sorted(got) == sorted(due)
    accepted = [
        (e.data.signal.signal_id, e.data.bot) for e in made if e.data.outcome is Outcome.ACCEPTED
    ]
    assert len(accepted) == len(set(accepted))
    numbers: dict[tuple[str, str], list[int | None]] = {}
    for event in made:
        numbers.setdefault((event.data.bot, event.data.signal.symbol), []).append(event.sequence)
    assert all(n == list(range(1, len(n) + 1)) for n in numbers.values())


@UNHURRIED
@given(signals(), st.booleans(), st.sampled_from(["auto", "manual"]))
def test_a_lower_source_never_acts_against_a_live_higher_one(
    heard: list[Signal], add: bool, approval: str
) -> None:
    policy = Policy(add_on_agreement=add, thresholds={})
    bot = a_bot(policy=policy, approval=approval)
    state = State()
    spoke: dict[tuple[SourceType, str], datetime] = {}
    words: dict[tuple[SourceType, str], Signal] = {}
    for n, signal in enumerate(s.model_copy(update={"symbol": "AAPL"}) for s in heard):
        now, source = NOON + n * SECOND, (signal.source_type, signal.source_id)
        verdict = first_round(state, signal, bot, Situation((bot,), {}, now=now))
        state = state.after(verdict, epoch=0)
        if verdict.outcome in {Outcome.ACCEPTED, Outcome.PENDING}:
            rank = policy.priorities[signal.source_type]
            for word in words.values():
                higher = policy.priorities[word.source_type] > rank
                opposite = word.action is signal.action.opposite
                assert not (higher and opposite and now < word.valid_until)
        if source in spoke and signal.raised_at < spoke[source]:
            continue
        spoke[source] = signal.raised_at
        if signal.action is Action.CLOSE:
            words.pop(source, None)
        elif signal.action.opposite and now < signal.valid_until:
            words[source] = signal
