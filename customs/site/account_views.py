"""Sign in and out, one-time codes, the user's own account, the language."""

from collections.abc import Sequence

import segno
from flask import Blueprint, Response, flash, redirect, request
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session
from werkzeug import Response as WerkzeugResponse

from customs.audit.actions import AuditAction, audit_event
from customs.auth import login as auth_login
from customs.auth import login_throttle, sessions, totp, users
from customs.auth.devices import known_device, new_device
from customs.auth.totp import CodeStep, code_step_of
from customs.db import database
from customs.errors import CustomsError, NotFound
from customs.web import session_auth
from customs.web.forms import SUCCESS, error_sentences, handle_form, redirect_with_error, submit_action
from customs.web.i18n import COOKIE, LANGUAGES
from customs.web.idempotency import retry_on_conflict
from customs.web.labels import Label
from customs.web.rendering import render_bare_page, render_page
from customs.web.request import current_caller
from customs.web.services import services
from customs.web.session_auth import (
    ONE_YEAR,
    current_session,
    load_session,
    login_required,
    request_time,
    safe_redirect_target,
)

SWITCHED_ON = Label(lazy_gettext("On"), "check-circle-fill", "success")

pages = Blueprint("account", __name__)

ACCOUNT = "/account"
QR_SCALE = 5


@pages.get("/sign-in")
def sign_in_form() -> WerkzeugResponse:
    place = safe_redirect_target(request.args.get("next"))
    return redirect(place) if load_session() else _sign_in_page(place)


@pages.post("/sign-in")
def sign_in() -> WerkzeugResponse:
    place, login = safe_redirect_target(request.form.get("next")), request.form.get("login", "")

    def work() -> WerkzeugResponse:
        token = _token_for(auth_login.Attempt(login, request.form.get("password", ""), _origin(login)))
        response = session_auth.set_session_cookie(redirect(place, 303), token)
        return session_auth.remember_device(response, new_device(services().vault, login))

    return handle_form(work, lambda error: _sign_in_page(place, login, error_sentences(error)))


@pages.post("/sign-out")
def sign_out() -> WerkzeugResponse:
    session = load_session()
    if session is not None:
        with services().transaction() as db:
            sessions.end_session(db, session.person.id, session.session_id, database.now(db))
    return session_auth.clear_session_cookie(redirect("/sign-in", 303))


@pages.get("/sign-in/code")
@login_required(to_unfinished=True)
def ask_code() -> WerkzeugResponse:
    is_asked = code_step_of(current_session(), services().settings) is CodeStep.ASK
    return _code_page() if is_asked else redirect("/", 303)


@pages.post("/sign-in/code")
@login_required(to_unfinished=True)
def give_code() -> WerkzeugResponse:
    return handle_form(_code_given, lambda error: _code_page(error_sentences(error)))


def _code_given() -> WerkzeugResponse:
    session, code, found = current_session(), request.form.get("code", ""), services()
    origin = _origin(session.person.login)
    counted = login_throttle.count_code(found.engine, found.vault, session.person.id, origin, request_time())
    token = retry_on_conflict(lambda db: totp.give_code(db, found.vault, session, counted, code, database.now(db)))
    return session_auth.set_session_cookie(redirect(safe_redirect_target(request.form.get("next")), 303), token)


@pages.get("/sign-in/code/set-up")
@login_required(to_unfinished=True)
def set_up_code() -> Response:
    return _set_up_page(totp.new_set_up(services().vault, current_session().person))


@pages.post("/sign-in/code/set-up")
@login_required(to_unfinished=True)
def confirm_code() -> WerkzeugResponse:
    session, sealed, code = current_session(), request.form.get("sealed", ""), request.form.get("code", "")

    def confirm(db: Session) -> str:
        now = database.now(db)
        token, change = totp.confirm_set_up(db, services().vault, session, sealed, code, now)
        services().audit.append(db, change.audit_event_of(current_caller()), now)
        return token

    def work() -> WerkzeugResponse:
        token = retry_on_conflict(confirm)
        flash(gettext("From now on you are asked for a one-time code."), SUCCESS)
        return session_auth.set_session_cookie(redirect(ACCOUNT, 303), token)

    return handle_form(work, lambda error: _set_up_again(sealed, error))


@pages.get(ACCOUNT)
@login_required(to_unfinished=True)
def account() -> WerkzeugResponse:
    session = current_session()
    if code_step_of(session, services().settings) is not CodeStep.NOTHING:
        return redirect("/", 303)
    with services().reading() as db:
        live = sessions.list_sessions(db, session.person.id, database.now(db))
    return render_page("account.html", sessions=live, present=session.session_id, switched_on=SWITCHED_ON)


@pages.post("/account/password")
@login_required(to_unfinished=True)
def change_password() -> WerkzeugResponse:
    session, form = current_session(), request.form
    # The one-time code comes first: a stolen password alone must not be made into another one.
    if code_step_of(session, services().settings) is not CodeStep.NOTHING:
        return redirect("/", 303)
    choice = auth_login.Choice(form.get("old", ""), form.get("new", ""), _origin(session.person.login))

    def work() -> WerkzeugResponse:
        token = _token_after(choice)
        flash(gettext("Your password was changed, and your other sessions have ended."), SUCCESS)
        return session_auth.set_session_cookie(redirect(ACCOUNT, 303), token)

    return handle_form(work, lambda error: redirect_with_error(error, ACCOUNT))


@pages.post("/account/sessions/<session_id>/end")
@login_required()
def end_session(session_id: str) -> WerkzeugResponse:
    return submit_action(
        lambda db: sessions.end_session(db, current_caller().id, session_id, database.now(db)),
        ACCOUNT,
        gettext("That session has ended."),
        back=ACCOUNT,
    )


@pages.post("/language")
def choose_language() -> WerkzeugResponse:
    language = request.form.get("language", "")
    if language not in LANGUAGES:
        raise NotFound
    session = load_session()
    if session is not None:
        with services().transaction() as db:
            users.set_language(db, session.person.id, language)
    response = redirect(safe_redirect_target(request.form.get("back")), 303)
    response.set_cookie(
        COOKIE, language, max_age=ONE_YEAR, httponly=True, samesite="Lax", secure=session_auth.is_secure()
    )
    return response


def _token_for(attempt: auth_login.Attempt) -> str:
    """Return the token of a new session for a proven login; the session this browser had ends."""
    found = services()
    proof = auth_login.prove(found.engine, found.vault, found.passwords, attempt, request_time())
    before = load_session()

    def work(db: Session) -> str:
        now = database.now(db)
        if before is not None:
            sessions.end_session(db, before.person.id, before.session_id, now)
        token, person = auth_login.sign_in(db, proof, request.user_agent.string, now)
        found.audit.append(db, audit_event(person, AuditAction.PERSON_SIGN_IN, person.id), now)
        return token

    return retry_on_conflict(work)


def _token_after(choice: auth_login.Choice) -> str:
    """Return the token under which this session goes on with a password of the user's choice."""
    session, found = current_session(), services()
    now = request_time()
    proof = auth_login.prove_choice(found.engine, found.vault, found.passwords, session.person, choice, now)

    def work(db: Session) -> str:
        token, change = auth_login.change_own_password(db, session, proof, now)
        services().audit.append(db, change.audit_event_of(current_caller()), now)
        return token

    return retry_on_conflict(work)


def _origin(login: str) -> login_throttle.Origin:
    device = known_device(services().vault, session_auth.kept_device(), login)
    return login_throttle.Origin(request.remote_addr or "", device)


def _sign_in_page(place: str, login: str = "", errors: Sequence[str] = ()) -> Response:
    return render_bare_page(
        "sign_in.html", next=place, login=login[: users.LONGEST_NAME], errors=errors, languages=LANGUAGES
    )


def _code_page(errors: Sequence[str] = ()) -> Response:
    place = safe_redirect_target(request.values.get("next"))
    return render_bare_page("totp.html", next=place, errors=errors, languages=LANGUAGES)


def _set_up_again(sealed: str, error: CustomsError) -> WerkzeugResponse:
    try:
        wanted = totp.same_set_up(services().vault, current_session().person, sealed)
    except CustomsError as stale:
        return redirect_with_error(stale, "/sign-in/code/set-up")
    return _set_up_page(wanted, error_sentences(error))


def _set_up_page(wanted: totp.SetUp, errors: Sequence[str] = ()) -> Response:
    return render_bare_page(
        "totp_setup.html",
        secret=wanted.secret,
        sealed=wanted.sealed,
        qr=segno.make_qr(wanted.uri).svg_inline(scale=QR_SCALE),
        required=code_step_of(current_session(), services().settings) is CodeStep.SET_UP,
        errors=errors,
    )
