"""The questions pages ask of the lanes."""

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from customs import database
from customs.lanes.models import Lane


class Light(StrEnum):
    """How the gateway stands with us, over all lanes: the worst one speaks."""

    OPEN = "open"
    SLOWED = "slowed"
    STOPPED = "stopped"
    UNUSED = "unused"


def list_lanes(db: Session) -> Sequence[Lane]:
    """Every lane: a deployment has few."""
    return db.scalars(select(Lane).order_by(Lane.id)).all()


def light_of(db: Session) -> Light:
    """One look at every lane."""
    lanes = list_lanes(db)
    now = database.now(db)
    if any(lane.stopped_at for lane in lanes):
        return Light.STOPPED
    if any(lane.held_until and lane.held_until > now for lane in lanes):
        return Light.SLOWED
    return Light.OPEN if lanes else Light.UNUSED
