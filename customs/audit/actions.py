"""Audit events: the actions that go on the audit trail, and who did them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class Actor(Protocol):
    """Actor of an event: a user, an API key, the operator of the host."""

    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...


class AuditAction(StrEnum):
    """Action of an entry: the kind of its subject and the verb."""

    BATCH_SUBMIT = "batch.submit"
    BATCH_DISCARD_ROWS = "batch.discard_rows"
    DECLARATION_REDECLARE = "declaration.redeclare"
    DECLARATION_MODIFY = "declaration.modify"
    DECLARATION_CANCEL = "declaration.cancel"
    DECLARATION_DISMISS = "declaration.dismiss"
    DECLARATION_LET_REFUND_GO = "declaration.let_refund_go"
    PAYMENT_CREATE = "payment.create"
    REFUND_CREATE = "refund.create"
    LANE_RESUME = "lane.resume"
    REGISTRATION_PUT = "registration.put"
    WEBHOOK_CREATE = "webhook.create"
    WEBHOOK_ROTATE = "webhook.rotate"
    WEBHOOK_RESUME = "webhook.resume"
    WEBHOOK_DELETE = "webhook.delete"
    API_KEY_CREATE = "api_key.create"
    API_KEY_ROTATE = "api_key.rotate"
    API_KEY_REVOKE = "api_key.revoke"
    PERSON_CREATE = "person.create"
    PERSON_CHANGE_ROLE = "person.change_role"
    PERSON_CHANGE_MERCHANTS = "person.change_merchants"
    PERSON_DISABLE = "person.disable"
    PERSON_ENABLE = "person.enable"
    PERSON_RESET_PASSWORD = "person.reset_password"  # noqa: S105 - the name of an action
    PERSON_RESET_CODE = "person.reset_code"
    PERSON_CHANGE_PASSWORD = "person.change_password"  # noqa: S105 - the name of an action
    PERSON_SET_UP_CODE = "person.set_up_code"
    PERSON_END_SESSIONS = "person.end_sessions"
    PERSON_SIGN_IN = "person.sign_in"
    CAUSE_ASSIGN = "cause.assign"
    COMMENT_WRITE = "comment.write"
    CASE_CONTACT = "case.contact"
    PERSONAL_DATA_REVEAL = "personal_data.reveal"
    PERSONAL_DATA_REVEAL_REFUSED = "personal_data.reveal_refused"
    PERSONAL_DATA_EXPORT = "personal_data.export"
    PERSONAL_DATA_ERASE = "personal_data.erase"
    PERSONAL_DATA_RESEAL = "personal_data.reseal"
    AUDIT_EXPORT = "audit.export"
    AUDIT_SEAL = "audit.seal"
    AUDIT_ACCEPT_END = "audit.accept_end"


@dataclass(frozen=True)
class AuditEvent:
    """One action to record. `detail`: facts as text; ids and counts, never names or ID numbers."""

    actor_id: str
    actor: str
    action: str
    subject: str
    subject_id: str
    merchant_no: str | None = None
    reason: str | None = None
    detail: Mapping[str, str] = field(default_factory=dict)


def audit_event(
    actor: Actor,
    action: str,
    subject_id: str,
    /,
    *,
    merchant_no: str | None = None,
    reason: str | None = None,
    **detail: str,
) -> AuditEvent:
    """Return an event by this actor; the kind of subject is the first word of the action."""
    return AuditEvent(actor.id, actor.name, action, action.partition(".")[0], subject_id, merchant_no, reason, detail)


class AuditReader(Actor, Protocol):
    """A reader of the trail: sees what concerns their merchants, or everything if `merchants` is None."""

    @property
    def merchants(self) -> frozenset[str] | None: ...
