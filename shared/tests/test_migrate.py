"""Schemas up and down, refused in words, and never half applied."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect

from signalbox.contracts.errors import InvariantBroken
from signalbox.runtime import migrate
from signalbox.runtime.db import Database, new_metadata, postgres_engine, sqlite_engine, sqlite_path
from signalbox.runtime.migrating import migrate as run
from signalbox.runtime.tables import RUNTIME_TABLES

SERVICE = "odd-jobs"
FIRST = '''
"""The first schema."""
import sqlalchemy as sa
from alembic import op
from signalbox.runtime.migrate import create_runtime_tables, drop_runtime_tables
revision, down_revision = "0001", None
def upgrade():
    create_runtime_tables()
    op.create_table("jobs", sa.Column("id", sa.Integer, primary_key=True))
def downgrade():
    op.drop_table("jobs")
    drop_runtime_tables(op)
'''
SECOND = '''
"""One more column, on a database with rows."""
import sqlalchemy as sa
from alembic import op
revision, down_revision = "0002", "0001"
def upgrade():
    op.add_column("jobs", sa.Column("name", sa.Text))
    {then}
def downgrade():
    op.drop_column("jobs", "name")
'''


@pytest.fixture
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A service package with one migration."""
    folder = tmp_path / "src" / "odd_jobs" / "migrations" / "versions"
    folder.mkdir(parents=True)
    (tmp_path / "src" / "odd_jobs" / "__init__.py").touch()
    (folder / "0001_initial.py").write_text(FIRST)
    monkeypatch.syspath_prepend(tmp_path / "src")
    return folder


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """The SQLite file that the migrations change."""
    path = sqlite_path(tmp_path, SERVICE)
    path.parent.mkdir()
    found = sqlite_engine(f"sqlite:///{path}", write=False)
    yield found
    found.dispose()


def test_head_is_read_from_file_names(versions: Path) -> None:
    assert migrate.head(SERVICE) == "0001"
    (versions / "0002_names.py").write_text(SECOND)
    (versions / "notes.txt").touch()
    assert migrate.head(SERVICE) == "0002"
    assert migrate.head("no-such-service") is None
    assert migrate.head("market-data") is None


def test_up_makes_own_and_runtime_tables_and_a_rerun_does_nothing(
    tmp_path: Path, versions: Path, engine: Engine
) -> None:
    assert run(SERVICE, home=tmp_path, url=None) == "odd-jobs: nothing -> 0001"
    assert run(SERVICE, home=tmp_path, url=None) == "odd-jobs is at 0001"
    with engine.connect() as sql:
        assert {"jobs", *RUNTIME_TABLES} < set(inspect(sql).get_table_names())
        migrate.check_schema(sql, SERVICE)


def test_a_service_without_migrations_stores_nothing(tmp_path: Path) -> None:
    assert run("strategy-runner", home=tmp_path, url=None) == "strategy-runner stores nothing"


def test_an_older_state_directory_is_brought_up_in_place(
    tmp_path: Path, versions: Path, engine: Engine
) -> None:
    run(SERVICE, home=tmp_path, url=None)
    with engine.begin() as sql:
        sql.exec_driver_sql("INSERT INTO jobs VALUES (7)")
    (versions / "0002_names.py").write_text(SECOND.format(then=""))
    with (
        engine.connect() as sql,
        pytest.raises(InvariantBroken, match=r"at schema 0001.*needs 0002"),
    ):
        migrate.check_schema(sql, SERVICE)
    assert run(SERVICE, home=tmp_path, url=None) == "odd-jobs: 0001 -> 0002"
    with engine.connect() as sql:
        assert sql.exec_driver_sql("SELECT id, name FROM jobs").all() == [(7, None)]


def test_down_goes_one_step_and_base_goes_all_the_way(
    tmp_path: Path, versions: Path, engine: Engine
) -> None:
    (versions / "0002_names.py").write_text(SECOND.format(then=""))
    run(SERVICE, home=tmp_path, url=None)
    assert run(SERVICE, home=tmp_path, url=None, target="down") == "odd-jobs: 0002 -> 0001"
    assert run(SERVICE, home=tmp_path, url=None, target="base") == "odd-jobs: 0001 -> nothing"
    with engine.connect() as sql:
        assert inspect(sql).get_table_names() == ["alembic_version"]


def test_a_newer_schema_than_the_code_is_refused(
    tmp_path: Path, versions: Path, engine: Engine
) -> None:
    (versions / "0002_names.py").write_text(SECOND.format(then=""))
    run(SERVICE, home=tmp_path, url=None)
    (versions / "0002_names.py").unlink()
    with pytest.raises(InvariantBroken, match=r"at schema 0002, this code knows none newer.*0001"):
        run(SERVICE, home=tmp_path, url=None)
    with engine.connect() as sql, pytest.raises(InvariantBroken, match="start the newer code"):
        migrate.check_schema(sql, SERVICE)


def test_a_migration_that_fails_midway_leaves_nothing_behind(
    tmp_path: Path, versions: Path, engine: Engine
) -> None:
    run(SERVICE, home=tmp_path, url=None)
    (versions / "0002_names.py").write_text(SECOND.format(then='raise RuntimeError("power cut")'))
    with pytest.raises(RuntimeError, match="power cut"):
        run(SERVICE, home=tmp_path, url=None)
    with engine.connect() as sql:
        assert migrate.current(sql) == "0001"
        assert [c["name"] for c in inspect(sql).get_columns("jobs")] == ["id"]


def test_a_running_service_is_not_migrated_under_its_feet(tmp_path: Path, versions: Path) -> None:
    database = Database.open(SERVICE, home=tmp_path, url=None)
    try:
        with pytest.raises(InvariantBroken, match="is running"):
            run(SERVICE, home=tmp_path, url=None)
    finally:
        database.close()


def test_the_command_names_what_it_did(
    tmp_path: Path,
    versions: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(migrate, "SERVICES", (SERVICE, "strategy-runner"))
    monkeypatch.setenv("SIGNALBOX_HOME", str(tmp_path))
    monkeypatch.delenv("SIGNALBOX_DATABASE_URL", raising=False)
    assert migrate.main(["all"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == ["odd-jobs: nothing -> 0001", "strategy-runner stores nothing"]
    (versions / "0001_initial.py").rename(versions / "0000_initial.py")
    assert migrate.main([SERVICE]) == 1
    assert "newer" in capsys.readouterr().err


def test_a_running_service_never_loads_the_migration_library() -> None:
    code = "import sys, signalbox.runtime.service; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.integration
def test_each_service_has_a_postgres_schema_of_its_own(
    tmp_path: Path, versions: Path, fresh_database: str
) -> None:
    run(SERVICE, home=tmp_path, url=fresh_database)
    engine = postgres_engine(fresh_database, SERVICE, size=1)
    with engine.connect() as sql:
        assert migrate.current(sql) == "0001"
        assert {"jobs", *RUNTIME_TABLES} < set(inspect(sql).get_table_names("odd_jobs"))
        assert inspect(sql).get_table_names("public") == []
    engine.dispose()
    assert set(new_metadata().tables) == set(RUNTIME_TABLES)
