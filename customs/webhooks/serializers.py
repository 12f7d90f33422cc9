"""How events, endpoints and deliveries look from outside; a secret shows only in the answer that made it."""

from typing import Any

from customs.events.outbox import OutboxEvent
from customs.privacy.vault import Vault
from customs.timestamps import instant
from customs.webhooks.models import Attempt, Delivery, Endpoint
from customs.webhooks.subscriptions import secret_place


def event_json(event: OutboxEvent) -> dict[str, Any]:
    return {
        "id": event.id,
        "type": event.type,
        "created_at": instant(event.created_at),
        "merchant_no": event.merchant_no,
        "data": event.data,
    }


def endpoint_json(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": endpoint.id,
        "created_at": instant(endpoint.created_at),
        "url": endpoint.url,
        "types": endpoint.types,
        "description": endpoint.description,
        "merchants": None if endpoint.every_merchant else [one.merchant_no for one in endpoint.merchants],
        "state": "paused" if endpoint.paused_at else "active",
        "paused_at": instant(endpoint.paused_at),
        "paused_why": endpoint.paused_why,
        "failures": endpoint.failures,
        "failing_since": instant(endpoint.failing_since),
        "held_until": instant(endpoint.held_until),
        "previous_secret_until": instant(endpoint.previous_until),
    }


def endpoint_with_secret_json(endpoint: Endpoint, vault: Vault) -> dict[str, Any]:
    return endpoint_json(endpoint) | {"secret": vault.open(endpoint.secret, secret_place(endpoint.id))}


def delivery_json(delivery: Delivery) -> dict[str, Any]:
    event = delivery.announcement
    return {
        "id": delivery.id,
        "created_at": instant(delivery.created_at),
        "endpoint_id": delivery.endpoint_id,
        "event_id": event.id,
        "state": delivery.state,
        "due_at": instant(delivery.due_at),
        "ended_at": instant(delivery.ended_at),
        "request": {"type": event.type, "timestamp": instant(event.created_at), "data": event.data},
        "attempts": [attempt_json(one) for one in delivery.attempts],
    }


def attempt_json(attempt: Attempt) -> dict[str, Any]:
    return {
        "at": instant(attempt.at),
        "url": attempt.url,
        "status": attempt.status,
        "duration_ms": attempt.duration_ms,
        "response": attempt.response,
        "error": attempt.error,
    }
