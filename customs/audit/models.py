"""Tables of the audit trail: one row for each entry, and one row for the end of the chain."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from customs.db.database import Base, UtcDateTime


class AuditEntry(Base):
    """One entry. `subject` is the kind of thing that was acted on, `subject_id` its id; no personal data.

    `number` counts without gaps from 1. `merchant_no` is None for what concerns no one merchant. Lists go by `at`:
    actions at the same time may be numbered the other way round.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index(None, "at", "number"),
        Index(None, "merchant_no", "at", "number"),
        Index(None, "actor_id", "at", "number"),
        Index(None, "action", "at", "number"),
        Index(None, "subject_id", "at", "number"),
    )

    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False
    )
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[str] = mapped_column(String(40))
    actor: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[str] = mapped_column(String(64))
    merchant_no: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str | None] = mapped_column(Text)
    detail: Mapped[dict[str, str]] = mapped_column(JSON)
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditEnd(Base):
    """The end of the chain, one row: the last entry's number and hash, and a seal over both.

    A seal that did not fit when an entry was added stays as it was: a new entry must not cover up the tampering.
    """

    __tablename__ = "audit_end"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"))
    hash: Mapped[str] = mapped_column(String(64))
    seal: Mapped[str] = mapped_column(String(64))


ENTRIES = Base.metadata.tables[AuditEntry.__tablename__]
ENDS = Base.metadata.tables[AuditEnd.__tablename__]
