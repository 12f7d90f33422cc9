"""Erase who bought and who paid, where nothing needs it any more; what customs and the books need stays."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, or_, select, update
from sqlalchemy.orm import Session

from customs.declarations.contents import Content
from customs.declarations.models import Declaration, Push
from customs.events.timeline import Event
from customs.payments.models import Payment, PaymentEvent

# A push that goes out, is out, or whose outcome nobody knows; one that waits for another push has a next action too.
UNDER_WAY = (
    exists()
    .where(Push.declaration_id == Declaration.id, Push.cancelled.is_(False))
    .where(or_(Push.next_action.is_not(None), Push.in_doubt.is_not(None), Push.holder.is_not(None)))
)
BUYER_IS_FREE: tuple[ColumnElement[bool], ...] = (
    Declaration.buyer.is_not(None),
    Declaration.needs_review.is_(False),
    Declaration.waiting_for.is_(None),
    ~UNDER_WAY,
)
PAYER_IS_FREE: tuple[ColumnElement[bool], ...] = (
    or_(Payment.inputs.is_not(None), Payment.personal.is_not(None)),
    Payment.next_action.is_(None),
    Payment.in_doubt.is_(False),
    Payment.holder.is_(None),
    Payment.case_kind.is_(None),
)
NO_PAYER = {"inputs": None, "personal": None}
NO_EXCHANGE = {"request": None, "reply": None}


def erase_buyers(db: Session, declaration_ids: Sequence[str], now: datetime) -> int:
    """Shred the buyers of these declarations where nothing is under way or in review; return of how many."""
    anew = {"populate_existing": True}
    free = select(Declaration).where(Declaration.id.in_(declaration_ids), *BUYER_IS_FREE).order_by(Declaration.id)
    # Locked as decisions lock them: nothing begins on them meanwhile.
    declarations = {one.id: one for one in db.scalars(free.with_for_update().execution_options(**anew))}
    differ = select(Push).where(Push.declaration_id.in_(declarations), Push.accepted_content.is_not(None))
    for push in db.scalars(differ.order_by(Push.id).with_for_update().execution_options(**anew)):
        push.accepted_content = replace(Content.read(push.accepted_content or ""), buyer=None).kept()
    for declaration in declarations.values():
        declaration.buyer = declaration.cert_index = None
        declaration.buyer_erased_at = now
    db.flush()
    return len(declarations)


def erase_payers(db: Session, payment_ids: Sequence[str]) -> int:
    """Shred who paid these payments and by which account, where nothing is under way; return of how many."""
    return _count(db, update(Payment).where(Payment.id.in_(payment_ids), *PAYER_IS_FREE).values(NO_PAYER))


def erase_exchanges(db: Session, model: type[Event] | type[PaymentEvent], event_ids: Sequence[int]) -> int:
    """Take what was sent and answered out of these entries of a timeline; return of how many."""
    return _count(db, update(model).where(model.id.in_(event_ids)).values(NO_EXCHANGE))


def _count(db: Session, statement: Any) -> int:
    count: int = db.execute(statement.execution_options(synchronize_session=False)).rowcount  # type: ignore[attr-defined]
    return count
