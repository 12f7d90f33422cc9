"""The versions of the database: they make what the models say, on both, and two processes may start at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect

from customs import database, migrating
from tests.postgresql import drop_database, new_database


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without a table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'deep' / 'customs.db'}"
        return
    url = new_database(request.getfixturevalue("cluster"))
    yield url
    drop_database(url)


@pytest.fixture
def engine(empty_database: str) -> Iterator[Engine]:
    made = database.connect(empty_database)
    yield made
    made.dispose()


def differences(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, database.Base.metadata))


def test_the_versions_make_what_the_models_say(engine: Engine):
    migrating.upgrade(engine)

    assert differences(engine) == []
    assert migrating.is_current(engine)


def test_an_upgrade_of_what_is_current_changes_nothing(engine: Engine):
    migrating.upgrade(engine)
    before = sorted(inspect(engine).get_table_names())

    migrating.upgrade(engine)

    assert sorted(inspect(engine).get_table_names()) == before


def test_of_two_upgrades_at_once_one_works_and_the_other_waits(empty_database: str):
    engines = [database.connect(empty_database) for _ in range(2)]

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(migrating.upgrade, engines))

    assert all(migrating.is_current(engine) for engine in engines)
    assert differences(engines[0]) == []
    for engine in engines:
        engine.dispose()


def test_a_database_behind_is_told_apart(engine: Engine):
    migrating.upgrade(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")

    assert not migrating.is_current(engine)


def test_the_way_back_leaves_nothing_behind(engine: Engine):
    migrating.upgrade(engine)

    with engine.begin() as connection:
        command.downgrade(migrating.config(connection), "base")

    assert set(inspect(engine).get_table_names()) <= {"alembic_version", "sqlite_sequence"}


def test_the_versions_are_one_line():
    script = ScriptDirectory.from_config(migrating.config(None))

    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1
