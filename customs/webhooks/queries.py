"""Queries for events, endpoints and deliveries, each within what the caller may see."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, not_, or_, select, true
from sqlalchemy.orm import Session, joinedload, selectinload

from customs.auth.principal import Caller, Scope
from customs.db.pagination import Page, page_of
from customs.declarations.models import BatchMerchant
from customs.errors import NotFound
from customs.events.outbox import EventType, OutboxEvent
from customs.webhooks.models import Delivery, Endpoint, EndpointMerchant

# Who may read of an event, by what it is about.
SUBJECT_SCOPES = {
    "batch": Scope.DECLARATIONS_READ,
    "declaration": Scope.DECLARATIONS_READ,
    "lane": Scope.DECLARATIONS_READ,
    "payment": Scope.PAYMENTS_READ,
    "refund": Scope.PAYMENTS_READ,
}
# Those that endpoints subscribe to, each with the scope that reads it.
TYPE_SCOPES = {str(one): SUBJECT_SCOPES[one.subject] for one in EventType if one is not EventType.WEBHOOK_TEST}
EVENT_TYPES = tuple(TYPE_SCOPES)


@dataclass(frozen=True)
class Filters:
    """Filters for the list of events. `since` and `until` bound created_at, half open."""

    type: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    merchant_no: str | None = None


def readable_types(caller: Caller) -> Collection[str]:
    """Return the types of events a caller may read: those within its scopes, or all if it may manage webhooks."""
    if caller.may(Scope.WEBHOOKS_WRITE):
        return EVENT_TYPES
    return [one for one, scope in TYPE_SCOPES.items() if caller.may(scope)]


def sees_event(caller: Caller) -> ColumnElement[bool]:
    """Match events of the caller's merchants, of batches without another's merchant, and of everybody."""
    if caller.merchants is None:
        return true()
    of_batch = BatchMerchant.batch_id == OutboxEvent.batch_id
    foreign = exists().where(of_batch, not_(caller.sees(BatchMerchant.merchant_no)))
    shared = and_(OutboxEvent.merchant_no.is_(None), not_(foreign))
    return or_(OutboxEvent.merchant_no.in_(sorted(caller.merchants)), shared)


def event_of(db: Session, event_id: str, caller: Caller) -> OutboxEvent:
    """Return one event; raise NotFound also for another merchant's."""
    readable = OutboxEvent.type.in_(readable_types(caller))
    found = db.scalar(select(OutboxEvent).where(OutboxEvent.id == event_id, readable, sees_event(caller)))
    if found is None:
        raise NotFound
    return found


def list_events(db: Session, caller: Caller, filters: Filters, *, limit: int, cursor: str | None) -> Page:
    """Return a page of events, newest first."""
    types = [one for one in readable_types(caller) if filters.type in (None, one)]
    statement = select(OutboxEvent).where(OutboxEvent.type.in_(types), sees_event(caller))
    if filters.merchant_no is not None:
        statement = statement.where(OutboxEvent.merchant_no == filters.merchant_no)
    if filters.since is not None:
        statement = statement.where(OutboxEvent.created_at >= filters.since)
    if filters.until is not None:
        statement = statement.where(OutboxEvent.created_at < filters.until)
    return page_of(db, statement, (OutboxEvent.created_at, OutboxEvent.id), limit, cursor)


def sees_endpoint(caller: Caller) -> ColumnElement[bool]:
    """Match endpoints that subscribe to no merchant but the caller's."""
    if caller.merchants is None:
        return true()
    foreign = exists().where(
        EndpointMerchant.endpoint_id == Endpoint.id, not_(caller.sees(EndpointMerchant.merchant_no))
    )
    return and_(Endpoint.every_merchant.is_(False), not_(foreign))


def endpoint_of(db: Session, endpoint_id: str, caller: Caller, *, lock: bool = False) -> Endpoint:
    """Return an endpoint that is not deleted; raise NotFound also for another's."""
    statement = select(Endpoint).where(Endpoint.id == endpoint_id, Endpoint.deleted_at.is_(None), sees_endpoint(caller))
    found = db.scalar(statement.with_for_update(of=Endpoint) if lock else statement)
    if found is None:
        raise NotFound
    return found


def list_endpoints(db: Session, caller: Caller, *, limit: int, cursor: str | None) -> Page:
    """Return a page of endpoints that are not deleted, newest first."""
    statement = select(Endpoint).where(Endpoint.deleted_at.is_(None), sees_endpoint(caller))
    return page_of(db, statement, (Endpoint.created_at, Endpoint.id), limit, cursor)


def list_deliveries(
    db: Session, endpoint_id: str, *, state: str | None, event_id: str | None, limit: int, cursor: str | None
) -> Page:
    """Return a page of one endpoint's deliveries with their attempts, newest first."""
    statement = (
        select(Delivery)
        .where(Delivery.endpoint_id == endpoint_id)
        .options(joinedload(Delivery.event), selectinload(Delivery.attempts))
    )
    if state is not None:
        statement = statement.where(Delivery.state == state)
    if event_id is not None:
        statement = statement.where(Delivery.event_id == event_id)
    return page_of(db, statement, (Delivery.created_at, Delivery.id), limit, cursor)
