"""Who may say and hear what, as a table."""

import pytest

from signalbox.contracts.subjects import STREAMS
from signalbox.runtime.provision.permissions import (
    everyone,
    matches,
    may_hear,
    may_publish,
    permissions,
)
from signalbox.runtime.topology import CONSUMERS, SERVICES, Consumer, User

SUBJECTS = {
    "signal of quantconnect": "sb.v1.signals.quantconnect.p1.AAPL",
    "signal of a model": "sb.v1.signals.llm.c1.AAPL",
    "signal of a strategy": "sb.v1.signals.strategy.ema.AAPL",
    "signal by hand": "sb.v1.signals.manual.admin.AAPL",
    "signal from outside": "sb.v1.signals.external.token.AAPL",
    "model answer": "sb.v1.llm.c1.AAPL",
    "outcome": "sb.v1.outcomes.c1.AAPL",
    "verdict": "sb.v1.verdicts.alpha.AAPL",
    "order": "sb.v1.orders.alpha.AAPL",
    "book": "sb.v1.books.alpha",
    "bar": "sb.v1.market.bars.AAPL.1m",
    "quote": "sb.v1.market.quotes.AAPL",
    "push": "sb.v1.ingress.quantconnect.c1",
    "alert": "sb.v1.alerts.critical",
    "bar history": "sb.v1.cmd.market-data.bars",
    "flatten": "sb.v1.cmd.executor.flatten",
    "approve": "sb.v1.cmd.decision-router.approve",
    "configuration": "$KV.CONFIG.executor",
    "clock": "$KV.CLOCK.clock",
    "key": "$KV.KEYS.executor",
}
SAYS = {
    "market-data": {"bar", "quote", "alert", "clock"},
    "qc-ingest": {"signal of quantconnect", "alert"},
    "llm-decider": {"signal of a model", "model answer", "alert", "bar history"},
    "lab": {"outcome", "alert", "bar history"},
    "strategy-runner": {"signal of a strategy", "alert", "bar history"},
    "decision-router": {"verdict", "alert"},
    "executor": {"order", "book", "alert", "bar history"},
    "gateway": {
        "signal by hand",
        "signal from outside",
        "push",
        "alert",
        "bar history",
        "flatten",
        "approve",
        "configuration",
    },
    "sandbox": {"bar history"},
    "reader": set(),
    "provision": {"key"},
}


@pytest.mark.parametrize("user", SAYS)
def test_a_user_publishes_exactly_its_own(user: str) -> None:
    rights = everyone()[user]
    assert {name for name, s in SUBJECTS.items() if may_publish(rights, s)} == SAYS[user]


def test_the_table_covers_every_user() -> None:
    assert set(SAYS) == set(everyone())


@pytest.mark.parametrize("service", SERVICES)
def test_state_and_dead_letters_carry_the_own_name(service: str) -> None:
    rights = everyone()[service]
    for other in SERVICES:
        assert may_publish(rights, f"sb.v1.state.{other}.kind.id") is (other == service)
        assert may_publish(rights, f"sb.v1.dead.{other}") is (other == service)


@pytest.mark.parametrize("user", [name for name in everyone() if name != "provision"])
def test_nobody_but_provision_changes_streams_or_consumers(user: str) -> None:
    rights = everyone()[user]
    for stream in (*(s.name for s in STREAMS), "KV_CONFIG", "KV_KEYS", "KV_CLOCK"):
        for verb in ("STREAM.CREATE", "STREAM.UPDATE", "STREAM.DELETE", "STREAM.PURGE"):
            assert not may_publish(rights, f"$JS.API.{verb}.{stream}")
        for verb in ("CONSUMER.CREATE", "CONSUMER.DURABLE.CREATE", "CONSUMER.DELETE"):
            for name in ("", ".x", f".{user}", ".x.sb.v1.signals.>"):
                assert not may_publish(rights, f"$JS.API.{verb}.{stream}{name}")


@pytest.mark.parametrize("consumer", CONSUMERS, ids=lambda c: f"{c.stream}-{c.durable}")
@pytest.mark.parametrize("user", [name for name in everyone() if name != "provision"])
def test_a_durable_is_read_by_its_owner_only(user: str, consumer: Consumer) -> None:
    rights, name = everyone()[user], f"{consumer.stream}.{consumer.durable}"
    mine = user == consumer.durable
    for subject in (
        f"$JS.API.CONSUMER.MSG.NEXT.{name}",
        f"$JS.API.CONSUMER.INFO.{name}",
        f"$JS.ACK.{name}.1.1.1.1795409310112112602.0",
        f"$JS.ACK._.Hk3dQx2a.{name}.1.1.1.1795409310112112602.0.tok",
    ):
        assert may_publish(rights, subject) is mine
    for verb in ("RESET", "UNPIN"):
        assert may_publish(rights, f"$JS.API.CONSUMER.{verb}.{name}") is (mine and consumer.pinned)


@pytest.mark.parametrize("user", everyone())
def test_a_user_hears_its_own_inbox_and_no_other(user: str) -> None:
    rights = everyone()[user]
    for other in everyone():
        assert may_hear(rights, f"_INBOX_{other}.abc") is (other == user)
    assert not may_hear(rights, "_INBOX.abc")


@pytest.mark.parametrize("user", [name for name in everyone() if name != "reader"])
def test_a_service_is_asked_under_its_own_name(user: str) -> None:
    rights = everyone()[user]
    for other in SERVICES:
        assert may_hear(rights, f"sb.v1.cmd.{other}.verb") is (other == user)
    assert rights.answers is (user in SERVICES)


def test_the_reader_hears_all_events_but_no_commands_and_never_answers() -> None:
    rights = everyone()["reader"]
    for name, subject in SUBJECTS.items():
        heard = subject.startswith("sb.v1.") and not subject.startswith("sb.v1.cmd.")
        assert may_hear(rights, subject) is heard, name
    assert not rights.answers
    assert all("DIRECT.GET" in s or "STREAM.INFO" in s for s in rights.publish)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_reads_its_own_configuration_and_the_gateway_all(service: str) -> None:
    rights = everyone()[service]
    for other in SERVICES:
        own = service in {other, "gateway"}
        key = f"$KV.CONFIG.{other}"
        assert may_hear(rights, key) is own
        assert may_publish(rights, f"$JS.API.DIRECT.GET.KV_CONFIG.{key}") is own
        assert may_hear(rights, f"$KV.KEYS.{other}")
    assert may_hear(rights, "$KV.CLOCK.clock")
    assert may_publish(rights, "$JS.API.DIRECT.GET.KV_CLOCK.$KV.CLOCK.clock")


def test_a_user_without_words_or_streams_may_only_hear_its_inbox() -> None:
    rights = permissions(User("nobody"), is_service=False)
    assert (rights.publish, rights.subscribe) == ((), ("_INBOX_nobody.>",))


@pytest.mark.parametrize(
    ("pattern", "subject", "within"),
    [
        pytest.param("a.b", "a.b", True, id="equal"),
        pytest.param("a.b", "a.b.c", False, id="longer"),
        pytest.param("a.b.c", "a.b", False, id="shorter"),
        pytest.param("a.*.c", "a.x.c", True, id="star is one token"),
        pytest.param("a.*.c", "a.x.y.c", False, id="star is not two tokens"),
        pytest.param("a.>", "a.b.c", True, id="rest"),
        pytest.param("a.>", "a", False, id="rest is not empty"),
    ],
)
def test_matches_as_the_server_does(pattern: str, subject: str, within: bool) -> None:
    assert matches(pattern, subject) is within
