"""API of lanes: which are open, which were stopped and why, and resuming one."""

from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
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
from customs.lanes.queries import LaneState, state_of
from customs.web import response_fields as out
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
from customs.web.response_fields import Out, page_schema
from customs.web.services import services

api = Blueprint("lanes", __name__, url_prefix="/api/v1")


@dataclass(frozen=True)
class LaneView:
    """A lane as it stands at a moment."""

    lane: Lane
    state: LaneState


class LaneOut(Out):
    """All signed calls of one agent."""

    source = "lane"

    id = out.Id("lane")
    agent_no = out.Text("The agent's number at the gateway.")
    gateway = out.Text("The gateway's address.", attribute="base_url")
    state = out.Choice(
        LaneState, "Open, open but failing, or stopped until a person resumes it.", of=attrgetter("state")
    )
    reason = out.Text(
        "Why its calls were stopped, or what became of the last of them.",
        of=lambda view: view.lane.failure if view.state is LaneState.FAILING else view.lane.reason,
        null=True,
    )
    stopped_at = out.Instant("Since when it is stopped.", null=True)
    failing_since = out.Instant("Since when no call was answered so that it could be understood.", null=True)
    held_until = out.Instant("No call before this.", null=True)


LANE = LaneOut()


def lane_json(lane: Lane, now: datetime) -> dict[str, Any]:
    shown: dict[str, Any] = LANE.dump(LaneView(lane, state_of(lane, now)))
    return shown


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
