"""Views of a bulk re-push: first its plan, then, with a reason, one declaration after the other."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, flash, redirect, request
from flask_babel import ngettext
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Scope
from customs.db import database
from customs.declarations import labels
from customs.declarations.actions.action_views import reason_typed, review_service
from customs.declarations.actions.bulk_actions import (
    BulkResult,
    declarations_with_ids,
    dry_run_redeclare,
    execute,
)
from customs.declarations.services import services
from customs.web.forms import SUCCESS, handle_form, redirect_with_error, return_address
from customs.web.idempotency import retry_on_conflict
from customs.web.rendering import render_page
from customs.web.request import current_caller
from customs.web.session_auth import login_required

pages = Blueprint("bulk_actions", __name__)

PAGE = "/declarations/redeclare"
# So many of those that were refused are shown again: their ids go through an address.
MOST_SHOWN = 40


@pages.post(PAGE)
@login_required(Scope.DECLARATIONS_WRITE)
def redeclare() -> WerkzeugResponse:
    """Show the plan for what was selected in a list; execute it when a reason comes with it."""
    ids, override = request.form.getlist("ids"), request.form.get("override") == "on"

    def work() -> WerkzeugResponse:
        if "reason" not in request.form:
            return _show_plan(ids, return_address(), override=override)
        return _show_result(_execute(ids, reason_typed(), override=override))

    return handle_form(work, lambda error: redirect_with_error(error, return_address()))


@pages.get(PAGE)
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
    shown: dict[str, Any] = {"plan": plan, "override": override, "back": back, "labels": labels}
    return render_page("declarations/redeclare.html", is_outcome=request.method == "GET", **shown)


def _show_result(result: BulkResult) -> WerkzeugResponse:
    count = len(result.done)
    if count:
        flash(
            ngettext("%(num)d declaration is pushed again.", "%(num)d declarations are pushed again.", count), SUCCESS
        )
    if not result.refused:
        return redirect(return_address(), 303)
    return redirect(f"{PAGE}?{urlencode({'ids': result.refused[:MOST_SHOWN]}, doseq=True)}", 303)
