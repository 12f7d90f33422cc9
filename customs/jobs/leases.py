"""Leases: who may call for a row, and until when; a fence says whose answer is recorded.

A feature brings its table, the condition of what is due, and what its answers change. Here is what all of them do:
claim, mark before the call, extend, release, check the fence.
"""

import hashlib
import os
import random
import socket
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Engine,
    Integer,
    String,
    Table,
    and_,
    bindparam,
    case,
    or_,
    tuple_,
    update,
)
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Mapped, Session, mapped_column

from customs.db import database
from customs.db.database import UtcDateTime, lost_a_race, pad_to_power_of_two
from customs.timestamps import MACHINE, Clock

# Two processes that record and mark each other's neighbours may wait for each other; one of them begins again.
RACES = 2
# A call ends this long before its lease may: the answer still has to be recorded.
LEASE_MARGIN_SECONDS = 2.0
# After a wait longer than this the database is asked what time it is: a machine that slept does not know.
WAITED_SECONDS = 1.0

LONGEST_POLL_FACTOR = 20
POLL_GROWTH = 1.5
JITTER = 0.1
# A gateway that asks for more patience than this is asked again all the same.
LONGEST_RETRY_AFTER_SECONDS = 600.0
LONGEST_BACKOFF_SECONDS = 60.0


class Due:
    """The columns of anything a worker may be asked to call for.

    A row is claimable when `due_at` has passed and no lease runs. Claiming writes `holder` and `lease_until` and
    raises `fence`; only whoever still holds that fence may record. `overdue_since`: when it first fell due, while its
    calls end without an answer and `due_at` is only the next attempt.
    """

    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    overdue_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    holder: Mapped[str | None] = mapped_column(String(80))
    fence: Mapped[int] = mapped_column(Integer, default=0)


def is_claimable(row: Any, now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """The condition that a row, a model or a table's columns, is due and nobody holds it."""
    return and_(row.due_at.is_not(None), row.due_at <= now, is_free(row, now))


def is_free(row: Any, now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """The condition that no lease on a row runs."""
    return or_(row.lease_until.is_(None), row.lease_until < now)


def is_current(row: Mapping[str, Any], task: "LeasedTask") -> bool:
    """Return whether a task's answer may be recorded on this row, read under its lock.

    Without a holder this very answer was recorded by a commit that only looked lost, or the lease was taken away.
    """
    return row["holder"] is not None and (row["id"], row["fence"]) == task.lease


class LeasedTask(Protocol):
    """A claimed row; `lease` is its id and the fence under which its answer may be recorded."""

    @property
    def lease(self) -> tuple[str, int]: ...


TaskT = TypeVar("TaskT", bound=LeasedTask)
Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")


# What a recorded answer does to the lease of its row.
RELEASED: dict[str, None] = {"holder": None, "lease_until": None}


class Leases:
    """The leases on the rows of one table with the columns of `Due`. The statements are built once.

    `in_doubt`: the condition that a row's call may have left; such tables have a column `sent_at` as well.
    """

    def __init__(self, table: Table, in_doubt: ColumnElement[bool] | None = None) -> None:
        row = table.c
        values: dict[str, Any] = {
            "holder": bindparam("by"),
            "lease_until": bindparam("until", type_=row.lease_until.type),
            "fence": row.fence + 1,
        }
        if in_doubt is not None:
            # A lease that ran out over a call in doubt: it may have left as late as that.
            ran_out = and_(in_doubt, row.lease_until.is_not(None))
            values["sent_at"] = case((ran_out, row.lease_until), else_=row.sent_at)
        # Bound are `leases`, of `bound`.
        self.are_leased = tuple_(row.id, row.fence).in_(bindparam("leases", expanding=True))
        self._claim = update(table).where(row.id.in_(bindparam("ids", expanding=True))).values(values)
        self._extend = update(table).where(self.are_leased).values(lease_until=values["lease_until"])
        self._release = update(table).where(self.are_leased).values(RELEASED)

    def claim(self, db: Connection, ids: Collection[str], holder: str, until: datetime) -> None:
        """Lease these rows, which the caller has locked; whoever held them before records nothing any more."""
        if ids:
            db.execute(self._claim, {"ids": list(ids), "by": holder, "until": until})

    def extend(self, db: Connection, tasks: Collection[LeasedTask], until: datetime) -> None:
        """Renew the leases of tasks that are reserved or in the air."""
        if tasks:
            db.execute(self._extend, {"leases": bound(tasks), "until": until})

    def release(self, db: Connection, tasks: Collection[LeasedTask]) -> None:
        """End the leases under these fences; what became due meanwhile can then be claimed at once."""
        if tasks:
            db.execute(self._release, {"leases": bound(tasks)})

    def keep(self, db: Connection, tasks: Sequence[TaskT], marked: Iterable[tuple[str, int]]) -> list[TaskT]:
        """Return those of the tasks that were marked and release the others.

        By fence: a process whose reservations outlived their lease may hold the same row twice, and only the newer
        may leave.
        """
        kept = set(marked)
        self.release(db, [task for task in tasks if task.lease not in kept])
        return [task for task in tasks if task.lease in kept]


def bound(tasks: Collection[LeasedTask]) -> Sequence[tuple[str, int]]:
    """Return the leases of tasks as the parameter of `Leases.are_leased`."""
    return pad_to_power_of_two([task.lease for task in tasks])


def free_leases(db: Session, models: Iterable[type[Due]], holders: Sequence[str], now: datetime) -> None:
    """End the leases of processes that died; what they may have sent is queried first.

    A lease ends with its time and is not taken away: a call in doubt may have left as late as that (`Leases.claim`).
    """
    for model in models:
        db.execute(update(model).where(model.holder.in_(holders)).values(holder=None, lease_until=now))


def run_despite_races(transaction: Callable[[], Result]) -> Result:
    """Run a transaction, and again, RACES times at most, when the database ended it for another one's sake."""
    for _attempt in range(RACES):
        try:
            return transaction()
        except DBAPIError as error:
            if not lost_a_race(error):
                raise
    return transaction()


def overdue_since(before: Mapping[str, Any], due_at: datetime | None, *, answered: bool) -> datetime | None:
    """When what was due before a call first fell due, given when it is due next; None once it was answered."""
    if answered or due_at is None:
        return None
    moment: datetime | None = before["overdue_since"] or before["due_at"]
    return moment


def growing(first: float, times: int, *, factor: float = POLL_GROWTH, most: float | None = None) -> float:
    """Seconds to wait after `times` waits: growing from `first` to `most` (20 times the first), with jitter."""
    most = first * LONGEST_POLL_FACTOR if most is None else most
    # The exponent is bounded: a push polled for a week must not overflow a float.
    wait = min(first * factor ** min(times, 100), most)
    return wait * (1 + random.uniform(-JITTER, JITTER))  # noqa: S311 - spreading load, not a secret


def backing_off(times: int, retry_after: float | None = None) -> float:
    """Return the seconds to wait after `times` failures in a row; `retry_after`: the wait that was asked for."""
    if retry_after is not None:
        return min(max(retry_after, 0.0), LONGEST_RETRY_AFTER_SECONDS)
    return growing(1.0, times, factor=2.0, most=LONGEST_BACKOFF_SECONDS)


def machine() -> str:
    """This host and process namespace: a process id means something only within one."""
    parts = [socket.gethostname()]
    for source in (Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")):
        if source.exists():
            parts.append(str(source.readlink()) if source.is_symlink() else source.read_text().strip())
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def this_holder() -> str:
    """The name under which this process holds leases."""
    return f"{machine()}:{os.getpid()}"


def dead_holders(holders: Iterable[str]) -> list[str]:
    """Those of `holders` that were processes of this machine and are gone: their leases need not run out."""
    here = machine()
    return [holder for holder in holders if holder.startswith(f"{here}:") and not _lives(int(holder.split(":")[1]))]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@dataclass(frozen=True)
class Start:
    """A moment of this machine, on the clock that only grows and on the one that people see."""

    monotonic: float
    wall: float


class SendDeadlines(Generic[Key]):
    """Deadlines until which a marked call may still leave, so that its answer comes within its lease.

    A key is the task itself: a process that holds a row under two fences has two tasks. `call_seconds`: the longest
    that a call may take.
    """

    def __init__(self, engine: Engine, lease_seconds: float, call_seconds: float, clock: Clock = MACHINE) -> None:
        self._engine = engine
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._within = lease_seconds - LEASE_MARGIN_SECONDS - min(call_seconds, lease_seconds / 2)
        self._marked: dict[Key, tuple[Start, datetime]] = {}

    def start(self) -> Start:
        """Return the moment that leases count from: before the database's time is read, for a COMMIT may take long."""
        return Start(self._clock.monotonic(), self._clock.wall())

    def set(self, keys: Iterable[Key], start: Start, now: datetime) -> None:
        """Let these leave from `start`, which was `now` on the database's clock."""
        self._marked.update(dict.fromkeys(keys, (start, now)))

    def forget(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._marked.pop(key, None)

    def is_stale(self, key: Key) -> bool:
        """Whether an answer was asked for a whole lease ago: what it says of the grace is long past."""
        if key not in self._marked:
            return False
        start, _ = self._marked[key]
        return max(self._clock.monotonic() - start.monotonic, self._clock.wall() - start.wall) > self._lease_seconds

    def is_over(self, key: Key) -> bool:
        """Whether it is too late to send: somebody else may hold the lease by the time an answer comes."""
        if key not in self._marked:
            return True
        start, marked_at = self._marked[key]
        waited = self._clock.monotonic() - start.monotonic
        if waited > self._within:
            return True
        if max(waited, abs(self._clock.wall() - start.wall)) <= WAITED_SECONDS:
            return False
        return self._is_over_at_the_database(marked_at) or self._clock.monotonic() - start.monotonic > self._within

    def _is_over_at_the_database(self, marked_at: datetime) -> bool:
        try:
            with self._engine.connect() as db:
                return database.now(db) - marked_at > timedelta(seconds=self._within)
        except SQLAlchemyError:
            # Nobody can say: what is not sent can be sent later.
            return True
