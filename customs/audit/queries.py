"""The audit trail as somebody reads it: what they may see, narrowed by who, what, which and when, newest first."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select, tuple_, union_all
from sqlalchemy.orm import Session

from customs.audit.actions import AuditReader
from customs.audit.models import AuditEntry
from customs.db.pagination import Page

NEWEST_FIRST = (AuditEntry.at.desc(), AuditEntry.number.desc())
# Filters that name a column's value.
NAMED = ("actor_id", "action", "subject_id", "merchant_no")


@dataclass(frozen=True)
class AuditFilters:
    """What the trail may be narrowed by. `since` and `until` bound `at`, half open."""

    actor_id: str | None = None
    action: str | None = None
    subject_id: str | None = None
    merchant_no: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """As a query has them."""
        given = [getattr(AuditEntry, name) == value for name in NAMED if (value := getattr(self, name)) is not None]
        if self.since is not None:
            given.append(AuditEntry.at >= self.since)
        if self.until is not None:
            given.append(AuditEntry.at < self.until)
        return given


def seen_by(onlooker: AuditReader) -> tuple[ColumnElement[bool], ...]:
    """Any of these lets somebody see an entry: it concerns a merchant of theirs, or they did it themselves.

    None at all for who sees everything.
    """
    if onlooker.merchants is None:
        return ()
    return AuditEntry.merchant_no.in_(sorted(onlooker.merchants)), AuditEntry.actor_id == onlooker.id


def entries(db: Session, onlooker: AuditReader, filters: AuditFilters, *, limit: int, cursor: int = 0) -> Page:
    """One page; `cursor` is the number to go on after, 0 for the beginning."""
    conditions = filters.conditions()
    if cursor:
        reached = select(AuditEntry.at).where(AuditEntry.number == cursor).scalar_subquery()
        conditions.append(tuple_(AuditEntry.at, AuditEntry.number) < tuple_(reached, cursor))
    statement = select(AuditEntry).where(*conditions)
    if ways := seen_by(onlooker):
        # Each way by its own index, and no more than can be on the page: with OR a database reads the whole trail.
        numbers = select(AuditEntry.number).where(*conditions).order_by(*NEWEST_FIRST).limit(limit + 1)
        found = union_all(*(select(numbers.where(way).subquery().c.number) for way in ways))
        statement = select(AuditEntry).where(AuditEntry.number.in_(found))
    rows = db.scalars(statement.order_by(*NEWEST_FIRST).limit(limit + 1)).all()
    return Page(rows[:limit], str(rows[limit - 1].number) if len(rows) > limit else None)


def sees(onlooker: AuditReader) -> ColumnElement[bool]:
    """The same as one condition, for who reads everything they may see."""
    ways = seen_by(onlooker)
    return or_(*ways) if ways else AuditEntry.number.is_not(None)
