"""Fan pending events out: one delivery for each endpoint whose subscription matches; publish the ends of batches.

Batches are looked at here, after the commit of what moved them: of two processes that record a batch's last two
answers at once, neither would see the other's.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from customs.db.bulk import in_list, insert_many
from customs.db.database import Base
from customs.declarations.models import BatchMerchant, BatchMove, BatchReplay
from customs.declarations.reading.queries import BatchState, is_running, progress_of
from customs.events.outbox import IS_PENDING, OUTBOX, EventType, NewEvent, OutboxEvent, outbox_row
from customs.ids import new_id
from customs.webhooks.models import BatchEnd, Delivery, Endpoint, EndpointMerchant

GROUP = 500

DELIVERIES = Base.metadata.tables[Delivery.__tablename__]
BATCH_ENDS = Base.metadata.tables[BatchEnd.__tablename__]
event = OUTBOX.c

# Of the data only what finds batches: all of it takes long to read, for thousands.
DECLARATION_ID = event.data["declaration_id"].as_string().label("declaration_id")
NEEDED = ("id", "merchant_no", "batch_id", "type", "created_at")
PENDING = (
    select(*(event[name] for name in NEEDED), DECLARATION_ID)
    .where(IS_PENDING)
    .order_by(event.created_at, event.id)
    .limit(GROUP)
    .with_for_update(skip_locked=True)
)
BATCH_MOVES = Base.metadata.tables[BatchMove.__tablename__]
MARKS = (
    select(BATCH_MOVES.c.id, BATCH_MOVES.c.batch_id)
    .order_by(BATCH_MOVES.c.id)
    .limit(GROUP)
    .with_for_update(skip_locked=True)
)
ENDS = {
    BatchState.DONE: EventType.BATCH_DONE,
    BatchState.ATTENTION: EventType.BATCH_NEEDS_ATTENTION,
}


@dataclass(frozen=True)
class Subscription:
    """What an endpoint subscribes to; `types` and `merchants`: None means all of them."""

    id: str
    types: frozenset[str] | None
    merchants: frozenset[str] | None
    paused: bool

    def matches(self, type_: str, audience: frozenset[str]) -> bool:
        """Whether an event of this type goes there; `audience`: the merchants it concerns, none for everybody."""
        return (self.types is None or type_ in self.types) and (self.merchants is None or audience <= self.merchants)


def is_pending(db: Connection) -> bool:
    """Whether an event waits for its fan-out, or a batch moved that nobody has looked at yet."""
    events, moves = select(event.id).where(IS_PENDING), select(BATCH_MOVES.c.id)
    return any(db.scalar(one.limit(1)) is not None for one in (events, moves))


def fan_out(db: Session, now: datetime) -> int:
    """Make the deliveries of a group of pending events in this transaction; return how many events there were."""
    connection = db.connection()
    rows = [dict(row) for row in connection.execute(PENDING).mappings()]
    marks = connection.execute(MARKS).all()
    if not (rows or marks):
        return 0
    ends = _ends(db, {*_moved_batches(db, rows), *(batch_id for _, batch_id in marks)}, now)
    insert_many(connection, OUTBOX, ends)
    insert_many(connection, DELIVERIES, _deliveries(db, [*rows, *ends], now))
    taken = in_list(db, OutboxEvent.id, [row["id"] for row in rows])
    connection.execute(update(OUTBOX).where(taken).values(pending=False))
    connection.execute(delete(BATCH_MOVES).where(BATCH_MOVES.c.id.in_([number for number, _ in marks])))
    return len(rows) + len(marks)


def _deliveries(db: Session, rows: Sequence[Mapping[str, Any]], now: datetime) -> list[dict[str, Any]]:
    subscriptions = active_subscriptions(db)
    if not subscriptions:
        return []
    audiences = audiences_of(db, rows)
    return [
        delivery_row(row["id"], one.id, None if one.paused else now, now)
        for row in rows
        for one in subscriptions
        if one.matches(row["type"], audiences[row["id"]])
    ]


def delivery_row(event_id: str, endpoint_id: str, due_at: datetime | None, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id("whd"),
        "event_id": event_id,
        "endpoint_id": endpoint_id,
        "created_at": now,
        "due_at": due_at,
    }


def active_subscriptions(db: Session) -> list[Subscription]:
    """Return the subscription of every endpoint that is not deleted."""
    columns = (Endpoint.id, Endpoint.types, Endpoint.every_merchant, Endpoint.paused_at)
    found = db.execute(select(*columns).where(Endpoint.deleted_at.is_(None)).order_by(Endpoint.id)).all()
    merchants: dict[str, set[str]] = {}
    if not all(every for _, _, every, _ in found):
        for endpoint_id, merchant_no in db.execute(select(EndpointMerchant.endpoint_id, EndpointMerchant.merchant_no)):
            merchants.setdefault(endpoint_id, set()).add(merchant_no)
    return [
        Subscription(
            id=endpoint_id,
            types=None if types is None else frozenset(types),
            merchants=None if every else frozenset(merchants.get(endpoint_id, ())),
            paused=paused_at is not None,
        )
        for endpoint_id, types, every, paused_at in found
    ]


def audiences_of(db: Session, rows: Sequence[Mapping[str, Any]]) -> dict[str, frozenset[str]]:
    """Return the merchants each event concerns: its own, those of its batch, or none when it is for everybody."""
    shared = {row["batch_id"] for row in rows if row["merchant_no"] is None and row["batch_id"] is not None}
    merchants = _merchants_of(db, sorted(shared))
    return {
        row["id"]: frozenset({row["merchant_no"]} if row["merchant_no"] else merchants.get(row["batch_id"], ()))
        for row in rows
    }


def _merchants_of(db: Session, batch_ids: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if batch_ids:
        wanted = in_list(db, BatchMerchant.batch_id, batch_ids)
        for batch_id, merchant_no in db.execute(
            select(BatchMerchant.batch_id, BatchMerchant.merchant_no).where(wanted)
        ):
            found.setdefault(batch_id, []).append(merchant_no)
    return found


def _ends(db: Session, moved: Collection[str], now: datetime) -> list[dict[str, Any]]:
    """Return events for those of these batches that came to rest, unless this very end was published before."""
    return [outbox_row(one, now, pending=False) for batch_id in sorted(moved) if (one := _end_of(db, batch_id, now))]


def _end_of(db: Session, batch_id: str, now: datetime) -> NewEvent | None:
    """Return the event of the end that a batch has come to, once; None for a batch that runs."""
    if is_running(db, batch_id):
        return None
    published = _lock_published_end(db, batch_id, now)
    # Only under the lock: what moved the batch by then has been committed.
    progress = progress_of(db, batch_id)
    if progress.state not in ENDS or published == (progress.state, progress.runs):
        return None
    end = {"state": str(progress.state), "runs": progress.runs, "announced_at": now}
    db.execute(update(BATCH_ENDS).where(BATCH_ENDS.c.batch_id == batch_id).values(end))
    merchants = _merchants_of(db, [batch_id]).get(batch_id, [])
    data = {
        "batch_id": batch_id,
        "state": str(progress.state),
        "total": progress.total,
        "needs_review": progress.needs_review,
        "cancelled": progress.cancelled,
        "open_rows": progress.open_rows,
    }
    return NewEvent(ENDS[progress.state], merchants[0] if len(merchants) == 1 else None, data, batch_id)


def _lock_published_end(db: Session, batch_id: str, now: datetime) -> tuple[str | None, int | None]:
    """Return state and run of the end that was published last; nobody else publishes one until this is committed."""
    insert = insert_sqlite if db.connection().dialect.name == "sqlite" else insert_postgresql
    end = BATCH_ENDS.c
    mine = insert(BATCH_ENDS).values(batch_id=batch_id, announced_at=now)
    locked = mine.on_conflict_do_update(index_elements=["batch_id"], set_={"batch_id": batch_id})
    state, runs = db.execute(locked.returning(end.state, end.runs)).one()
    return state, runs


def _moved_batches(db: Session, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the batches of the declarations these events are about, also those that only named them again."""
    of_declarations = {row["declaration_id"]: row["batch_id"] for row in rows if row["batch_id"]}
    of_declarations.pop(None, None)
    if not of_declarations:
        return set()
    named_again = in_list(db, BatchReplay.declaration_id, of_declarations)
    return {*of_declarations.values(), *db.scalars(select(BatchReplay.batch_id).where(named_again))}
