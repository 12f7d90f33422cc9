"""Show the workbench and the statistics: how the day stands, and how the days before it went."""

import re
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, redirect, request
from sqlalchemy.orm import Session
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Caller, Scope
from customs.declarations.open_rows import batches_with_open_rows
from customs.declarations.reading import dashboard, queries
from customs.stats.tallies import day_of
from customs.web.rendering import render_fragment, render_page
from customs.web.request import current_caller
from customs.web.services import services
from customs.web.session_auth import login_required, request_time

pages = Blueprint("home", __name__)

RECENT_BATCHES = 5
# How many days the statistics may look back, by the value in the address.
SPANS = {"7": 7, "30": 30, "90": 90}
MOST_CAUSES = 10
# Patterns of addresses of version 0.1, for bookmarks and for pages that a browser still shows.
MOVED = {
    "/figures": "/statistics",
    "/today": "/_partials/today",
    "/review/lately": "/review/recent",
    r"/developers/seen/(\w+)": r"/developers/keys/\1/activity",
}


@pages.get("/")
@login_required(Scope.DECLARATIONS_READ)
def home() -> Response:
    with services().reading() as db:
        return render_page("home.html", **_day(db, current_caller()))


@pages.get("/_partials/today")
@login_required(Scope.DECLARATIONS_READ)
def today() -> Response:
    """Show the part of the workbench that refreshes itself."""
    with services().reading() as db:
        return render_fragment("today.html", **_day(db, current_caller()))


@pages.get("/statistics")
@login_required(Scope.DECLARATIONS_READ)
def statistics() -> Response:
    span = SPANS.get(request.args.get("days", ""), SPANS["7"])
    until = day_of(request_time())
    with services().reading() as db:
        shown = _statistics(db, current_caller(), until - timedelta(days=span - 1), until)
    return render_page("statistics.html", span=span, spans=SPANS.values(), **shown)


@pages.before_app_request
def redirect_earlier_address() -> WerkzeugResponse | None:
    for earlier, today in MOVED.items():
        if found := re.fullmatch(earlier, request.path, re.ASCII):
            query = request.query_string.decode("latin-1")
            place = found.expand(today)
            return redirect(f"{place}?{query}" if query else place, HTTPStatus.PERMANENT_REDIRECT)
    return None


def _day(db: Session, caller: Caller) -> dict[str, Any]:
    day = day_of(request_time())
    batches = dashboard.my_batches(db, caller, limit=RECENT_BATCHES)
    return {
        "day": day,
        "today": dashboard.today(db, caller, day),
        "batches": [(batch, queries.progress_of(db, batch.id)) for batch in batches],
        "open_batches": batches_with_open_rows(db, caller, RECENT_BATCHES),
        "by_office": dashboard.outcomes_by_office(db, caller, day, day),
        "is_empty": not dashboard.counts_of(db, caller),
    }


def _statistics(db: Session, caller: Caller, since: date, until: date) -> dict[str, Any]:
    days = [since + timedelta(days=passed) for passed in range((until - since).days + 1)]
    return {
        "days": days,
        "by_day": dashboard.outcomes_by_day(db, caller, since, until),
        "by_office": dashboard.outcomes_by_office(db, caller, since, until),
        "to_acceptance": dashboard.time_to_acceptance(db, caller, since, until),
        "causes": dashboard.failures_by_cause(db, caller, since, until, limit=MOST_CAUSES),
        "backlog": dashboard.backlog(db),
    }
