"""The audit trail: who did what to which, and why; each entry holds the hash of the one before, and a seal the end."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from customs.database import Base, UtcDateTime


class AuditEntry(Base):
    """One deed. `subject` is what kind of thing it was done to, `subject_id` which one; no personal data.

    `number` counts without gaps from 1. `merchant_no` is None for what concerns no one merchant.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index(None, "merchant_no", "number"),
        Index(None, "actor_id", "number"),
        Index(None, "action", "number"),
        Index(None, "subject_id", "number"),
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
    """The end of the chain, one row: how many entries there are, the last one's hash, and a seal over both."""

    __tablename__ = "audit_end"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"))
    hash: Mapped[str] = mapped_column(String(64))
    seal: Mapped[str] = mapped_column(String(64))
