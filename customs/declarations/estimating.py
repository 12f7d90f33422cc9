"""Estimating how long a batch still takes, from how fast it went so far; nothing is said where nobody can know."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from customs.declarations.models import Declaration, Push
from customs.declarations.queries import in_batch

# Fewer ends than these, or a smaller share of the batch, say nothing about the rest.
FEWEST_ENDS = 3
SMALLEST_SHARE = 0.05
# Whoever goes on with a batch after hours does something else than what was measured.
LONGEST_RUN = timedelta(hours=6)


@dataclass(frozen=True)
class Course:
    """How far a batch is: `running` of its declarations still go on by themselves, `open_rows` became none.

    `total` counts both. `left` is None where unknown.
    """

    total: int
    running: int
    open_rows: int
    left: timedelta | None

    @property
    def ended(self) -> int:
        return self.total - self.running - self.open_rows

    @property
    def share(self) -> float:
        """The share that has ended in whole hundredths, 0 to 1; it is 1 when all has."""
        return self.ended * 100 // self.total / 100 if self.total else 1.0


def running_of(db: Session, batch_id: str) -> int:
    """How many declarations of a batch still go on by themselves or wait to be paid, with nobody asked to decide."""
    waiting = select(func.count()).where(in_batch(batch_id), Declaration.waiting_for.is_not(None))
    going_on = (
        select(func.count(Push.declaration_id.distinct()))
        .join(Declaration, Declaration.id == Push.declaration_id)
        .where(in_batch(batch_id), Push.due_at.is_not(None), Push.case_reason.is_(None))
    )
    return (db.scalar(going_on) or 0) + (db.scalar(waiting) or 0)


def course(total: int, running: int, began: datetime, now: datetime, open_rows: int = 0) -> Course:
    """How far a batch of so many declarations is, and how long the rest of them takes at the pace so far."""
    ended, passed = total - running, now - began
    is_known = ended >= FEWEST_ENDS and ended >= total * SMALLEST_SHARE and timedelta() < passed <= LONGEST_RUN
    return Course(total + open_rows, running, open_rows, passed * (running / ended) if running and is_known else None)
