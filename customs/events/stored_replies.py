"""Withhold what is somebody else's in replies that an older version stored (R6a)."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from sqlalchemy.orm import Session

from customs.gateway import holds_others
from customs.gateway.messages.owners import WITHHELD


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
