"""Tables of webhooks: endpoints, deliveries and attempts."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from customs.db.database import Base, EnumText, UtcDateTime
from customs.events.outbox import OutboxEvent
from customs.jobs.leases import Due

DUE = text("due_at IS NOT NULL")
IS_LEASED = text("holder IS NOT NULL")
LONGEST_URL = 500


class DeliveryState(StrEnum):
    """Where one delivery stands."""

    WAITING = "WAITING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


class Endpoint(Base):
    """A URL that events are delivered to. `types`: None means all of them.

    `secret` and, until `previous_until`, `previous_secret` are sealed; both sign. `failures` counts failures in a row,
    the first of them at `failing_since`; nothing is sent before `held_until`, nor while `paused_at` is set.
    """

    __tablename__ = "webhook_endpoints"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    url: Mapped[str] = mapped_column(String(LONGEST_URL))
    types: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    description: Mapped[str | None] = mapped_column(String(200))
    every_merchant: Mapped[bool] = mapped_column(Boolean)
    owner: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    secret: Mapped[str] = mapped_column(Text)
    previous_secret: Mapped[str | None] = mapped_column(Text)
    previous_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failures: Mapped[int] = mapped_column(Integer, default=0)
    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    held_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paused_why: Mapped[str | None] = mapped_column(String(200))
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    merchants: Mapped[list["EndpointMerchant"]] = relationship(order_by="EndpointMerchant.merchant_no", lazy="selectin")


class EndpointMerchant(Base):
    """A merchant of an endpoint that is not for every merchant."""

    __tablename__ = "webhook_endpoint_merchants"

    endpoint_id: Mapped[str] = mapped_column(ForeignKey("webhook_endpoints.id"), primary_key=True)
    merchant_no: Mapped[str] = mapped_column(String(64), primary_key=True)


class Delivery(Due, Base):
    """One event for one endpoint; `attempt_count` counts attempts since it was last asked for."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("event_id", "endpoint_id", name="uq_webhook_deliveries_once"),
        Index(None, "endpoint_id", "created_at", "id"),
        Index("ix_webhook_deliveries_due", "endpoint_id", "due_at", sqlite_where=DUE, postgresql_where=DUE),
        Index("ix_webhook_deliveries_leased", "holder", sqlite_where=IS_LEASED, postgresql_where=IS_LEASED),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    endpoint_id: Mapped[str] = mapped_column(ForeignKey("webhook_endpoints.id"))
    event_id: Mapped[str] = mapped_column(ForeignKey("announcements.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[DeliveryState] = mapped_column(EnumText(DeliveryState), default=DeliveryState.WAITING)
    attempt_count: Mapped[int] = mapped_column(Integer, default=0)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    event: Mapped[OutboxEvent] = relationship(lazy="raise")
    attempts: Mapped[list["Attempt"]] = relationship(order_by="Attempt.id", lazy="raise")


class Attempt(Base):
    """One request to an endpoint. `status`: None when no answer began; `response` is cut off."""

    __tablename__ = "webhook_attempts"
    __table_args__ = (Index("ix_webhook_attempts_delivery_id_id", "delivery_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    delivery_id: Mapped[str] = mapped_column(ForeignKey("webhook_deliveries.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    url: Mapped[str] = mapped_column(String(LONGEST_URL))
    status: Mapped[int | None] = mapped_column(Integer)
    duration_ms: Mapped[int] = mapped_column(Integer)
    response: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(String(200))


class BatchEnd(Base):
    """The end of a batch that was published last: its state, and which of its runs came to it.

    Its lock decides which of two processes that see an end publishes it. None in `state`: nothing was published yet,
    or by a version that stored no more than when.
    """

    __tablename__ = "batch_ends"

    batch_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    announced_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str | None] = mapped_column(String(16))
    runs: Mapped[int | None] = mapped_column(Integer)
