"""The audit trail as a file for an auditor: every column, so that the chain can be checked without us."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Engine, select

from customs import database
from customs.history.actors import Onlooker
from customs.history.audit_chain import exact
from customs.history.audit_listing import AuditFilters, sees
from customs.history.audit_models import ENTRIES, AuditEntry
from customs.history.auditing import AuditTrail
from customs.history.deeds import Act, Deed

COLUMNS = tuple(column.name for column in ENTRIES.columns)
# Rows of one short transaction: whoever downloads slowly holds none open.
CHUNK = 2000
# A spreadsheet reads a cell that begins so as a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export(
    engine: Engine, trail: AuditTrail, onlooker: Onlooker, filters: AuditFilters, reason: str
) -> Iterator[list[str]]:
    """The header, then what they may see, oldest first, up to this export itself: it is a deed, written down first.

    A cell that a spreadsheet would read as a formula has an apostrophe before it, which is none of what was hashed.
    """
    asked = {name: _text(value) for name, value in asdict(filters).items() if value is not None}
    with database.transaction(engine) as db:
        deed = Deed(onlooker.id, onlooker.name, Act.AUDIT_EXPORT, "audit", "trail", reason=reason, detail=asked)
        last = trail.append(db, deed, database.now(db))
    return export_rows(engine, onlooker, filters, last)


def export_rows(engine: Engine, onlooker: Onlooker, filters: AuditFilters, last: int) -> Iterator[list[str]]:
    """The header, then the rows up to number `last`."""
    yield list(COLUMNS)
    number = 0
    wanted = select(ENTRIES).where(sees(onlooker), *filters.conditions()).order_by(AuditEntry.number).limit(CHUNK)
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
