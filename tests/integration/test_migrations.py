"""Every service's migrations make exactly the tables of its code, up and down, on both sides."""

from importlib import import_module
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData, inspect

from signalbox.runtime.db import postgres_engine, sqlite_engine, sqlite_path
from signalbox.runtime.migrate import check_schema, current, versions_folder
from signalbox.runtime.migrating import migrate
from signalbox.runtime.topology import SERVICES

pytestmark = pytest.mark.integration
STORING = [service for service in SERVICES if versions_folder(service)]


def _engine(service: str, home: Path, url: str | None, *, write: bool = False) -> Engine:
    if url:
        return postgres_engine(url, service, size=1)
    return sqlite_engine(f"sqlite:///{sqlite_path(home, service)}", write=write)


def _differences(engine: Engine, metadata: MetaData) -> list[object]:
    with engine.connect() as sql:
        context = MigrationContext.configure(sql, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))


@pytest.mark.parametrize("service", STORING)
def test_migrations_make_the_tables_of_the_code(
    service: str, tmp_path: Path, database_url: str | None
) -> None:
    tables = import_module(f"{service.replace('-', '_')}.adapters.tables")
    migrate(service, home=tmp_path, url=database_url)
    engine = _engine(service, tmp_path, database_url)
    assert _differences(engine, tables.metadata) == []
    migrate(service, home=tmp_path, url=database_url, target="base")
    with engine.connect() as sql:
        assert inspect(sql).get_table_names() == ["alembic_version"]
    migrate(service, home=tmp_path, url=database_url)
    assert _differences(engine, tables.metadata) == []
    with engine.connect() as sql:
        check_schema(sql, service)
    engine.dispose()


@pytest.mark.parametrize(
    ("revision", "had"),
    [("0005", False), ("0005", True), ("0006", False), ("0006", True), ("0007", True)],
)
def test_an_executor_of_any_age_knows_its_accounts_at_brokers(
    tmp_path: Path, database_url: str | None, revision: str, had: bool
) -> None:
    """`broker_accounts` came with 0005 for a while; databases of before and of then both open."""
    migrate("executor", home=tmp_path, url=database_url)
    engine = _engine("executor", tmp_path, database_url)
    while _revision(engine) != revision:
        migrate("executor", home=tmp_path, url=database_url, target="down")
    accounts = import_module("executor.adapters.tables").broker_accounts
    row = {"account": "alpha", "broker_id": "its id"}
    if had:
        writer = _engine("executor", tmp_path, database_url, write=True)
        with writer.begin() as sql:
            accounts.create(sql)
            sql.execute(accounts.insert(), [row])
        writer.dispose()
    migrate("executor", home=tmp_path, url=database_url)
    with engine.connect() as sql:
        check_schema(sql, "executor")
        assert [dict(found._mapping) for found in sql.execute(accounts.select())] == [row] * had
    assert _differences(engine, accounts.metadata) == []
    engine.dispose()


def _revision(engine: Engine) -> str | None:
    with engine.connect() as sql:
        return current(sql)
