"""Queries of the audit trail: entries that the reader may see, filtered, newest first."""

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
    """Filters of the trail. `since` and `until` bound `at`, half open."""

    actor_id: str | None = None
    action: str | None = None
    subject_id: str | None = None
    merchant_no: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions of these filters."""
        given = [getattr(AuditEntry, name) == value for name in NAMED if (value := getattr(self, name)) is not None]
        if self.since is not None:
            given.append(AuditEntry.at >= self.since)
        if self.until is not None:
            given.append(AuditEntry.at < self.until)
        return given


def seen_by(reader: AuditReader) -> tuple[ColumnElement[bool], ...]:
    """Return conditions of which any lets the reader see an entry: a merchant of theirs, or an action of their own.

    None at all for who sees everything.
    """
    if reader.merchants is None:
        return ()
    return AuditEntry.merchant_no.in_(sorted(reader.merchants)), AuditEntry.actor_id == reader.id


def entries(db: Session, reader: AuditReader, filters: AuditFilters, *, limit: int, cursor: int = 0) -> Page:
    """Return one page; `cursor` is the number after which it begins, 0 for the newest."""
    conditions = filters.conditions()
    if cursor:
        reached = select(AuditEntry.at).where(AuditEntry.number == cursor).scalar_subquery()
        conditions.append(tuple_(AuditEntry.at, AuditEntry.number) < tuple_(reached, cursor))
    statement = select(AuditEntry).where(*conditions)
    if ways := seen_by(reader):
        # Each way by its own index, and no more than can be on the page: with OR a database reads the whole trail.
        numbers = select(AuditEntry.number).where(*conditions).order_by(*NEWEST_FIRST).limit(limit + 1)
        found = union_all(*(select(numbers.where(way).subquery().c.number) for way in ways))
        statement = select(AuditEntry).where(AuditEntry.number.in_(found))
    rows = db.scalars(statement.order_by(*NEWEST_FIRST).limit(limit + 1)).all()
    return Page(rows[:limit], str(rows[limit - 1].number) if len(rows) > limit else None)


def sees(reader: AuditReader) -> ColumnElement[bool]:
    """Return the same as one condition, for reading everything at once."""
    ways = seen_by(reader)
    return or_(*ways) if ways else AuditEntry.number.is_not(None)
