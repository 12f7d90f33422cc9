"""Views of decisions on declarations: push again, one or many, correct, cancel, close the case."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, flash, redirect, request
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Scope
from customs.db import database
from customs.declarations import sentences
from customs.declarations.actions.amendments import changes_typed, field_at
from customs.declarations.actions.bulk_actions import (
    BulkResult,
    declarations_with_ids,
    dry_run_redeclare,
    execute,
)
from customs.declarations.actions.decisions import ReviewService
from customs.declarations.models import Declaration
from customs.declarations.reading.queries import declaration_of
from customs.declarations.schemas import ModifyIn, ReasonIn
from customs.declarations.services import services
from customs.declarations.views import detail_context
from customs.errors import CustomsError, ValidationFailed
from customs.web.error_catalog import describe_field_error
from customs.web.forms import SUCCESS, error_sentences, handle_form, redirect_with_error, return_address, submit_action
from customs.web.idempotency import retry_on_conflict
from customs.web.json_body import validate
from customs.web.rendering import render_page
from customs.web.request import current_caller
from customs.web.session_auth import login_required

pages = Blueprint("declaration_actions", __name__)

BULK_PAGE = "/declarations/redeclare"
# So many of those that were refused are shown again: their ids go through an address.
MOST_REFUSED_SHOWN = 40


@pages.post("/declarations/<declaration_id>/redeclare")
@login_required(Scope.DECLARATIONS_WRITE)
def redeclare(declaration_id: str) -> WerkzeugResponse:
    override = request.form.get("override") == "on"
    return _decided(
        declaration_id,
        lambda service, why: service.redeclare(declaration_id, why, override=override),
        gettext("It is pushed again."),
    )


@pages.post("/declarations/<declaration_id>/cancel")
@login_required(Scope.DECLARATIONS_WRITE)
def cancel(declaration_id: str) -> WerkzeugResponse:
    return _decided(
        declaration_id,
        lambda service, why: service.cancel(declaration_id, why),
        gettext("It was cancelled, and its numbers are free again."),
    )


@pages.post("/declarations/<declaration_id>/dismiss")
@login_required(Scope.DECLARATIONS_REVIEW)
def dismiss(declaration_id: str) -> WerkzeugResponse:
    return _decided(
        declaration_id,
        lambda service, why: service.dismiss(declaration_id, why),
        _dismissal_message,
    )


@pages.post("/declarations/<declaration_id>/modify")
@login_required(Scope.DECLARATIONS_WRITE)
def modify(declaration_id: str) -> WerkzeugResponse:
    """Correct and send; refused: the page once more with what was typed, and each error at its field."""

    def work() -> WerkzeugResponse:
        retry_on_conflict(lambda db: corrected_as_typed(db, declaration_id, request.form))
        services().notifier.notify()
        flash(gettext("The correction is on its way."), SUCCESS)
        return redirect(_page(declaration_id), 303)

    return handle_form(work, lambda error: _typed_again(declaration_id, error))


def review_service(db: Session) -> ReviewService:
    """Return the review service of the caller, within one transaction."""
    parts = services().policy, services().payments, services().audit
    return ReviewService(db, current_caller(), database.now(db), *parts)


def reason_typed() -> str:
    """Read the reason of a form; raises ValidationFailed where it gives none."""
    why: str = validate(ReasonIn(), {"reason": request.form.get("reason", "").strip()})["reason"]
    return why


def _dismissal_message(declaration: Declaration) -> str:
    """Return the message after a dismissal; where it let a refund go, the case is still open."""
    if declaration.needs_review:
        return str(gettext("The refund goes out now. The case stays open."))
    return str(gettext("The case was closed."))


def _decided(
    declaration_id: str,
    decide: Callable[[ReviewService, str], Declaration],
    message: str | Callable[[Declaration], str],
) -> WerkzeugResponse:
    place = _page(declaration_id)
    return submit_action(lambda db: decide(review_service(db), reason_typed()), place, message, back=place)


def corrected_as_typed(db: Session, declaration_id: str, typed: Mapping[str, str]) -> Declaration:
    """Correct a declaration as a form says, its reason among the fields."""
    declaration = declaration_of(db, declaration_id, current_caller())
    changes = validate(ModifyIn(), {"reason": typed.get("reason", "").strip(), **changes_typed(declaration, typed)})
    why = changes.pop("reason")
    return review_service(db).modify(declaration_id, why, changes, services().vault, services().rules)


def _typed_again(declaration_id: str, error: CustomsError) -> Response:
    shown = detail_context(declaration_id)
    declaration = shown["detail"].declaration
    found = {field_at(declaration, one.pointer): describe_field_error(one.code, one.detail) for one in error.errors}
    marked = {field: words for field, words in found.items() if field in request.form}
    correction = {"typed": request.form, "errors": marked, "messages": _messages_above_fields(error, found, marked)}
    return render_page("declarations/detail.html", correction=correction, **shown)


def _messages_above_fields(error: CustomsError, found: Mapping[str, str], marked: Mapping[str, str]) -> list[str]:
    """Return the messages above the form: those that belong to no field."""
    if isinstance(error, ValidationFailed) and found:
        first = [gettext("Nothing was sent: look at what is marked below.")] if marked else []
        return first + [words for field, words in found.items() if field not in marked]
    return error_sentences(error)


def _page(declaration_id: str) -> str:
    return f"/declarations/{declaration_id}"


@pages.post(BULK_PAGE)
@login_required(Scope.DECLARATIONS_WRITE)
def redeclare_selected() -> WerkzeugResponse:
    """Show the plan for what was selected in a list; execute it when a reason comes with it."""
    ids, override = request.form.getlist("ids"), request.form.get("override") == "on"

    def work() -> WerkzeugResponse:
        if "reason" not in request.form:
            return _show_plan(ids, return_address(), override=override)
        return _show_result(_execute(ids, reason_typed(), override=override))

    return handle_form(work, lambda error: redirect_with_error(error, return_address()))


@pages.get(BULK_PAGE)
@login_required(Scope.DECLARATIONS_WRITE)
def show_refused() -> Response:
    """Show what was not pushed again, and why."""
    return _show_plan(request.args.getlist("ids"), "/declarations", override=False)


def _execute(ids: Sequence[str], why: str, *, override: bool) -> BulkResult:
    """Push each of these again in a transaction of its own, and notify the workers."""

    def one(declaration_id: str) -> None:
        retry_on_conflict(lambda db: review_service(db).redeclare(declaration_id, why, override=override))

    with services().reading() as db:
        # Nothing is done to the first where the last is nobody's to decide on.
        found = [declaration.id for declaration in declarations_with_ids(db, current_caller(), ids)]
    result = execute(found, one)
    services().notifier.notify()
    return result


def _show_plan(ids: Sequence[str], back: str, *, override: bool) -> Response:
    caller, parts = current_caller(), services()
    with parts.reading() as db:
        now = database.now(db)
        plan = dry_run_redeclare(db, caller, ids, parts.policy, parts.payments, now, override=override)
    shown: dict[str, Any] = {"plan": plan, "override": override, "back": back, "sentences": sentences}
    return render_page("declarations/redeclare.html", is_outcome=request.method == "GET", **shown)


def _show_result(result: BulkResult) -> WerkzeugResponse:
    count = len(result.done)
    if count:
        flash(
            ngettext("%(num)d declaration is pushed again.", "%(num)d declarations are pushed again.", count), SUCCESS
        )
    if not result.refused:
        return redirect(return_address(), 303)
    return redirect(f"{BULK_PAGE}?{urlencode({'ids': result.refused[:MOST_REFUSED_SHOWN]}, doseq=True)}", 303)
