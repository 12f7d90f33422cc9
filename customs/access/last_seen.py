"""When people were last at the desk, and in how many browsers they still are."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from customs.access.models import SignedIn
from customs.access.sessions import is_live


@dataclass(frozen=True)
class Presence:
    """One person's sessions together."""

    last_seen_at: datetime
    sessions: int


def presences(db: Session, now: datetime) -> dict[str, Presence]:
    """By the person's id; who never signed in is not among them."""
    live = func.sum(case((is_live(now), 1), else_=0))
    seen = select(SignedIn.person_id, func.max(SignedIn.last_seen_at), live).group_by(SignedIn.person_id)
    return {person_id: Presence(at, int(sessions)) for person_id, at, sessions in db.execute(seen)}
