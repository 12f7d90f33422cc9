"""Assign a cause, comment on a cause or a case, note a contact, reveal a buyer to a reviewer: all of it audited."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from customs.audit.actions import AuditAction, AuditEvent, audit_event
from customs.audit.models import AuditEntry
from customs.audit.trail import AuditTrail
from customs.auth.models import Person
from customs.auth.principal import Caller, Scope
from customs.auth.roles import SCOPES, Role
from customs.declarations.cases import Contacted
from customs.declarations.models import Declaration
from customs.declarations.reading.failure_groups import assign, group_of
from customs.declarations.reading.queries import declaration_of
from customs.errors import ActionNotAllowed, ErrorDetail, NotFound, RevealsLimited, ValidationFailed
from customs.events.comments import Comment, comment
from customs.events.timeline import Event
from customs.gateway import Buyer
from customs.privacy.masking import mask_free_text
from customs.privacy.vault import Vault

SHORTEST_REASON, LONGEST_REASON = 5, 500
# Of one person, within that time.
MOST_REVEALS, REVEALS_COUNT_FOR = 20, timedelta(hours=1)
ASSIGNABLE_ROLES = tuple(role for role in Role if SCOPES[role] & {Scope.DECLARATIONS_WRITE, Scope.ADMIN})


class CaseService:
    """Actions of one person on causes and cases; each is the last of its transaction."""

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
        merchant_no, masked = self._seen(declaration_id).merchant_no, mask_free_text(answer)
        detail = {"action": "contact", "whom": str(whom), "reason": masked}
        owner = {"declaration_id": declaration_id, "merchant_no": merchant_no}
        self._db.add(Event(at=self._now, kind="action", actor=self._by.name, detail=detail, **owner))
        entry = audit_event(
            self._by, AuditAction.CASE_CONTACT, declaration_id, merchant_no=merchant_no, reason=masked, whom=str(whom)
        )
        self._record(entry)

    def note_reveal(self, declaration_id: str, why: str) -> None:
        """Write down who looks at a buyer and why; it is committed before `revealed_buyer` opens anything.

        Raises InsufficientScope, NotFound, ActionNotAllowed where no buyer is named, or no case is open and the caller
        no admin, ValidationFailed for a reason that is too short to be one, or too long, RevealsLimited for one look
        too many within an hour.
        """
        self._by.require(Scope.DECLARATIONS_REVIEW)
        declaration = self._seen(declaration_id)
        if declaration.buyer is None:
            raise _no_buyer(declaration)
        if not declaration.needs_review and not self._by.may(Scope.ADMIN):
            needed = "no case is open, and only an admin looks without one"
            raise ActionNotAllowed(needed, errors=[ErrorDetail("", "reveal_needs_case", needed)])
        _check_reason(why)
        self._check_reveals()
        reason, owner = mask_free_text(why), {"merchant_no": declaration.merchant_no}
        detail = {"action": "reveal", "reason": reason}
        self._db.add(
            Event(
                declaration_id=declaration_id, at=self._now, kind="action", actor=self._by.name, detail=detail, **owner
            )
        )
        self._record(audit_event(self._by, AuditAction.PERSONAL_DATA_REVEAL, declaration_id, reason=reason, **owner))

    def note_refused_reveal(self, declaration_id: str) -> None:
        """Write down that somebody was refused one look too many."""
        merchant_no = self._seen(declaration_id).merchant_no
        self._record(
            audit_event(self._by, AuditAction.PERSONAL_DATA_REVEAL_REFUSED, declaration_id, merchant_no=merchant_no)
        )

    def _check_reveals(self) -> None:
        began = self._now - REVEALS_COUNT_FOR
        looks = select(AuditEntry.at).where(
            AuditEntry.actor_id == self._by.id,
            AuditEntry.action == AuditAction.PERSONAL_DATA_REVEAL,
            AuditEntry.at > began,
        )
        latest = self._db.scalars(looks.order_by(AuditEntry.at.desc()).limit(MOST_REVEALS)).all()
        if len(latest) == MOST_REVEALS:
            not_before = latest[-1] + REVEALS_COUNT_FOR
            seconds = max(1, round((not_before - self._now).total_seconds()))
            raise RevealsLimited(not_before=not_before, retry_after=seconds)

    def _seen(self, declaration_id: str) -> Declaration:
        return declaration_of(self._db, declaration_id, self._by)

    def _record(self, entry: AuditEvent) -> None:
        self._audit.append(self._db, entry, self._now)


def assignable(db: Session, caller: Caller) -> Sequence[Person]:
    """Return the people whom a cause can be assigned to, by name: their role decides on the caller's merchants."""
    able = select(Person).where(Person.disabled_at.is_(None), Person.role.in_(ASSIGNABLE_ROLES)).order_by(Person.name)
    return [person for person in db.scalars(able) if _works_with(person, caller)]


def _works_with(person: Person, caller: Caller) -> bool:
    """Return whether a person and a caller have a merchant in common."""
    return caller.merchants is None or person.merchants is None or bool(caller.merchants & set(person.merchants))


def revealed_buyer(db: Session, by: Caller, declaration_id: str, vault: Vault) -> Buyer:
    """Return the buyer in plain. Raises ActionNotAllowed, DecryptionKeyMissing where the key is missing."""
    declaration = declaration_of(db, declaration_id, by)
    buyer = vault.open_buyer(declaration.buyer, declaration.id)
    if buyer is None:
        raise _no_buyer(declaration)
    return buyer


def _check_reason(why: str) -> None:
    if len("".join(why.split())) < SHORTEST_REASON:
        detail = f"say why in at least {SHORTEST_REASON} characters"
        raise ValidationFailed(detail, errors=[ErrorDetail("/reason", "reason_short", detail)])
    if len(why) > LONGEST_REASON:
        detail = f"say why in at most {LONGEST_REASON} characters"
        raise ValidationFailed(detail, errors=[ErrorDetail("/reason", "length", detail)])


def _no_buyer(declaration: Declaration) -> ActionNotAllowed:
    if declaration.buyer_erased_at is not None:
        erased = "the buyer's data was erased when its retention ended"
        return ActionNotAllowed(erased, errors=[ErrorDetail("/buyer", "buyer_erased", erased)])
    return ActionNotAllowed("no buyer is named", errors=[ErrorDetail("/buyer", "no_buyer", "no buyer is named")])
