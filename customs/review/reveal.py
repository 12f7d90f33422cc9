"""Revealing: a buyer's name and ID number in plain, for a reviewer who says why; who looked stays on record."""

from datetime import datetime

from sqlalchemy.orm import Session

from customs.audit.actions import AuditAction, audit_event
from customs.audit.trail import AuditTrail
from customs.auth.principal import Caller, Scope
from customs.declarations.reading.queries import declaration_of
from customs.errors import ActionNotAllowed, ErrorDetail, ValidationFailed
from customs.events.timeline import Event
from customs.gateway import Buyer
from customs.privacy.masking import mask_text
from customs.privacy.vault import Vault

SHORTEST_REASON, LONGEST_REASON = 5, 500


def note_look(db: Session, by: Caller, declaration_id: str, why: str, audit: AuditTrail, now: datetime) -> None:
    """Write down who looks at a buyer and why. The transaction ends with it, and is committed before `look`.

    Raises InsufficientScope, NotFound, ActionNotAllowed where no buyer is named, ValidationFailed for a reason that is
    too short to be one, or too long.
    """
    by.require(Scope.DECLARATIONS_REVIEW)
    declaration = declaration_of(db, declaration_id, by)
    if declaration.buyer is None:
        raise _no_buyer()
    if len("".join(why.split())) < SHORTEST_REASON:
        detail = f"say why in at least {SHORTEST_REASON} characters"
        raise ValidationFailed(detail, errors=[ErrorDetail("/reason", "reason_short", detail)])
    if len(why) > LONGEST_REASON:
        detail = f"say why in at most {LONGEST_REASON} characters"
        raise ValidationFailed(detail, errors=[ErrorDetail("/reason", "length", detail)])
    reason, owner = mask_text(why, None), {"merchant_no": declaration.merchant_no}
    looked = {"action": "reveal", "reason": reason}
    db.add(Event(declaration_id=declaration.id, at=now, kind="action", actor=by.name, detail=looked, **owner))
    audit.append(db, audit_event(by, AuditAction.PERSONAL_DATA_REVEAL, declaration.id, reason=reason, **owner), now)


def look(db: Session, by: Caller, declaration_id: str, vault: Vault) -> Buyer:
    """The buyer in plain. Raises DecryptionKeyMissing where the key is missing."""
    declaration = declaration_of(db, declaration_id, by)
    buyer = vault.open_buyer(declaration.buyer, declaration.id)
    if buyer is None:
        raise _no_buyer()
    return buyer


def _no_buyer() -> ActionNotAllowed:
    return ActionNotAllowed("no buyer is named", errors=[ErrorDetail("/buyer", "no_buyer", "no buyer is named")])
