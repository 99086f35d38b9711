"""Every service's migrations make exactly the tables of its code, up and down, on both sides."""

from importlib import import_module
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData, inspect

from signalbox.runtime.db import postgres_engine, sqlite_engine, sqlite_path
from signalbox.runtime.migrate import check_schema, versions_folder
from signalbox.runtime.migrating import migrate
from signalbox.runtime.topology import SERVICES

pytestmark = pytest.mark.integration
STORING = [service for service in SERVICES if versions_folder(service)]


def _engine(service: str, home: Path, url: str | None) -> Engine:
    if url:
        return postgres_engine(url, service, size=1)
    return sqlite_engine(f"sqlite:///{sqlite_path(home, service)}", write=False)


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
