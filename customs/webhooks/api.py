"""The API of events and webhook endpoints."""

from typing import Any

from flask import Blueprint
from sqlalchemy.orm import Session

from customs.auth.principal import Scope
from customs.db import database
from customs.web.api_docs import PAGE, TIMES, api_docs, one_of, texts
from customs.web.idempotency import idempotent
from customs.web.json_body import raw_body, validate_json
from customs.web.request import (
    api_key_required,
    current_caller,
    list_json,
    page_arguments,
    text_argument,
    time_argument,
)
from customs.web.response_fields import page_schema
from customs.web.services import services
from customs.webhooks import queries, serializers
from customs.webhooks.models import DeliveryState
from customs.webhooks.queries import EVENT_TYPES
from customs.webhooks.serializers import (
    DeliveryOut,
    EndpointIn,
    EndpointOut,
    EndpointWithSecretOut,
    EventOut,
    ResendIn,
    ResentOut,
    TestSentOut,
)
from customs.webhooks.subscriptions import EndpointService

api = Blueprint("webhooks", __name__, url_prefix="/api/v1")


def _service(db: Session) -> EndpointService:
    loopback = services().settings.sandbox
    return EndpointService(
        db, services().vault, current_caller(), services().audit, database.now(db), loopback=loopback
    )


def _shown(endpoint_id: str) -> dict[str, Any]:
    with services().reading() as db:
        return serializers.endpoint_json(queries.endpoint_of(db, endpoint_id, current_caller()))


def _shown_with_secret(endpoint_id: str) -> dict[str, Any]:
    # Opened for the answer: what is kept for an Idempotency-Key must not hold it.
    with services().reading() as db:
        found = queries.endpoint_of(db, endpoint_id, current_caller())
        return serializers.endpoint_with_secret_json(found, services().vault)


# Every key sees the events of what it may read.
@api.get("/events")
@api_key_required(None)
@api_docs(
    "Webhooks",
    "What happened, newest first",
    page_schema(EventOut),
    "One page.",
    query=(*PAGE, *TIMES, one_of("type", EVENT_TYPES)),
)
def list_events() -> dict[str, Any]:
    limit, cursor = page_arguments()
    filters = queries.Filters(
        text_argument("type", queries.EVENT_TYPES), time_argument("since"), time_argument("until")
    )
    with services().reading() as db:
        page = queries.list_events(db, current_caller(), filters, limit=limit, cursor=cursor)
        return list_json(page, [serializers.event_json(one) for one in page.rows])


@api.get("/events/<event_id>")
@api_key_required(None)
@api_docs("Webhooks", "One event", EventOut, "The event.")
def read_event(event_id: str) -> dict[str, Any]:
    with services().reading() as db:
        return serializers.event_json(queries.event_of(db, event_id, current_caller()))


@api.post("/events/<event_id>/resend")
@api_key_required(Scope.WEBHOOKS_WRITE)
@api_docs(
    "Webhooks",
    "Deliver an event again",
    ResentOut,
    "Taken.",
    status=202,
    body=ResendIn,
    body_optional=True,
    codes=("action_not_allowed",),
    idempotent=True,
)
def resend_event(event_id: str) -> tuple[dict[str, Any], int]:
    raw = raw_body()
    asked = validate_json(ResendIn()) if raw else {}

    def work(db: Session) -> tuple[dict[str, Any], int]:
        return {
            "event_id": event_id,
            "deliveries": list(_service(db).resend(event_id, asked.get("endpoint_id"))),
        }, 202

    answer = idempotent(raw, work)
    services().notifier.notify()
    return answer


@api.post("/webhook-endpoints")
@api_key_required(Scope.WEBHOOKS_WRITE)
@api_docs(
    "Webhooks",
    "Subscribe an address",
    EndpointWithSecretOut,
    "With its secret, shown once.",
    status=201,
    body=EndpointIn,
    codes=("action_not_allowed",),
    idempotent=True,
)
def create_endpoint() -> tuple[dict[str, Any], int]:
    raw = raw_body()
    asked = validate_json(EndpointIn())
    answer, status = idempotent(raw, lambda db: ({"id": _service(db).create(asked).id}, 201))
    return _shown_with_secret(answer["id"]), status


@api.get("/webhook-endpoints")
@api_key_required(Scope.WEBHOOKS_WRITE)
@api_docs("Webhooks", "The endpoints", page_schema(EndpointOut), "One page.", query=PAGE)
def list_endpoints() -> dict[str, Any]:
    limit, cursor = page_arguments()
    with services().reading() as db:
        page = queries.list_endpoints(db, current_caller(), limit=limit, cursor=cursor)
        return list_json(page, [serializers.endpoint_json(one) for one in page.rows])


@api.get("/webhook-endpoints/<endpoint_id>")
@api_key_required(Scope.WEBHOOKS_WRITE)
@api_docs("Webhooks", "One endpoint", EndpointOut, "The endpoint.")
def read_endpoint(endpoint_id: str) -> dict[str, Any]:
    return _shown(endpoint_id)


@api.route("/webhook-endpoints/<endpoint_id>", methods=["DELETE"])
@api_key_required(Scope.WEBHOOKS_WRITE)
@api_docs("Webhooks", "Tell it nothing more", None, "Gone.", status=204)
def delete_endpoint(endpoint_id: str) -> tuple[str, int]:
    with services().transaction() as db:
        _service(db).remove(endpoint_id)
    return "", 204


@api.post("/webhook-endpoints/<endpoint_id>/rotate")
@api_key_required(Scope.WEBHOOKS_WRITE)
@api_docs(
    "Webhooks", "A new secret; both sign for a while", EndpointWithSecretOut, "With its new secret.", idempotent=True
)
def rotate_secret(endpoint_id: str) -> tuple[dict[str, Any], int]:
    _answer, status = idempotent(raw_body(), lambda db: ({"id": _service(db).rotate(endpoint_id).id}, 200))
    return _shown_with_secret(endpoint_id), status


@api.post("/webhook-endpoints/<endpoint_id>/resume")
@api_key_required(Scope.WEBHOOKS_WRITE)
@api_docs("Webhooks", "Resume a paused endpoint", EndpointOut, "Active.", idempotent=True)
def resume_endpoint(endpoint_id: str) -> tuple[dict[str, Any], int]:
    _answer, status = idempotent(raw_body(), lambda db: ({"id": _service(db).resume(endpoint_id).id}, 200))
    services().notifier.notify()
    return _shown(endpoint_id), status


@api.post("/webhook-endpoints/<endpoint_id>/test")
@api_key_required(Scope.WEBHOOKS_WRITE)
@api_docs(
    "Webhooks",
    "Send it a test event",
    TestSentOut,
    "Taken.",
    status=202,
    codes=("action_not_allowed",),
    idempotent=True,
)
def test_endpoint(endpoint_id: str) -> tuple[dict[str, Any], int]:
    answer = idempotent(raw_body(), lambda db: (_service(db).try_out(endpoint_id), 202))
    services().notifier.notify()
    return answer


@api.get("/webhook-endpoints/<endpoint_id>/deliveries")
@api_key_required(Scope.WEBHOOKS_WRITE)
@api_docs(
    "Webhooks",
    "What was sent and what it answered",
    page_schema(DeliveryOut),
    "One page.",
    query=(*PAGE, one_of("state", DeliveryState), *texts("event_id")),
)
def list_deliveries(endpoint_id: str) -> dict[str, Any]:
    limit, cursor = page_arguments()
    state, event_id = text_argument("state", tuple(DeliveryState)), text_argument("event_id")
    with services().reading() as db:
        queries.endpoint_of(db, endpoint_id, current_caller())
        page = queries.list_deliveries(db, endpoint_id, state=state, event_id=event_id, limit=limit, cursor=cursor)
        return list_json(page, [serializers.delivery_json(one) for one in page.rows])
