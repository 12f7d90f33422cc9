"""The tables of batches, declarations, their sub-orders, and the pushes that go to the gateway.

Declarations, sub-orders and pushes name their owners without FOREIGN KEY constraints: one transaction stores them
together, nothing deletes or renames an owner, and checking 27,500 rows one by one took a quarter of a large intake.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from customs.db.database import Base, EnumText, Money, UtcDateTime
from customs.declarations.cases import CaseKind, case_sentence
from customs.declarations.identity import Identity
from customs.declarations.states import Action, State
from customs.gateway.channels import Channel
from customs.jobs.leases import Due
from customs.payments_port import PaymentKey

LONGEST_NUMBER = 64
NOT_CANCELLED = text("NOT cancelled")
NOT_DISCARDED = text("discarded_at IS NULL")
OF_DRAFT = text("draft_id IS NOT NULL")


class Batch(Base):
    """What arrived together. `findings`: the warnings, and the errors of rows that were left out.

    `runs` grows whenever something of it goes on again, so that each end it comes to is another one.
    """

    __tablename__ = "batches"
    __table_args__ = (Index(None, "sender_id", "created_at", "id"), Index(None, "created_at", "id"))

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    sender_id: Mapped[str] = mapped_column(String(40))
    sender: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    runs: Mapped[int] = mapped_column(Integer, default=0)


class BatchMerchant(Base):
    """A merchant with rows in a batch: who may not touch one of them does not see the batch."""

    __tablename__ = "batch_merchants"

    batch_id: Mapped[str] = mapped_column(ForeignKey("batches.id"), primary_key=True)
    merchant_no: Mapped[str] = mapped_column(String(64), primary_key=True)


class BatchReplay(Base):
    """A declaration that a batch named again, unchanged: it counts there too (R1)."""

    __tablename__ = "batch_replays"
    __table_args__ = (Index(None, "declaration_id"),)

    batch_id: Mapped[str] = mapped_column(ForeignKey("batches.id"), primary_key=True)
    declaration_id: Mapped[str] = mapped_column(ForeignKey("declarations.id"), primary_key=True)


class BatchMove(Base):
    """A mark that something moved which may have ended a batch; whoever announces ends looks there and removes it."""

    __tablename__ = "batch_moves"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    batch_id: Mapped[str] = mapped_column(String(40))


class OpenRow(Base):
    """A row that was handed in with a batch and not submitted: open until its order is, or somebody discards it.

    `row` is its number in the file, None for JSON; `position` its order's place in the batch's findings. The numbers
    are "" where the row has none that may be kept, channel and office where it names none there is. `draft_id`: the
    draft that holds its cells. `why` is None for a row that was deleted from its draft.
    """

    __tablename__ = "open_rows"
    __table_args__ = (
        Index("ix_open_rows_batch_id_id", "batch_id", "id"),
        Index("ix_open_rows_open", "batch_id", "id", sqlite_where=NOT_DISCARDED, postgresql_where=NOT_DISCARDED),
        Index(
            "ix_open_rows_order",
            "merchant_no",
            "out_order_no",
            sqlite_where=NOT_DISCARDED,
            postgresql_where=NOT_DISCARDED,
        ),
        Index("ix_open_rows_draft_id", "draft_id", sqlite_where=OF_DRAFT, postgresql_where=OF_DRAFT),
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    batch_id: Mapped[str] = mapped_column(String(40))
    draft_id: Mapped[str | None] = mapped_column(String(40))
    row: Mapped[int | None] = mapped_column(Integer)
    position: Mapped[int] = mapped_column(Integer)
    merchant_no: Mapped[str] = mapped_column(String(LONGEST_NUMBER))
    channel: Mapped[str] = mapped_column(String(16))
    office: Mapped[str] = mapped_column(String(32))
    out_order_no: Mapped[str] = mapped_column(String(LONGEST_NUMBER))
    payment_no: Mapped[str] = mapped_column(String(LONGEST_NUMBER))
    left_by_id: Mapped[str] = mapped_column(String(40))
    left_by: Mapped[str] = mapped_column(String(100))
    left_at: Mapped[datetime] = mapped_column(UtcDateTime)
    discarded_by: Mapped[str | None] = mapped_column(String(100))
    discarded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    why: Mapped[str | None] = mapped_column(Text)


class HasCase:
    """The columns of an open case: why, and since when; None where nobody has to decide."""

    case_kind: Mapped[CaseKind | None] = mapped_column(EnumText(CaseKind))
    case_detail: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    case_since: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def case_reason(self) -> str | None:
        """Return why the case is open, in English."""
        return None if self.case_kind is None else case_sentence(self.case_kind, self.case_detail)


class Declaration(HasCase, Base):
    """One paid order to be declared at one office through one channel (R1).

    `waiting_for` is "payment" until that is PAID, where it was handed in to wait for it. `buyer` is sealed,
    `cert_index` its blind index; both end at `buyer_erased_at`. `state`, `identity` and the case are folded over the
    pushes.
    """

    __tablename__ = "declarations"
    __table_args__ = (
        Index(
            "uq_declarations_order",
            "merchant_no",
            "channel",
            "office",
            "payment_no",
            unique=True,
            sqlite_where=NOT_CANCELLED,
            postgresql_where=NOT_CANCELLED,
        ),
        Index(None, "batch_id", "id"),
        Index(None, "out_order_no"),
        Index(None, "payment_no"),
        Index(
            None,
            "cert_index",
            sqlite_where=text("cert_index IS NOT NULL"),
            postgresql_where=text("cert_index IS NOT NULL"),
        ),
        Index(
            "ix_declarations_buyer",
            "created_at",
            "id",
            sqlite_where=text("buyer IS NOT NULL"),
            postgresql_where=text("buyer IS NOT NULL"),
        ),
        # In the order of a list.
        Index(None, "created_at", "id"),
        Index(None, "state", "created_at", "id"),
        Index(None, "merchant_no", "created_at", "id"),
        Index(None, "office", "created_at", "id"),
        # Whose a case is can be seen without its row.
        Index(
            "ix_declarations_review",
            "created_at",
            "id",
            "merchant_no",
            sqlite_where=text("needs_review"),
            postgresql_where=text("needs_review"),
        ),
        Index(
            "ix_declarations_review_merchant_no",
            "merchant_no",
            "created_at",
            "id",
            sqlite_where=text("needs_review"),
            postgresql_where=text("needs_review"),
        ),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    batch_id: Mapped[str] = mapped_column(String(40))
    merchant_no: Mapped[str] = mapped_column(String(LONGEST_NUMBER))
    channel: Mapped[Channel] = mapped_column(EnumText(Channel))
    office: Mapped[str] = mapped_column(String(32))
    out_order_no: Mapped[str] = mapped_column(String(LONGEST_NUMBER))
    payment_no: Mapped[str] = mapped_column(String(LONGEST_NUMBER))
    mch_customs_no: Mapped[str] = mapped_column(String(100))
    merchant_customs_name: Mapped[str | None] = mapped_column(String(200))
    duty: Mapped[int | None] = mapped_column(Integer)
    buyer: Mapped[str | None] = mapped_column(Text)
    cert_index: Mapped[str | None] = mapped_column(String(32))
    buyer_erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    state: Mapped[State] = mapped_column(EnumText(State))
    identity: Mapped[Identity] = mapped_column(EnumText(Identity))
    needs_review: Mapped[bool] = mapped_column(Boolean)
    waiting_for: Mapped[str | None] = mapped_column(String(16))
    cancelled: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    sub_orders: Mapped[list["SubOrder"]] = relationship(
        primaryjoin="Declaration.id == foreign(SubOrder.declaration_id)", order_by="SubOrder.position", lazy="raise"
    )
    pushes: Mapped[list["Push"]] = relationship(
        primaryjoin="Declaration.id == foreign(Push.declaration_id)", order_by="Push.position", lazy="raise"
    )

    @property
    def payment(self) -> PaymentKey:
        """The payment that it declares."""
        return PaymentKey(self.merchant_no, self.channel, self.payment_no)


class SubOrder(Base):
    """One part of a split order (拆单), in yuan."""

    __tablename__ = "sub_orders"
    __table_args__ = (Index(None, "sub_order_no"),)

    declaration_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    sub_order_no: Mapped[str] = mapped_column(String(LONGEST_NUMBER), primary_key=True)
    merchant_no: Mapped[str] = mapped_column(String(LONGEST_NUMBER))
    position: Mapped[int]
    amount: Mapped[Decimal] = mapped_column(Money)
    transport_amount: Mapped[Decimal | None] = mapped_column(Money)
    product_amount: Mapped[Decimal | None] = mapped_column(Money)


class Push(HasCase, Due, Base):
    """One declaration at the gateway: (declaration or sub-order) x one customs code.

    `in_doubt` names the state-changing call whose outcome is not known: it is written before the call leaves and
    cleared when its answer is understood. `modify_time` and `prior_state` are what the gateway last answered before the
    present epoch was answered. `sub_order_no` is "" for an order that is not split. `attempts` counts
    state-changing calls, `failed_attempts` those in a row that were not done, `unknown_rounds` the rounds of unknown
    outcome, `strays` the queries in a row that were answered about somebody else's record.
    `withheld`: its payment was refunded, and nothing but questions goes out until a reviewer has decided.
    `cause_id`: why its case is open (`causes`), None without a case.
    `accepted_content` is what the gateway accepted last, where that is not what we want it to hold (`contents`); None
    where it is, or where nothing was ever sent. `content_in_doubt`: a correction was given up while nobody knew its
    outcome, so the gateway may hold either. `refund_allowed`: somebody let refunds of its payment go although nobody
    knows the outcome of its call.
    """

    __tablename__ = "pushes"
    __table_args__ = (
        Index(
            "uq_pushes_filing",
            "merchant_no",
            "channel",
            "payment_no",
            "customs",
            "sub_order_no",
            unique=True,
            sqlite_where=NOT_CANCELLED,
            postgresql_where=NOT_CANCELLED,
        ),
        Index(
            "ix_pushes_due",
            "fresh",
            "merchant_no",
            "due_at",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        Index(None, "declaration_id"),
        Index(
            "ix_pushes_blocked_by",
            "blocked_by",
            sqlite_where=text("blocked_by IS NOT NULL"),
            postgresql_where=text("blocked_by IS NOT NULL"),
        ),
        Index(
            "ix_pushes_cause",
            "cause_id",
            "declaration_id",
            "merchant_no",
            sqlite_where=text("cause_id IS NOT NULL"),
            postgresql_where=text("cause_id IS NOT NULL"),
        ),
        Index(
            "ix_pushes_leased",
            "holder",
            sqlite_where=text("holder IS NOT NULL"),
            postgresql_where=text("holder IS NOT NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    declaration_id: Mapped[str] = mapped_column(String(40))
    merchant_no: Mapped[str] = mapped_column(String(LONGEST_NUMBER))
    channel: Mapped[Channel] = mapped_column(EnumText(Channel))
    payment_no: Mapped[str] = mapped_column(String(LONGEST_NUMBER))
    customs: Mapped[str] = mapped_column(String(32))
    sub_order_no: Mapped[str] = mapped_column(String(LONGEST_NUMBER))
    position: Mapped[int]
    blocked_by: Mapped[str | None] = mapped_column(String(40))
    withheld: Mapped[bool] = mapped_column(Boolean, default=False)
    cancelled: Mapped[bool] = mapped_column(Boolean, default=False)

    state: Mapped[State] = mapped_column(EnumText(State), default=State.UNDECLARED)
    explanation: Mapped[str | None] = mapped_column(Text)
    identity: Mapped[Identity | None] = mapped_column(EnumText(Identity))
    modify_time: Mapped[datetime | None] = mapped_column(UtcDateTime)
    accepted: Mapped[bool] = mapped_column(Boolean, default=False)
    accepted_content: Mapped[str | None] = mapped_column(Text)
    content_in_doubt: Mapped[bool] = mapped_column(Boolean, default=False)
    refund_allowed: Mapped[bool] = mapped_column(Boolean, default=False)

    epoch: Mapped[int] = mapped_column(Integer, default=0)
    prior_state: Mapped[State | None] = mapped_column(EnumText(State))
    budget_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    next_action: Mapped[Action | None] = mapped_column(EnumText(Action))
    fresh: Mapped[bool] = mapped_column(Boolean, default=True)
    in_doubt: Mapped[Action | None] = mapped_column(EnumText(Action))
    refusal: Mapped[str | None] = mapped_column(Text)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    failed_attempts: Mapped[int] = mapped_column(Integer, default=0)
    poll_count: Mapped[int] = mapped_column(Integer, default=0)
    unknown_rounds: Mapped[int] = mapped_column(Integer, default=0)
    strays: Mapped[int] = mapped_column(Integer, default=0, server_default="0")

    cause_id: Mapped[str | None] = mapped_column(String(40))


class NumberLock(Base):
    """The lock of a payment or of an order number, whether anything is known of it or not; a row says nothing else.

    `key` is a digest: two that share one wait for each other needlessly, and that is all.
    """

    __tablename__ = "number_locks"

    key: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


class Registration(Base):
    """A merchant's number, and for Alipay its name, with an office for a channel (备案)."""

    __tablename__ = "registrations"
    __table_args__ = (UniqueConstraint("merchant_no", "channel", "office"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_no: Mapped[str] = mapped_column(String(LONGEST_NUMBER))
    channel: Mapped[Channel] = mapped_column(EnumText(Channel))
    office: Mapped[str] = mapped_column(String(32))
    mch_customs_no: Mapped[str] = mapped_column(String(100))
    merchant_customs_name: Mapped[str | None] = mapped_column(String(200))
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
