"""What waits for a worker and what workers hold at this moment, counted alike for metrics, the doctor and a page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Function, and_, case, func, or_, select
from sqlalchemy.orm import Session

from customs.declarations.models import Push
from customs.due import Due, waits_for_a_worker
from customs.payments.models import Payment, Refund
from customs.webhooks.models import Delivery


@dataclass(frozen=True)
class Backlog:
    """One kind of work: due and held by nobody, held by a worker, due later; `oldest_at`: when the first fell due."""

    waiting: int
    in_flight: int
    later: int
    oldest_at: datetime | None

    def age(self, now: datetime) -> float:
        """How long the oldest has waited, in seconds."""
        return (now - self.oldest_at).total_seconds() if self.oldest_at else 0.0


WORK: Mapping[str, type[Due]] = {"pushes": Push, "payments": Payment, "refunds": Refund, "deliveries": Delivery}


def backlogs(db: Session, now: datetime) -> dict[str, Backlog]:
    """Every kind of work, in the order of WORK."""
    return {name: backlog_of(db, model, now) for name, model in WORK.items()}


def backlog_of(db: Session, model: type[Due], now: datetime) -> Backlog:
    """One kind of work."""
    waits = waits_for_a_worker(model, now)
    held = model.lease_until >= now
    later = and_(model.due_at > now, or_(model.lease_until.is_(None), model.lease_until < now))
    counted = (_count(waits), _count(held), _count(later), func.min(case((waits, model.due_at))))
    found = db.execute(select(*counted).where(model.due_at.is_not(None))).one()
    return Backlog(found[0] or 0, found[1] or 0, found[2] or 0, found[3])


def _count(condition: ColumnElement[bool]) -> Function[Any]:
    return func.sum(case((condition, 1), else_=0))
