"""Our side of a bill: the payments and refunds of its days, and those with a number that it names."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import ColumnElement, null, select, type_coerce
from sqlalchemy.orm import Session

from customs.auth.principal import Caller
from customs.db.bulk import in_list
from customs.db.database import Money
from customs.gateway.channels import Channel
from customs.payments.models import Payment, Refund
from customs.payments.states import RefundStatus, Status
from customs.payments_port import PaymentKey
from customs.reconciliation.columns import Kind


class LedgerEntry(NamedTuple):
    """A payment or refund on file; `at` is when it was paid or refunded. `pay_amount` is what a payer paid in yuan.

    `refunded` is what was or is being refunded of a payment.
    """

    kind: Kind
    id: str
    merchant_no: str
    channel: Channel
    payment_no: str | None
    out_order_no: str | None
    refund_no: str | None
    outer_refund_no: str | None
    currency: str
    amount: Decimal
    status: str
    at: datetime | None
    pay_amount: Decimal | None
    pay_currency: str | None
    refund_status: str | None
    refunded: Decimal | None

    @property
    def key(self) -> PaymentKey:
        """The payment, as declarations know it."""
        return PaymentKey(self.merchant_no, Channel(self.channel), self.payment_no or "")


PAYMENT = (
    Payment.id,
    Payment.merchant_no,
    Payment.channel,
    Payment.payment_no,
    Payment.out_order_no,
    null(),
    null(),
    Payment.currency,
    Payment.amount,
    Payment.status,
    Payment.paid_at,
    Payment.pay_amount,
    Payment.pay_currency,
    Payment.refund_status,
    type_coerce(Payment.refunded + Payment.refunded_elsewhere, Money),
)
REFUND = (
    Refund.id,
    Refund.merchant_no,
    Refund.channel,
    Refund.payment_no,
    null(),
    Refund.refund_no,
    Refund.outer_refund_no,
    Refund.currency,
    Refund.amount,
    Refund.status,
    Refund.ended_at,
    null(),
    null(),
    null(),
    null(),
)


def payments_in(db: Session, caller: Caller, since: datetime, until: datetime) -> list[LedgerEntry]:
    """Return what was paid from `since` to `until`, half open."""
    days = (Payment.paid_at >= since, Payment.paid_at < until, Payment.status == Status.PAID)
    return _payments(db, caller, *days)


def refunds_in(db: Session, caller: Caller, since: datetime, until: datetime) -> list[LedgerEntry]:
    """Return what was refunded from `since` to `until`, half open."""
    days = (Refund.ended_at >= since, Refund.ended_at < until, Refund.status == RefundStatus.SUCCESS)
    return _refunds(db, caller, *days)


def payments_numbered(
    db: Session, caller: Caller, payment_nos: Collection[str], out_order_nos: Collection[str]
) -> list[LedgerEntry]:
    """The payments with one of these numbers, each once."""
    found = [
        *(_payments(db, caller, in_list(db, Payment.payment_no, payment_nos)) if payment_nos else ()),
        *(_payments(db, caller, in_list(db, Payment.out_order_no, out_order_nos)) if out_order_nos else ()),
    ]
    return list({one.id: one for one in found}.values())


def refunds_numbered(
    db: Session, caller: Caller, outer_refund_nos: Collection[str], refund_nos: Collection[str]
) -> list[LedgerEntry]:
    """The refunds with one of these numbers, each once."""
    found = [
        *(_refunds(db, caller, in_list(db, Refund.outer_refund_no, outer_refund_nos)) if outer_refund_nos else ()),
        *(_refunds(db, caller, in_list(db, Refund.refund_no, refund_nos)) if refund_nos else ()),
    ]
    return list({one.id: one for one in found}.values())


def _payments(db: Session, caller: Caller, *conditions: ColumnElement[bool]) -> list[LedgerEntry]:
    asked = select(*PAYMENT).where(caller.sees(Payment.merchant_no), *conditions).order_by(Payment.paid_at, Payment.id)
    return [LedgerEntry._make((Kind.PAYMENT, *row)) for row in db.execute(asked)]


def _refunds(db: Session, caller: Caller, *conditions: ColumnElement[bool]) -> list[LedgerEntry]:
    asked = select(*REFUND).where(caller.sees(Refund.merchant_no), *conditions).order_by(Refund.ended_at, Refund.id)
    return [LedgerEntry._make((Kind.REFUND, *row)) for row in db.execute(asked)]
