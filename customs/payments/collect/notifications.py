"""Store each verified notification of the gateway once, and schedule a query of its payment (R20)."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from customs.db.database import Base
from customs.gateway import Notification as Message
from customs.ids import new_id
from customs.payments.collect.create import ask_again
from customs.payments.models import Notification, Payment
from customs.payments.states import Status
from customs.payments.tasks.order_sync import number_that_fits

NOTIFICATIONS = Base.metadata.tables[Notification.__tablename__]
KEPT = ("currency", "amount", "pay_amount", "exchange_rate", "trade_time")


def take(db: Session, message: Message, now: datetime) -> bool:
    """Keep a verified message and schedule a signed query; return whether it was new and about a known payment."""
    if any(number_that_fits(number) != number for number in (message.payment_no, message.our_no)):
        # No number of the document's is that long: it could be neither kept nor found.
        return False
    payments = _payments_of(db, message)
    waiting = [payment for payment in payments if payment.status is not Status.PAID]
    insert = insert_sqlite if db.connection().dialect.name == "sqlite" else insert_postgresql
    content = {name: str(value) for name, value in asdict(message).items() if name in KEPT and value is not None}
    row = insert(NOTIFICATIONS).values(
        id=new_id("note"),
        received_at=now,
        payment_no=message.payment_no,
        out_order_no=message.our_no,
        status=message.status,
        content=content,
        payment_id=payments[0].id if payments else None,
    )
    kept = db.execute(row.on_conflict_do_nothing(index_elements=["payment_no", "status"]).returning(NOTIFICATIONS.c.id))
    is_new = kept.first() is not None
    # It says PAID: of a payment that we hold for paid, or that is nobody's, there is nothing to ask.
    for payment in waiting:
        ask_again(payment, now)
    return is_new and bool(waiting)


def _payments_of(db: Session, message: Message) -> Sequence[Payment]:
    """The payments that a message may mean: it names no channel, and each channel has its own numbers."""
    named = [Payment.payment_no == message.payment_no]
    if message.our_no is not None:
        # It may come before the call that brings the gateway's number has returned.
        named.append(Payment.out_order_no == message.our_no)
    found = db.scalars(select(Payment).where(or_(*named)).order_by(Payment.id).with_for_update()).all()
    certain = [payment for payment in found if payment.payment_no == message.payment_no]
    return certain or [payment for payment in found if payment.payment_no is None]
