"""Tables of payments: payments, refunds, their events, notifications and rates."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from customs.db.database import Base, EnumText, Money, UtcDateTime
from customs.gateway.channels import Channel
from customs.payments.states import Refunded, RefundStatus, Status
from customs.payments.tasks.task import TaskColumns

LONGEST_NUMBER = 64
IS_PERSONAL = text("inputs IS NOT NULL OR personal IS NOT NULL")
HAS_EXCHANGE = text("request IS NOT NULL")


def task_indexes(table: str) -> tuple[Index, ...]:
    """What the claim and the clock look for, and whoever looks for what needs a person."""
    due, leased, case = text("due_at IS NOT NULL"), text("holder IS NOT NULL"), text("case_kind IS NOT NULL")
    return (
        Index(f"ix_{table}_case", "created_at", "id", sqlite_where=case, postgresql_where=case),
        Index(f"ix_{table}_due", "due_at", sqlite_where=due, postgresql_where=due),
        Index(f"ix_{table}_leased", "holder", sqlite_where=leased, postgresql_where=leased),
    )


class Payment(TaskColumns, Base):
    """One order to be paid through one method.

    `out_order_no` is our number (agent_order_id for WeChat), `payment_no` the gateway's once it is known. `inputs`
    (what the method needs of the payer) and `personal` (who paid) are sealed. `payer` is what the payer needs next.
    `refunded` counts what we asked to refund and was not refused, `refunded_elsewhere` what others refunded.
    """

    __tablename__ = "payments"
    __table_args__ = (
        # The gateway finds an order by our number alone, whoever's it is.
        UniqueConstraint("channel", "out_order_no", name="uq_payments_order"),
        Index("ix_payments_payment_no", "payment_no"),
        Index("ix_payments_out_order_no", "out_order_no"),
        Index(None, "created_at", "id"),
        Index(None, "merchant_no", "created_at", "id"),
        Index(None, "status", "created_at", "id"),
        Index("ix_payments_personal", "created_at", "id", sqlite_where=IS_PERSONAL, postgresql_where=IS_PERSONAL),
        *task_indexes("payments"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_no: Mapped[str] = mapped_column(String(LONGEST_NUMBER))
    channel: Mapped[Channel] = mapped_column(EnumText(Channel))
    method: Mapped[str] = mapped_column(String(32))
    out_order_no: Mapped[str] = mapped_column(String(LONGEST_NUMBER))
    payment_no: Mapped[str | None] = mapped_column(String(LONGEST_NUMBER))
    currency: Mapped[str] = mapped_column(String(3))
    amount: Mapped[Decimal] = mapped_column(Money)
    subject: Mapped[str] = mapped_column(String(200))
    notify_url: Mapped[str | None] = mapped_column(Text)
    inputs: Mapped[str | None] = mapped_column(Text)
    sender: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    status: Mapped[Status] = mapped_column(EnumText(Status), default=Status.INIT)
    explanation: Mapped[str | None] = mapped_column(Text)
    payer: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    pay_amount: Mapped[Decimal | None] = mapped_column(Money)
    pay_currency: Mapped[str | None] = mapped_column(String(8))
    exchange_rate: Mapped[str | None] = mapped_column(String(32))
    trade_type: Mapped[str | None] = mapped_column(String(32))
    wallet: Mapped[str | None] = mapped_column(String(32))
    paid_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    personal: Mapped[str | None] = mapped_column(Text)
    refund_status: Mapped[Refunded] = mapped_column(EnumText(Refunded), default=Refunded.NONE)
    refunded: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))
    refunded_elsewhere: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))


class Refund(TaskColumns, Base):
    """One refund of a payment, under our own number, which makes a repeat harmless (R17)."""

    __tablename__ = "refunds"
    __table_args__ = (
        UniqueConstraint("outer_refund_no", name="uq_refunds_outer_refund_no"),
        Index(None, "created_at", "id"),
        Index(None, "payment_id", "created_at", "id"),
        Index("ix_refunds_refund_no", "refund_no"),
        Index(None, "merchant_no", "created_at", "id"),
        *task_indexes("refunds"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    payment_id: Mapped[str] = mapped_column(ForeignKey("payments.id"))
    merchant_no: Mapped[str] = mapped_column(String(LONGEST_NUMBER))
    channel: Mapped[Channel] = mapped_column(EnumText(Channel))
    payment_no: Mapped[str] = mapped_column(String(LONGEST_NUMBER))
    outer_refund_no: Mapped[str] = mapped_column(String(LONGEST_NUMBER))
    refund_no: Mapped[str | None] = mapped_column(String(LONGEST_NUMBER))
    currency: Mapped[str] = mapped_column(String(3))
    amount: Mapped[Decimal] = mapped_column(Money)
    reason: Mapped[str] = mapped_column(Text)
    sender: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    status: Mapped[RefundStatus] = mapped_column(EnumText(RefundStatus), default=RefundStatus.PENDING)
    explanation: Mapped[str | None] = mapped_column(Text)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PaymentEvent(Base):
    """The timeline of a payment and its refunds; nothing here is changed until its exchanges end. It is masked."""

    __tablename__ = "payment_events"
    __table_args__ = (
        Index("ix_payment_events_payment_id_id", "payment_id", "id"),
        Index("ix_payment_events_exchange", "at", "id", sqlite_where=HAS_EXCHANGE, postgresql_where=HAS_EXCHANGE),
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    merchant_no: Mapped[str] = mapped_column(String(LONGEST_NUMBER))
    payment_id: Mapped[str] = mapped_column(String(40))
    refund_id: Mapped[str | None] = mapped_column(String(40))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[str] = mapped_column(String(16))
    actor: Mapped[str] = mapped_column(String(100))
    detail: Mapped[dict[str, str]] = mapped_column(JSON)
    request: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    reply: Mapped[str | None] = mapped_column(Text)
    duration_ms: Mapped[int | None] = mapped_column(Integer)


class Notification(Base):
    """A verified message of the gateway (10): kept once for each number and status, a hint and nothing more (R20)."""

    __tablename__ = "notifications"
    __table_args__ = (UniqueConstraint("payment_no", "status", name="uq_notifications_payment_no"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    payment_no: Mapped[str] = mapped_column(String(LONGEST_NUMBER))
    out_order_no: Mapped[str | None] = mapped_column(String(LONGEST_NUMBER))
    status: Mapped[str] = mapped_column(String(16))
    content: Mapped[dict[str, str]] = mapped_column(JSON)
    payment_id: Mapped[str | None] = mapped_column(String(40))


class Rate(Base):
    """A reference rate as the gateway last answered it: yuan for one unit of the currency."""

    __tablename__ = "rates"

    channel: Mapped[Channel] = mapped_column(EnumText(Channel), primary_key=True)
    merchant_no: Mapped[str] = mapped_column(String(LONGEST_NUMBER), primary_key=True)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    rate: Mapped[str] = mapped_column(String(32))
    fetched_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Bill(Base):
    """A bill of the gateway's for these days, both included, as received (8); sealed, for it may name who paid.

    `fetched_at` is when it last came with this content; `size` and `sha256` are those of the file.
    """

    __tablename__ = "bills"
    __table_args__ = (UniqueConstraint("start_date", "end_date", "sha256", name="uq_bills_content"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    start_date: Mapped[date] = mapped_column(Date)
    end_date: Mapped[date] = mapped_column(Date)
    fetched_at: Mapped[datetime] = mapped_column(UtcDateTime)
    size: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


# A bill is compared with what was paid and refunded on its days.
Index("ix_payments_paid_at", Payment.paid_at)
Index("ix_refunds_ended_at", Refund.ended_at)
