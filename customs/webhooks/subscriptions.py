"""Manage webhook endpoints: create, rotate, resume, try out, delete; and deliver an event again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from customs.audit.actions import AuditAction, audit_event
from customs.audit.trail import AuditTrail
from customs.auth.principal import Caller
from customs.db.bulk import insert_many
from customs.errors import ActionNotAllowed, ErrorDetail, ValidationFailed
from customs.events.outbox import OUTBOX, EventType, NewEvent, outbox_row
from customs.ids import new_id
from customs.privacy.masking import mask_free_text
from customs.privacy.vault import Vault
from customs.webhooks.fanout import DELIVERIES, active_subscriptions, audiences_of, delivery_row
from customs.webhooks.http_sender import new_secret
from customs.webhooks.models import Delivery, DeliveryState, Endpoint, EndpointMerchant
from customs.webhooks.queries import endpoint_of, event_of, sees_endpoint
from customs.webhooks.record import HEALTHY
from customs.webhooks.ssrf_guard import TargetRefused, read_target

# Both secrets sign for this long after a rotation.
OVERLAP = timedelta(hours=24)
MOST_ENDPOINTS = 50


def secret_place(endpoint_id: str) -> str:
    """Return the place that an endpoint's secrets are sealed to."""
    return f"webhook_endpoints.secret:{endpoint_id}"


@dataclass(frozen=True)
class EndpointRequest:
    """An endpoint to create; `types`: None means all of them."""

    url: str
    types: Sequence[str] | None = None
    description: str | None = None


class EndpointService:
    """Changes one caller's endpoints in one transaction. `loopback`: whether this machine is a target."""

    def __init__(
        self, db: Session, vault: Vault, by: Caller, audit: AuditTrail, now: datetime, *, loopback: bool
    ) -> None:
        self._db = db
        self._vault = vault
        self._by = by
        self._audit = audit
        self._now = now
        self._loopback = loopback

    def create(self, request: EndpointRequest) -> Endpoint:
        """Create an endpoint for the caller's merchants; raises ValidationFailed for a URL that is no target."""
        try:
            read_target(request.url, loopback=self._loopback)
        except TargetRefused as error:
            raise ValidationFailed(
                f"url: {error}", errors=[ErrorDetail("/url", "target_refused", str(error))]
            ) from error
        living = select(func.count()).where(Endpoint.owner == self._by.id, Endpoint.deleted_at.is_(None))
        if (self._db.scalar(living) or 0) >= MOST_ENDPOINTS:
            detail = f"a key has at most {MOST_ENDPOINTS} endpoints; delete one first"
            raise ActionNotAllowed(detail, errors=[ErrorDetail("", "endpoints_too_many", detail)])
        endpoint_id = new_id("whe")
        endpoint = Endpoint(
            id=endpoint_id,
            url=request.url,
            types=None if request.types is None else sorted(set(request.types)),
            description=request.description and mask_free_text(request.description),
            every_merchant=self._by.merchants is None,
            owner=self._by.id,
            created_at=self._now,
            secret=self._new_secret(endpoint_id),
            merchants=[EndpointMerchant(merchant_no=one) for one in sorted(self._by.merchants or ())],
        )
        self._db.add(endpoint)
        self._record(AuditAction.WEBHOOK_CREATE, endpoint)
        return endpoint

    def rotate(self, endpoint_id: str) -> Endpoint:
        """Make a new secret; the one before it goes on signing for a day."""
        endpoint = self._locked(endpoint_id)
        endpoint.previous_secret, endpoint.secret = endpoint.secret, self._new_secret(endpoint_id)
        endpoint.previous_until = self._now + OVERLAP
        self._record(AuditAction.WEBHOOK_ROTATE, endpoint)
        return endpoint

    def resume(self, endpoint_id: str) -> Endpoint:
        """Let a paused endpoint have the deliveries that waited for it, and those to come."""
        endpoint = self._locked(endpoint_id)
        endpoint.paused_at = endpoint.paused_why = None
        for name, value in HEALTHY.items():
            setattr(endpoint, name, value)
        waiting = (DELIVERIES.c.endpoint_id == endpoint_id, DELIVERIES.c.state == DeliveryState.WAITING)
        self._db.execute(
            update(DELIVERIES).where(*waiting, DELIVERIES.c.due_at.is_(None)).values(due_at=self._now, attempt_count=0)
        )
        self._record(AuditAction.WEBHOOK_RESUME, endpoint)
        return endpoint

    def remove(self, endpoint_id: str) -> None:
        """Send nothing more there; keep the record of what was sent."""
        endpoint = self._locked(endpoint_id)
        endpoint.deleted_at = self._now
        waiting = (DELIVERIES.c.endpoint_id == endpoint_id, DELIVERIES.c.state == DeliveryState.WAITING)
        ended = {"state": DeliveryState.FAILED, "due_at": None, "ended_at": self._now}
        self._db.execute(update(DELIVERIES).where(*waiting).values(ended))
        self._record(AuditAction.WEBHOOK_DELETE, endpoint)

    def try_out(self, endpoint_id: str) -> dict[str, Any]:
        """Send a test event to one endpoint only; return its ids."""
        endpoint = self._locked(endpoint_id)
        data = {"endpoint_id": endpoint_id}
        row = outbox_row(NewEvent(EventType.WEBHOOK_TEST, None, data), self._now, pending=False)
        due_at = None if endpoint.paused_at else self._now
        connection = self._db.connection()
        insert_many(connection, OUTBOX, [row])
        insert_many(connection, DELIVERIES, [delivery_row(row["id"], endpoint_id, due_at, self._now)])
        return {"event_id": row["id"], "type": row["type"], "endpoint_id": endpoint_id}

    def resend(self, event_id: str, endpoint_id: str | None) -> Sequence[str]:
        """Deliver an event once more, to one endpoint or to all of the caller's that want it; returns delivery ids."""
        found = event_of(self._db, event_id, self._by)
        row = {"id": found.id, "merchant_no": found.merchant_no, "batch_id": found.batch_id}
        audience = audiences_of(self._db, [row])[found.id]
        asked = select(Endpoint).where(Endpoint.deleted_at.is_(None), sees_endpoint(self._by))
        if endpoint_id is not None:
            endpoint_of(self._db, endpoint_id, self._by)
            asked = asked.where(Endpoint.id == endpoint_id)
        mine = self._db.scalars(asked.order_by(Endpoint.id).with_for_update()).all()
        able = {one.id for one in active_subscriptions(self._db) if one.matches(found.type, audience)}
        wanting = [one for one in mine if one.id in able]
        if not wanting:
            detail = "no endpoint of this key wants this event"
            raise ActionNotAllowed(detail, errors=[ErrorDetail("", "event_unwanted", detail)])
        return [self._again(found.id, one) for one in wanting]

    def _again(self, event_id: str, endpoint: Endpoint) -> str:
        due_at = None if endpoint.paused_at else self._now
        named = (Delivery.event_id == event_id, Delivery.endpoint_id == endpoint.id)
        known = self._db.scalar(select(Delivery).where(*named).with_for_update())
        if known is None:
            row = delivery_row(event_id, endpoint.id, due_at, self._now)
            insert_many(self._db.connection(), DELIVERIES, [row])
            return str(row["id"])
        known.state, known.due_at, known.attempt_count, known.ended_at = DeliveryState.WAITING, due_at, 0, None
        self._db.flush()
        return known.id

    def _record(self, action: AuditAction, endpoint: Endpoint) -> None:
        """Record an action with the endpoint's host alone: the rest of a URL may be a secret of the receiver's."""
        merchants = [one.merchant_no for one in endpoint.merchants]
        only = merchants[0] if len(merchants) == 1 else None
        host = urlsplit(endpoint.url).hostname or ""
        self._audit.append(self._db, audit_event(self._by, action, endpoint.id, merchant_no=only, host=host), self._now)

    def _locked(self, endpoint_id: str) -> Endpoint:
        return endpoint_of(self._db, endpoint_id, self._by, lock=True)

    def _new_secret(self, endpoint_id: str) -> str:
        return self._vault.seal(new_secret(), secret_place(endpoint_id))
