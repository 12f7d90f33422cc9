"""The pages of the audit trail: who did what to which and why, whether it still fits, and all of it as a file."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, request
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug import Response as WerkzeugResponse

from customs.audit.actions import AuditAction
from customs.audit.export import check, export
from customs.audit.queries import NAMED, AuditFilters, entries
from customs.auth.models import Person
from customs.auth.principal import Scope
from customs.auth.users import list_people
from customs.site import audit_labels
from customs.stats.tallies import begins
from customs.web.forms import handle_form, redirect_with_error, required_reason, return_address
from customs.web.rendering import render_page
from customs.web.request import current_caller, day_argument, number_in_cursor, page_arguments, text_argument
from customs.web.services import services
from customs.web.session_auth import login_required

pages = Blueprint("audit_pages", __name__)

DAYS = ("since", "until")
# Spreadsheets take a file for what their country writes, unless it begins so.
BYTE_ORDER_MARK = "\ufeff"


@pages.get("/audit")
@login_required(Scope.DECLARATIONS_REVIEW)
def list_page() -> Response:
    """The entries that this person may see, newest first."""
    (limit, cursor), asked, caller = page_arguments(), _asked(), current_caller()
    with services().reading() as db:
        found = entries(db, caller, _filters(asked), limit=limit, cursor=number_in_cursor(cursor))
        people = _people(db)
    shown: dict[str, Any] = {
        "entries": found.rows,
        "next_cursor": found.next_cursor,
        "asked": asked,
        "acts": tuple(AuditAction),
    }
    known = {person.id: person.name for person in people} | {one.actor_id: one.actor for one in found.rows}
    return render_page("audit/list.html", actors=sorted(known.items(), key=lambda one: one[1]), **shown, **_words())


@pages.get("/audit/check")
@login_required(Scope.DECLARATIONS_REVIEW)
def check_page() -> Response:
    """Look at every entry, and say whether each is as it was written."""
    found = check(services().engine, services().audit)
    return render_page("audit/check.html", found=found, tampered=audit_labels.TAMPERED)


@pages.post("/audit/export.csv")
@login_required(Scope.DECLARATIONS_REVIEW)
def export_file() -> WerkzeugResponse:
    """What the list would show, oldest first; that it was taken away is an entry itself."""
    return handle_form(_exported, lambda error: redirect_with_error(error, return_address()))


def _exported() -> Response:
    rows = export(services().engine, services().audit, current_caller(), _filters(_asked()), required_reason())
    headers = {"Content-Disposition": f'attachment; filename="{gettext("audit-trail")}.csv"'}
    return Response(_lines(rows), content_type="text/csv; charset=utf-8", headers=headers)


def _asked() -> dict[str, Any]:
    """The filters of the address: words, and days."""
    words = {name: (text_argument(name) or "").strip() for name in NAMED}
    return {name: word for name, word in words.items() if word} | {
        name: day for name in DAYS if (day := day_argument(name))
    }


def _filters(asked: Mapping[str, Any]) -> AuditFilters:
    bounds = {}
    if "since" in asked:
        bounds["since"] = begins(asked["since"])
    if "until" in asked:
        bounds["until"] = begins(asked["until"]) + timedelta(days=1)
    return AuditFilters(**{name: word for name, word in asked.items() if name in NAMED} | bounds)


def _people(db: Session) -> Sequence[Person]:
    """The people whose every merchant this person sees."""
    return [person for person in list_people(db) if current_caller().covers(person.merchants)]


def _lines(rows: Iterator[list[str]]) -> Iterator[str]:
    yield BYTE_ORDER_MARK
    for row in rows:
        line = io.StringIO()
        csv.writer(line).writerow(row)
        yield line.getvalue()


def _words() -> dict[str, Any]:
    caller = current_caller()
    return {
        "action_label": audit_labels.action_label,
        "place_of": lambda subject_id: audit_labels.place_of(subject_id, caller),
        "query": request.query_string.decode("ascii", "replace"),
        "merchants": caller.merchants and sorted(caller.merchants),
    }
