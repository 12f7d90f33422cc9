"""Retention: how long each kind of data is kept, how buyers and payers are erased, and why every other table stays.

The clock ends what is past its time, a small batch in each transaction; docs/operations.md shows both tables.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, exists, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from customs.audit.request_log import LoggedRequest
from customs.auth.login_throttle import REMEMBERED
from customs.auth.models import FailedSignIn, IdempotentReply, UserSession
from customs.config import Settings
from customs.declarations.contents import Content
from customs.declarations.models import Declaration, OpenRow, Push
from customs.events.outbox import OutboxEvent
from customs.events.timeline import Event
from customs.imports.drafts import Draft
from customs.payments.models import Bill, Payment, PaymentEvent
from customs.web.idempotency import KEPT
from customs.webhooks.models import Attempt, Delivery

# A push that goes out, is out, or whose outcome nobody knows; one that waits for another push has a next action too.
UNDER_WAY = (
    exists()
    .where(Push.declaration_id == Declaration.id, Push.cancelled.is_(False))
    .where(or_(Push.next_action.is_not(None), Push.in_doubt.is_not(None), Push.holder.is_not(None)))
)
BUYER_IS_FREE: tuple[ColumnElement[bool], ...] = (
    Declaration.buyer.is_not(None),
    Declaration.needs_review.is_(False),
    Declaration.waiting_for.is_(None),
    ~UNDER_WAY,
)
PAYER_IS_FREE: tuple[ColumnElement[bool], ...] = (
    or_(Payment.inputs.is_not(None), Payment.personal.is_not(None)),
    Payment.next_action.is_(None),
    Payment.in_doubt.is_(False),
    Payment.holder.is_(None),
    Payment.case_kind.is_(None),
)
NO_PAYER = {"inputs": None, "personal": None}
NO_EXCHANGE = {"request": None, "reply": None}


def erase_buyers(db: Session, declaration_ids: Sequence[str], now: datetime) -> int:
    """Shred the buyers of these declarations where nothing is under way or in review; return of how many."""
    anew = {"populate_existing": True}
    free = select(Declaration).where(Declaration.id.in_(declaration_ids), *BUYER_IS_FREE).order_by(Declaration.id)
    # Locked as decisions lock them: nothing begins on them meanwhile.
    declarations = {one.id: one for one in db.scalars(free.with_for_update().execution_options(**anew))}
    differ = select(Push).where(Push.declaration_id.in_(declarations), Push.accepted_content.is_not(None))
    for push in db.scalars(differ.order_by(Push.id).with_for_update().execution_options(**anew)):
        push.accepted_content = replace(Content.read(push.accepted_content or ""), buyer=None).kept()
    for declaration in declarations.values():
        declaration.buyer = declaration.cert_index = None
        declaration.buyer_erased_at = now
    db.flush()
    return len(declarations)


def erase_payers(db: Session, payment_ids: Sequence[str]) -> int:
    """Shred who paid these payments and by which account, where nothing is under way; return of how many."""
    return _count(db, update(Payment).where(Payment.id.in_(payment_ids), *PAYER_IS_FREE).values(NO_PAYER))


def erase_exchanges(db: Session, model: type[Event] | type[PaymentEvent], event_ids: Sequence[int]) -> int:
    """Take what was sent and answered out of these entries of a timeline; return of how many."""
    return _count(db, update(model).where(model.id.in_(event_ids)).values(NO_EXCHANGE))


def _count(db: Session, statement: Any) -> int:
    count: int = db.execute(statement.execution_options(synchronize_session=False)).rowcount  # type: ignore[attr-defined]
    return count


SESSIONS_KEPT = timedelta(days=30)
# Few rows a transaction: no request waits for this. Drafts hold files.
BATCH_SIZE = 500
DRAFTS_BATCH_SIZE = 50


@dataclass(frozen=True)
class Retention:
    """One kind of data that ends: which rows of a table, from which time, and after how long.

    `kept` is the setting that says how many days, or a time that is the same everywhere. `end` deletes the rows with
    these keys, or takes out of them what ends; rows that changed meanwhile stay.
    """

    kind: str
    kept: str | timedelta
    key: InstrumentedAttribute[Any]
    since: InstrumentedAttribute[Any]
    end: Callable[[Session, Sequence[Any], datetime], int] | None = None
    such: tuple[ColumnElement[bool], ...] = ()
    batch_size: int = BATCH_SIZE

    @property
    def table(self) -> str:
        """The table whose rows end."""
        name: str = self.key.class_.__tablename__
        return name

    def expired(self, settings: Settings, now: datetime) -> tuple[ColumnElement[bool], ...]:
        """Return the conditions of a row that is past its time."""
        kept = self.kept if isinstance(self.kept, timedelta) else timedelta(days=getattr(settings, self.kept))
        return (self.since < now - kept, *self.such)

    def oldest(self, settings: Settings, now: datetime, limit: int) -> Select[Any]:
        """Select the keys of what is past its time, oldest first."""
        return select(self.key).where(*self.expired(settings, now)).order_by(self.since).limit(limit)

    def purge(self, db: Session, settings: Settings, now: datetime) -> int:
        """End a batch; return how many rows."""
        keys = db.scalars(self.oldest(settings, now, self.batch_size)).all()
        if not keys:
            return 0
        if self.end is not None:
            return self.end(db, keys, now)
        still = (self.key.in_(keys), *self.expired(settings, now))
        return db.execute(delete(self.key.class_).where(*still)).rowcount  # type: ignore[attr-defined, no-any-return]


def _end_events(db: Session, event_ids: Sequence[str], _now: datetime) -> int:
    """Delete events with their deliveries and attempts, but for a delivery that is being made."""
    free = select(Delivery.id).where(Delivery.event_id.in_(event_ids), Delivery.holder.is_(None))
    deliveries = db.scalars(free.with_for_update(skip_locked=True)).all()
    db.execute(delete(Attempt).where(Attempt.delivery_id.in_(deliveries)))
    db.execute(delete(Delivery).where(Delivery.id.in_(deliveries)))
    without = ~exists().where(Delivery.event_id == OutboxEvent.id)
    deleted = delete(OutboxEvent).where(OutboxEvent.id.in_(event_ids), without)
    return db.execute(deleted).rowcount  # type: ignore[attr-defined, no-any-return]


RETENTION = (
    Retention("answers kept for an Idempotency-Key", KEPT, IdempotentReply.id, IdempotentReply.created_at),
    Retention("request log", "retention_request_log_days", LoggedRequest.id, LoggedRequest.at),
    Retention("sessions, from when they end", SESSIONS_KEPT, UserSession.id, UserSession.expires_at),
    Retention("failed sign-ins", REMEMBERED, FailedSignIn.who, FailedSignIn.last_at),
    Retention(
        "drafts that nobody touches and no batch left rows in",
        "retention_draft_days",
        Draft.id,
        Draft.updated_at,
        such=(~exists().where(OpenRow.draft_id == Draft.id, OpenRow.discarded_at.is_(None)),),
        batch_size=DRAFTS_BATCH_SIZE,
    ),
    Retention(
        "events, with their deliveries and attempts",
        "retention_event_days",
        OutboxEvent.id,
        OutboxEvent.created_at,
        _end_events,
        (OutboxEvent.pending.is_(False),),
    ),
    Retention(
        "exchanges with the gateway about declarations",
        "retention_exchange_days",
        Event.id,
        Event.at,
        lambda db, keys, _now: erase_exchanges(db, Event, keys),
        (Event.request.is_not(None),),
    ),
    Retention(
        "exchanges with the gateway about payments",
        "retention_exchange_days",
        PaymentEvent.id,
        PaymentEvent.at,
        lambda db, keys, _now: erase_exchanges(db, PaymentEvent, keys),
        (PaymentEvent.request.is_not(None),),
    ),
    Retention("bills", "retention_bill_days", Bill.id, Bill.fetched_at),
    Retention(
        "buyers of declarations that have ended",
        "retention_buyer_days",
        Declaration.id,
        Declaration.created_at,
        erase_buyers,
        BUYER_IS_FREE,
    ),
    Retention(
        "payers of payments that have ended",
        "retention_buyer_days",
        Payment.id,
        Payment.created_at,
        lambda db, keys, _now: erase_payers(db, keys),
        PAYER_IS_FREE,
    ),
)
# Tables whose rows end with those of another.
ENDS_WITH: Mapping[str, str] = {
    "webhook_deliveries": "announcements",
    "webhook_attempts": "announcements",
}
_RECORD = "record of what was declared to customs; no name, ID numbers masked"
_WORK = "state of the work, no personal data; its owner deletes it, or it is overwritten"
# Why everything else stays.
STAYS: Mapping[str, str] = {
    "batches": _RECORD,
    "batch_merchants": _RECORD,
    "batch_replays": _RECORD,
    "sub_orders": _RECORD,
    "pushes": _RECORD,
    "open_rows": _RECORD,
    "causes": _RECORD,
    "comments": _RECORD,
    "registrations": _RECORD,
    "refunds": "record of the books; numbers, amounts and a masked reason",
    "notifications": "record of the books; numbers and amounts, and a repeat is known by it however late",
    "audit_entries": "who did what: a chain of which nothing may be missing; no personal data of buyers",
    "audit_end": "the end of that chain",
    "people": "the audit trail names them; a user who left is disabled",
    "api_keys": "the audit trail names them; secrets are digests",
    "webhook_endpoints": "deleted ones are named by the audit trail; their secrets are sealed",
    "webhook_endpoint_merchants": "part of an endpoint",
    "batch_ends": "which end of a batch was published last, so that none is published twice",
    "batch_moves": _WORK,
    "saved_filters": _WORK,
    "lanes": _WORK,
    "rates": _WORK,
    "processes": "each process deletes those that died a day ago",
    "number_locks": _WORK,
    "write_checks": _WORK,
    "tallies": "counts",
    "call_counts": "counts",
}


def has_expired_rows(db: Session, settings: Settings, now: datetime) -> bool:
    """Whether `purge_expired` has anything to end."""
    return any(db.scalar(one.oldest(settings, now, 1)) is not None for one in RETENTION)


def purge_expired(db: Session, settings: Settings, now: datetime) -> int:
    """End a batch of each kind that is past its time; return how many rows."""
    return sum(one.purge(db, settings, now) for one in RETENTION)
