"""Answer what declarations ask of payments made here: is it paid, how much is left in yuan, whose wallet."""

from collections.abc import Collection, Mapping
from decimal import ROUND_DOWN, Decimal
from itertools import chain
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from customs.db.bulk import in_list, unnest
from customs.db.database import HUNDREDTH
from customs.gateway import Channel
from customs.payments.models import Payment, Refund
from customs.payments.states import RefundStatus, Status
from customs.payments_port import PaymentFacts, PaymentKey

YUAN = "CNY"
HONG_KONG = "HK"


class PaymentLookup:
    """The payments' side of the port between declarations and payments."""

    def facts(
        self, db: Session, keys: Collection[PaymentKey], *, lock: bool = False
    ) -> Mapping[PaymentKey, PaymentFacts]:
        """Return what is known of these payments, others were made elsewhere; `lock`: nobody changes them meanwhile."""
        if not keys:
            return {}
        wanted = in_list(db, Payment.payment_no, {key.payment_no for key in keys})
        statement = select(Payment).where(wanted).order_by(Payment.id)
        found = db.scalars(statement.with_for_update() if lock else statement).all()
        ids = [payment.id for payment in found]
        pending = select(Refund.payment_id).where(Refund.status == RefundStatus.PENDING)
        refunding = set(db.scalars(pending.where(in_list(db, Refund.payment_id, ids)))) if ids else set()
        facts = {_key(payment): _facts(payment, payment.id in refunding) for payment in found}
        return {key: facts[key] for key in keys if key in facts}

    def borne(self, db: Session, merchants: Collection[str], numbers: Collection[str]) -> Collection[tuple[str, str]]:
        """Return each merchant with those numbers that a payment made here bears, as its own or as its order's."""
        if not merchants:
            return ()
        asked = unnest(db, merchants)
        known = set(db.scalars(select(asked.c.value).where(exists().where(Payment.merchant_no == asked.c.value))))
        if not known:
            return ()
        # One look into each index: an OR would read every payment there is.
        found = [
            db.execute(select(Payment.merchant_no, number).where(in_list(db, number, numbers)))
            for number in (Payment.payment_no, Payment.out_order_no)
        ]
        return {(merchant_no, number) for merchant_no, number in chain(*found) if merchant_no in known and number}


def _key(payment: Payment) -> PaymentKey:
    return PaymentKey(payment.merchant_no, Channel(payment.channel), payment.payment_no or "")


def _facts(payment: Payment, refunding: bool) -> PaymentFacts:
    foreign = payment.pay_currency not in (None, YUAN) or HONG_KONG in (payment.wallet or "").upper()
    return PaymentFacts(
        status=payment.status,
        out_order_no=payment.out_order_no,
        net_cny=net_cny(vars(payment)) if payment.status is Status.PAID or _is_asked_in_yuan(payment) else None,
        refund_status=payment.refund_status,
        refunding=refunding,
        mainland=not foreign,
        paid_at=payment.paid_at,
    )


def _is_asked_in_yuan(payment: Payment) -> bool:
    """What waits for its payment cannot be declared for more than was asked."""
    return payment.status is Status.INIT and payment.currency == YUAN


def net_cny(payment: Mapping[str, Any]) -> Decimal | None:
    """Yuan paid less what was or is being refunded, truncated to fen; None where no rate is known (R4).

    `payment` holds the columns of Payment. The gateway's own pay_amount is preferred to a rate; 11.1: a rate is yuan
    for one unit of the currency.
    """
    amount, pay_amount, rate = payment["amount"], payment["pay_amount"], payment["exchange_rate"]
    left: Decimal = amount - payment["refunded"] - payment["refunded_elsewhere"]
    if payment["currency"] == YUAN:
        return left
    if pay_amount is not None and payment["pay_currency"] in (None, YUAN):
        paid: Decimal = pay_amount * left / amount
        return paid.quantize(HUNDREDTH, ROUND_DOWN)
    return (left * Decimal(rate)).quantize(HUNDREDTH, ROUND_DOWN) if rate is not None else None
