"""The API of lanes: which are open, which were stopped and why, and letting one go on."""

from typing import Any

from flask import Blueprint
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Scope
from customs.db import database
from customs.db.pagination import page_of
from customs.errors import NotFound
from customs.lanes import queries
from customs.lanes.models import Lane
from customs.lanes.serializers import LaneOut, lane_json
from customs.web.api_docs import PAGE, api_docs
from customs.web.idempotency import idempotent
from customs.web.json_body import raw_body
from customs.web.request import (
    api_key_required,
    current_caller,
    detail_response,
    list_json,
    page_arguments,
)
from customs.web.response_fields import page_schema
from customs.web.services import services

api = Blueprint("lanes", __name__, url_prefix="/api/v1")


@api.get("/lanes")
@api_key_required(Scope.DECLARATIONS_READ)
@api_docs("Set-up", "Each agent's calls: open, or stopped and why", page_schema(LaneOut), "One page.", query=PAGE)
def list_lanes() -> dict[str, Any]:
    limit, cursor = page_arguments()
    with services().reading() as db:
        page = page_of(db, select(Lane), (Lane.id,), limit, cursor)
        now = database.now(db)
        return list_json(page, [lane_json(lane, now) for lane in page.rows])


@api.get("/lanes/<lane_id>")
@api_key_required(Scope.DECLARATIONS_READ)
@api_docs("Set-up", "One lane", LaneOut, "The lane.", etag=True)
def read_lane(lane_id: str) -> WerkzeugResponse:
    with services().reading() as db:
        return detail_response(lane_json(_lane(db, lane_id), database.now(db)))


@api.post("/lanes/<lane_id>/resume")
@api_key_required(Scope.DECLARATIONS_REVIEW)
@api_docs("Set-up", "Let an agent's calls go on", LaneOut, "Open.", idempotent=True)
def resume_lane(lane_id: str) -> tuple[dict[str, Any], int]:
    def work(db: Session) -> tuple[dict[str, Any], int]:
        now = database.now(db)
        lane = queries.resume_lane(db, lane_id, current_caller(), services().audit, now)
        return lane_json(lane, now), 200

    answer = idempotent(raw_body(), work)
    services().notifier.notify()
    return answer


def _lane(db: Session, lane_id: str) -> Lane:
    lane = db.get(Lane, lane_id)
    if lane is None:
        raise NotFound
    return lane
