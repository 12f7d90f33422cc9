"""Claim: reserve due deliveries, endpoints in turn and few at a time: one that hangs keeps nobody else waiting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select, update

from customs.db.database import Base
from customs.events.outbox import OUTBOX
from customs.jobs.leases import Leases, bound, is_claimable
from customs.webhooks.models import Delivery, Endpoint

DELIVERIES = Base.metadata.tables[Delivery.__tablename__]
ENDPOINTS = Base.metadata.tables[Endpoint.__tablename__]
delivery, endpoint, event = DELIVERIES.c, ENDPOINTS.c, OUTBOX.c

LEASES = Leases(DELIVERIES)

# Requests of one endpoint in the air at once, over all processes; one that fails is tried by one request at a time.
MOST_AT_ONCE = 4
ENDPOINTS_A_CLAIM = 50


@dataclass(frozen=True, eq=False)
class Task:
    """One reserved delivery: what to send where, and the fence under which its answer may be recorded.

    `secrets` are sealed, the newest first.
    """

    id: str
    fence: int
    endpoint_id: str
    url: str
    secrets: tuple[str, ...]
    event: Mapping[str, Any]

    @property
    def lease(self) -> tuple[str, int]:
        return self.id, self.fence


def is_awake(now: datetime) -> ColumnElement[bool]:
    """The condition that something may be sent to an endpoint now."""
    unheld = or_(endpoint.held_until.is_(None), endpoint.held_until <= now)
    return and_(endpoint.deleted_at.is_(None), endpoint.paused_at.is_(None), unheld)


def is_waiting(db: Connection, now: datetime) -> bool:
    """Whether a delivery could be claimed now."""
    due = select(delivery.id).where(delivery.endpoint_id == endpoint.id, is_claimable(delivery, now)).exists()
    return db.scalar(select(endpoint.id).where(is_awake(now), due).limit(1)) is not None


def claim(
    db: Connection, *, room: int, now: datetime, holder: str, lease: timedelta, after: str = ""
) -> tuple[list[Task], str]:
    """Reserve at most `room` due deliveries, beginning with the endpoint behind `after`; also says where it ended."""
    due = select(delivery.id).where(delivery.endpoint_id == endpoint.id, is_claimable(delivery, now)).exists()
    hungry = db.execute(
        select(ENDPOINTS)
        .where(is_awake(now), due)
        # Those behind `after` come first: everybody has a turn.
        .order_by(endpoint.id <= after, endpoint.id)
        .limit(ENDPOINTS_A_CLAIM)
        # Whoever counts what an endpoint has in the air is alone with it.
        .with_for_update(skip_locked=True, of=ENDPOINTS)
    ).all()
    reserved: dict[str, Row[Any]] = {}
    for left, one in zip(range(len(hungry), 0, -1), hungry, strict=True):
        share = -(-(room - len(reserved)) // left)
        if share < 1:
            break
        reserved |= dict.fromkeys(_reserve(db, one, share, now, holder, lease), one)
        after = one.id
    return _tasks(db, reserved, now), after


def _reserve(db: Connection, one: Row[Any], share: int, now: datetime, holder: str, lease: timedelta) -> Sequence[str]:
    in_the_air = select(func.count()).where(delivery.endpoint_id == one.id, delivery.lease_until >= now)
    most = 1 if one.failures else MOST_AT_ONCE
    share = min(share, most - (db.scalar(in_the_air.where(delivery.holder.is_not(None))) or 0))
    if share < 1:
        return []
    found = db.scalars(
        select(delivery.id)
        .where(delivery.endpoint_id == one.id, is_claimable(delivery, now))
        .order_by(delivery.due_at)
        .limit(share)
        .with_for_update(skip_locked=True, of=DELIVERIES)
    ).all()
    LEASES.claim(db, found, holder, now + lease)
    return found


def _tasks(db: Connection, reserved: Mapping[str, Row[Any]], now: datetime) -> list[Task]:
    if not reserved:
        return []
    columns = (event.id, event.type, event.created_at, event.data)
    rows = db.execute(
        select(delivery.id.label("delivery_id"), delivery.fence, *columns)
        .join_from(DELIVERIES, OUTBOX, event.id == delivery.event_id)
        .where(delivery.id.in_(list(reserved)))
        .order_by(delivery.due_at, delivery.id)
    ).mappings()
    return [_task(dict(row), reserved[row["delivery_id"]], now) for row in rows]


def _task(row: Mapping[str, Any], one: Row[Any], now: datetime) -> Task:
    is_rotating = one.previous_secret is not None and one.previous_until > now
    secrets = (one.secret, one.previous_secret) if is_rotating else (one.secret,)
    event = {name: row[name] for name in ("id", "type", "created_at", "data")}
    return Task(row["delivery_id"], row["fence"], one.id, one.url, secrets, event)


def mark(db: Connection, tasks: Sequence[Task], now: datetime, lease: timedelta) -> list[Task]:
    """Renew the leases of tasks that leave now, where fence and endpoint still allow it; the others are let go."""
    if not tasks:
        return []
    alive = select(endpoint.id).where(
        endpoint.id == delivery.endpoint_id, endpoint.deleted_at.is_(None), endpoint.paused_at.is_(None)
    )
    leaving = update(DELIVERIES).where(LEASES.are_leased, alive.exists()).values(lease_until=now + lease)
    marked = db.execute(leaving.returning(delivery.id, delivery.fence), {"leases": bound(tasks)})
    return LEASES.keep(db, tasks, ((row.id, row.fence) for row in marked))
