"""Show and manage webhook endpoints with their deliveries, and show the events."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response
from flask_babel import gettext, lazy_gettext, ngettext
from sqlalchemy.orm import Session
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Caller, Scope
from customs.db import database
from customs.errors import ErrorDetail, ValidationFailed
from customs.events.outbox import EventType
from customs.ids import new_id
from customs.web.forms import (
    CREATED,
    LONGEST_NUMBER,
    CreatedWithSecret,
    chosen_merchants,
    create_with_secret,
    error_sentences,
    handle_form,
    optional_text,
    required_choice,
    required_text,
    submit_action,
    ticked_choices,
)
from customs.web.labels import Label, Labels
from customs.web.rendering import render_fragment, render_page
from customs.web.request import allow_only_arguments, current_caller, given_filters, page_arguments
from customs.web.services import services
from customs.web.session_auth import login_required, request_time
from customs.webhooks import queries
from customs.webhooks.models import LONGEST_URL, DeliveryState, Endpoint
from customs.webhooks.retry_policy import IS_GONE, ONLY_FAILED
from customs.webhooks.subscriptions import EndpointRequest, EndpointService, secret_place

pages = Blueprint("webhook_pages", __name__, url_prefix="/developers")

ENDPOINTS = f"{pages.url_prefix}/webhooks"
LONGEST_DESCRIPTION = 200
A_FEW = 25
# Whether an endpoint subscribes to every event, also to types that come later.
SUBSCRIBE_ALL = {"1": True, "0": False}
_ = lazy_gettext

STATE_LABELS: Labels = {
    DeliveryState: {
        DeliveryState.WAITING: Label(_("Waiting"), "hourglass-split", "running"),
        DeliveryState.DELIVERED: Label(_("Delivered"), "check-circle-fill", "success"),
        DeliveryState.FAILED: Label(_("Given up"), "x-circle-fill", "fail"),
    }
}
ACTIVE = Label(_("Active"), "check-circle-fill", "success")
FAILING = Label(_("Failing"), "exclamation-triangle-fill", "except")
PAUSED = Label(_("Paused"), "pause-circle", "fail")
LABELS = {str(one): one.label for one in EventType}
WHY_PAUSED = {
    IS_GONE: _("It answered 410 Gone: whoever runs it wants nothing more."),
    ONLY_FAILED: _("Nothing reached it for days."),
}
# Where an event leads, by what it names.
PLACES = {
    "declaration_id": "/declarations/",
    "batch_id": "/batches/",
    "payment_id": "/payments/",
    "lane_id": "/admin/lanes#",
}


@pages.get("/webhooks")
@login_required(Scope.WEBHOOKS_WRITE)
def list_endpoints() -> Response:
    allow_only_arguments("cursor")
    _limit, cursor = page_arguments()
    with services().reading() as db:
        page = queries.list_endpoints(db, current_caller(), limit=A_FEW, cursor=cursor)
    return render_page("developers/webhooks.html", page=page, state_of=state_of)


@pages.get("/webhooks/new")
@login_required(Scope.WEBHOOKS_WRITE)
def new_endpoint() -> Response:
    return _form(())


@pages.post("/webhooks")
@login_required(Scope.WEBHOOKS_WRITE)
def create_endpoint() -> WerkzeugResponse:
    def work() -> Response:
        asked = _asked()
        by = current_caller().narrowed(chosen_merchants())
        return _created(create_with_secret(lambda db: _id_and_secret(_service(db, by).create(asked))))

    return handle_form(work, lambda error: _form(error_sentences(error)))


@pages.get("/webhooks/<endpoint_id>")
@login_required(Scope.WEBHOOKS_WRITE)
def read_endpoint(endpoint_id: str) -> Response:
    allow_only_arguments("cursor", "state")
    return render_page("developers/webhook.html", once=new_id("form"), **_endpoint_context(endpoint_id))


@pages.get("/webhooks/<endpoint_id>/deliveries")
@login_required(Scope.WEBHOOKS_WRITE)
def live_deliveries(endpoint_id: str) -> Response:
    allow_only_arguments("cursor", "state")
    return render_fragment("developers/deliveries.html", **_endpoint_context(endpoint_id))


@pages.post("/webhooks/<endpoint_id>/rotate")
@login_required(Scope.WEBHOOKS_WRITE)
def rotate_secret(endpoint_id: str) -> Response:
    return _created(create_with_secret(lambda db: _id_and_secret(_service(db).rotate(endpoint_id))))


@pages.post("/webhooks/<endpoint_id>/resume")
@login_required(Scope.WEBHOOKS_WRITE)
def resume_endpoint(endpoint_id: str) -> WerkzeugResponse:
    message = gettext("Deliveries go on: what waited is sent now.")
    return submit_action(lambda db: _service(db).resume(endpoint_id), f"{ENDPOINTS}/{endpoint_id}", message)


@pages.post("/webhooks/<endpoint_id>/test")
@login_required(Scope.WEBHOOKS_WRITE)
def test_endpoint(endpoint_id: str) -> WerkzeugResponse:
    message = gettext("A test event is on its way; what comes back stands below.")
    return submit_action(lambda db: _service(db).try_out(endpoint_id), f"{ENDPOINTS}/{endpoint_id}", message)


@pages.post("/webhooks/<endpoint_id>/remove")
@login_required(Scope.WEBHOOKS_WRITE)
def remove_endpoint(endpoint_id: str) -> WerkzeugResponse:
    message = gettext("The endpoint was removed; nothing more is sent there.")
    return submit_action(lambda db: _service(db).remove(endpoint_id), ENDPOINTS, message)


@pages.get("/events")
@login_required(Scope.WEBHOOKS_WRITE)
def list_events() -> Response:
    allow_only_arguments("cursor", "type", "merchant_no")
    limit, cursor = page_arguments()
    with services().reading() as db:
        asked = given_filters("type", "merchant_no")
        filters = queries.Filters(type=asked.get("type"), merchant_no=asked.get("merchant_no"))
        page = queries.list_events(db, current_caller(), filters, limit=limit, cursor=cursor)
    return render_page(
        "developers/events.html",
        page=page,
        types=LABELS,
        wanted=queries.EVENT_TYPES,
        place_of=place_of,
    )


@pages.post("/events/<event_id>/resend")
@login_required(Scope.WEBHOOKS_WRITE)
def resend_event(event_id: str) -> WerkzeugResponse:
    endpoint_id = optional_text("endpoint_id", LONGEST_NUMBER)

    def message(deliveries: Sequence[str]) -> str:
        count = len(deliveries)
        return str(ngettext("Sent again to %(num)d endpoint.", "Sent again to %(num)d endpoints.", count))

    then = f"{ENDPOINTS}/{endpoint_id}" if endpoint_id else f"{pages.url_prefix}/events"
    return submit_action(lambda db: _service(db).resend(event_id, endpoint_id), then, message, back=then)


def state_of(endpoint: Endpoint) -> Label:
    """Return how an endpoint is doing."""
    if endpoint.paused_at:
        return PAUSED
    return FAILING if endpoint.failures else ACTIVE


def place_of(data: dict[str, str]) -> str | None:
    """Return the page of what an event is about, if it has one."""
    return next((place + data[name] for name, place in PLACES.items() if data.get(name)), None)


def _service(db: Session, by: Caller | None = None) -> EndpointService:
    parts = services().vault, by or current_caller(), services().audit
    return EndpointService(db, *parts, database.now(db), loopback=services().settings.sandbox)


def _asked() -> EndpointRequest:
    types, every = ticked_choices("types", queries.EVENT_TYPES), required_choice("subscribe_all", SUBSCRIBE_ALL)
    if not (types or every):
        detail = "no type of event is chosen"
        raise ValidationFailed(detail, errors=[ErrorDetail("/types", "types_missing", detail)])
    about = optional_text("description", LONGEST_DESCRIPTION)
    return EndpointRequest(required_text("url", LONGEST_URL), None if every else types, about)


def _id_and_secret(endpoint: Endpoint) -> tuple[str, str]:
    return endpoint.id, services().vault.open(endpoint.secret, secret_place(endpoint.id))


def _form(errors: Sequence[str]) -> Response:
    merchants = sorted(current_caller().merchants or ())
    types = {one: LABELS[one] for one in queries.EVENT_TYPES}
    return render_page(
        "developers/webhook_form.html", errors=errors, types=types, merchants=merchants, once=new_id("form")
    )


def _endpoint_context(endpoint_id: str) -> dict[str, Any]:
    """An endpoint with a page of its deliveries, and whether one of them is on its way."""
    _limit, cursor = page_arguments()
    state = given_filters("state").get("state")
    with services().reading() as db:
        endpoint = queries.endpoint_of(db, endpoint_id, current_caller())
        page = queries.list_deliveries(db, endpoint_id, state=state, event_id=None, limit=A_FEW, cursor=cursor)
    now = request_time()
    moving = any(one.due_at is not None and one.due_at <= now for one in page.rows)
    return {
        "endpoint": endpoint,
        "page": page,
        "moving": moving,
        "state": state_of(endpoint),
        "states": STATE_LABELS[DeliveryState],
        "why_paused": WHY_PAUSED.get(endpoint.paused_why or ""),
        "resendable": queries.EVENT_TYPES,
    }


def _created(made: CreatedWithSecret) -> Response:
    with services().reading() as db:
        endpoint = queries.endpoint_of(db, made.id, current_caller())
    return render_page("developers/webhook_created.html", CREATED, endpoint=endpoint, secret=made.secret)
