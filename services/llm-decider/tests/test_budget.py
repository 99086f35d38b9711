"""No interleaving, crash or number of replicas spends more than a limit, or loses a cent of it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from llm_decider.adapters import ledger, tables
from llm_decider.adapters.ledger import Ended
from llm_decider.domain import budget
from llm_decider.domain.attempts import Attempt, State
from llm_decider.domain.budget import Purse, PurseKey
from llm_decider.domain.shapes import Booking
from signalbox.contracts.config import Budget, LlmConfig, LlmDeciderConfig
from signalbox.contracts.errors import Conflict, NotFound
from signalbox.runtime.db import Database
from signalbox.runtime.migrating import migrate

D = Decimal
NOTHING = D(0)
WALL = datetime(2026, 11, 30, 23, 0, tzinfo=UTC)
NAMESPACE = UUID(int=7)
LIMITS = [None, D(0), D("0.5"), D(1), D(3)]
KEY = PurseKey("total", "day", "2026-11-30")
amounts = st.decimals(min_value=0, max_value=1, places=4)


def document(total: Decimal | None, own: Decimal | None) -> LlmDeciderConfig:
    """Two configs with a day's limit each, and one for both together."""
    fields: dict[str, Any] = {"provider": "openai", "key_sealed": "x", "model": "m"}
    models = tuple(
        LlmConfig(
            id=name, name=name, prompt_id="p", symbols=("AAPL",), **fields,
            budget=Budget(day_usd=own, month_usd=D(5)),
        )
        for name in ("a", "b")
    )  # fmt: skip
    return LlmDeciderConfig(models=models, budget=Budget(day_usd=total, month_usd=None))


def an_attempt(number: int, payers: tuple[str, ...], amount: Decimal, at: datetime) -> Attempt:
    return Attempt(
        attempt_id=uuid5(NAMESPACE, str(number)), call_id=NAMESPACE, number=number,
        config_id=payers[0], payers=payers, provider="openai", model="m", at=at,
        reserved_usd=amount,
    )  # fmt: skip


def an_end(attempt: Attempt, booking: Booking, cost: Decimal = NOTHING) -> Ended:
    return Ended(attempt, booking, cost, 1.0, outcome="x")


def check_sums(db: Database) -> None:
    """Every purse holds what its attempts reserve, hold and have cost."""
    with db.begin() as sql:
        made = ledger.attempts_of(sql, NAMESPACE)
        rows = list(sql.execute(select(tables.purses)))
    for row in rows:
        at = PurseKey(row.scope, row.period, row.key)
        own = [a for a in made if at in budget.purse_keys(a.payers, a.at)]
        sums = {
            "reserved": sum(a.reserved_usd for a in own if a.state is State.STARTED),
            "held": sum(a.reserved_usd for a in own if a.state is State.UNKNOWN),
            "spent": sum(a.cost_usd for a in own),
        }
        assert {name: row._mapping[name] for name in sums} == sums
        assert row.calls == len(own)


class Spending(RuleBasedStateMachine):
    """Replicas reserve, settle, release, lose and resolve in any order; some die in between."""

    started = Bundle("started")
    unknown = Bundle("unknown")

    def __init__(self) -> None:
        super().__init__()
        self.db = Database.in_memory(tables.metadata)
        self.config = document(D(3), D(1))
        self.wall = WALL
        self.count = 0

    @rule(
        target=started,
        payers=st.sampled_from([("a",), ("b",), ("a", "b")]),
        amount=amounts,
    )
    def begin(self, payers: tuple[str, ...], amount: Decimal) -> Attempt | None:
        self.count += 1
        attempt = an_attempt(self.count, payers, amount, self.wall)
        with self.db.begin() as sql:
            refusal, _ = ledger.begin(sql, self.config, attempt)
            after = ledger.standing(sql, self.config, self.wall)
        charged = {key.scope for key in budget.purse_keys(payers, self.wall)}
        for purse in after:
            if refusal is None and purse.at.scope in charged and purse.limit is not None:
                assert purse.committed <= purse.limit
                assert purse.limit > 0
        return None if refusal else attempt

    @rule(attempt=consumes(started), share=st.integers(0, 100))
    def settle(self, attempt: Attempt | None, share: int) -> None:
        if attempt:
            self._end(an_end(attempt, Booking.SETTLE, attempt.reserved_usd * share / 100))

    @rule(attempt=consumes(started))
    def release(self, attempt: Attempt | None) -> None:
        if attempt:
            self._end(an_end(attempt, Booking.RELEASE))

    @rule(target=unknown, attempt=consumes(started))
    def die(self, attempt: Attempt | None) -> Attempt | None:
        if attempt:
            self._end(an_end(attempt, Booking.HOLD))
        return attempt

    @rule(attempt=consumes(unknown), share=st.integers(0, 100), late=st.booleans())
    def resolve(self, attempt: Attempt | None, share: int, *, late: bool) -> None:
        if attempt is None:
            return
        cost = attempt.reserved_usd * share / 100
        if late:  # the process was not dead, only slow
            self._end(an_end(attempt, Booking.SETTLE, cost))
            return
        with self.db.begin() as sql:
            ledger.resolve(sql, self.config, attempt.attempt_id, cost)

    @rule(total=st.sampled_from(LIMITS), own=st.sampled_from(LIMITS))
    def set_limits(self, total: Decimal | None, own: Decimal | None) -> None:
        self.config = document(total, own)

    @rule(hours=st.integers(1, 30))
    def wait(self, hours: int) -> None:
        self.wall += timedelta(hours=hours)

    def teardown(self) -> None:
        self.db.close()

    def _end(self, ended: Ended) -> None:
        with self.db.begin() as sql:
            ledger.end(sql, self.config, ended)
            again = ledger.end(sql, self.config, replace(ended, cost_usd=D(9)))
        assert again == []

    @invariant()
    def every_purse_is_the_sum_of_its_attempts(self) -> None:
        check_sums(self.db)


TestSpending = Spending.TestCase
TestSpending.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


@pytest.fixture
def replicas(tmp_path: Path, fresh_database: str) -> Iterator[list[Database]]:
    """Eight processes on one PostgreSQL database."""
    migrate("llm-decider", home=tmp_path, url=fresh_database)
    with ExitStack() as opened:
        made = [Database.open("llm-decider", home=tmp_path, url=fresh_database) for _ in range(8)]
        for replica in made:
            opened.callback(replica.close)
        yield made


@pytest.mark.integration
def test_replicas_on_postgresql_never_spend_more_together(replicas: list[Database]) -> None:
    """Eight replicas reserve 0.3 at once, over and over; three fit under a limit of 1."""
    config = document(D(1), None)

    def spend(number: int) -> bool:
        payers = (("a",), ("b",), ("b", "a"))[number % 3]
        with replicas[number % 8].begin() as sql:
            refusal, _ = ledger.begin(sql, config, an_attempt(number, payers, D("0.3"), WALL))
        return refusal is None

    with ThreadPoolExecutor(8) as threads:
        allowed = list(threads.map(spend, range(48)))
    assert sum(allowed) == 3
    with replicas[0].begin() as sql:
        total = ledger.standing(sql, config, WALL)[-2]
    assert (total.at.scope, total.reserved) == ("total", D("0.9"))


@pytest.mark.integration
def test_replicas_on_postgresql_lose_no_cent_together(replicas: list[Database]) -> None:
    """Eight replicas reserve, settle, release, lose and resolve at once, up to a limit of 2."""
    config = document(D(2), None)

    def spend(number: int) -> bool:
        payers = (("a",), ("b",), ("b", "a"))[number % 3]
        booking = tuple(Booking)[number // 3 % 3]
        cost = D("0.004") if booking is Booking.SETTLE else NOTHING
        attempt = an_attempt(number, payers, D("0.1"), WALL)
        replica = replicas[number % 8]
        with replica.begin() as sql:
            refusal, _ = ledger.begin(sql, config, attempt)
        if refusal:
            return False
        with replica.begin() as sql:
            ledger.end(sql, config, an_end(attempt, booking, cost))
        if booking is Booking.HOLD and number % 2:
            with replica.begin() as sql:
                ledger.resolve(sql, config, attempt.attempt_id, D("0.002"))
        return True

    with ThreadPoolExecutor(8) as threads:
        allowed = list(threads.map(spend, range(160)))
    check_sums(replicas[0])
    assert 80 < sum(allowed) < 160, "the limit was reached"
    with replicas[0].begin() as sql:
        total = ledger.standing(sql, config, WALL)[-2]
    assert (total.at.scope, total.reserved) == ("total", NOTHING)
    assert D(1) < total.committed <= D(2)


@given(cost=st.decimals(min_value=0, max_value=1000, places=9), parts=st.integers(1, 50))
def test_a_split_cost_adds_up_exactly(cost: Decimal, parts: int) -> None:
    shares = budget.split(cost, parts)
    assert sum(shares) == cost
    assert len(shares) == parts
    assert all(share >= 0 for share in shares)


@pytest.mark.parametrize(
    ("spent", "held", "alerted", "refused", "told"),
    [
        pytest.param("0.49", "0", 0, False, None, id="below"),
        pytest.param("0.50", "0", 0, False, 50, id="half"),
        pytest.param("0.50", "0", 50, False, None, id="told already"),
        pytest.param("0.30", "0.5", 50, False, 80, id="unknown money counts"),
        pytest.param("1.20", "0", 0, False, 100, id="only the highest"),
        pytest.param("0.10", "0", 0, True, 100, id="a refusal is the end"),
        pytest.param("0.10", "0", 100, True, None, id="told of the end"),
    ],
)
def test_thresholds_are_told_once(
    spent: str, held: str, alerted: int, *, refused: bool, told: int | None
) -> None:
    purse = Purse(KEY, D(1), spent=D(spent), held=D(held), alerted=alerted, alerted_of=D(1))
    assert budget.crossed(purse, refused=refused) == told


def test_another_limit_has_thresholds_of_its_own() -> None:
    purse = Purse(KEY, D(2), spent=D("1.1"), alerted=100, alerted_of=D(1))
    assert budget.crossed(purse) == 50
    assert budget.crossed(replace(purse, limit=D(1))) is None
    assert budget.crossed(replace(purse, limit=D(3))) is None


def test_a_purse_without_limit_is_never_crossed() -> None:
    assert budget.crossed(Purse(KEY, None, spent=D(1000)), refused=True) is None
    assert budget.crossed(Purse(KEY, D(0)), refused=True) is None


def test_a_period_is_the_wall_clocks_in_utc() -> None:
    keys = budget.purse_keys(["a"], WALL)
    assert [(k.scope, k.key) for k in keys] == [
        ("config:a", "2026-11-30"), ("config:a", "2026-11"),
        ("total", "2026-11-30"), ("total", "2026-11"),
    ]  # fmt: skip


def test_only_what_is_unknown_is_resolved() -> None:
    db, config = Database.in_memory(tables.metadata), document(D(3), D(1))
    attempt = an_attempt(1, ("a",), D("0.5"), WALL)
    with db.begin() as sql:
        with pytest.raises(NotFound):
            ledger.resolve(sql, config, attempt.attempt_id, D(0))
        ledger.begin(sql, config, attempt)
        with pytest.raises(Conflict, match="started"):
            ledger.resolve(sql, config, attempt.attempt_id, D(0))


def test_an_attempt_begins_once() -> None:
    db, config = Database.in_memory(tables.metadata), document(D(3), D(1))
    attempt = an_attempt(1, ("a",), D("0.5"), WALL)
    with db.begin() as sql:
        ledger.begin(sql, config, attempt)
    with pytest.raises(IntegrityError), db.begin() as sql:
        ledger.begin(sql, config, attempt)
    with db.begin() as sql:
        assert {purse.reserved for purse in ledger.standing(sql, config, WALL)} == {D(0), D("0.5")}
