"""Views of one case: its page, notes, the revealed buyer, and decisions, after which comes the next case."""

from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote

from flask import Blueprint, Response, flash, redirect, request
from flask_babel import LazyString, gettext, lazy_gettext
from sqlalchemy.orm import Session
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Scope
from customs.db import database
from customs.declarations import labels, sentences
from customs.declarations.actions.action_views import corrected_as_typed, reason_typed, review_service
from customs.declarations.actions.amendments import field_at
from customs.declarations.actions.decisions import ReviewService
from customs.declarations.cases import Contacted
from customs.declarations.models import Declaration
from customs.declarations.offices import offices_behind
from customs.declarations.reading.detail import DeclarationDetail, declaration_detail
from customs.declarations.reading.failure_groups import Group, group_of, next_case, previous_case
from customs.declarations.services import services
from customs.errors import CustomsError, DecryptionKeyMissing, RevealsLimited
from customs.events.comments import comments_of
from customs.gateway import Buyer
from customs.review import advice
from customs.review.case_service import SHORTEST_REASON, CaseService, revealed_buyer
from customs.review.evidence import Evidence, decisions_of, evidence_of, push_in_case
from customs.web.error_catalog import describe_error
from customs.web.forms import SUCCESS, error_sentences, handle_form, redirect_with_error, required_choice, submit_action
from customs.web.idempotency import retry_on_conflict
from customs.web.rendering import render_page
from customs.web.request import current_caller, text_argument
from customs.web.session_auth import login_required

pages = Blueprint("case_pages", __name__)

_ = lazy_gettext

DECISIONS_SHOWN = 10


class DecisionMessage(NamedTuple):
    """The messages after a decision: alone, before the next case, and when there is none."""

    alone: LazyString
    then_next: LazyString
    then_none: LazyString


CORRECTED = DecisionMessage(
    _("Saved, and on its way."),
    _("Saved, and on its way. This is the next case."),
    _("Saved, and on its way. That was the last case of this group."),
)
REPUSHED = DecisionMessage(
    _("It is pushed again."),
    _("It is pushed again. This is the next case."),
    _("It is pushed again. That was the last case of this group."),
)
CLOSED = DecisionMessage(
    _("The case was closed."),
    _("The case was closed. This is the next case."),
    _("The case was closed. That was the last case of this group."),
)
LET_GO = DecisionMessage(
    _("The refund goes out now. The case stays open."),
    _("The refund goes out now. This is the next case."),
    _("The refund goes out now. There is no other case of this group."),
)


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
    """Comment on the case."""
    text, message = request.form.get("text", ""), gettext("Your comment is kept.")
    return _noted(declaration_id, lambda service: service.remark_on_case(declaration_id, text), message)


@pages.post("/review/cases/<declaration_id>/reveal")
@login_required(Scope.DECLARATIONS_REVIEW)
def reveal(declaration_id: str) -> WerkzeugResponse:
    """Show the buyer in plain, in this answer alone; that somebody looks, and why, is committed before."""
    why = request.form.get("reason", "").strip()

    def work() -> Response:
        try:
            retry_on_conflict(lambda db: _service(db).note_reveal(declaration_id, why))
        except RevealsLimited:
            retry_on_conflict(lambda db: _service(db).note_refused_reveal(declaration_id))
            raise
        return render_page("review/revealed.html", buyer=_revealed_buyer(declaration_id), back=here(declaration_id))

    return handle_form(work, lambda error: redirect_with_error(error, here(declaration_id)))


def here(declaration_id: str) -> str:
    """Return the page of this case, looked at for the same cause."""
    cause_id = cause_kept()
    return f"/review/cases/{declaration_id}" + (f"?cause={quote(cause_id, safe='')}" if cause_id else "")


def cause_kept() -> str | None:
    """Return the cause for which somebody looks at a case, as its forms carry it; None for what can be none."""
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
        handled = decisions_of(db, declaration_id, limit=DECISIONS_SHOWN)
    shown = {"detail": detail, "evidence": evidence, "group": group, "before": before, "after": after, "now": now}
    return {**shown, "comments": comments, "handled": handled, **_words(detail, evidence)}


def _in_case(
    db: Session, detail: DeclarationDetail, cause_id: str | None
) -> tuple[Evidence | None, Group | None, str | None, str | None]:
    """Return the evidence of the case that is looked at, its group, and the cases before and after it."""
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
        "contacts": labels.CONTACTS,
        "field_names": labels.FIELD_NAMES,
        "sentences": sentences,
        "best": best,
        "Resolution": advice.Resolution,
        "offices_behind": offices_behind,
        "shortest_reason": SHORTEST_REASON,
    }


def _noted(declaration_id: str, note: Callable[[CaseService], object], message: str) -> WerkzeugResponse:
    place = here(declaration_id)
    return submit_action(lambda db: note(_service(db)), place, message, back=place)


def _service(db: Session) -> CaseService:
    return CaseService(db, current_caller(), database.now(db), services().audit)


def _revealed_buyer(declaration_id: str) -> Buyer | None:
    """Return the buyer in plain; None where the key of the encryption is missing."""
    try:
        with services().reading() as db:
            return revealed_buyer(db, current_caller(), declaration_id, services().vault)
    except DecryptionKeyMissing:
        return None


@pages.post("/review/cases/<declaration_id>/correct")
@login_required(Scope.DECLARATIONS_WRITE)
def correct(declaration_id: str) -> WerkzeugResponse:
    """Correct and send; refused: the case once more with what was typed, and each error at its field."""

    def work() -> WerkzeugResponse:
        retry_on_conflict(lambda db: corrected_as_typed(db, declaration_id, request.form))
        services().notifier.notify()
        return redirect(_onward(declaration_id, CORRECTED), 303)

    return handle_form(work, lambda error: _typed_again(declaration_id, error))


@pages.post("/review/cases/<declaration_id>/redeclare")
@login_required(Scope.DECLARATIONS_WRITE)
def redeclare(declaration_id: str) -> WerkzeugResponse:
    override = request.form.get("override") == "on"
    return _decided(declaration_id, lambda one, why: one.redeclare(declaration_id, why, override=override), REPUSHED)


@pages.post("/review/cases/<declaration_id>/dismiss")
@login_required(Scope.DECLARATIONS_REVIEW)
def dismiss(declaration_id: str) -> WerkzeugResponse:
    return submit_action(
        lambda db: review_service(db).dismiss(declaration_id, reason_typed()),
        # Where a refund was let go, the case is still open.
        lambda done: _onward(declaration_id, LET_GO if done.needs_review else CLOSED),
        back=here(declaration_id),
    )


def _decided(
    declaration_id: str, decide: Callable[[ReviewService, str], Declaration], message: DecisionMessage
) -> WerkzeugResponse:
    return submit_action(
        lambda db: decide(review_service(db), reason_typed()),
        lambda _done: _onward(declaration_id, message),
        back=here(declaration_id),
    )


def _onward(declaration_id: str, message: DecisionMessage) -> str:
    """Return the address of the next case of the cause, or of the group after the last; flash what was done."""
    cause_id = cause_kept()
    if cause_id is None:
        flash(str(message.alone), SUCCESS)
        return f"/review/cases/{declaration_id}"
    with services().reading() as db:
        following = next_case(db, current_caller(), declaration_id, cause_id)
    flash(str(message.then_next if following else message.then_none), SUCCESS)
    named = quote(cause_id, safe="")
    return f"/review/cases/{following}?cause={named}" if following else f"/review/causes/{named}"


def _typed_again(declaration_id: str, error: CustomsError) -> Response:
    shown = case_shown(declaration_id, cause_kept())
    declaration = shown["detail"].declaration
    errors = {field_at(declaration, one.pointer): describe_error(one.code, one.detail) for one in error.errors}
    correction: dict[str, Any] = {"typed": request.form, "errors": errors, "messages": error_sentences(error)}
    return render_page("review/case.html", correction=correction, **shown)
