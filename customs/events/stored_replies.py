"""Replies as an older version kept them: what is somebody else's in them is not shown (R6a)."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from sqlalchemy.orm import Session

from customs.gateway import holds_others
from customs.gateway.messages.owners import WITHHELD


class Kept(Protocol):
    """An event of either timeline."""

    reply: str | None
    detail: dict[str, str]


K = TypeVar("K", bound=Kept)


def without_others_replies(db: Session, events: Sequence[K], ours: Mapping[str, str | None]) -> Sequence[K]:
    """The same events to be shown; what is stored stays. `ours`: merchant_no, our_no and payment_no."""
    for event in events:
        if event.reply and event.reply != WITHHELD and holds_others(event.reply, ours):
            db.expunge(event)
            event.reply = WITHHELD
            event.detail = {name: WITHHELD if name == "message" else word for name, word in event.detail.items()}
    return events
