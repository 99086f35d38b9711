"""A reader sees one state of the database, whatever is committed meanwhile, and changes nothing."""

from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, ForeignKey, Integer, Table, func, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from signalbox.runtime.columns import drive, insert_many, rows_in
from signalbox.runtime.db import Database, new_metadata, schema_name

pytestmark = pytest.mark.integration

SERVICE = "odd-jobs"
METADATA = new_metadata()
JOBS = Table("jobs", METADATA, Column("number", Integer, primary_key=True))
AFTER = ForeignKey("jobs.number", deferrable=True, initially="DEFERRED")  # looked at by COMMIT
STEPS = Table("steps", METADATA, Column("after", Integer, AFTER, primary_key=True))


@pytest.fixture
def database(tmp_path: Path, database_url: str | None) -> Database:
    found = Database.open(SERVICE, home=tmp_path, url=database_url)
    with found.begin() as sql:
        if database_url:
            sql.exec_driver_sql(f"CREATE SCHEMA {schema_name(SERVICE)}")
        METADATA.create_all(sql)
    return found


def count(sql: Connection) -> int:
    return sql.execute(select(func.count()).select_from(JOBS)).scalar_one()


async def test_two_statements_of_one_read_see_the_same(database: Database) -> None:
    def look(sql: Connection) -> tuple[int, int]:
        before = count(sql)
        with database.begin() as other:
            other.execute(insert(JOBS).values(number=1))
        return before, count(sql)

    assert await database.read(look) == (0, 0)
    assert await database.read(count) == 1
    database.close()


async def test_a_read_on_a_server_changes_nothing(tmp_path: Path, fresh_database: str) -> None:
    database = Database.open(SERVICE, home=tmp_path, url=fresh_database)
    with database.begin() as sql:
        sql.exec_driver_sql(f"CREATE SCHEMA {schema_name(SERVICE)}")
        METADATA.create_all(sql)
    with pytest.raises(DBAPIError, match="read-only"):
        await database.read(lambda sql: sql.execute(insert(JOBS).values(number=1)))
    database.close()


async def test_a_failed_transaction_says_why_and_the_next_one_goes_on(database: Database) -> None:
    def add(sql: Connection) -> None:
        insert_many(sql, JOBS, [(1,)])

    await database.write(add)
    with pytest.raises(IntegrityError):
        await database.write(add)
    assert await database.read(lambda sql: drive(sql, "SELECT number FROM jobs")) == [(1,)]
    with database.begin() as sql:
        insert_many(sql, JOBS, [(2,), (3,)])
    assert await database.read(
        lambda sql: list(rows_in(sql, "SELECT * FROM jobs WHERE number", ["2", "3"]))
    ) == [(2,), (3,)]
    database.close()


async def test_a_failed_commit_is_told_and_the_next_transaction_goes_on(database: Database) -> None:
    with pytest.raises(IntegrityError):
        await database.write(lambda sql: sql.execute(insert(STEPS).values(after=7)))
    await database.write(lambda sql: sql.execute(insert(JOBS).values(number=1)))
    assert await database.read(count) == 1
    assert await database.read(lambda sql: drive(sql, "SELECT * FROM steps")) == []
    database.close()


async def test_two_raw_statements_of_one_read_see_the_same(database: Database) -> None:
    def look(sql: Connection) -> tuple[int, int]:
        before = len(drive(sql, "SELECT number FROM jobs"))
        with database.begin() as other:
            insert_many(other, JOBS, [(1,)])
        return before, len(drive(sql, "SELECT number FROM jobs"))

    assert await database.read(look) == (0, 0)
    database.close()
