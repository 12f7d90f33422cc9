"""Backlog: how much work is due, in flight or due later, for metrics, health checks and the queue page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Function, and_, case, func, not_, or_, select
from sqlalchemy.orm import Session

from customs.db.database import Base
from customs.declarations.intake.payment_holds import DeclarationHolds
from customs.declarations.models import Push
from customs.jobs.leases import Due, is_claimable, is_free
from customs.payments.models import Payment, Refund
from customs.payments.tasks.task import TaskAction
from customs.webhooks.models import Delivery


@dataclass(frozen=True)
class Backlog:
    """One kind of work: due and not leased, leased by a worker, due later.

    `oldest_at`: when the oldest of what waits first fell due, however often it was tried since.
    """

    waiting: int
    in_flight: int
    later: int
    oldest_at: datetime | None

    def age(self, now: datetime) -> float:
        """Return how many seconds the oldest has waited."""
        return max((now - self.oldest_at).total_seconds(), 0.0) if self.oldest_at else 0.0


refund = Base.metadata.tables[Refund.__tablename__].c
WORK: Mapping[str, type[Due]] = {"pushes": Push, "payments": Payment, "refunds": Refund, "deliveries": Delivery}


def backlogs(db: Session, now: datetime) -> dict[str, Backlog]:
    """Return the backlog of each kind of work, in the order of WORK."""
    return {name: backlog_of(db, model, now) for name, model in WORK.items()}


def _first_due_at(model: type[Due], waits: ColumnElement[bool]) -> ColumnElement[datetime | None]:
    """Return when a waiting row first fell due; a row whose calls brought no answer waits until one does."""
    counts = or_(waits, model.overdue_since.is_not(None))
    if model is Refund:
        # A refund waits until the declaration calls of its payment end (R18): that is no backlog.
        gives_way = DeclarationHolds().in_flight(refund.merchant_no, refund.channel, refund.payment_no)
        counts = and_(counts, or_(refund.next_action == TaskAction.QUERY, not_(gives_way)))
    return case((counts, func.coalesce(model.overdue_since, model.due_at)))


def backlog_of(db: Session, model: type[Due], now: datetime) -> Backlog:
    """Return the backlog of one kind of work."""
    waits = is_claimable(model, now)
    leased = model.lease_until >= now
    later = and_(model.due_at > now, is_free(model, now))
    oldest_at = func.min(_first_due_at(model, waits), type_=model.due_at.type)
    counted = select(_count(waits), _count(leased), _count(later), oldest_at)
    found = db.execute(counted.where(model.due_at.is_not(None))).one()
    return Backlog(found[0] or 0, found[1] or 0, found[2] or 0, found[3])


def _count(condition: ColumnElement[bool]) -> Function[Any]:
    return func.sum(case((condition, 1), else_=0))
