"""JSON of events, endpoints and deliveries, answered and asked for; only the answer that makes a secret shows it."""

from typing import Any

from marshmallow import ValidationError, fields, post_load

from customs.events.outbox import EventType, OutboxEvent
from customs.privacy.vault import Vault
from customs.validation import NOT_LIST, NULL, REQUIRED, Choice, FieldError, Strict, Text
from customs.web import response_fields as out
from customs.web.response_fields import Out
from customs.webhooks.models import LONGEST_URL, Delivery, DeliveryState, Endpoint
from customs.webhooks.queries import EVENT_TYPES
from customs.webhooks.subscriptions import EndpointRequest, secret_place

EVENT_DATA = "Ids and states; read the thing by its id. No personal data."


class EventOut(Out):
    """One thing that happened."""

    id = out.Id("evt")
    type = out.Text("What happened, such as `declaration.state_changed`.")
    created_at = out.Instant()
    merchant_no = out.Text("The merchant it concerns; null for several or all of them.", null=True)
    data = out.JsonObject(EVENT_DATA)


class EndpointOut(Out):
    """An address to which events are sent."""

    id = out.Id("whe")
    created_at = out.Instant()
    url = out.Text()
    types = out.List(out.Choice(EVENT_TYPES), "The types of events that go there; null: all of them.", null=True)
    description = out.Text(null=True)
    merchants = out.List(
        out.Text(),
        "The merchants whose events go there; null: every merchant's.",
        of=lambda one: None if one.every_merchant else [merchant.merchant_no for merchant in one.merchants],
        null=True,
    )
    state = out.Choice(
        ("active", "paused"),
        "To a paused endpoint nothing is sent until it is resumed.",
        of=lambda one: "paused" if one.paused_at else "active",
    )
    paused_at = out.Instant("Since when it is paused.", null=True)
    paused_why = out.Text("Why it is paused.", null=True)
    failures = out.Integer("Failures in a row.")
    failing_since = out.Instant("The first of these failures.", null=True)
    held_until = out.Instant("Nothing goes there before this.", null=True)
    previous_secret_until = out.Instant(
        "Until then deliveries carry both signatures.", attribute="previous_until", null=True
    )


class EndpointWithSecretOut(EndpointOut):
    """An endpoint with its secret."""

    secret = out.Text("Shown in this answer only.", shape={"examples": ["whsec_..."]})


class DeliveryRequestOut(Out):
    """What is sent to an endpoint."""

    type = out.Text("What happened.")
    timestamp = out.Instant("When it happened.", attribute="created_at")
    data = out.JsonObject(EVENT_DATA)


class DeliveryAttemptOut(Out):
    """One request to an endpoint."""

    at = out.Instant()
    url = out.Text()
    status = out.Integer("The status of the answer; null when none began.", null=True)
    duration_ms = out.Integer()
    response = out.Text("The beginning of the answer's body.", null=True)
    error = out.Text("Why there was no answer.", null=True)


class DeliveryOut(Out):
    """One event for one endpoint."""

    id = out.Id("whd")
    created_at = out.Instant()
    endpoint_id = out.Id("whe", "Where it goes.")
    event_id = out.Id("evt", "The event that it delivers.", attribute="event_id")
    state = out.Choice(DeliveryState, "WAITING until it was delivered or given up.")
    due_at = out.Instant(null=True)
    ended_at = out.Instant("When it was delivered or given up.", null=True)
    request = out.Object(DeliveryRequestOut, attribute="event")
    attempts = out.List(out.Object(DeliveryAttemptOut), "Every request that was made, oldest first.")


class ResentOut(Out):
    """What is sent again."""

    event_id = out.Id("evt", "The event that is sent again.")
    deliveries = out.List(out.Id("whd"), "Its deliveries, one for each endpoint.")


class TestSentOut(Out):
    """A test event that goes to one endpoint."""

    event_id = out.Id("evt", "The test event.")
    type = out.Choice((EventType.WEBHOOK_TEST,), "What a test event says.")
    endpoint_id = out.Id("whe", "Where it goes.")


EVENT, ENDPOINT, DELIVERY = EventOut(), EndpointOut(), DeliveryOut()


def event_json(event: OutboxEvent) -> dict[str, Any]:
    shown: dict[str, Any] = EVENT.dump(event)
    return shown


def endpoint_json(endpoint: Endpoint) -> dict[str, Any]:
    shown: dict[str, Any] = ENDPOINT.dump(endpoint)
    return shown


def endpoint_with_secret_json(endpoint: Endpoint, vault: Vault) -> dict[str, Any]:
    return endpoint_json(endpoint) | {"secret": vault.open(endpoint.secret, secret_place(endpoint.id))}


def delivery_json(delivery: Delivery) -> dict[str, Any]:
    shown: dict[str, Any] = DELIVERY.dump(delivery)
    return shown


def _check_count(chosen: list[str]) -> None:
    if not 1 <= len(chosen) <= len(EVENT_TYPES):
        raise ValidationError([FieldError(f"this names {len(chosen)}", "length", "name some, or leave it out for all")])


class EndpointIn(Strict):
    """A request to make or change an endpoint; without `types` it takes every event."""

    url = Text(LONGEST_URL, required=True)
    types = fields.List(
        Choice(EVENT_TYPES),
        validate=_check_count,
        error_messages={"required": REQUIRED, "null": NULL, "invalid": NOT_LIST},
        metadata={"minItems": 1, "maxItems": len(EVENT_TYPES)},
    )
    description = Text()

    @post_load
    def make(self, data: dict[str, Any], **_options: object) -> EndpointRequest:
        return EndpointRequest(**data)


class ResendIn(Strict):
    """A request to send an event again; without an endpoint to all of the caller's that subscribe to it."""

    endpoint_id = Text(40)
