"""The questions that lists and details of payments and refunds ask, each within what the caller may see."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select, union_all
from sqlalchemy.orm import Session

from customs.auth.principal import Caller
from customs.db.pagination import LARGEST_PAGE, Page, page_of
from customs.errors import NotFound
from customs.events.timeline import withhold_others_replies
from customs.payments.models import Payment, PaymentEvent, Refund


@dataclass(frozen=True)
class Filters:
    """What a list may be narrowed by. `since` and `until` bound created_at, half open."""

    channel: str | None = None
    status: str | None = None
    merchant_no: str | None = None
    method: str | None = None
    out_order_no: str | None = None
    payment_no: str | None = None
    refund_status: str | None = None
    payment_id: str | None = None
    outer_refund_no: str | None = None
    refund_no: str | None = None
    needs_review: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


def payment_of(db: Session, payment_id: str, caller: Caller) -> Payment:
    """One payment; NotFound also for another merchant's."""
    found = db.scalar(select(Payment).where(Payment.id == payment_id, caller.sees(Payment.merchant_no)))
    if found is None:
        raise NotFound
    return found


def refund_of(db: Session, refund_id: str, caller: Caller) -> Refund:
    found = db.scalar(select(Refund).where(Refund.id == refund_id, caller.sees(Refund.merchant_no)))
    if found is None:
        raise NotFound
    return found


def payments_numbered(db: Session, number: str, caller: Caller) -> Sequence[Payment]:
    """The payments with this id, order or payment number, or with a refund of this id or number."""
    # One look into each index: an OR over two tables would read every payment there is.
    own = (select(Payment.id).where(one == number) for one in (Payment.id, Payment.out_order_no, Payment.payment_no))
    numbers = (Refund.id, Refund.outer_refund_no, Refund.refund_no)
    refunded = (select(Refund.payment_id).where(one == number) for one in numbers)
    named = Payment.id.in_(union_all(*own, *refunded))
    found = select(Payment).where(named, caller.sees(Payment.merchant_no))
    return db.scalars(found.order_by(Payment.created_at, Payment.id).limit(LARGEST_PAGE)).all()


def refunds_of(db: Session, payment_id: str) -> Sequence[Refund]:
    """A payment's refunds, oldest first."""
    theirs = select(Refund).where(Refund.payment_id == payment_id)
    return db.scalars(theirs.order_by(Refund.created_at, Refund.id)).all()


def list_payments(db: Session, caller: Caller, filters: Filters, *, limit: int, cursor: str | None) -> Page:
    """Payments, newest first."""
    statement = select(Payment).where(caller.sees(Payment.merchant_no), *_narrowed(Payment, filters))
    return page_of(db, statement, (Payment.created_at, Payment.id), limit, cursor)


def list_refunds(db: Session, caller: Caller, filters: Filters, *, limit: int, cursor: str | None) -> Page:
    """Refunds, newest first."""
    statement = select(Refund).where(caller.sees(Refund.merchant_no), *_narrowed(Refund, filters))
    return page_of(db, statement, (Refund.created_at, Refund.id), limit, cursor)


def _narrowed(model: type[Any], filters: Filters) -> list[ColumnElement[bool]]:
    wanted = {name: value for name, value in asdict(filters).items() if value is not None}
    bounds: dict[str, Callable[[Any], ColumnElement[bool]]] = {
        "since": lambda moment: model.created_at >= moment,
        "until": lambda moment: model.created_at < moment,
        "needs_review": lambda needs: model.case_kind.is_not(None) if needs else model.case_kind.is_(None),
    }
    return [bounds[name](value) if name in bounds else getattr(model, name) == value for name, value in wanted.items()]


def events_of(db: Session, payment_id: str, *, limit: int, after: int) -> Page:
    """The timeline of a payment and its refunds, oldest first; the cursor is the last event's number."""
    statement = select(PaymentEvent).where(PaymentEvent.payment_id == payment_id, PaymentEvent.id > after)
    rows = db.scalars(statement.order_by(PaymentEvent.id).limit(limit + 1)).all()
    if any(event.reply for event in rows):
        payment = db.get_one(Payment, payment_id)
        own = {"merchant_no": payment.merchant_no, "our_no": payment.out_order_no, "payment_no": payment.payment_no}
        rows = withhold_others_replies(db, rows, own)
    return Page(rows[:limit], str(rows[limit - 1].id) if len(rows) > limit else None)
