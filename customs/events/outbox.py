"""Announcements: what a caller may wait for, written in the transaction of the change and told to endpoints later."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Boolean, Connection, Index, String, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from customs.db.bulk import insert_many
from customs.db.database import Base, UtcDateTime
from customs.ids import new_id

UNSPREAD = text("unspread")


class EventType(StrEnum):
    """Everything that is announced, by the name a caller sees."""

    BATCH_DONE = "batch.done"
    BATCH_ATTENTION = "batch.attention"
    DECLARATION_SUCCEEDED = "declaration.succeeded"
    DECLARATION_FAILED = "declaration.failed"
    DECLARATION_NEEDS_REVIEW = "declaration.needs_review"
    DECLARATION_IDENTITY_MISMATCH = "declaration.identity_mismatch"
    DECLARATION_CANCELLED = "declaration.cancelled"
    DECLARATION_DISMISSED = "declaration.dismissed"
    PAYMENT_PAID = "payment.paid"
    PAYMENT_EXPIRED = "payment.expired"
    PAYMENT_FAILED = "payment.failed"
    PAYMENT_NEEDS_REVIEW = "payment.needs_review"
    REFUND_ENDED = "refund.ended"
    REFUND_NEEDS_REVIEW = "refund.needs_review"
    LANE_STOPPED = "lane.stopped"
    # Only ever sent to the endpoint that is tried out.
    WEBHOOK_TEST = "webhook.test"


class OutboxEvent(Base):
    """One thing that happened: ids, numbers and a state, no personal data. Nothing but `unspread` is ever changed.

    `merchant_no` is None for what concerns several merchants of a batch, or everybody (a lane). `unspread`: nobody
    has yet looked which endpoints want it.
    """

    __tablename__ = "announcements"
    __table_args__ = (
        Index(None, "created_at", "id"),
        Index(None, "merchant_no", "created_at", "id"),
        Index("ix_announcements_unspread", "created_at", "id", sqlite_where=UNSPREAD, postgresql_where=UNSPREAD),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_no: Mapped[str | None] = mapped_column(String(64))
    batch_id: Mapped[str | None] = mapped_column(String(40))
    type: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    unspread: Mapped[bool] = mapped_column(Boolean)


OUTBOX = Base.metadata.tables[OutboxEvent.__tablename__]


@dataclass(frozen=True)
class NewEvent:
    """One thing to announce. `data`: JSON of ids, numbers and states."""

    type: EventType
    merchant_no: str | None
    data: Mapping[str, Any] = field(default_factory=dict)
    batch_id: str | None = None


def publish(db: Session | Connection, news: Iterable[NewEvent], now: datetime) -> None:
    """Write news down in the transaction of what it tells of: one statement, and none when there is none."""
    connection = db.connection() if isinstance(db, Session) else db
    insert_many(connection, OUTBOX, [row_of(one, now) for one in news])


def row_of(one: NewEvent, now: datetime, *, unspread: bool = True) -> dict[str, Any]:
    """An announcement as a row."""
    return {
        "id": new_id("evt"),
        "merchant_no": one.merchant_no,
        "batch_id": one.batch_id,
        "type": str(one.type),
        "created_at": now,
        "data": dict(one.data),
        "unspread": unspread,
    }
