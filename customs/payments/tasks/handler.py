"""Handle due tasks of payments and refunds for the dispatcher; a view may also have one task run at once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy import ColumnElement, Connection, Engine, Table, select

from customs.config import Settings
from customs.db.database import Base, DatabaseClock
from customs.gateway import GatewayError, TooLate, Unknown
from customs.jobs.failpoints import Failpoints
from customs.jobs.leases import SendDeadlines, run_despite_races, this_holder
from customs.lanes.breaker import LaneAdmission
from customs.payments.models import Payment
from customs.payments.tasks.outcomes import Outcome
from customs.payments.tasks.task import Task, TaskAction, claim, extend, mark, release
from customs.stats.call_counters import CallCounter, Counts
from customs.timestamps import MACHINE, Clock

log = structlog.get_logger()
PAYMENTS = Base.metadata.tables[Payment.__tablename__]


class TaskKind(Protocol):
    """One kind of task: its rows, what it calls, what its answers change."""

    table: Table

    @property
    def may_go(self) -> ColumnElement[bool]:
        """The condition under which a send of this kind may leave."""

    def call(self, task: Task) -> Outcome:
        """The signed call; raises GatewayError."""

    def payment_of(self, task: Task) -> str:
        """The payment whose row is locked before anything of the task is recorded."""

    def record(self, db: Connection, task: Task, outcome: Outcome, now: datetime) -> str | None:
        """Write an outcome down; the word for it, None when it came under a fence that is over."""


class PaymentTaskHandler:
    """Claims due tasks of every kind in turn, makes their calls, records what came back."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        works: Sequence[TaskKind],
        failpoints: Failpoints,
        *,
        clock: Clock = MACHINE,
        holder: str | None = None,
    ) -> None:
        self._engine = engine
        self._works = {work.table.name: work for work in works}
        self._now = DatabaseClock(clock)
        self._lane_admission = LaneAdmission(engine, settings, self._now)
        self._failpoints = failpoints
        self._holder = holder or this_holder()
        self._clock = clock
        self._lease = timedelta(seconds=settings.lease_seconds)
        self._deadlines: SendDeadlines[Task] = SendDeadlines(
            engine, settings.lease_seconds, settings.gateway_timeout_seconds, clock
        )
        self._counter = CallCounter(hash(self._holder), clock)

    def claim(self, room: int) -> list[Task]:
        with self._engine.begin() as db:
            now = self._now(db)
            admission = self._lane_admission.admit(db, room, now)
            if not admission.room:
                return []
            tasks: list[Task] = []
            # Half for each kind, and what one leaves the other takes: no long queue starves the other.
            hungry = list(self._works.values())
            for share in (-(-admission.room // len(hungry)), admission.room):
                for work in tuple(hungry):
                    found = self._reserve(db, work, min(share, admission.room - len(tasks)), now)
                    tasks += found
                    if len(found) < share:
                        hungry.remove(work)
            self._lane_admission.claimed(db, admission, len(tasks))
            self._failpoints.hit("task_claim_before_commit")
        return tasks

    def run_now(self, table: str, task_id: str, action: TaskAction = TaskAction.SEND) -> None:
        """Run this action of one task here and now, if it is what comes next, nobody is at it and the lane is open."""
        with self._engine.begin() as db:
            now = self._now(db)
            admission = self._lane_admission.admit(db, 1, now)
            tasks = self._reserve(db, self._works[table], admission.room, now, only=(task_id, action))
            if admission.room:
                self._lane_admission.claimed(db, admission, len(tasks))
        for task in self.record_and_send([], tasks):
            self.record_and_send([(task, self.call(task))], [])

    def _reserve(
        self, db: Connection, work: TaskKind, room: int, now: datetime, only: tuple[str, TaskAction] | None = None
    ) -> list[Task]:
        if room < 1:
            return []
        return claim(db, work.table, work.may_go, room=room, now=now, holder=self._holder, lease=self._lease, only=only)

    def record_and_send(self, answered: Sequence[tuple[Task, Outcome]], leaving: Sequence[Task]) -> list[Task]:
        answered = [(task, self._fresh(task, outcome)) for task, outcome in answered]
        return run_despite_races(lambda: self._record_and_send(answered, leaving))

    def _record_and_send(self, answered: Sequence[tuple[Task, Outcome]], leaving: Sequence[Task]) -> list[Task]:
        start = self._deadlines.start()
        with self._counter.counting() as counts, self._engine.begin() as db:
            now = self._now(db)
            self._record(db, answered, now, counts)
            self._failpoints.hit("task_record_before_commit")
            lane = self._lane_admission.lane
            allowed = [task for task in leaving if mark(db, task, self._of(task).may_go, lane, now, self._lease)]
            release(db, [task for task in leaving if task not in allowed])
        self._failpoints.hit("task_exchange_after_commit")
        self._deadlines.forget(task for task, _ in answered)
        self._deadlines.set(allowed, start, now)
        return allowed

    def _fresh(self, task: Task, outcome: Outcome) -> Outcome:
        """An answer as it counts now: a question whose answer could not be recorded for long is asked once more."""
        if task.action is TaskAction.QUERY and self._deadlines.is_stale(task):
            return Unknown("the answer waited too long to be recorded", exchange=outcome.exchange)
        return outcome

    def call(self, task: Task) -> Outcome:
        if self._deadlines.is_over(task):
            return TooLate("the lease was about to end")
        self._failpoints.hit("task_call_before_send")
        try:
            outcome = self._of(task).call(task)
        except GatewayError as error:
            outcome = error
        except Exception:
            log.exception("an answer could not be read", table=task.table.name, id=task.id)
            outcome = Unknown("the answer could not be read")
        self._failpoints.hit("task_call_after_reply")
        return outcome

    def extend_leases(self, leased: Sequence[Task]) -> None:
        with self._engine.begin() as db:
            extend(db, leased, self._now(db) + self._lease)

    def release(self, reserved: Sequence[Task]) -> None:
        if reserved:
            with self._engine.begin() as db:
                release(db, reserved)

    def _of(self, task: Task) -> TaskKind:
        return self._works[task.table.name]

    def _record(self, db: Connection, answered: Sequence[tuple[Task, Outcome]], now: datetime, counts: Counts) -> None:
        # Payments and refunds together, in one order: two processes that record both would wait for each other.
        lock_payments(db, [self._of(task).payment_of(task) for task, _ in answered])
        in_time: list[Outcome] = []
        for task, outcome in answered:
            word = self._of(task).record(db, task, outcome, now)
            if word is None:
                release(db, [task])
                log.warning("an answer came too late", table=task.table.name, id=task.id, fence=task.fence)
            else:
                in_time.append(outcome)
            duration_ms = outcome.exchange.duration_ms if outcome.exchange else 0
            action = task.table.name if task.action is TaskAction.SEND else "QUERY"
            counts.add(task.row["channel"], action, word or "superseded", duration_ms)
        if answered:
            self._lane_admission.report(db, in_time, now)
            self._counter.write(db, counts)


def lock_payments(db: Connection, ids: Sequence[str]) -> None:
    """Lock these payments until the transaction ends: nobody refunds or declares them.

    Always in one order: payments by their id, then refunds, then what declarations lock.
    """
    if ids:
        db.execute(
            select(PAYMENTS.c.id).where(PAYMENTS.c.id.in_(sorted(set(ids)))).order_by(PAYMENTS.c.id).with_for_update()
        ).all()
