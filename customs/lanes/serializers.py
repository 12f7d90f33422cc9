"""How a lane looks from outside."""

from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from customs.lanes.models import Lane
from customs.lanes.queries import LaneState, state_of
from customs.web import response_fields as out
from customs.web.response_fields import Out


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
