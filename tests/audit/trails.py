"""A trail to test with: entries of several people and merchants, and whoever tampers with the database behind us."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text

from customs.audit.actions import AuditEvent
from customs.audit.models import ENTRIES, AuditEntry
from customs.audit.trail import ChainVerdict
from customs.container import Services
from tests import make


def numbered_event(serial: int = 1, **changes: Any) -> AuditEvent:
    facts = {
        "actor_id": f"per_{serial % 3}",
        "actor": f"reviewer {serial % 3}",
        "action": ("declaration.redeclare", "declaration.modify")[serial % 2],
        "subject": "declaration",
        "subject_id": f"decl_{serial}",
        "merchant_no": ("M100", "M200", None)[serial % 3],
        "reason": f"the office asked for it, call {serial}",
        "detail": {"pushes": f"push_{serial}", "override": "false"},
    }
    return AuditEvent(**facts | changes)


class Trail:
    """The audit trail of one deployment."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def write(self, *events: AuditEvent, at: datetime = make.NOON) -> int:
        """Each deed in a transaction of its own; returns the last one's number."""
        number = 0
        for one in events:
            with self.services.transaction() as db:
                number = self.services.audit.append(db, one, at)
        return number

    def fill(self, entries: int) -> None:
        """So many entries, a minute after one another."""
        for serial in range(1, entries + 1):
            self.write(numbered_event(serial), at=make.NOON + timedelta(minutes=serial))

    def fill_at_once(self, entries: int) -> None:
        """So many entries of one transaction."""
        with self.services.transaction() as db:
            self.services.audit.append_many(db, [numbered_event(serial) for serial in range(entries)], make.NOON)

    def verify(self) -> ChainVerdict:
        with self.services.reading() as db:
            return self.services.audit.verify(db)

    def tamper(self, *statements: str, **values: Any) -> None:
        """What somebody does who has the database's password and not the secret."""
        with self.services.engine.begin() as db:
            for statement in statements:
                db.execute(text(statement), {name: value for name, value in values.items() if f":{name}" in statement})

    def rows(self) -> list[dict[str, Any]]:
        with self.services.reading() as db:
            return [dict(row) for row in db.execute(select(ENTRIES).order_by(ENTRIES.c.number)).mappings()]

    def entries(self) -> list[AuditEntry]:
        with self.services.reading() as db:
            return list(db.scalars(select(AuditEntry).order_by(AuditEntry.number)))

    def last(self) -> AuditEntry:
        return self.entries()[-1]
