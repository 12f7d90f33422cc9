"""Roll-ups: what pushes make of their declaration, and whether its batches go on or may have come to an end."""

from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, insert, select, union, update
from sqlalchemy.orm import Session

from customs.db.database import Base
from customs.declarations.identity import fold_identities
from customs.declarations.models import Batch, BatchMove, BatchReplay, Declaration
from customs.declarations.states import fold_states

BATCHES = Base.metadata.tables[Batch.__tablename__]
BATCH_MOVES = Base.metadata.tables[BatchMove.__tablename__]
REPLAYS = Base.metadata.tables[BatchReplay.__tablename__]
DECLARATIONS = Base.metadata.tables[Declaration.__tablename__]


def roll_up(pushes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a declaration's state, identity and case from its pushes' columns; the oldest open case speaks."""
    cases = sorted((push for push in pushes if push["case_kind"]), key=itemgetter("case_since"))
    return {
        "state": fold_states(push["state"] for push in pushes),
        "identity": fold_identities(push["identity"] for push in pushes if push["identity"]),
        "needs_review": bool(cases),
        "case_kind": cases[0]["case_kind"] if cases else None,
        "case_detail": cases[0]["case_detail"] if cases else None,
        "case_since": cases[0]["case_since"] if cases else None,
    }


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
