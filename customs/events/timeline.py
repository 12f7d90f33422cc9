"""The timeline: one row for each call and each person's action; others' replies are withheld (R6a)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy import JSON, BigInteger, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from customs.db.database import Base, UtcDateTime
from customs.gateway import holds_others
from customs.gateway.messages.owners import WITHHELD

HAS_EXCHANGE = text("request IS NOT NULL")


class Event(Base):
    """An entry of a declaration's timeline. `kind`: call or action; `request` masked, `reply` raw but for the buyer.

    Nothing of it is ever changed, but that request and reply end with their retention.
    """

    __tablename__ = "events"
    __table_args__ = (
        Index(None, "declaration_id", "id"),
        Index("ix_events_exchange", "at", "id", sqlite_where=HAS_EXCHANGE, postgresql_where=HAS_EXCHANGE),
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    merchant_no: Mapped[str] = mapped_column(String(64))
    declaration_id: Mapped[str] = mapped_column(String(40))
    push_id: Mapped[str | None] = mapped_column(String(40))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[str] = mapped_column(String(16))
    actor: Mapped[str] = mapped_column(String(100))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    request: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    reply: Mapped[str | None] = mapped_column(Text)
    duration_ms: Mapped[int | None] = mapped_column(Integer)


class StoredCall(Protocol):
    """An event of either timeline."""

    reply: str | None
    detail: dict[str, str]


K = TypeVar("K", bound=StoredCall)


def withhold_others_replies(db: Session, events: Sequence[K], own: Mapping[str, str | None]) -> Sequence[K]:
    """Return the events to show; what is stored stays. `own`: merchant_no, our_no and payment_no."""
    for event in events:
        if event.reply and event.reply != WITHHELD and holds_others(event.reply, own):
            db.expunge(event)
            event.reply = WITHHELD
            event.detail = {name: WITHHELD if name == "message" else word for name, word in event.detail.items()}
    return events
