"""The pages of one case: what was sent, what came back, what helps; and what people note beside it, or look at."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, request
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Scope
from customs.db import database
from customs.declarations import case_labels, labels
from customs.declarations.actions.action_views import reason_typed
from customs.declarations.cases import Contacted
from customs.declarations.offices import offices_behind
from customs.declarations.reading.detail import DeclarationDetail, declaration_detail
from customs.declarations.reading.failure_groups import Group, group_of, next_case, previous_case
from customs.declarations.services import services
from customs.errors import DecryptionKeyMissing
from customs.events.comments import comments_of
from customs.gateway import Buyer
from customs.review import advice
from customs.review.assignments import CaseService
from customs.review.evidence import Evidence, decisions_of, evidence_of, push_in_case
from customs.review.reveal import SHORTEST_REASON, look, note_look
from customs.web.forms import handle_form, redirect_with_error, required_choice, submit_action
from customs.web.idempotency import retry_on_conflict
from customs.web.rendering import render_page
from customs.web.request import current_caller, text_argument
from customs.web.session_auth import login_required

pages = Blueprint("case_pages", __name__)

HANDLED_SHOWN = 10


@pages.get("/review/cases/<declaration_id>")
@login_required(Scope.DECLARATIONS_READ)
def show(declaration_id: str) -> Response:
    return render_page("review/case.html", **case_shown(declaration_id, text_argument("cause")))


@pages.post("/review/cases/<declaration_id>/contact")
@login_required(Scope.DECLARATIONS_WRITE)
def contact(declaration_id: str) -> WerkzeugResponse:
    """Note whom one asked, and the answer; the case stays open."""

    def note(service: CaseService) -> None:
        whom = required_choice("whom", {one.value: one for one in Contacted})
        service.note_contact(declaration_id, whom, reason_typed())

    return _noted(declaration_id, note, gettext("The contact is noted; the case stays open."))


@pages.post("/review/cases/<declaration_id>/comment")
@login_required(Scope.DECLARATIONS_WRITE)
def comment(declaration_id: str) -> WerkzeugResponse:
    """Write something beside it."""
    text, message = request.form.get("text", ""), gettext("Your comment is kept.")
    return _noted(declaration_id, lambda service: service.remark_on_case(declaration_id, text), message)


@pages.post("/review/cases/<declaration_id>/reveal")
@login_required(Scope.DECLARATIONS_REVIEW)
def reveal(declaration_id: str) -> WerkzeugResponse:
    """Show the buyer in plain, in this answer alone; that somebody looks, and why, is committed before."""
    why = request.form.get("reason", "").strip()

    def work() -> Response:
        retry_on_conflict(lambda db: _note_look(db, declaration_id, why))
        return render_page("review/revealed.html", buyer=_looked(declaration_id), back=here(declaration_id))

    return handle_form(work, lambda error: redirect_with_error(error, here(declaration_id)))


def here(declaration_id: str) -> str:
    """The page of this case, looked at for the same cause."""
    cause_id = cause_kept()
    return f"/review/cases/{declaration_id}" + (f"?cause={quote(cause_id, safe='')}" if cause_id else "")


def cause_kept() -> str | None:
    """The cause for which somebody looks at a case, as its forms carry it; None for what can be none."""
    cause_id = request.form.get("cause", "")
    return cause_id if cause_id and cause_id.isprintable() else None


def case_shown(declaration_id: str, cause_id: str | None) -> dict[str, Any]:
    """Return everything that the page of a case shows, read in one snapshot."""
    caller, parts = current_caller(), services()
    with parts.reading() as db:
        now = database.now(db)
        detail = declaration_detail(db, caller, declaration_id, parts.vault, parts.policy, parts.payments, now)
        evidence, group, before, after = _in_case(db, detail, cause_id)
        comments = comments_of(db, caller, declaration_id)
        handled = decisions_of(db, declaration_id, limit=HANDLED_SHOWN)
    shown = {"detail": detail, "evidence": evidence, "group": group, "before": before, "after": after, "now": now}
    return {**shown, "comments": comments, "handled": handled, **_words(detail, evidence)}


def _in_case(
    db: Session, detail: DeclarationDetail, cause_id: str | None
) -> tuple[Evidence | None, Group | None, str | None, str | None]:
    """The evidence of the case that is looked at, its group, and the cases before and after it."""
    declaration, caller = detail.declaration, current_caller()
    push = push_in_case(declaration, cause_id)
    if push is None or push.cause_id is None:
        return None, None, None, None
    before, after = (seek(db, caller, declaration.id, push.cause_id) for seek in (previous_case, next_case))
    return evidence_of(db, declaration, push, detail.buyer), group_of(db, caller, push.cause_id), before, after


def _words(detail: DeclarationDetail, evidence: Evidence | None) -> dict[str, Any]:
    best = evidence and advice.best_resolution(evidence, detail.permissions, current_caller())
    return {
        "advising": advice,
        "contacts": case_labels.CONTACTS,
        "field_names": case_labels.FIELD_NAMES,
        "labels": labels,
        "best": best,
        "Resolution": advice.Resolution,
        "offices_behind": offices_behind,
        "shortest_reason": SHORTEST_REASON,
    }


def _noted(declaration_id: str, note: Callable[[CaseService], object], message: str) -> WerkzeugResponse:
    place = here(declaration_id)

    def act(db: Session) -> None:
        note(CaseService(db, current_caller(), database.now(db), services().audit))

    return submit_action(act, place, message, back=place)


def _note_look(db: Session, declaration_id: str, why: str) -> None:
    note_look(db, current_caller(), declaration_id, why, services().audit, database.now(db))


def _looked(declaration_id: str) -> Buyer | None:
    """The buyer in plain; None where the key of the encryption is missing."""
    try:
        with services().reading() as db:
            return look(db, current_caller(), declaration_id, services().vault)
    except DecryptionKeyMissing:
        return None
