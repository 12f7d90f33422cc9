"""Show the audit trail: who did what to which and why, whether it still fits, and all of it as a file."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from flask import Blueprint, Response, current_app, request
from flask_babel import LazyString, gettext, lazy_gettext
from sqlalchemy.orm import Session
from werkzeug import Response as WerkzeugResponse

from customs.audit.actions import AuditAction
from customs.audit.hash_chain import ChainDefect
from customs.audit.queries import NAMED, AuditFilters, entries, export
from customs.auth.models import Person
from customs.auth.principal import Caller, Scope
from customs.auth.users import list_people
from customs.container import Services
from customs.ops.audit_check import check_audit_trail
from customs.stats.tallies import begins
from customs.web.forms import handle_form, redirect_with_error, required_reason, return_address
from customs.web.rendering import render_page
from customs.web.request import current_caller, day_argument, number_in_cursor, page_arguments, text_argument
from customs.web.services import services
from customs.web.session_auth import login_required

_ = lazy_gettext

ACTS: Mapping[AuditAction, LazyString] = {
    AuditAction.BATCH_SUBMIT: _("handed in a batch"),
    AuditAction.BATCH_DISCARD_ROWS: _("discarded rows of a batch"),
    AuditAction.DECLARATION_REDECLARE: _("pushed a declaration again"),
    AuditAction.DECLARATION_MODIFY: _("corrected a declaration"),
    AuditAction.DECLARATION_CANCEL: _("cancelled a declaration"),
    AuditAction.DECLARATION_DISMISS: _("closed a case"),
    AuditAction.DECLARATION_LET_REFUND_GO: _("let a refund go whose declaration is in doubt"),
    AuditAction.PAYMENT_CREATE: _("asked for a payment"),
    AuditAction.REFUND_CREATE: _("refunded"),
    AuditAction.LANE_RESUME: _("let a lane go on"),
    AuditAction.REGISTRATION_PUT: _("put a registration on file"),
    AuditAction.WEBHOOK_CREATE: _("added a webhook"),
    AuditAction.WEBHOOK_ROTATE: _("changed a webhook's secret"),
    AuditAction.WEBHOOK_RESUME: _("let a webhook go on"),
    AuditAction.WEBHOOK_DELETE: _("removed a webhook"),
    AuditAction.API_KEY_CREATE: _("made an API key"),
    AuditAction.API_KEY_ROTATE: _("changed an API key"),
    AuditAction.API_KEY_REVOKE: _("revoked an API key"),
    AuditAction.PERSON_CREATE: _("put a person on file"),
    AuditAction.PERSON_CHANGE_ROLE: _("changed a person's role"),
    AuditAction.PERSON_CHANGE_MERCHANTS: _("changed a person's merchants"),
    AuditAction.PERSON_DISABLE: _("disabled a person"),
    AuditAction.PERSON_ENABLE: _("let a person in again"),
    AuditAction.PERSON_RESET_PASSWORD: _("reset a person's password"),
    AuditAction.PERSON_RESET_CODE: _("removed a person's one-time codes"),
    AuditAction.PERSON_CHANGE_PASSWORD: _("changed their own password"),
    AuditAction.PERSON_SET_UP_CODE: _("set up their one-time codes"),
    AuditAction.PERSON_END_SESSIONS: _("signed a person out everywhere"),
    AuditAction.PERSON_SIGN_IN: _("signed in"),
    AuditAction.CAUSE_ASSIGN: _("said who sees to a cause"),
    AuditAction.COMMENT_WRITE: _("wrote a comment"),
    AuditAction.CASE_CONTACT: _("asked somebody about a case"),
    AuditAction.PERSONAL_DATA_REVEAL: _("looked at a buyer's data"),
    AuditAction.PERSONAL_DATA_REVEAL_REFUSED: _("was refused a look at one more buyer's data"),
    AuditAction.PERSONAL_DATA_EXPORT: _("exported a buyer's data"),
    AuditAction.PERSONAL_DATA_ERASE: _("erased a buyer's data"),
    AuditAction.PERSONAL_DATA_RESEAL: _("sealed personal data anew"),
    AuditAction.AUDIT_EXPORT: _("exported the audit trail"),
    AuditAction.AUDIT_SEAL: _("sealed the audit trail anew"),
    AuditAction.AUDIT_ACCEPT_END: _("accepted the end of the audit trail after a restore"),
}


class Place(NamedTuple):
    """The page of a kind of subject, by how its id begins, and the scope that opens it."""

    beginning: str
    path: str
    scope: Scope


PLACES = (
    Place("decl_", "/declarations/{}", Scope.DECLARATIONS_READ),
    Place("bat_", "/batches/{}", Scope.DECLARATIONS_READ),
    Place("cause_", "/review/causes/{}", Scope.DECLARATIONS_READ),
    Place("pay_", "/payments/{}", Scope.PAYMENTS_READ),
    Place("lane_", "/admin/lanes", Scope.DECLARATIONS_READ),
    Place("per_", "/admin/people/{}", Scope.ADMIN),
    Place("key_", "/developers/keys/{}", Scope.WEBHOOKS_WRITE),
    Place("whe_", "/developers/webhooks/{}", Scope.WEBHOOKS_WRITE),
)


class Found(NamedTuple):
    """A defect of the trail, and what it means."""

    what: LazyString
    means: LazyString


TAMPERED: Mapping[ChainDefect, Found] = {
    ChainDefect.ALTERED: Found(
        _("Entry %(number)s was altered after it was written."),
        _("Somebody changed it in the database itself. Compare it with an export or a backup of an earlier day."),
    ),
    ChainDefect.MISSING: Found(
        _("Entry %(number)s is missing."),
        _("Somebody deleted it in the database itself. An export or a backup of an earlier day still holds it."),
    ),
    ChainDefect.ADDED: Found(
        _("Entry %(number)s was not added by this desk."),
        _("Somebody wrote it into the database itself. What it says did not happen here."),
    ),
    ChainDefect.CUT_OFF: Found(
        _("Entry %(number)s and whatever came after it are gone."),
        _("Somebody deleted the end of the trail. An export or a backup of an earlier day still holds it."),
    ),
    ChainDefect.SEAL: Found(
        _("Every entry fits, and the seal of the end does not."),
        _(
            "Either CUSTOMS_SECRET_KEY was changed and the trail not sealed anew, or somebody wrote all of it anew. "
            "Compare the hash of an entry with one noted on an earlier day."
        ),
    ),
    ChainDefect.PUT_BACK: Found(
        _("Entry %(number)s is not the one that was noted outside of the database."),
        _(
            "Either the database was restored and nobody accepted that yet, or somebody put it back to an earlier day, "
            "emptied the trail or wrote it anew. Compare it with an export or a backup."
        ),
    ),
}


def action_label(action: str) -> str:
    """Return the label of an action; an unknown one is its own."""
    return str(ACTS[AuditAction(action)]) if action in set(AuditAction) else action


def place_of(subject_id: str, caller: Caller) -> str | None:
    """Return the address of a subject's page; None where there is none for this user."""
    for place in PLACES:
        if subject_id.startswith(place.beginning) and caller.may(place.scope):
            return place.path.format(subject_id)
    return None


pages = Blueprint("audit_pages", __name__)

DAYS = ("since", "until")
# Spreadsheets take a file for what their country writes, unless it begins so.
BYTE_ORDER_MARK = "\ufeff"


@pages.get("/audit")
@login_required(Scope.DECLARATIONS_REVIEW)
def list_page() -> Response:
    """Show the entries that this user may see, newest first."""
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
    container: Services = current_app.extensions["services"]
    found = check_audit_trail(container)
    return render_page("audit/check.html", found=found, tampered=TAMPERED)


@pages.post("/audit/export.csv")
@login_required(Scope.DECLARATIONS_REVIEW)
def export_file() -> WerkzeugResponse:
    """Export what the list would show, oldest first; the export is an entry itself."""
    return handle_form(_exported, lambda error: redirect_with_error(error, return_address()))


def _exported() -> Response:
    rows = export(services().engine, services().audit, current_caller(), _filters(_asked()), required_reason())
    headers = {"Content-Disposition": f'attachment; filename="{gettext("audit-trail")}.csv"'}
    return Response(_lines(rows), content_type="text/csv; charset=utf-8", headers=headers)


def _asked() -> dict[str, Any]:
    """Return the filters of the address: words, and days."""
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
    """Return the people whose every merchant this user sees."""
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
        "action_label": action_label,
        "place_of": lambda subject_id: place_of(subject_id, caller),
        "query": request.query_string.decode("ascii", "replace"),
        "merchants": caller.merchants and sorted(caller.merchants),
    }
