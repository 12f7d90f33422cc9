"""Views of decisions on a case; after each decision comes the next case of the same cause."""

from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote

from flask import Blueprint, Response, flash, redirect, request
from flask_babel import LazyString, lazy_gettext
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Scope
from customs.declarations.actions.action_views import corrected_as_typed, reason_typed, review_service
from customs.declarations.actions.amendments import field_at
from customs.declarations.actions.decisions import ReviewService
from customs.declarations.models import Declaration
from customs.declarations.reading.failure_groups import next_case
from customs.errors import CustomsError
from customs.review.case_views import case_shown, cause_kept, here
from customs.web.error_catalog import describe_error
from customs.web.forms import SUCCESS, error_sentences, handle_form, submit_action
from customs.web.idempotency import retry_on_conflict
from customs.web.rendering import render_page
from customs.web.request import current_caller
from customs.web.services import services
from customs.web.session_auth import login_required

pages = Blueprint("case_actions", __name__)

_ = lazy_gettext


class Announcement(NamedTuple):
    """The messages after a decision: alone, before the next case, and when there is none."""

    alone: LazyString
    then_next: LazyString
    then_none: LazyString


CORRECTED = Announcement(
    _("Saved, and on its way."),
    _("Saved, and on its way. This is the next case."),
    _("Saved, and on its way. That was the last case of this group."),
)
REPUSHED = Announcement(
    _("It is pushed again."),
    _("It is pushed again. This is the next case."),
    _("It is pushed again. That was the last case of this group."),
)
CLOSED = Announcement(
    _("The case was closed."),
    _("The case was closed. This is the next case."),
    _("The case was closed. That was the last case of this group."),
)
LET_GO = Announcement(
    _("The refund goes out now. The case stays open."),
    _("The refund goes out now. This is the next case."),
    _("The refund goes out now. There is no other case of this group."),
)


@pages.post("/review/cases/<declaration_id>/correct")
@login_required(Scope.DECLARATIONS_WRITE)
def correct(declaration_id: str) -> WerkzeugResponse:
    """Correct and send; refused: the case once more with what was typed, and each fault at its field."""

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
    declaration_id: str, decide: Callable[[ReviewService, str], Declaration], message: Announcement
) -> WerkzeugResponse:
    return submit_action(
        lambda db: decide(review_service(db), reason_typed()),
        lambda _done: _onward(declaration_id, message),
        back=here(declaration_id),
    )


def _onward(declaration_id: str, message: Announcement) -> str:
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
    errors = {field_at(declaration, fault.pointer): describe_error(fault.code, fault.detail) for fault in error.errors}
    correction: dict[str, Any] = {"typed": request.form, "errors": errors, "messages": error_sentences(error)}
    return render_page("review/case.html", correction=correction, **shown)
