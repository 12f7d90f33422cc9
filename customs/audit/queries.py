"""Queries of the audit trail: a page of entries that the reader may see, and all of them as a file."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Engine, or_, select, tuple_, union_all
from sqlalchemy.orm import Session

from customs.audit.actions import AuditAction, AuditEvent, AuditReader
from customs.audit.hash_chain import exact
from customs.audit.models import ENTRIES, AuditEntry
from customs.audit.trail import AuditTrail
from customs.db import database
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


COLUMNS = tuple(column.name for column in ENTRIES.columns)
# Rows of one short transaction: whoever downloads slowly holds none open.
CHUNK = 2000
# A spreadsheet reads a cell that begins so as a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export(
    engine: Engine, trail: AuditTrail, reader: AuditReader, filters: AuditFilters, reason: str
) -> Iterator[list[str]]:
    """Yield the header, then the entries that the reader may see, oldest first. The export itself is recorded first.

    A cell that a spreadsheet would read as a formula has an apostrophe before it, which is none of what was hashed.
    """
    asked = {name: _text(value) for name, value in asdict(filters).items() if value is not None}
    with database.transaction(engine) as db:
        event = AuditEvent(
            reader.id, reader.name, AuditAction.AUDIT_EXPORT, "audit", "trail", reason=reason, detail=asked
        )
        last = trail.append(db, event, database.now(db))
    return export_rows(engine, reader, filters, last)


def export_rows(engine: Engine, reader: AuditReader, filters: AuditFilters, last: int) -> Iterator[list[str]]:
    """Yield the header, then the rows up to number `last`."""
    yield list(COLUMNS)
    number = 0
    wanted = select(ENTRIES).where(sees(reader), *filters.conditions()).order_by(AuditEntry.number).limit(CHUNK)
    while True:
        with database.reading(engine) as db:
            rows = db.execute(wanted.where(AuditEntry.number > number, AuditEntry.number <= last)).all()
        for row in rows:
            yield [_cell(_text(value)) for value in row]
        if len(rows) < CHUNK:
            return
        number = rows[-1].number


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return exact(value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return "" if value is None else str(value)


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
