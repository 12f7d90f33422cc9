"""The API of lanes: which are open, which were stopped and why, and letting one go on."""

from typing import Any

from flask import Blueprint
from sqlalchemy import select

from customs.access.callers import Scope
from customs.errors import NotFound
from customs.instants import instant
from customs.lanes import gate
from customs.lanes.models import Lane
from customs.paging import page_of
from customs.web.doors import list_json, needs, only_these, page_asked, services

api = Blueprint("lanes", __name__, url_prefix="/api/v1")


@api.get("/lanes")
@needs(Scope.DECLARATIONS_READ)
def list_lanes() -> dict[str, Any]:
    only_these("limit", "cursor")
    limit, cursor = page_asked()
    with services().reading() as db:
        page = page_of(db, select(Lane), Lane.id, limit, cursor)
        return list_json(page, [lane_json(lane) for lane in page.rows])


@api.post("/lanes/<lane_id>/resume")
@needs(Scope.DECLARATIONS_REVIEW)
def resume_lane(lane_id: str) -> dict[str, Any]:
    with services().transaction() as db:
        if db.get(Lane, lane_id) is None:
            raise NotFound
        gate.resume(db.connection(), lane_id)
        shown = lane_json(db.get_one(Lane, lane_id, populate_existing=True))
    services().doorbell.ring()
    return shown


def lane_json(lane: Lane) -> dict[str, Any]:
    return {
        "id": lane.id,
        "agent_no": lane.agent_no,
        "gateway": lane.base_url,
        "state": "stopped" if lane.stopped_at else "open",
        "reason": lane.reason,
        "stopped_at": instant(lane.stopped_at),
        "held_until": instant(lane.held_until),
    }
