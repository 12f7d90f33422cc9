"""Brings the database to the newest version, one process at a time."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

import customs.access.models
import customs.declarations.models
import customs.history.counting
import customs.history.models
import customs.lanes.models  # noqa: F401 - what metadata knows is what was imported
import migrations

# An arbitrary number that names our lock among PostgreSQL's advisory locks.
UPGRADE_LOCK = 4_930_911


def upgrade(engine: Engine) -> None:
    """Upgrade to the newest version; of several processes that start at once, one does it and the others wait."""
    if engine.dialect.name == "sqlite" and engine.url.database:
        Path(engine.url.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": UPGRADE_LOCK})
        command.upgrade(config(connection), "head")


def is_current(engine: Engine) -> bool:
    """Whether the database is at the newest version."""
    newest = ScriptDirectory.from_config(config(None)).get_current_head()
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == newest


def config(connection: object) -> Config:
    """Alembic's configuration; there is no alembic.ini."""
    made = Config()
    made.set_main_option("script_location", str(Path(migrations.__file__).parent))
    made.attributes["connection"] = connection
    return made
