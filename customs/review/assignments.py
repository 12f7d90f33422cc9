"""Assignments of causes, and notes beside a cause or a case; all of it is audited."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from customs.audit.actions import AuditAction, AuditEvent, audit_event
from customs.audit.trail import AuditTrail
from customs.auth.models import Person
from customs.auth.principal import Caller, Scope
from customs.auth.roles import SCOPES, Role
from customs.declarations.cases import Contacted
from customs.declarations.models import Declaration
from customs.declarations.reading.failure_groups import assign, group_of
from customs.declarations.reading.queries import declaration_of
from customs.errors import NotFound
from customs.events.comments import Comment, comment
from customs.events.timeline import Event
from customs.privacy.masking import mask_text

CAN_SEE_TO_IT = tuple(role for role in Role if SCOPES[role] & {Scope.DECLARATIONS_WRITE, Scope.ADMIN})


class CaseService:
    """Assignments and notes of one person, each in one transaction, which ends with it."""

    def __init__(self, db: Session, by: Caller, now: datetime, audit: AuditTrail) -> None:
        self._db = db
        self._by = by
        self._now = now
        self._audit = audit

    def assign(self, cause_id: str, person_id: str | None) -> None:
        """Let somebody see to a cause, or nobody. Raises NotFound for a cause or a person that the caller has not."""
        if person_id is not None and person_id not in {person.id for person in assignable(self._db, self._by)}:
            raise NotFound
        assign(self._db, self._by, cause_id, person_id)
        self._record(audit_event(self._by, AuditAction.CAUSE_ASSIGN, cause_id, to=person_id or "nobody"))

    def remark_on_cause(self, cause_id: str, text: str, merchant_no: str | None) -> Comment:
        """Write something beside a cause, for those who have this merchant, or for all who see the cause.

        Whoever has some merchants only speaks of one of those: the others' people do not read it.
        """
        group_of(self._db, self._by, cause_id)
        if merchant_no is None and self._by.merchants is not None:
            raise NotFound
        written = comment(self._db, self._by, cause_id, merchant_no, text, self._now)
        self._record(
            audit_event(self._by, AuditAction.COMMENT_WRITE, cause_id, merchant_no=merchant_no, comment=written.id)
        )
        return written

    def remark_on_case(self, declaration_id: str, text: str) -> Comment:
        """Write something beside a declaration."""
        merchant_no = self._seen(declaration_id).merchant_no
        written = comment(self._db, self._by, declaration_id, merchant_no, text, self._now)
        entry = audit_event(
            self._by, AuditAction.COMMENT_WRITE, declaration_id, merchant_no=merchant_no, comment=written.id
        )
        self._record(entry)
        return written

    def note_contact(self, declaration_id: str, whom: Contacted, answer: str) -> None:
        """Note in the timeline whom somebody asked about a case, and the answer; the case stays open."""
        merchant_no, masked = self._seen(declaration_id).merchant_no, mask_text(answer, None)
        detail = {"action": "contact", "whom": str(whom), "reason": masked}
        owner = {"declaration_id": declaration_id, "merchant_no": merchant_no}
        self._db.add(Event(at=self._now, kind="action", actor=self._by.name, detail=detail, **owner))
        entry = audit_event(
            self._by, AuditAction.CASE_CONTACT, declaration_id, merchant_no=merchant_no, reason=masked, whom=str(whom)
        )
        self._record(entry)

    def _seen(self, declaration_id: str) -> Declaration:
        return declaration_of(self._db, declaration_id, self._by)

    def _record(self, entry: AuditEvent) -> None:
        self._audit.append(self._db, entry, self._now)


def assignable(db: Session, caller: Caller) -> Sequence[Person]:
    """Return the people whom a cause can be assigned to, by name: their role decides on the caller's merchants."""
    able = select(Person).where(Person.disabled_at.is_(None), Person.role.in_(CAN_SEE_TO_IT)).order_by(Person.name)
    return [person for person in db.scalars(able) if _works_with(person, caller)]


def _works_with(person: Person, caller: Caller) -> bool:
    """Return whether a person and a caller have a merchant in common."""
    return caller.merchants is None or person.merchants is None or bool(caller.merchants & set(person.merchants))
