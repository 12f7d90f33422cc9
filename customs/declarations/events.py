"""Events of declarations: how one ended, that it needs somebody, that the buyer is not the payer.

Batches that may have ended with a declaration are marked, and those that go on again are counted.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, union, update
from sqlalchemy.orm import Session

from customs.db.database import Base
from customs.declarations.fields import PUBLISHED_NAMES
from customs.declarations.identity import Identity
from customs.declarations.models import Batch, BatchMove, BatchReplay, Declaration
from customs.declarations.states import State
from customs.events.outbox import EventType, NewEvent, publish

DECLARATIONS = Base.metadata.tables[Declaration.__tablename__]
declaration = DECLARATIONS.c

# A declaration at which nothing goes on any more, by its state; in any other state somebody has to go on.
ENDED = {
    State.SUCCESS: EventType.DECLARATION_SUCCEEDED,
    State.FAIL: EventType.DECLARATION_FAILED,
    State.EXCEPT: EventType.DECLARATION_FAILED,
}
PUBLISHED_IN_ORDER = (
    EventType.DECLARATION_SUCCEEDED,
    EventType.DECLARATION_FAILED,
    EventType.DECLARATION_NEEDS_REVIEW,
    EventType.DECLARATION_IDENTITY_MISMATCH,
)


def may_publish(change: Mapping[str, Any]) -> bool:
    """Return whether a push after an answer may give an event; after most answers it is only under way."""
    return change["due_at"] is None or bool(change["case_kind"]) or change["identity"] is Identity.MISMATCH


def event_types(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]], fold: Mapping[str, Any]
) -> list[EventType]:
    """Return the events to publish when a declaration's pushes went from `before` to `after`, rolled up in `fold`.

    An event is published whenever it stops to go on by itself: that is when its batches are looked at.
    """
    types = set()
    if _is_due(before) and not _is_due(after):
        types.add(ENDED.get(fold["state"], EventType.DECLARATION_NEEDS_REVIEW))
    elif goes_on(before) and not goes_on(after):
        types.add(EventType.DECLARATION_NEEDS_REVIEW)
    if fold["needs_review"] and not any(push["case_kind"] for push in before):
        types.add(EventType.DECLARATION_NEEDS_REVIEW)
    # Any MISMATCH is the declaration's.
    if fold["identity"] is Identity.MISMATCH and all(push["identity"] is not Identity.MISMATCH for push in before):
        types.add(EventType.DECLARATION_IDENTITY_MISMATCH)
    return sorted(types, key=PUBLISHED_IN_ORDER.index)


def _is_due(pushes: Sequence[Mapping[str, Any]]) -> bool:
    return any(push["due_at"] is not None for push in pushes)


def new_events(row: Mapping[str, Any], types: Sequence[EventType], state: Mapping[str, Any]) -> Iterator[NewEvent]:
    """NewEvent of one declaration: its numbers from `row`, its `state`, `identity` and `needs_review` from `state`."""
    data = {
        "declaration_id": row["declaration_id"],
        "batch_id": row["batch_id"],
        "merchant_no": row["merchant_no"],
        **{name: row[name] for name in PUBLISHED_NAMES},
        "state": state["state"],
        "identity": state["identity"],
        "needs_review": state["needs_review"],
    }
    for one in types:
        yield NewEvent(one, row["merchant_no"], data, row["batch_id"])


def publish_declarations(db: Session | Connection, ids: Sequence[str], type_: EventType, now: datetime) -> None:
    """Publish one type of event for each of these declarations, with its present state."""
    if not ids:
        return
    columns = (declaration.batch_id, declaration.merchant_no, *(declaration[name] for name in PUBLISHED_NAMES))
    folds = (declaration.state, declaration.identity, declaration.needs_review)
    found = select(declaration.id.label("declaration_id"), *columns, *folds).where(declaration.id.in_(ids))
    rows = db.execute(found.order_by(declaration.id)).mappings()
    publish(db, [one for row in map(dict, rows) for one in new_events(row, [type_], row)], now)


BATCHES = Base.metadata.tables[Batch.__tablename__]
BATCH_MOVES = Base.metadata.tables[BatchMove.__tablename__]
REPLAYS = Base.metadata.tables[BatchReplay.__tablename__]


def goes_on(pushes: Sequence[Mapping[str, Any]], waiting_for: str | None = None) -> bool:
    """Return whether anything of a declaration goes on without a reviewer: then its batches are RUNNING."""
    return waiting_for is not None or any(push["due_at"] is not None and not push["case_kind"] for push in pushes)


def mark_moved(db: Session | Connection, batch_ids: Collection[str]) -> None:
    """Mark that these batches may have come to an end.

    Whoever announces ends looks after the commit: of two transactions that end a batch at once, neither sees the other.
    """
    if batch_ids:
        db.execute(insert(BATCH_MOVES), [{"batch_id": one} for one in sorted(batch_ids)])


def mark_declarations_moved(db: Session | Connection, declaration_ids: Collection[str]) -> None:
    """Mark the batches of these declarations as moved, also those that only named them again."""
    if declaration_ids:
        mark_moved(db, batches_of(db, declaration_ids))


def count_new_runs(db: Session | Connection, declaration_ids: Collection[str]) -> None:
    """Count one run more of every batch of these declarations, which stood still and go on again.

    Comes before tallies, as everybody locks them.
    """
    if declaration_ids:
        named = sorted(batches_of(db, declaration_ids))
        db.execute(select(BATCHES.c.id).where(BATCHES.c.id.in_(named)).order_by(BATCHES.c.id).with_for_update())
        db.execute(update(BATCHES).where(BATCHES.c.id.in_(named)).values(runs=BATCHES.c.runs + 1))


def batches_of(db: Session | Connection, declaration_ids: Collection[str]) -> set[str]:
    """The batches that brought these declarations, or named them again."""
    brought = select(DECLARATIONS.c.batch_id).where(DECLARATIONS.c.id.in_(declaration_ids))
    named_again = select(REPLAYS.c.batch_id).where(REPLAYS.c.declaration_id.in_(declaration_ids))
    return set(db.execute(union(brought, named_again)).scalars())
