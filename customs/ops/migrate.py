"""Brings the database to the newest version, one process at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, inspect, text

import migrations
from customs.db import schema_guard
from customs.db.database import SchemaMismatch

# An arbitrary number that names our lock among PostgreSQL's advisory locks.
UPGRADE_LOCK = 4_930_911


def upgrade(engine: Engine) -> None:
    """Upgrade to the newest version; of several processes that start at once, one does it and the others wait."""
    with migration(engine) as made:
        connection: Connection = made.attributes["connection"]
        is_there = inspect(connection).has_table("alembic_version")
        if is_there and (schema_guard.version_of(connection) or "") > schema_guard.newest_version():
            raise SchemaMismatch(schema_guard.mismatch_of(connection))
        command.upgrade(made, "head")


@contextmanager
def migration(engine: Engine) -> Iterator[Config]:
    """One transaction in which versions come and go, and nobody else's do."""
    if engine.dialect.name == "sqlite" and engine.url.database:
        Path(engine.url.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unguarded = engine.execution_options(**{schema_guard.ANY_VERSION: True})
    with unguarded.connect() as connection, _constraints_asleep(connection), connection.begin():
        if engine.dialect.name == "postgresql":
            # An upgrade of many rows takes as long as it takes, and so does the wait for another one.
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": UPGRADE_LOCK})
        yield config(connection)


@contextmanager
def _constraints_asleep(connection: Connection) -> Iterator[None]:
    """SQLite alters a table by making it anew: rows that point to the old one must not keep it from going."""
    if connection.dialect.name != "sqlite":
        yield
        return
    # Not through the connection, whose every statement is in a transaction: there this would do nothing.
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def config(connection: object) -> Config:
    """Alembic's configuration; there is no alembic.ini."""
    made = Config()
    made.set_main_option("script_location", str(Path(migrations.__file__).parent))
    made.attributes["connection"] = connection
    return made
