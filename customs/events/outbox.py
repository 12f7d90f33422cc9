"""The transactional outbox: events are written in the transaction of the change, and delivered to endpoints later."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from flask_babel import LazyString, lazy_gettext
from sqlalchemy import JSON, Boolean, Connection, Index, String, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from customs.db.bulk import insert_many
from customs.db.database import Base, UtcDateTime
from customs.ids import new_id

IS_PENDING = text("pending")


_ = lazy_gettext


class EventType(StrEnum):
    """Every type of event by its public name, with its label for people."""

    label: LazyString

    def __new__(cls, name: str, label: LazyString) -> Self:
        made = str.__new__(cls, name)
        made._value_ = name
        made.label = label
        return made

    BATCH_DONE = "batch.done", _("every declaration of a batch succeeded")
    BATCH_NEEDS_ATTENTION = "batch.needs_attention", _("a batch came to rest, and some of it needs somebody")
    DECLARATION_SUCCEEDED = "declaration.succeeded", _("customs took a declaration")
    DECLARATION_FAILED = "declaration.failed", _("customs refused a declaration")
    DECLARATION_NEEDS_REVIEW = "declaration.needs_review", _("a declaration needs somebody")
    DECLARATION_IDENTITY_MISMATCH = "declaration.identity_mismatch", _("the buyer is not the payer")
    DECLARATION_CANCELLED = "declaration.cancelled", _("a declaration was taken back")
    DECLARATION_DISMISSED = "declaration.dismissed", _("a case was closed as it is")
    PAYMENT_PAID = "payment.paid", _("a payment was made")
    PAYMENT_EXPIRED = "payment.expired", _("nobody paid in time")
    PAYMENT_FAILED = "payment.failed", _("a payment failed")
    PAYMENT_NEEDS_REVIEW = "payment.needs_review", _("a payment needs somebody")
    REFUND_SUCCEEDED = "refund.succeeded", _("a refund succeeded")
    REFUND_FAILED = "refund.failed", _("a refund failed")
    REFUND_NEEDS_REVIEW = "refund.needs_review", _("a refund needs somebody")
    LANE_STOPPED = "lane.stopped", _("the gateway refuses our credentials")
    # Only ever sent to the endpoint that is tried out.
    WEBHOOK_TEST = "webhook.test", _("a test")

    @property
    def subject(self) -> str:
        """The kind of thing the event is about."""
        return self.partition(".")[0]


class OutboxEvent(Base):
    """One event: ids, numbers and a state, no personal data. Nothing but `pending` is ever changed.

    `merchant_no` is None for what concerns several merchants of a batch, or everybody (a lane). `pending`: it waits
    for its fan-out to the endpoints that subscribe to it.
    """

    __tablename__ = "announcements"
    __table_args__ = (
        Index(None, "created_at", "id"),
        Index(None, "merchant_no", "created_at", "id"),
        Index("ix_announcements_pending", "created_at", "id", sqlite_where=IS_PENDING, postgresql_where=IS_PENDING),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_no: Mapped[str | None] = mapped_column(String(64))
    batch_id: Mapped[str | None] = mapped_column(String(40))
    type: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    pending: Mapped[bool] = mapped_column(Boolean)


OUTBOX = Base.metadata.tables[OutboxEvent.__tablename__]


@dataclass(frozen=True)
class NewEvent:
    """An event to publish. `data`: JSON of ids, numbers and states."""

    type: EventType
    merchant_no: str | None
    data: Mapping[str, Any] = field(default_factory=dict)
    batch_id: str | None = None


def publish(db: Session | Connection, events: Iterable[NewEvent], now: datetime) -> None:
    """Write events to the outbox in the transaction of the change: one statement, and none without events."""
    connection = db.connection() if isinstance(db, Session) else db
    insert_many(connection, OUTBOX, [outbox_row(one, now) for one in events])


def outbox_row(event: NewEvent, now: datetime, *, pending: bool = True) -> dict[str, Any]:
    """Return an event as a row of the outbox."""
    return {
        "id": new_id("evt"),
        "merchant_no": event.merchant_no,
        "batch_id": event.batch_id,
        "type": str(event.type),
        "created_at": now,
        "data": dict(event.data),
        "pending": pending,
    }
