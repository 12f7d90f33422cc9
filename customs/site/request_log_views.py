"""Show the request log: what programs sent and what was answered, masked, of the keys that the user sees."""

import re

from flask import Blueprint, Response
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session

from customs.auth.api_keys import keys_seen
from customs.auth.principal import Scope
from customs.request_log.models import RequestFilters, list_requests, request_of
from customs.web.labels import Label
from customs.web.rendering import render_page
from customs.web.request import allow_only_arguments, current_caller, given_filters, page_arguments
from customs.web.services import services
from customs.web.session_auth import login_required

pages = Blueprint("request_pages", __name__, url_prefix="/developers/requests")

STATUS = re.compile(r"([1-5])(?:[xX]{2}|([0-9]{2}))", re.ASCII)
NONE_AT_ALL = (0, -1)
_ = lazy_gettext

# By the first digit of the status.
OUTCOMES = {
    "2": Label(_("Done"), "check-circle-fill", "success"),
    "3": Label(_("Unchanged"), "dash-circle", "waiting"),
    "4": Label(_("Refused"), "x-circle-fill", "except"),
    "5": Label(_("Failed"), "x-circle-fill", "fail"),
}


@pages.get("")
@login_required(Scope.WEBHOOKS_WRITE)
def show_requests() -> Response:
    allow_only_arguments("cursor", "request_id", "path", "status", "key")
    limit, cursor = page_arguments()
    with services().reading() as db:
        names, callers = _names(db), _callers(db)
        page = list_requests(db, callers, _filters(), limit=limit, cursor=cursor)
    return render_page("developers/requests.html", page=page, names=names, outcomes=OUTCOMES)


@pages.get("/<log_id>")
@login_required(Scope.WEBHOOKS_WRITE)
def show_request(log_id: str) -> Response:
    with services().reading() as db:
        names = _names(db)
        found = request_of(db, log_id, _callers(db))
    return render_page("developers/request.html", one=found, names=names, outcomes=OUTCOMES)


def statuses(text: str) -> tuple[int, int]:
    """Return the bounds of the statuses meant: 422 is itself, 4xx all that begin with 4."""
    match = STATUS.fullmatch(text)
    if match is None:
        return NONE_AT_ALL
    first = int(match[1]) * 100
    return (first, first + 99) if match[2] is None else (first + int(match[2]), first + int(match[2]))


def _filters() -> RequestFilters:
    asked = given_filters("request_id", "path", "status", "key")
    wanted = asked.get("status")
    return RequestFilters(
        request_id=asked.get("request_id"),
        path=asked.get("path"),
        statuses=statuses(wanted) if wanted else None,
        caller=asked.get("key"),
    )


def _names(db: Session) -> dict[str, str]:
    """Return the names of the keys that the user sees, by the caller they stand for."""
    return {key.family: key.name for key in keys_seen(db, current_caller())}


def _callers(db: Session) -> list[str] | None:
    """Return the callers whose requests the user sees; None, everybody's, for an admin of every merchant."""
    caller = current_caller()
    sees_all = caller.may(Scope.ADMIN) and caller.merchants is None
    return None if sees_all else list(_names(db))
