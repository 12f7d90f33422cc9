"""Registry of processes: each one's heartbeat in the database, for health checks, metrics and pages."""

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

BEAT_EVERY_SECONDS = 10.0
# A process without a heartbeat for so long does not run, or cannot reach the database, which is the same.
SEEN_WITHIN = timedelta(seconds=40)
# A process that died stays on record for a day.
KEPT_FOR = timedelta(days=1)
LONGEST_TROUBLE = 200


class Kind(StrEnum):
    """Kind of process."""

    WEB = "web"
    WORKER = "worker"
    CLOCK = "clock"


class Process(Base):
    """One process as of its last heartbeat; `trouble`: the part it has to do without, None when all is well."""

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
        """Whether it was seen lately; a heartbeat from the future, of a clock that ran ahead, does not count."""
        return abs(now - self.seen_at) < SEEN_WITHIN


PROCESSES = Base.metadata.tables[Process.__tablename__]


def list_processes(db: Session) -> Sequence[Process]:
    """Return every process on record, running or not."""
    return db.scalars(select(Process).order_by(Process.kind, Process.host, Process.pid)).all()


def running(db: Session, now: datetime) -> dict[Kind, list[Process]]:
    """Return the running processes by kind."""
    found: dict[Kind, list[Process]] = {kind: [] for kind in Kind}
    for process in list_processes(db):
        if process.runs(now):
            found[process.kind].append(process)
    return found


class StaffingStatus(StrEnum):
    """Whether worker and clock run; the worst of all processes counts."""

    MISSING = "missing"
    TROUBLED = "troubled"
    GOOD = "good"


def staffing_status(db: Session, now: datetime) -> StaffingStatus:
    """Return whether worker and clock run, and with all parts; GOOD on a desk where nothing has run yet."""
    known = list_processes(db)
    alive = [process for process in known if process.runs(now)]
    if known and not {process.kind for process in alive} >= {Kind.WORKER, Kind.CLOCK}:
        return StaffingStatus.MISSING
    return StaffingStatus.TROUBLED if any(process.trouble for process in alive) else StaffingStatus.GOOD


class Heartbeat:
    """Writes this process's heartbeat every few seconds from `start` to `stop`. `trouble` may be set at any time.

    Never raises: while the database is away, nobody could read a heartbeat.
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
        self._stopping = threading.Event()
        self._outage = Outage("no sign of life could be left")
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin to write heartbeats in a thread."""
        self._thread.start()

    def beat(self) -> None:
        """Write one now."""
        try:
            with database.transaction(self._engine) as db:
                self._write(db)
        except SQLAlchemyError as error:
            self._outage.report_failure(error=type(error).__name__)
        else:
            self._outage.report_success()

    def stop(self) -> None:
        """Remove this process from the registry: it ends and is not missing."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(BEAT_EVERY_SECONDS)
        with suppress(SQLAlchemyError), database.transaction(self._engine) as db:
            db.execute(delete(PROCESSES).where(PROCESSES.c.id == self._row["id"]))

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.beat()
            self._stopping.wait(BEAT_EVERY_SECONDS)

    def _write(self, db: Session) -> None:
        now = database.now(db)
        # Those from the future too: a clock that ran ahead wrote them.
        outdated = or_(PROCESSES.c.seen_at < now - KEPT_FOR, PROCESSES.c.seen_at > now + SEEN_WITHIN)
        db.execute(delete(PROCESSES).where(outdated))
        insert = insert_sqlite if db.connection().dialect.name == "sqlite" else insert_postgresql
        seen = {"seen_at": now, "trouble": self.trouble[:LONGEST_TROUBLE] if self.trouble else None}
        row = insert(PROCESSES).values(self._row | {"started_at": now} | seen)
        db.execute(row.on_conflict_do_update(index_elements=["id"], set_=seen))
