"""Views of a bulk correction: the shared value, its plan, and with a reason one declaration after the other."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, flash, redirect, request
from flask_babel import ngettext
from sqlalchemy.orm import Session
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Scope
from customs.db import database
from customs.declarations.actions.action_views import reason_typed, review_service
from customs.declarations.actions.amendments import duty_typed
from customs.declarations.actions.bulk_actions import BulkResult, declarations_with_ids, dry_run_modify, execute
from customs.declarations.channels import CHANNELS
from customs.declarations.fields import CONTENT_NAMES
from customs.declarations.labels import FIELD_NAMES
from customs.declarations.models import Declaration
from customs.declarations.reading.failure_groups import Group, group_of
from customs.declarations.schemas import ModifyIn
from customs.declarations.services import services
from customs.errors import CustomsError, ValidationFailed
from customs.gateway import Channel
from customs.review import advice
from customs.web.forms import DANGER, SUCCESS, error_sentences, handle_form, redirect_with_error
from customs.web.idempotency import retry_on_conflict
from customs.web.json_body import validate
from customs.web.rendering import render_page
from customs.web.request import current_caller
from customs.web.session_auth import login_required

pages = Blueprint("bulk_corrections", __name__)

# What several declarations may have wrong alike, by channel: a buyer and amounts are each one's own.
SHARED: Mapping[Channel, tuple[str, ...]] = {
    channel: tuple(name for name in CONTENT_NAMES if name not in row.lacks) for channel, row in CHANNELS.items()
}


@pages.post("/review/causes/<cause_id>/correct")
@login_required(Scope.DECLARATIONS_WRITE)
def correct(cause_id: str) -> WerkzeugResponse:
    """Ask for the right value; with it, show what would happen; with a reason, do it."""
    ids, place = request.form.getlist("ids"), f"/review/causes/{cause_id}"
    with services().reading() as db:
        group = group_of(db, current_caller(), cause_id)
    fields = SHARED[Channel(group.cause.channel)]

    def again(error: CustomsError) -> WerkzeugResponse:
        return _form(group, fields, ids, error) if _typed(fields) else redirect_with_error(error, place)

    return handle_form(lambda: _answered(group, fields, ids), again)


def _answered(group: Group, fields: Sequence[str], ids: Sequence[str]) -> WerkzeugResponse:
    changes = _changes(fields)
    if not changes or "again" in request.form:
        return _form(group, fields, ids)
    if "reason" not in request.form:
        return _show_plan(group, _of_merchant(ids, request.form.get("merchant_no")), changes)
    return _show_result(group, _corrected(_of_merchant(ids, None), reason_typed(), changes))


def _form(group: Group, fields: Sequence[str], ids: Sequence[str], error: CustomsError | None = None) -> Response:
    with services().reading() as db:
        found = declarations_with_ids(db, current_caller(), ids)
    merchants = Counter(declaration.merchant_no for declaration in found).most_common()
    values_now = {name: values_of_field(found, name) for name in fields}
    errors = (
        {one.pointer.strip("/"): error_sentences(ValidationFailed(errors=[one]))[0] for one in error.errors}
        if error
        else {}
    )
    shown: dict[str, Any] = {
        "group": group,
        "ids": ids,
        "values_now": values_now,
        "typed": request.form,
        "merchants": merchants,
    }
    names = FIELD_NAMES
    messages = error_sentences(error) if error and not errors.keys() & set(fields) else ()
    return render_page("review/correct.html", errors=errors, messages=messages, names=names, **shown)


def _of_merchant(ids: Sequence[str], merchant_no: str | None) -> Sequence[str]:
    """Return the ids of one merchant's declarations, as registrations are; all of them where no merchant is named."""
    with services().reading() as db:
        found = declarations_with_ids(db, current_caller(), ids)
    return [one.id for one in found if merchant_no in (None, "", one.merchant_no)]


def _show_plan(group: Group, ids: Sequence[str], changes: Mapping[str, Any]) -> Response:
    parts = services()
    with parts.reading() as db:
        known = parts.policy, parts.payments, database.now(db), parts.vault, parts.rules
        plan = dry_run_modify(db, current_caller(), ids, changes, *known)
    shown: dict[str, Any] = {"group": group, "ids": ids, "changes": changes, "plan": plan}
    return render_page(
        "review/correction_plan.html", names=FIELD_NAMES, reasons=advice.REASONS, Resolution=advice.Resolution, **shown
    )


def _corrected(ids: Sequence[str], why: str, changes: Mapping[str, Any]) -> BulkResult:
    """Correct each of these in a transaction of its own, and notify the workers."""

    def one(declaration_id: str) -> None:
        retry_on_conflict(lambda db: _modified(db, declaration_id, why, changes))

    result = execute(ids, one)
    services().notifier.notify()
    return result


def _modified(db: Session, declaration_id: str, why: str, changes: Mapping[str, Any]) -> None:
    review_service(db).modify(declaration_id, why, changes, services().vault, services().rules)


def _show_result(group: Group, result: BulkResult) -> WerkzeugResponse:
    done, left = len(result.done), len(result.refused)
    if done:
        flash(ngettext("%(num)d declaration is corrected.", "%(num)d declarations are corrected.", done), SUCCESS)
    if left:
        sentence = ngettext("%(num)d was changed meanwhile.", "%(num)d were changed meanwhile.", left)
        flash(sentence, DANGER)
    return redirect(f"/review/causes/{group.cause.id}", 303)


def values_of_field(declarations: Sequence[Declaration], name: str) -> tuple[str, ...]:
    """Return what these declarations say in one field, each value once."""
    values = (getattr(declaration, name) for declaration in declarations)
    return tuple(sorted({str(value) for value in values if value is not None}))


def _typed(fields: Sequence[str]) -> dict[str, str]:
    return {name: text for name in fields if (text := request.form.get(name, "").strip())}


def _changes(fields: Sequence[str]) -> dict[str, Any]:
    """Read the form as ModifyIn does. Raises ValidationFailed, naming each field."""
    typed: dict[str, Any] = _typed(fields)
    if "duty" in typed:
        typed["duty"] = duty_typed(typed["duty"])
    changes: dict[str, Any] = validate(ModifyIn(only=tuple(fields)), typed)
    return changes
