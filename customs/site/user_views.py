"""Administer users: let people in, give them roles and merchants, help them back in."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, redirect, request
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session
from werkzeug import Response as WerkzeugResponse

from customs.auth import users
from customs.auth.models import Person
from customs.auth.principal import Scope
from customs.auth.roles import ROLES, Role
from customs.auth.sessions import presences
from customs.auth.users import Change, Profile
from customs.db import database
from customs.errors import ActionNotAllowed, ErrorDetail, NotFound
from customs.ids import new_id
from customs.web.forms import (
    CREATED,
    CreatedWithSecret,
    chosen_merchants,
    create_with_secret,
    error_sentences,
    handle_form,
    required_reason,
    submit_action,
)
from customs.web.labels import Label
from customs.web.rendering import render_page
from customs.web.request import allow_only_arguments, current_caller
from customs.web.services import services
from customs.web.session_auth import login_required

pages = Blueprint("users", __name__, url_prefix="/admin")

# In the order of the tabs.
FIRST_PAGES = {Scope.ADMIN: "/admin/people", Scope.DECLARATIONS_READ: "/admin/registrations"}

_ = lazy_gettext
ENABLED = Label(_("May sign in"), "check-circle-fill", "success")
DISABLED = Label(_("Disabled"), "slash-circle", "fail")
CODE = Label(_("Is set up"), "shield-check", "success")
NO_CODE = Label(_("Not set up"), "dash-circle", "waiting")

UserChange = Callable[[Session, datetime], Change]


@pages.get("")
@login_required(Scope.DECLARATIONS_READ)
def first_page() -> WerkzeugResponse:
    """Redirect to the first page of the administration that this person may open."""
    return redirect(next(page for scope, page in FIRST_PAGES.items() if current_caller().may(scope)))


@pages.get("/people")
@login_required(Scope.ADMIN)
def list_people() -> Response:
    allow_only_arguments()
    with services().reading() as db:
        seen = presences(db, database.now(db))
        shown = [person for person in users.list_people(db) if current_caller().covers(person.merchants)]
    return render_page("admin/users.html", people=shown, seen=seen, **_words())


@pages.get("/people/new")
@login_required(Scope.ADMIN)
def new_person() -> Response:
    return _form(())


@pages.post("/people")
@login_required(Scope.ADMIN)
def create_person() -> WerkzeugResponse:
    def work() -> Response:
        login, name, role = (request.form.get(one, "") for one in ("login", "name", "role"))
        wanted = Profile(login, name, role, _merchants())
        return _password(create_with_secret(_with_password(lambda db, now: _create(db, wanted, now), None)))

    return handle_form(work, lambda error: _form(error_sentences(error)))


@pages.get("/people/<person_id>")
@login_required(Scope.ADMIN)
def read_person(person_id: str) -> Response:
    return _person_page(person_id, ())


@pages.post("/people/<person_id>/role")
@login_required(Scope.ADMIN)
def change_role(person_id: str) -> WerkzeugResponse:
    role, message = request.form.get("role", ""), gettext("The role was changed; it counts from their next click.")
    return _changed(person_id, lambda db, _now: users.change_role(db, person_id, role), message)


@pages.post("/people/<person_id>/merchants")
@login_required(Scope.ADMIN)
def change_merchants(person_id: str) -> WerkzeugResponse:
    message = gettext("The merchants were changed; it counts from their next click.")
    return _changed(person_id, lambda db, _now: users.change_merchants(db, person_id, _merchants()), message)


@pages.post("/people/<person_id>/password")
@login_required(Scope.ADMIN)
def reset_password(person_id: str) -> WerkzeugResponse:
    code_too = "code_too" in request.form

    def reset(db: Session, now: datetime) -> Change:
        _seen(db, person_id)
        if code_too:
            _refuse_own(person_id)
        parts = services().vault, services().passwords
        return users.reset_password(db, *parts, person_id, now, code_too=code_too)

    def work() -> Response:
        return _password(create_with_secret(_with_password(reset, required_reason())))

    return handle_form(work, lambda error: _person_page(person_id, error_sentences(error)))


@pages.post("/people/<person_id>/code")
@login_required(Scope.ADMIN)
def reset_code(person_id: str) -> WerkzeugResponse:
    message = gettext("The one-time codes were removed, and their sessions ended.")

    def reset(db: Session, now: datetime) -> Change:
        _refuse_own(person_id)
        return users.reset_code(db, person_id, now)

    return _changed(person_id, reset, message)


@pages.post("/people/<person_id>/disable")
@login_required(Scope.ADMIN)
def disable(person_id: str) -> WerkzeugResponse:
    message = gettext("They may not sign in any more, and their sessions ended.")
    return _changed(person_id, lambda db, now: users.disable(db, person_id, now), message)


@pages.post("/people/<person_id>/enable")
@login_required(Scope.ADMIN)
def enable(person_id: str) -> WerkzeugResponse:
    message = gettext("They may sign in again, with the password they had.")
    return _changed(person_id, lambda db, _now: users.enable(db, person_id), message)


@pages.post("/people/<person_id>/sessions/end")
@login_required(Scope.ADMIN)
def end_sessions(person_id: str) -> WerkzeugResponse:
    message = gettext("They were signed out everywhere.")
    return _changed(person_id, lambda db, now: users.end_sessions(db, person_id, now), message)


def _refuse_own(person_id: str) -> None:
    """Refuse to let an admin take off their own codes: whoever sits at their browser could."""
    if person_id == current_caller().id:
        detail = "another admin, or `customs user reset` at the host, takes off your codes"
        raise ActionNotAllowed("nothing was changed", errors=[ErrorDetail("/person", "own_codes", detail)])


def _create(db: Session, wanted: Profile, now: datetime) -> Change:
    return users.create_person(db, services().passwords, wanted, now)


def _changed(person_id: str, operation: UserChange, message: str) -> WerkzeugResponse:
    """Change one of the people this admin sees, on the audit trail with the reason."""

    def work(db: Session) -> None:
        _seen(db, person_id)
        _record(db, operation, required_reason())

    page = f"/admin/people/{person_id}"
    return submit_action(work, page, message, back=page)


def _with_password(operation: UserChange, reason: str | None) -> Callable[[Session], tuple[str, str]]:
    """Return what makes a password to be shown once: the person's id, and the password."""

    def make(db: Session) -> tuple[str, str]:
        change = _record(db, operation, reason)
        return change.person.id, change.password or ""

    return make


def _record(db: Session, operation: UserChange, reason: str | None) -> Change:
    now = database.now(db)
    change = operation(db, now)
    services().audit.append(db, replace(change.audit_event_of(current_caller()), reason=reason), now)
    return change


def _seen(db: Session, person_id: str) -> Person:
    """Return a person none of whose merchants is another's. Raises NotFound."""
    person = users.person_of(db, person_id)
    if not current_caller().covers(person.merchants):
        raise NotFound
    return person


def _merchants() -> list[str] | None:
    """Return the merchants chosen for somebody; none named means all of the admin's."""
    within = current_caller().narrowed(chosen_merchants()).merchants
    return None if within is None else sorted(within)


def _form(errors: Sequence[str]) -> Response:
    merchants = sorted(current_caller().merchants or ())
    return render_page("admin/user_form.html", errors=errors, merchants=merchants, once=new_id("form"), **_words())


def _person_page(person_id: str, errors: Sequence[str]) -> Response:
    with services().reading() as db:
        whom = _seen(db, person_id)
        presence = presences(db, database.now(db)).get(person_id)
    own = sorted(current_caller().merchants or ())
    shown: dict[str, Any] = {"whom": whom, "presence": presence, "merchants": own}
    return render_page("admin/user.html", errors=errors, once=new_id("form"), **shown, **_words())


def _password(made: CreatedWithSecret) -> Response:
    with services().reading() as db:
        whom = _seen(db, made.id)
    return render_page("admin/password.html", CREATED, whom=whom, password=made.secret)


def _words() -> dict[str, Any]:
    return {
        "roles": {role: row.about for role, row in ROLES.items()},
        "role_kind": Role,
        "enabled": ENABLED,
        "disabled": DISABLED,
        "code": CODE,
        "no_code": NO_CODE,
    }
