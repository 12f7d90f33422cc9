"""Export of the audit trail: every column, so that an auditor can check the chain without this program."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, select

from customs.audit.actions import AuditAction, AuditEvent, AuditReader
from customs.audit.hash_chain import exact
from customs.audit.models import ENTRIES, AuditEnd, AuditEntry
from customs.audit.queries import AuditFilters, sees
from customs.audit.trail import THE_END, AuditTrail, ChainVerdict
from customs.db import database

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


@dataclass(frozen=True)
class AuditCheck:
    """Result of a check. `end` is None while the trail is empty."""

    verdict: ChainVerdict
    end: AuditEnd | None
    took: timedelta


def check(engine: Engine, trail: AuditTrail) -> AuditCheck:
    """Verify every entry: some 15 seconds for a million."""
    began = time.monotonic()
    with database.reading(engine) as db:
        verdict = trail.verify(db)
        end = db.get(AuditEnd, THE_END)
    return AuditCheck(verdict, end, timedelta(seconds=time.monotonic() - began))
