"""A courier to test with: the product's own announcing, endpoints and desk on a real database, step by step."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from customs.auth.principal import Caller, operator
from customs.container import Services
from customs.events.outbox import EventType, NewEvent, OutboxEvent, publish
from customs.webhooks import queries
from customs.webhooks.claim import DELIVERIES, ENDPOINTS, Task
from customs.webhooks.delivery_handler import DeliveryHandler
from customs.webhooks.http_sender import Answer, Sender
from customs.webhooks.models import Delivery, Endpoint
from customs.webhooks.subscriptions import EndpointRequest, EndpointService, secret_place
from tests import make

TIMEOUT = 1.0


class Courier:
    """One deployment's webhooks without processes; `sender` waits a second at most."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.sender = Sender(timeout=TIMEOUT, loopback=True)

    def endpoints(self, db: Any, by: Caller | None = None) -> EndpointService:
        parts = self.services.vault, by or operator(), self.services.audit
        return EndpointService(db, *parts, datetime.now(UTC), loopback=True)

    def listen(self, url: str, *types: EventType, by: Caller | None = None) -> str:
        """A new endpoint; returns its id."""
        with self.services.transaction() as db:
            return self.endpoints(db, by).create(EndpointRequest(url, [str(one) for one in types] or None)).id

    def decide(self, action: str, *args: Any, by: Caller | None = None) -> Any:
        with self.services.transaction() as db:
            return getattr(self.endpoints(db, by), action)(*args)

    def announce(self, *types: EventType, merchant_no: str | None = make.MERCHANT, **data: str) -> None:
        with self.services.transaction() as db:
            publish(db, [NewEvent(one, merchant_no, data) for one in types], datetime.now(UTC))

    def desk(self, sender: Sender | None = None) -> DeliveryHandler:
        """A worker that has just started."""
        services = self.services
        return DeliveryHandler(
            services.engine, services.settings, services.vault, services.failpoints, sender or self.sender
        )

    def fan_out(self) -> int:
        return self.desk().fan_out()

    def claim(self, room: int = 100) -> tuple[DeliveryHandler, list[Task]]:
        """What a fresh worker may send now."""
        desk = self.desk()
        return desk, desk.record_and_send([], desk.claim(room))

    def deliver(self, sender: Sender | None = None) -> list[Answer]:
        """One round: what is due is claimed, sent and recorded."""
        desk = self.desk(sender)
        answered = [(task, desk.call(task)) for task in desk.record_and_send([], desk.claim(100))]
        desk.record_and_send(answered, [])
        return [answer for _, answer in answered]

    def hurry(self) -> None:
        """Let so much time pass that everything which waits is due."""
        past = datetime.now(UTC) - timedelta(seconds=1)
        with self.services.engine.begin() as db:
            db.execute(update(DELIVERIES).where(DELIVERIES.c.due_at.is_not(None)).values(due_at=past))
            db.execute(update(DELIVERIES).values(lease_until=None))
            db.execute(update(ENDPOINTS).values(held_until=None))

    def endpoint(self, endpoint_id: str) -> Endpoint:
        with self.services.reading() as db:
            return db.get_one(Endpoint, endpoint_id)

    def secret(self, endpoint_id: str) -> str:
        return self.services.vault.open(self.endpoint(endpoint_id).secret, secret_place(endpoint_id))

    def deliveries(self, endpoint_id: str) -> Sequence[Delivery]:
        """Oldest first."""
        with self.services.reading() as db:
            page = queries.list_deliveries(db, endpoint_id, state=None, event_id=None, limit=200, cursor=None)
            return list(reversed(page.rows))

    def delivery(self, endpoint_id: str) -> Delivery:
        (only,) = self.deliveries(endpoint_id)
        return only

    def announced(self) -> Sequence[OutboxEvent]:
        """Everything that was announced, oldest first."""
        with self.services.reading() as db:
            return db.scalars(select(OutboxEvent).order_by(OutboxEvent.id)).all()

    def types(self) -> list[str]:
        return [one.type for one in self.announced()]
