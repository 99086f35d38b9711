"""The rules of the gateway: who may what, waiting times, configuration, earnings."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain import admission, edits
from gateway.domain import setup as rules
from gateway.domain.approval import nothing_waits, waiting
from gateway.domain.bodies import (
    AccountBody,
    BotBody,
    FlagsBody,
    KillSwitchBody,
    StrategyBody,
    free_id,
    slug_of,
)
from gateway.domain.connections import fingerprint, hint
from gateway.domain.cursor import Cursor
from gateway.domain.demo import MODELS, demo
from gateway.domain.edits import Saved, SealedSecret
from gateway.domain.performance import Owner, Tally, group, tally
from gateway.domain.quantconnect_bodies import ConnectionBody
from gateway.domain.roles import Role
from gateway.domain.setup import Setup
from gateway.domain.throttle import FREE_FAILURES, Failures
from gateway.domain.views import VerdictView
from gateway.domain.words import WORDS, explain
from signalbox.contracts.accounts import AccountConfig, KillSwitch
from signalbox.contracts.config import DOCUMENTS, BotConfig, PromptVersion
from signalbox.contracts.errors import Conflict, Malformed, NotFound
from signalbox.contracts.values import Reason, SourceType, Target
from signalbox.testing.examples import NOON, a_bot, a_verdict, an_account, an_order

SETUP = rules.put_bot(rules.put_account(Setup(), an_account()), a_bot(), 3)


@pytest.mark.parametrize(
    ("role", "needed", "may"),
    [
        pytest.param(Role.VIEWER, Role.VIEWER, True, id="a viewer reads"),
        pytest.param(Role.VIEWER, Role.TRADER, False, id="a viewer does not act"),
        pytest.param(Role.TRADER, Role.TRADER, True, id="a trader acts"),
        pytest.param(Role.TRADER, Role.ADMIN, False, id="a trader does not configure"),
        pytest.param(Role.ADMIN, Role.VIEWER, True, id="an admin does everything"),
    ],
)
def test_may(role: Role, needed: Role, may: bool) -> None:
    assert role.may(needed) is may


@pytest.mark.parametrize(
    ("count", "ago_s", "wait_s"),
    [
        pytest.param(4, 0, 0, id="four are free"),
        pytest.param(5, 0, 2, id="the fifth costs two seconds"),
        pytest.param(5, 1.5, 1, id="a part of a second counts whole"),
        pytest.param(5, 2, 0, id="after the wait"),
        pytest.param(8, 0, 16, id="it doubles"),
        pytest.param(60, 0, 900, id="never more than a quarter of an hour"),
        pytest.param(60, 3600, 0, id="forgotten after an hour"),
    ],
)
def test_wait_s(count: int, ago_s: float, wait_s: int) -> None:
    assert Failures(count, NOON - timedelta(seconds=ago_s)).wait_s(NOON) == wait_s


def test_and_one_starts_again_after_an_hour() -> None:
    old = Failures(FREE_FAILURES, NOON - timedelta(hours=1))
    assert old.and_one(NOON) == Failures(1, NOON)
    assert Failures(2, NOON).and_one(NOON) == Failures(3, NOON)


@given(
    st.integers(-(2**62), 2**62),
    st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=60),
)
def test_a_cursor_comes_back_as_it_was(at_us: int, key: str) -> None:
    assert Cursor.decode(Cursor(at_us, key).encode()) == Cursor(at_us, key)


@given(st.text(max_size=40))
def test_a_foreign_cursor_never_fails_in_another_way(text: str) -> None:
    with suppress(Malformed):
        Cursor.decode(text)


@pytest.mark.parametrize("text", ["", "WyJhIiwieCJd", "WzEsIlxuIl0", "WzEuNSwieCJd", "bnVsbA"])
def test_a_cursor_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        Cursor.decode(text)


@pytest.mark.parametrize(
    ("secret", "shown"),
    [("abcdefghij", "ghij"), ("abcd", "cd"), ("abc", "c"), ("a", ""), ("", "")],
)
def test_hint_never_shows_more_than_half(secret: str, shown: str) -> None:
    assert hint(secret) == shown


def test_fingerprint_tells_keys_apart() -> None:
    assert fingerprint("q", "1", "s") == fingerprint("q", "1", "s")
    assert len({fingerprint(*parts) for parts in (("q", "1", "s"), ("q", "2", "s"))}) == 2


@pytest.mark.parametrize(
    ("given_", "name", "taken", "found"),
    [
        pytest.param("x", "Demo", ["x"], "x", id="what is given stays"),
        pytest.param(None, "Demo: Bot", [], "demo-bot", id="from the name"),
        pytest.param(None, "Demo", ["demo", "demo-2"], "demo-3", id="the next free number"),
        pytest.param(None, "…", [], "bot", id="a name without letters"),
        pytest.param(None, None, ["bot"], "bot-2", id="no name"),
    ],
)
def test_free_id(given_: str | None, name: str | None, taken: list[str], found: str) -> None:
    assert free_id(given_, name, frozenset(taken), "bot") == found


def test_slug_of_is_bounded() -> None:
    assert len(slug_of("a" * 500)) == 64


def test_every_service_gets_a_document() -> None:
    documents = SETUP.documents()
    assert {name: type(document) for name, document in documents.items()} == DOCUMENTS


def test_put_bot_keeps_its_binding_while_account_stays() -> None:
    renamed = rules.put_bot(SETUP, a_bot(name="Other"), 9)
    assert [b.bound_version for b in renamed.bots] == [3]


def test_put_bot_binds_anew_when_the_account_changes() -> None:
    more = rules.put_account(SETUP, an_account(id="second"))
    moved = rules.put_bot(more, a_bot(account="second"), 9)
    assert [b.bound_version for b in moved.bots] == [9]


def test_put_bot_refuses_an_account_that_is_not_there() -> None:
    with pytest.raises(NotFound, match="account 'gone'"):
        rules.put_bot(SETUP, a_bot(account="gone"), 4)


def test_put_bot_refuses_an_account_of_another_bot() -> None:
    with pytest.raises(Conflict, match="belongs to bot 'alpha'"):
        rules.put_bot(SETUP, a_bot(id="beta"), 4)


def test_remove_bot_refuses_while_something_is_open() -> None:
    with pytest.raises(Conflict, match="still holds AAPL, MSFT; flatten it first"):
        rules.remove_bot(SETUP, "alpha", ["AAPL", "MSFT"])


def test_remove_bot_also_takes_it_off_the_kill_switch() -> None:
    stopped = SETUP.model_copy(update={"kill_switch": KillSwitch(bots=frozenset({"alpha"}))})
    after = rules.remove_bot(stopped, "alpha", [])
    assert (after.bots, after.kill_switch.bots) == ((), frozenset())


@pytest.mark.parametrize(
    ("account", "holds", "error", "words"),
    [
        pytest.param("paper-alpha", [], Conflict, "delete the bot first", id="in use"),
        pytest.param("spare", ["AAPL"], Conflict, "still holds AAPL", id="open"),
        pytest.param("gone", [], NotFound, "no account 'gone'", id="unknown"),
    ],
)
def test_remove_account_refuses(
    account: str, holds: list[str], error: type[Exception], words: str
) -> None:
    setup = rules.put_account(SETUP, an_account(id="spare"))
    with pytest.raises(error, match=words):
        rules.remove_account(setup, account, holds)


def test_remove_account_takes_out_a_spare_one() -> None:
    setup = rules.put_account(SETUP, an_account(id="spare"))
    assert rules.remove_account(setup, "spare", []) == SETUP


@pytest.mark.parametrize(
    ("before", "after", "freed"),
    [
        pytest.param(KillSwitch(), KillSwitch(everything=True), False, id="engaging"),
        pytest.param(KillSwitch(everything=True), KillSwitch(), True, id="off"),
        pytest.param(
            KillSwitch(bots=frozenset("a")), KillSwitch(bots=frozenset("ab")), False, id="one more"
        ),
        pytest.param(
            KillSwitch(bots=frozenset("ab")), KillSwitch(bots=frozenset("a")), True, id="one less"
        ),
        pytest.param(
            KillSwitch(accounts=frozenset("a")), KillSwitch(everything=True), False, id="wider"
        ),
    ],
)
def test_releases(before: KillSwitch, after: KillSwitch, freed: bool) -> None:
    assert rules.releases(before, after) is freed


def test_save_bot_gives_a_new_one_its_own_paper_account() -> None:
    saved = edits.save_bot(Setup(), BotBody(name="My bot"), 5)
    assert saved.created
    assert saved.item.account == saved.item.id == "my-bot"
    assert saved.setup.accounts == (AccountConfig(id="my-bot", name="My bot"),)
    assert {rule.source_type for rule in saved.item.sources} == set(SourceType)
    assert saved.item.bound_version == 5


def test_no_bot_takes_the_name_that_verdicts_without_a_bot_bear() -> None:
    with pytest.raises(Malformed, match="'none' stands for signals that no bot listens to"):
        edits.save_bot(Setup(), BotBody(id="none"), 5)
    saved = edits.save_bot(Setup(), BotBody(name="None"), 5)
    assert (saved.item.id, saved.item.account) == ("none-2", "none-2")
    assert edits.save_bot(saved.setup, BotBody(name="None"), 6).item.id == "none-3"


def test_other_things_may_be_called_none() -> None:
    assert edits.save_account(Setup(), AccountBody(name="None")).item.id == "none"


def a_connection(setup: Setup, *, secret: SealedSecret | None, **fields: Any) -> Setup:
    body = ConnectionBody(**fields)
    return edits.save_connection(setup, body, secret, key="q", owner="o", at=NOON).setup


@pytest.mark.parametrize(
    ("before", "after"),
    [(Target.REAL, Target.SANDBOX), (Target.SANDBOX, Target.REAL), (None, Target.SANDBOX)],
)
def test_a_token_never_goes_to_another_target(before: Target | None, after: Target) -> None:
    first, second = (SealedSecret.of("1", s, f"sealed-{s}") for s in ("first", "second"))
    setup = a_connection(Setup(), secret=first, api_key="1", target=before)
    with pytest.raises(Malformed, match="another target needs its api_secret too"):
        a_connection(setup, secret=None, target=after)
    same = a_connection(setup, secret=None, target=before, is_active=False)
    assert [(c.token_sealed, c.active) for c in same.connections] == [("sealed-first", False)]
    moved = a_connection(setup, secret=second, target=after)
    assert [(c.token_sealed, c.target) for c in moved.connections] == [("sealed-second", after)]


def test_the_environments_key_goes_to_the_real_quantconnect_only() -> None:
    kept = SealedSecret.of("1", "first", "sealed-first")
    setup = admission.import_key(Setup(), "1", kept, owner="o", at=NOON)
    body = ConnectionBody(target=Target.SANDBOX)
    moved = edits.save_connection(setup, body, kept, key=admission.KEY, owner="o", at=NOON).setup
    newer = SealedSecret.of("1", "newer", "sealed-newer")
    (told,) = admission.import_key(moved, "1", newer, owner="o", at=NOON).connections
    assert (told.token_sealed, told.target) == ("sealed-newer", Target.REAL)


def test_save_bot_leaves_what_is_not_sent() -> None:
    saved = edits.save_bot(SETUP, BotBody(id="alpha", approval="manual"), 9)
    assert not saved.created
    assert saved.item == a_bot(approval="manual", bound_version=3)


def test_save_account_changes_what_is_sent() -> None:
    saved = edits.save_account(SETUP, AccountBody(id="paper-alpha", name="Other"))
    assert (saved.item.name, saved.item.broker, saved.created) == ("Other", "paper", False)
    dear = edits.save_account(
        SETUP, AccountBody.model_validate({"id": "paper-alpha", "paper": {"fee_bps": "3"}})
    )
    slow = edits.save_account(
        dear.setup, AccountBody.model_validate({"id": "paper-alpha", "paper": {"impact_bps": "7"}})
    )
    assert (slow.item.paper.fee_bps, slow.item.paper.impact_bps) == (D(3), D(7))
    usual = {"paper": {"fee_bps": None}, "stops_at_broker": False}
    body = AccountBody.model_validate({"id": "paper-alpha", **usual})
    last = edits.save_account(slow.setup, body).item
    assert (last.paper.fee_bps, last.paper.impact_bps, last.stops_at_broker) == (None, D(7), False)


def test_a_bots_limit_orders_are_switched_on_and_off_by_themselves() -> None:
    def save(setup: Setup, **limits: Any) -> Saved[BotConfig]:
        return edits.save_bot(setup, BotBody.model_validate({"id": "alpha", "limits": limits}), 9)

    on = save(SETUP, limit_bps="5", loss_streak=3)
    assert (on.item.limits.limit_bps, on.item.limits.loss_streak) == (D(5), 3)
    off = save(on.setup, limit_bps=None, wait_for_open=False).item.limits
    assert (off.limit_bps, off.loss_streak, off.wait_for_open) == (None, 3, False)


def test_save_strategy_names_what_a_new_one_lacks() -> None:
    with pytest.raises(Malformed, match="needs symbols"):
        edits.save_strategy(Setup(), StrategyBody(strategy="sma-cross"))


def test_save_strategy_makes_an_id_from_what_it_does() -> None:
    body = StrategyBody(strategy="sma-cross", symbols=("AAPL", "MSFT"))
    saved = edits.save_strategy(Setup(), body)
    assert (saved.item.id, saved.item.interval) == ("sma-cross-aapl-msft", "1m")


def test_set_flags_leaves_what_is_not_sent() -> None:
    flags = edits.set_flags(Setup(), FlagsBody(llm=False)).flags
    assert [kind for kind, on in flags.items() if not on] == [SourceType.LLM]


def test_set_kill_switch_refuses_a_bot_that_is_not_there() -> None:
    with pytest.raises(NotFound, match="no bot 'gone'"):
        edits.set_kill_switch(SETUP, KillSwitchBody(bots=frozenset({"gone"})), by="a", at=NOON)


def test_the_demo_is_labelled_and_lives_on_the_sandbox() -> None:
    standard = PromptVersion(
        prompt_id="standard", version=1, name="S", system="", user="{{market}}"
    )
    keys = dict.fromkeys(MODELS, "…")
    start = Setup(prompts=(standard,))
    made = demo(start, 2, sealed="…", keys=keys, owner="admin", at=NOON)
    on_sandbox: list[Any] = [*made.connections, *made.accounts, *made.models]
    named: list[Any] = [*made.bots, *on_sandbox]
    assert all(item.name.startswith("Demo") for item in named)
    assert all(item.id.startswith("demo") for item in (*named, *made.strategies))
    assert {one.target for one in on_sandbox} == {"sandbox"}
    assert {m.provider for m in made.models if m.active} == {"openai", "claude"}
    assert all("sandbox" in m.name and m.budget.day_usd is not None for m in made.models)


def test_every_reason_has_words() -> None:
    assert set(WORDS) == set(Reason)
    assert explain("leads").endswith(".")
    assert explain("not_known_yet") == "not_known_yet"


def test_tally_splits_profit_by_lot_and_counts_the_fill_for_who_asked(
    story: Callable[..., Any],
) -> None:
    opened = tally(story().orders()[-1].data)
    closed = tally(story().exit().data)
    owner = Owner("alpha", "AAPL", "quantconnect", "4711")
    assert opened == {owner: Tally(realised_pnl=D(-1), fees=D(1), fills=1, traded=D(2000))}
    gain = Tally(realised_pnl=D(99), fees=D(1), gross_profit=D(99), trades=1, wins=1, fills=1)
    assert closed == {owner: replace(gain, traded=D(2100), squares=D(9801))}
    (whole,) = group([*opened.items(), *closed.items()], "source").values()
    assert (whole.realised_pnl, whole.fees, whole.fills) == (D(98), D(2), 2)
    assert (whole.win_rate, whole.profit_factor) == (D(1), None)


def test_tally_of_a_loss(story: Callable[..., Any]) -> None:
    (lost,) = tally(story().exit("190", "-101").data).values()
    assert (lost.losses, lost.gross_loss, lost.fees) == (1, D(101), D(1))
    assert (lost + lost + Tally(gross_profit=D(101))).profit_factor == D("0.5")


def test_tally_without_a_fill_is_nothing() -> None:
    assert tally(an_order()) == {}


@pytest.mark.parametrize("by", ["source", "bot", "symbol"])
def test_group_loses_nothing(by: Any) -> None:
    owners = [Owner(b, s, "llm", i) for b in "ab" for s in "xy" for i in "12"]
    sums = [(owner, Tally(realised_pnl=D(n), fills=1)) for n, owner in enumerate(owners)]
    grouped = group(sums, by)
    assert sum(part.fills for part in grouped.values()) == 8
    assert sum(part.realised_pnl for part in grouped.values()) == D(28)
    assert list(grouped) == sorted(grouped)


def a_view(bot: str, outcome: str, *, current: bool = True) -> VerdictView:
    verdict = a_verdict(bot=bot)
    fields = {
        **verdict.signal.model_dump(mode="json"),
        **verdict.model_dump(mode="json"),
        "id": f"{bot}-{outcome}",
        "outcome": outcome,
        "explanation": "Because.",
        "current": current,
    }
    return VerdictView.model_validate(fields)


def test_waiting_is_the_latest_round_of_each_bot() -> None:
    rounds = [
        a_view("a", "pending", current=False),
        a_view("a", "accepted"),
        a_view("b", "pending"),
    ]
    assert [v.bot for v in waiting(rounds, None)] == ["b"]
    assert waiting(rounds, "a") == []


def test_nothing_waits_says_why() -> None:
    assert nothing_waits([], None) == "no bot has judged this signal yet"
    assert nothing_waits([], "a") == "bot 'a' has not judged this signal"
    told = nothing_waits([a_view("a", "accepted")], None)
    assert told == "no bot waits for a person here (a: accepted, Because)"
