"""Schema guard: is the database at the version of this program, and can it be written."""

import secrets
import time
from collections.abc import Callable
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, Engine, Integer, text
from sqlalchemy.exc import OperationalError, ProgrammingError, SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from customs import ROOT
from customs.db import database
from customs.db.bulk import upsert_many
from customs.db.database import Base, SchemaMismatch, UtcDateTime

LOOK_SECONDS = 1.0
SLOTS = 16
# An execution option of those who bring the database to its version, or look at it: to them any is welcome.
ANY_VERSION = "any_version"
NO_SUCH_TABLE = "42P01"


class WriteCheck(Base):
    """Time of the last write check; `slot` spreads processes over rows."""

    __tablename__ = "write_checks"

    slot: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    checked_at: Mapped[datetime] = mapped_column(UtcDateTime)


WRITE_CHECKS = Base.metadata.tables[WriteCheck.__tablename__]


@cache
def newest_version() -> str:
    """Return the version of this program: the last file in `migrations/versions`."""
    return max(file.name.partition("_")[0] for file in (ROOT / "migrations" / "versions").glob("[0-9]*.py"))


def version_of(connection: Connection) -> str | None:
    """Return the version of the database, None when it has none yet."""
    try:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except (OperationalError, ProgrammingError) as error:
        if getattr(error.orig, "sqlstate", None) == NO_SUCH_TABLE or "no such table" in str(error.orig):
            return None
        raise


def mismatch_of(connection: Connection) -> str | None:
    """Return what to do about a database at another version, None when the version is right."""
    found, wanted = version_of(connection), newest_version()
    if found == wanted:
        return None
    if found is not None and found > wanted:
        return (
            f"the database is at version {found}, and this program is written for {wanted}: "
            "it stops; install what the database was upgraded with, and start it again"
        )
    return (
        f"the database is at version {found or 'none'}, and this program is written for {wanted}: "
        "`customs db upgrade`, then start it again"
    )


class SchemaGuard:
    """Checks the version as a transaction begins, at most once a second: a program of another version must not write.

    `on_mismatch` is told the sentence before SchemaMismatch is raised.
    """

    def __init__(self, on_mismatch: Callable[[str], object] = lambda _: None) -> None:
        self._on_mismatch = on_mismatch
        self._look_at = float("-inf")

    def __call__(self, connection: Connection) -> None:
        if time.monotonic() < self._look_at or connection.get_execution_options().get(ANY_VERSION):
            return
        if sentence := mismatch_of(connection):
            self._on_mismatch(sentence)
            raise SchemaMismatch(sentence)
        self._look_at = time.monotonic() + LOOK_SECONDS


class Readiness:
    """Whether the database is at the right version and can be written; tries a write at most once a second."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(**{ANY_VERSION: True})
        self._slot = secrets.randbelow(SLOTS)
        self._tried = (float("-inf"), "")

    def trouble(self) -> str:
        """Return what keeps the database from serving, empty when nothing does."""
        tried_at, found = self._tried
        if time.monotonic() - tried_at >= LOOK_SECONDS:
            found = self._try()
            self._tried = (time.monotonic(), found)
        return found

    def _try(self) -> str:
        step = "away"
        try:
            with self._engine.execution_options(reading=True).connect() as connection:
                if sentence := mismatch_of(connection):
                    return sentence
            step = "not writable"
            with self._engine.begin() as connection:
                # Committed: a disk that is full shows here only.
                row = {"slot": self._slot, "checked_at": database.now(connection)}
                upsert_many(connection, WRITE_CHECKS, [row], {"checked_at": "excluded.checked_at"})
        except SQLAlchemyError as error:
            return f"{step}: {type(error).__name__}"
        return ""
