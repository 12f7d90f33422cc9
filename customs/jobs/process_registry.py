"""Signs of life: which processes of this desk run, in the database, where the doctor, metrics and pages see it."""

import os
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum
from importlib.metadata import version
from typing import Any

from sqlalchemy import Engine, Integer, String, delete, or_, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, Session, mapped_column

from customs.db import database
from customs.db.database import Base, EnumText, UtcDateTime
from customs.ids import new_id
from customs.jobs.outages import Outage

EVERY_SECONDS = 10.0
# Who left no sign for so long does not run, or cannot reach the database, which comes to the same.
SEEN_WITHIN = timedelta(seconds=40)
# What died without a word is remembered for a day.
KEPT = timedelta(days=1)
LONGEST_TROUBLE = 200


class Kind(StrEnum):
    """What a process does."""

    WEB = "web"
    WORKER = "worker"
    CLOCK = "clock"


class Process(Base):
    """One process as it last said of itself; `trouble`: what it has to do without, None when all is well."""

    __tablename__ = "processes"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[Kind] = mapped_column(EnumText(Kind))
    host: Mapped[str] = mapped_column(String(100))
    pid: Mapped[int] = mapped_column(Integer)
    version: Mapped[str] = mapped_column(String(40))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    trouble: Mapped[str | None] = mapped_column(String(LONGEST_TROUBLE))

    def runs(self, now: datetime) -> bool:
        """Whether it was seen lately; a sign from the future, of a clock that was ahead, is none."""
        return abs(now - self.seen_at) < SEEN_WITHIN


PROCESSES = Base.metadata.tables[Process.__tablename__]


def list_processes(db: Session) -> Sequence[Process]:
    """Every process on record, whether it still runs or not."""
    return db.scalars(select(Process).order_by(Process.kind, Process.host, Process.pid)).all()


def running(db: Session, now: datetime) -> dict[Kind, list[Process]]:
    """The processes that run, by kind."""
    found: dict[Kind, list[Process]] = {kind: [] for kind in Kind}
    for process in list_processes(db):
        if process.runs(now):
            found[process.kind].append(process)
    return found


class Attendance(StrEnum):
    """Whether somebody does the work: the worst speaks."""

    MISSING = "missing"
    TROUBLED = "troubled"
    GOOD = "good"


def attendance(db: Session, now: datetime) -> Attendance:
    """Whether a worker and a clock run, and whether they do without a part; nothing has to run before anything did."""
    known = list_processes(db)
    alive = [process for process in known if process.runs(now)]
    if known and not {process.kind for process in alive} >= {Kind.WORKER, Kind.CLOCK}:
        return Attendance.MISSING
    return Attendance.TROUBLED if any(process.trouble for process in alive) else Attendance.GOOD


class SignOfLife:
    """What this process leaves every few seconds from `begin` to `end`. `trouble` may be set at any time.

    Leaving one never raises: while the database is away, nobody could read it.
    """

    def __init__(self, engine: Engine, kind: Kind) -> None:
        self.trouble: str | None = None
        self._engine = engine
        self._row: dict[str, Any] = {
            "id": new_id("proc"),
            "kind": kind,
            "host": socket.gethostname()[:100],
            "pid": os.getpid(),
            "version": version("customs-desk"),
        }
        self._over = threading.Event()
        self._outage = Outage("no sign of life could be left")
        self._thread = threading.Thread(target=self._go_on, name="sign of life", daemon=True)

    def begin(self) -> None:
        """Leave one now and then from here on."""
        self._thread.start()

    def leave(self) -> None:
        """Leave one now."""
        try:
            with database.transaction(self._engine) as db:
                self._write(db)
        except SQLAlchemyError as error:
            self._outage.goes_on(error=type(error).__name__)
        else:
            self._outage.is_over()

    def end(self) -> None:
        """Take it back: this process ends, and nobody has to miss it."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join(EVERY_SECONDS)
        with suppress(SQLAlchemyError), database.transaction(self._engine) as db:
            db.execute(delete(PROCESSES).where(PROCESSES.c.id == self._row["id"]))

    def _go_on(self) -> None:
        while not self._over.is_set():
            self.leave()
            self._over.wait(EVERY_SECONDS)

    def _write(self, db: Session) -> None:
        now = database.now(db)
        # Taken from the future too: a clock that was ahead wrote them.
        forgotten = or_(PROCESSES.c.seen_at < now - KEPT, PROCESSES.c.seen_at > now + SEEN_WITHIN)
        db.execute(delete(PROCESSES).where(forgotten))
        insert = insert_sqlite if db.connection().dialect.name == "sqlite" else insert_postgresql
        seen = {"seen_at": now, "trouble": self.trouble[:LONGEST_TROUBLE] if self.trouble else None}
        mine = insert(PROCESSES).values(self._row | {"started_at": now} | seen)
        db.execute(mine.on_conflict_do_update(index_elements=["id"], set_=seen))
