"""Upgrade the database to the newest version, one process at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, inspect, text

from customs import ROOT
from customs.db import schema_guard
from customs.db.database import SchemaMismatch

# An arbitrary number that names our lock among PostgreSQL's advisory locks.
UPGRADE_LOCK = 4_930_911


def upgrade(engine: Engine) -> None:
    """Upgrade to the newest version. Of several processes that start at once, one upgrades and the others wait."""
    with migration(engine) as made:
        connection: Connection = made.attributes["connection"]
        is_there = inspect(connection).has_table("alembic_version")
        if is_there and (schema_guard.version_of(connection) or "") > schema_guard.newest_version():
            raise SchemaMismatch(schema_guard.mismatch_of(connection))
        command.upgrade(made, "head")


@contextmanager
def migration(engine: Engine) -> Iterator[Config]:
    """Open one transaction for migrations, locked against other processes; yield Alembic's configuration."""
    if engine.dialect.name == "sqlite" and engine.url.database:
        Path(engine.url.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unguarded = engine.execution_options(**{schema_guard.ANY_VERSION: True})
    with unguarded.connect() as connection, _without_foreign_keys(connection), connection.begin():
        if engine.dialect.name == "postgresql":
            # An upgrade of many rows may take long, and so may waiting for another one.
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": UPGRADE_LOCK})
        yield config(connection)


@contextmanager
def _without_foreign_keys(connection: Connection) -> Iterator[None]:
    """Turn off SQLite's foreign keys: it alters a table by replacing it, and rows may point to the old one."""
    if connection.dialect.name != "sqlite":
        yield
        return
    # On the driver's connection: within a transaction this statement would do nothing.
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def config(connection: object) -> Config:
    """Return Alembic's configuration; there is no alembic.ini."""
    made = Config()
    made.set_main_option("script_location", str(ROOT / "migrations"))
    made.attributes["connection"] = connection
    return made
