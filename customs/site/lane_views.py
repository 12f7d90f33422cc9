"""Show the lanes: whether the gateway lets us in, why not, what to do; resume a stopped lane."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from flask import Blueprint, Response
from flask_babel import LazyString, gettext, lazy_gettext
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Scope
from customs.db import database
from customs.lanes.breaker import REASONS, Signal
from customs.lanes.models import Lane
from customs.lanes.queries import list_lanes, resume_lane
from customs.ops.backlog import backlogs
from customs.web.forms import required_reason, submit_action
from customs.web.labels import Label
from customs.web.rendering import render_page
from customs.web.request import allow_only_arguments, current_caller
from customs.web.services import services
from customs.web.session_auth import login_required

pages = Blueprint("lane_pages", __name__, url_prefix="/admin/lanes")

_ = lazy_gettext


class Why(NamedTuple):
    """Why a lane is stopped or slowed, and what to do."""

    meaning: LazyString
    advice: LazyString


OPEN = Label(_("Calls go through"), "check-circle-fill", "success")
SLOWED = Label(_("Slowed down"), "pause-circle", "except")
FAILING = Label(_("No answer"), "exclamation-triangle-fill", "fail")
STOPPED = Label(_("Stopped"), "stop-circle", "fail")

CLOCK = Why(
    _("This machine's clock and the gateway's differ."),
    _("Set the clock of this machine right, by NTP at best, then resume."),
)
# By how the reason on record begins; what follows is what the gateway said.
WHYS: Mapping[str, Why] = {
    REASONS[Signal.REJECTED]: Why(
        _("The gateway refused our signature, or our right to call."),
        _("Compare the agent number and the signing key with what WiseCashier has on file, then resume."),
    ),
    REASONS[Signal.SKEWED]: CLOCK,
    "this machine's clock": CLOCK,
}
OTHERWISE = Why(_("The gateway does not let us in."), _("Mend the cause, then resume."))
WAITING = Why(
    _("The gateway could not be reached, or asked us to wait."),
    _("Nothing has to be done: after the wait one call tries it again, and the others follow when it gets through."),
)
NO_ANSWER = Why(
    _("Calls leave, and none of them brings an answer that can be understood."),
    _("See what the last one brought; the network, a certificate or the gateway itself may be the cause."),
)
# What is sent to the gateway.
CALLS = ("pushes", "payments", "refunds")


@pages.get("")
@login_required(Scope.DECLARATIONS_READ)
def show_lanes() -> Response:
    allow_only_arguments()
    with services().reading() as db:
        now = database.now(db)
        lanes, work = list(list_lanes(db)), backlogs(db, now)
    own_lane = services().settings.agent_no, services().settings.base_url
    # The one in use before those of earlier credentials.
    lanes.sort(key=lambda lane: (lane.agent_no, lane.base_url) != own_lane)
    shown = [(lane, state_of(lane, now), why(lane, now)) for lane in lanes]
    waiting = sum(work[name].waiting + work[name].later for name in CALLS)
    may_resume = current_caller().may(Scope.DECLARATIONS_REVIEW) and current_caller().merchants is None
    return render_page("admin/lanes.html", lanes=shown, waiting=waiting, own_lane=own_lane, may_resume=may_resume)


@pages.post("/<lane_id>/resume")
@login_required(Scope.DECLARATIONS_REVIEW)
def resume(lane_id: str) -> WerkzeugResponse:
    by, audit = current_caller(), services().audit
    return submit_action(
        lambda db: resume_lane(db, lane_id, by, audit, database.now(db), required_reason()),
        str(pages.url_prefix),
        gettext("The lane is open again; what waited goes on by itself."),
        back=pages.url_prefix,
    )


def state_of(lane: Lane, now: datetime) -> Label:
    """How a lane stands."""
    if lane.stopped_at:
        return STOPPED
    if lane.fails(now):
        return FAILING
    return SLOWED if lane.held_until and lane.held_until > now else OPEN


def why(lane: Lane, now: datetime) -> Why:
    """Return why a lane does not go on."""
    if not lane.stopped_at:
        return NO_ANSWER if lane.fails(now) else WAITING
    return next((one for begins, one in WHYS.items() if (lane.reason or "").startswith(begins)), OTHERWISE)
