"""Manage API keys: create, rotate, revoke; a key's text is shown once, in the answer that made it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from flask import Blueprint, Response, request
from flask_babel import LazyString, gettext, lazy_gettext
from sqlalchemy.orm import Session
from werkzeug import Response as WerkzeugResponse

from customs.auth.api_keys import (
    ApiKeyService,
    AuditedKeys,
    IssuedKey,
    KeyRequest,
    key_seen,
    keys_seen,
    may_hand_out,
    state_of,
)
from customs.auth.models import ApiKey
from customs.auth.principal import Scope
from customs.db import database
from customs.ids import new_id
from customs.web.forms import (
    CREATED,
    CreatedWithSecret,
    chosen_merchants,
    create_with_secret,
    error_sentences,
    handle_form,
    required_choice,
    required_text,
    submit_action,
    ticked_choices,
)
from customs.web.labels import Label
from customs.web.rendering import render_page
from customs.web.request import allow_only_arguments, current_caller
from customs.web.services import services
from customs.web.session_auth import login_required, request_time

pages = Blueprint("api_keys", __name__, url_prefix="/developers/keys")

LONGEST_NAME = 100
_ = lazy_gettext

STATES = {
    "live": Label(_("Valid"), "check-circle-fill", "success"),
    "replaced": Label(_("Replaced, still valid"), "hourglass-split", "running"),
    "expired": Label(_("Expired"), "clock-history", "waiting"),
    "revoked": Label(_("Revoked"), "slash-circle", "fail"),
}
ENDED = ("expired", "revoked")
SCOPES = {
    Scope.DECLARATIONS_READ: _("see declarations, offices, registrations and lanes"),
    Scope.DECLARATIONS_WRITE: _("hand in, re-push, modify and cancel declarations"),
    Scope.DECLARATIONS_REVIEW: _("decide on exceptions and let lanes go on"),
    Scope.PAYMENTS_READ: _("see payments, refunds, rates and bills"),
    Scope.PAYMENTS_WRITE: _("collect payments"),
    Scope.REFUNDS_WRITE: _("give money back"),
    Scope.WEBHOOKS_WRITE: _("manage webhook endpoints"),
    Scope.ADMIN: _("everything, for every merchant it is made for"),
}
LIFETIMES: Mapping[str, timedelta | None] = {
    "30": timedelta(days=30),
    "90": timedelta(days=90),
    "365": timedelta(days=365),
    "never": None,
}
LIFETIME_WORDS = {"30": _("30 days"), "90": _("90 days"), "365": _("One year"), "never": _("Until it is revoked")}
OVERLAPS = {hours: timedelta(hours=int(hours)) for hours in ("0", "1", "24", "168")}
OVERLAP_WORDS: Mapping[str, LazyString] = {
    "24": _("one day"),
    "1": _("one hour"),
    "168": _("one week"),
    "0": _("not at all: it ends at once"),
}


@pages.get("")
@login_required(Scope.WEBHOOKS_WRITE)
def list_keys() -> Response:
    allow_only_arguments("ended")
    with services().reading() as db:
        now = database.now(db)
        keys = [(key, state_of(key, now)) for key in keys_seen(db, current_caller())]
    living = [(key, state) for key, state in keys if state not in ENDED]
    shown = keys if "ended" in request.args else living
    return render_page("developers/keys.html", keys=shown, states=STATES, ended=len(keys) - len(living))


@pages.get("/new")
@login_required(Scope.WEBHOOKS_WRITE)
def new_key() -> Response:
    return _form(())


@pages.post("")
@login_required(Scope.WEBHOOKS_WRITE)
def create_key() -> WerkzeugResponse:
    def work() -> Response:
        wish = KeyRequest(
            required_text("name", LONGEST_NAME),
            [Scope(one) for one in ticked_choices("scopes", SCOPES)],
            chosen_merchants(),
            required_choice("lifetime", LIFETIMES),
        )
        return _made(create_once(lambda keys: keys.create(wish)))

    return handle_form(work, lambda error: _form(error_sentences(error)))


@pages.get("/<key_id>")
@login_required(Scope.WEBHOOKS_WRITE)
def read_key(key_id: str) -> Response:
    return _key_page(key_id, ())


@pages.post("/<key_id>/rotate")
@login_required(Scope.WEBHOOKS_WRITE)
def rotate_key(key_id: str) -> WerkzeugResponse:
    def work() -> Response:
        overlap = required_choice("overlap", OVERLAPS)
        return _made(create_once(lambda keys: keys.rotate(key_id, overlap)))

    return handle_form(work, lambda error: _key_page(key_id, error_sentences(error)))


@pages.post("/<key_id>/revoke")
@login_required(Scope.WEBHOOKS_WRITE)
def revoke_key(key_id: str) -> WerkzeugResponse:
    message = gettext("The key was revoked: it opens nothing any more.")
    return submit_action(lambda db: _keys(db).revoke(key_id), f"{pages.url_prefix}/{key_id}", message)


def create_once(create: Callable[[ApiKeyService], IssuedKey]) -> CreatedWithSecret:
    """Create a key once for each form."""

    def make(db: Session) -> tuple[str, str]:
        issued = create(_keys(db))
        return issued.key_id, issued.text

    return create_with_secret(make)


def _keys(db: Session) -> ApiKeyService:
    caller, now = current_caller(), database.now(db)
    keys = AuditedKeys(db, caller, services().audit, now, sandbox=services().settings.sandbox)
    return ApiKeyService(db, caller, keys, now)


def own_scopes() -> list[Scope]:
    """Return the scopes that the user may hand out."""
    return [one for one in SCOPES if current_caller().may(one)]


def _form(errors: Sequence[str]) -> Response:
    return render_page(
        "developers/key_form.html",
        errors=errors,
        scopes={one: SCOPES[one] for one in own_scopes()},
        lifetimes=LIFETIME_WORDS.items(),
        merchants=sorted(current_caller().merchants or ()),
        once=new_id("form"),
    )


def _key_page(key_id: str, errors: Sequence[str]) -> Response:
    key = _key(key_id)
    return render_page(
        "developers/key.html",
        errors=errors,
        key=key,
        state=state_of(key, request_time()),
        states=STATES,
        ended=ENDED,
        is_within=may_hand_out(current_caller(), key.scopes),
        overlaps=OVERLAP_WORDS.items(),
        once=new_id("form"),
    )


def _made(made: CreatedWithSecret) -> Response:
    return render_page("developers/key_created.html", CREATED, key=_key(made.id), text=made.secret)


def _key(key_id: str) -> ApiKey:
    with services().reading() as db:
        return key_seen(db, key_id, current_caller())
