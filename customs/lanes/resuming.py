"""Resume: a person lets a stopped lane go on, on the record."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from customs.access.callers import Caller
from customs.errors import NotFound
from customs.history.auditing import AuditTrail
from customs.history.deeds import Act, deed_by
from customs.lanes import gate
from customs.lanes.models import Lane


def resume_lane(
    db: Session, lane_id: str, by: Caller, audit: AuditTrail, now: datetime, reason: str | None = None
) -> Lane:
    """Open a lane again; what waited goes on by itself. Raises NotFound."""
    # Locked as it is stopped: why it was is part of the record.
    lane = db.scalar(select(Lane).where(Lane.id == lane_id).with_for_update())
    if lane is None:
        raise NotFound
    stopped = {"stopped_for": lane.reason} if lane.reason else {}
    gate.resume(db.connection(), lane_id)
    db.refresh(lane)
    audit.append(db, deed_by(by, Act.LANE_RESUME, lane_id, reason=reason, **stopped), now)
    return lane
