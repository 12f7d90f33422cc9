"""Queries about lanes, the light on every page, and resuming a lane."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from customs.audit.actions import AuditAction, audit_event
from customs.audit.trail import AuditTrail
from customs.auth.principal import Caller
from customs.config import Settings
from customs.db import database
from customs.errors import InsufficientScope, NotFound
from customs.jobs.process_registry import StaffingStatus, staffing_status
from customs.lanes import breaker
from customs.lanes.models import Lane


class Light(StrEnum):
    """Light on every page: state of the lane and of the processes; the worst counts."""

    OPEN = "open"
    SLOWED = "slowed"
    FAILING = "failing"
    STOPPED = "stopped"
    UNATTENDED = "unattended"
    TROUBLED = "troubled"
    UNUSED = "unused"


class LaneState(StrEnum):
    """State of a lane: open; open while no recent call brought an answer; stopped until a person acts."""

    OPEN = "open"
    FAILING = "failing"
    STOPPED = "stopped"


def state_of(lane: Lane, now: datetime) -> LaneState:
    """Return the state of a lane now."""
    if lane.stopped_at is not None:
        return LaneState.STOPPED
    return LaneState.FAILING if lane.fails(now) else LaneState.OPEN


def list_lanes(db: Session) -> Sequence[Lane]:
    """Return every lane: a deployment has few."""
    return db.scalars(select(Lane).order_by(Lane.id)).all()


def lanes_in_use(db: Session, settings: Settings) -> Sequence[Lane]:
    """Return the lane of the credential in use; lanes of earlier credentials do not matter any more."""
    credential = Lane.agent_no == settings.agent_no, Lane.base_url == settings.base_url
    return db.scalars(select(Lane).where(*credential)).all()


def light_of(db: Session, settings: Settings) -> Light:
    """Return the light for the lane in use and for the processes."""
    lanes = lanes_in_use(db, settings)
    now = database.now(db)
    if any(lane.stopped_at for lane in lanes):
        return Light.STOPPED
    if any(lane.fails(now) for lane in lanes):
        return Light.FAILING
    staffing = staffing_status(db, now)
    if staffing is StaffingStatus.MISSING:
        return Light.UNATTENDED
    if any(lane.held_until and lane.held_until > now for lane in lanes):
        return Light.SLOWED
    if staffing is StaffingStatus.TROUBLED:
        return Light.TROUBLED
    return Light.OPEN if lanes else Light.UNUSED


def resume_lane(
    db: Session, lane_id: str, by: Caller, audit: AuditTrail, now: datetime, reason: str | None = None
) -> Lane:
    """Resume a stopped lane; waiting work goes on by itself.

    Raises NotFound, and InsufficientScope for whoever has only some merchants: the lane carries the calls of all.
    """
    if by.merchants is not None:
        raise InsufficientScope("a lane carries the calls of every merchant: only whoever has all of them resumes it")
    # Locked, so that the audit entry names the reason for which it was stopped.
    lane = db.scalar(select(Lane).where(Lane.id == lane_id).with_for_update())
    if lane is None:
        raise NotFound
    stopped = {"stopped_for": lane.reason} if lane.reason else {}
    breaker.resume(db.connection(), lane_id)
    db.refresh(lane)
    audit.append(db, audit_event(by, AuditAction.LANE_RESUME, lane_id, reason=reason, **stopped), now)
    return lane
