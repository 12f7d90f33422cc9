"""Tasks: the calls of payments and refunds that are due at the gateway, reserved and marked as pushes are.

A task is sent once; when nobody knows whether it was done, it is queried before it is sent again (R13, R17).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    ColumnElement,
    Connection,
    Integer,
    Select,
    Table,
    and_,
    bindparam,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from customs.db.database import EnumText, UtcDateTime
from customs.jobs.leases import Due, Leases, bound, is_claimable, is_free
from customs.lanes.breaker import is_open
from customs.payments.states import PaymentCase

NOW = bindparam("now", type_=UtcDateTime())


class TaskAction(StrEnum):
    """What is due next: the call that does it (create, refund), or the one that asks."""

    SEND = "SEND"
    QUERY = "QUERY"


class TaskColumns(Due):
    """The columns of one task.

    `in_doubt`: it was sent and its outcome is not known; written before the call leaves. `failed_attempts` counts
    calls in a row that were not done, `poll_count` the queries, `unknown_rounds` the rounds of unknown outcome,
    `strays` the queries in a row that were answered about somebody else's record. `case_kind`: why a person should
    look at it.
    """

    next_action: Mapped[TaskAction | None] = mapped_column(EnumText(TaskAction))
    in_doubt: Mapped[bool] = mapped_column(Boolean, default=False)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failed_attempts: Mapped[int] = mapped_column(Integer, default=0)
    poll_count: Mapped[int] = mapped_column(Integer, default=0)
    unknown_rounds: Mapped[int] = mapped_column(Integer, default=0)
    strays: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    case_kind: Mapped[PaymentCase | None] = mapped_column(EnumText(PaymentCase))
    case_detail: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    case_since: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def needs_review(self) -> bool:
        return self.case_kind is not None

    @property
    def case_reason(self) -> str | None:
        """Why a person should look at it, in English."""
        return None if self.case_kind is None else self.case_kind.sentence(self.case_detail)


@dataclass(frozen=True, eq=False)
class Task:
    """One reserved task: the row as it was, and the fence under which its answer may be recorded.

    `reserved_at` is the database's time.
    """

    table: Table
    id: str
    fence: int
    action: TaskAction
    row: Mapping[str, Any]
    reserved_at: datetime

    @property
    def lease(self) -> tuple[str, int]:
        return self.id, self.fence


@cache
def leases_on(table: Table) -> Leases:
    """Return the leases on the rows of a table with TaskColumns."""
    return Leases(table, in_doubt=table.c.in_doubt)


@cache
def _due(table: Table, may_go: ColumnElement[bool]) -> Select[Any]:
    # Built once: every claim of an idle process asks it, and building costs more than asking.
    return _reservable(table, may_go, is_claimable(table.c, NOW))


def _reservable(table: Table, may_go: ColumnElement[bool], condition: ColumnElement[bool]) -> Select[Any]:
    return (
        select(table.c.id)
        .where(condition, table.c.next_action.is_not(None), or_(table.c.next_action == TaskAction.QUERY, may_go))
        .order_by(table.c.due_at)
        .limit(bindparam("room"))
        .with_for_update(skip_locked=True, of=table)
    )


def claim(
    db: Connection,
    table: Table,
    may_go: ColumnElement[bool],
    *,
    room: int,
    now: datetime,
    holder: str,
    lease: timedelta,
    only: tuple[str, TaskAction] | None = None,
) -> list[Task]:
    """Reserve at most `room` due tasks; `only` that one for its action, due or not. A send goes where it may."""
    asked = {"now": now, "room": room}
    if only is None:
        found = db.scalars(_due(table, may_go), asked).all()
    else:
        is_it = and_(table.c.id == only[0], table.c.next_action == only[1], is_free(table.c, NOW))
        found = db.scalars(_reservable(table, may_go, is_it), asked).all()
    if not found:
        return []
    leases_on(table).claim(db, found, holder, now + lease)
    rows = db.execute(select(table).where(table.c.id.in_(found)).order_by(table.c.due_at)).mappings()
    return [Task(table, row["id"], row["fence"], row["next_action"], dict(row), now) for row in rows]


def mark(db: Connection, task: Task, may_go: ColumnElement[bool], lane: str, now: datetime, lease: timedelta) -> bool:
    """Mark a task as leaving now, where fence and lane still allow it; from here on a send is in doubt."""
    table = task.table
    values: dict[str, Any] = {"lease_until": now + lease}
    conditions = [table.c.next_action == task.action]
    if task.action is TaskAction.SEND:
        values |= {"in_doubt": True, "next_action": TaskAction.QUERY, "sent_at": now}
        conditions.append(may_go)
    is_lane_open = is_open(bindparam("lane", lane), bindparam("moment", now, type_=table.c.due_at.type))
    marking = update(table).where(leases_on(table).are_leased, *conditions, is_lane_open).values(values)
    return bool(db.execute(marking, {"leases": bound([task])}).rowcount)


def extend(db: Connection, leased: Collection[Task], until: datetime) -> None:
    """Renew the leases of tasks that are reserved or in the air."""
    for table, tasks in _by_table(leased).items():
        leases_on(table).extend(db, tasks, until)


def release(db: Connection, tasks: Collection[Task]) -> None:
    """End the leases under these fences."""
    for table, of_table in _by_table(tasks).items():
        leases_on(table).release(db, of_table)


def _by_table(tasks: Collection[Task]) -> dict[Table, list[Task]]:
    found: dict[Table, list[Task]] = {}
    for task in tasks:
        found.setdefault(task.table, []).append(task)
    return found


def locked_row(db: Connection, table: Table, row_id: str) -> dict[str, Any]:
    """Return one row as it is now, locked."""
    return dict(db.execute(select(table).where(table.c.id == row_id).with_for_update()).mappings().one())
