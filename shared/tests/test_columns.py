"""Money and time come back as they went in."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, Table, select
from sqlalchemy.exc import StatementError

from signalbox.runtime.db import Database, ExactDecimal, Json, UtcDateTime, new_metadata, upsert

METADATA = new_metadata()
THINGS = Table(
    "things",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("amount", ExactDecimal),
    Column("at", UtcDateTime),
    Column("body", Json),
)
DB = Database.in_memory(METADATA)


def back(**values: object) -> object:
    with DB.begin() as sql:
        sql.execute(
            upsert(THINGS, ["id"]), [{"id": 1, "amount": None, "at": None, "body": None} | values]
        )
        return sql.execute(select(THINGS)).one()


@given(
    st.decimals(
        allow_nan=False,
        allow_infinity=False,
        places=12,
        max_value=Decimal("1e18"),
        min_value=Decimal("-1e18"),
    )
)
def test_decimals_keep_every_digit(amount: Decimal) -> None:
    assert back(amount=amount).amount == amount  # type: ignore[attr-defined]  # a row


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5))])))
def test_times_keep_every_microsecond_and_are_utc(at: datetime) -> None:
    found = back(at=at).at  # type: ignore[attr-defined]  # a row
    assert found == at
    assert found.tzinfo is UTC


@pytest.mark.parametrize("amount", [Decimal("NaN"), Decimal("Infinity")])
def test_a_decimal_that_is_not_finite_is_refused(amount: Decimal) -> None:
    with pytest.raises(StatementError, match="not a finite decimal"):
        back(amount=amount)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(StatementError, match="no time zone"):
        back(at=datetime(2026, 1, 1))  # noqa: DTZ001 - what is refused


def test_upsert_overwrites_the_row_with_the_same_key() -> None:
    back(amount=Decimal(1), body={"a": [1, "x"]})
    assert tuple(back(amount=Decimal(2), body=None))[1:] == (Decimal(2), None, None)  # type: ignore[arg-type]  # a row
