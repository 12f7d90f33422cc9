"""Back-up of an SQLite database, and what has to be done once any database was put back to an earlier time."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import CompoundSelect, CursorResult, Engine, or_, select, union, update
from sqlalchemy.orm import Session

from customs.config import open_private
from customs.db import database
from customs.declarations.channels import ONE_AT_A_TIME
from customs.declarations.intake.payment_holds import PAYMENT, DeclarationHolds
from customs.declarations.models import Declaration, Push
from customs.declarations.states import Action
from customs.errors import ActionNotAllowed
from customs.jobs.leases import RELEASED
from customs.payments.models import Payment, Refund
from customs.payments.tasks.task import TaskAction
from customs.payments_port import PaymentKey

# Codes that wait for another one, and those for which another one waits.
ORDERED: CompoundSelect[tuple[str | None]] = union(
    select(Push.id).where(Push.blocked_by.is_not(None)), select(Push.blocked_by).where(Push.blocked_by.is_not(None))
)
NOBODY_KNOWS = "the database was restored: look up at the gateway what was declared before anything is sent"
to_send = (Push.cancelled.is_(False), Push.next_action.is_not(None), Push.next_action != Action.QUERY)
# A query cannot tell codes of one payment apart where they go one at a time; and what waits for its payment is sent
# by the payment's end, not by a query's.
is_unclear = or_(Push.channel.in_(ONE_AT_A_TIME) & Push.id.in_(ORDERED), Declaration.waiting_for == PAYMENT)


@dataclass(frozen=True)
class DoubtedCalls:
    """How many calls may have left since the back-up and are queried first; how many declarations wait for a person."""

    pushes: int
    payments: int
    refunds: int
    in_review: int


def back_up(engine: Engine, target: Path) -> None:
    """Copy a running SQLite database into a new file that only its owner can read.

    Raises ActionNotAllowed where the database is PostgreSQL or the file is there already.
    """
    if engine.dialect.name != "sqlite" or not engine.url.database:
        raise ActionNotAllowed("PostgreSQL has its own tool: pg_dump --format custom --file FILE")
    if target.exists():
        raise ActionNotAllowed(f"{target} is there already: nothing is written over a back-up")
    with open(target, "x", opener=open_private):
        pass
    with closing(sqlite3.connect(engine.url.database)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)


def doubt_calls(engine: Engine, holds: DeclarationHolds) -> DoubtedCalls:
    """Treat every call that is still to be made as one whose outcome is unknown.

    It may have been made between the back-up and the loss. So it is queried, and sent only when the gateway knows
    nothing of it and the grace has passed (R13); where a query cannot tell, a person decides. To be run after a
    restore, before a worker starts; again is harmless.
    """
    with database.transaction(engine) as db:
        now = database.now(db)
        owner = (Declaration.merchant_no, Declaration.channel, Declaration.payment_no)
        unclear = select(*owner).join(Push, Push.declaration_id == Declaration.id).distinct().order_by(*owner)
        keys = [PaymentKey(*key) for key in db.execute(unclear.where(*to_send, Push.withheld.is_(False), is_unclear))]
        in_review = sum(holds.hold(db, key, NOBODY_KNOWS, now) for key in keys)
        doubted = (
            update(Push)
            .where(*to_send, Push.withheld.is_(False))
            .values(in_doubt=Push.next_action, next_action=Action.QUERY, **_asked(now))
        )
        payments, refunds = (_doubt_tasks(db, model, now) for model in (Payment, Refund))
        return DoubtedCalls(_count(db, doubted), payments, refunds, in_review)


def _doubt_tasks(db: Session, model: type[Payment] | type[Refund], now: datetime) -> int:
    doubted = update(model).where(model.next_action == TaskAction.SEND)
    return _count(db, doubted.values(in_doubt=True, next_action=TaskAction.QUERY, **_asked(now)))


def _asked(now: datetime) -> dict[str, Any]:
    return {"sent_at": now, "due_at": now, "overdue_since": None, **RELEASED}


def _count(db: Session, statement: Any) -> int:
    done: CursorResult[Any] = db.execute(statement)  # type: ignore[assignment]
    return done.rowcount
