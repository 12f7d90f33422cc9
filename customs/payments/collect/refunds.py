"""Create refunds: the amount is reserved in the database before the gateway is called, so that none is paid twice."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from customs.audit.actions import AuditAction, audit_event
from customs.audit.trail import AuditTrail
from customs.auth.principal import Caller
from customs.errors import ActionNotAllowed, ErrorDetail, NotFound, ValidationFailed
from customs.gateway import CURRENCY_PLACES, Channel, money_text
from customs.ids import new_id
from customs.payments.collect.create import HEAD_START
from customs.payments.models import Payment, PaymentEvent, Refund
from customs.payments.states import Status, refunded_so_far
from customs.payments.tasks.task import TaskAction
from customs.payments_port import Declarations, PaymentKey, RefundNotice
from customs.privacy.masking import mask_free_text


def refundable(payment: Payment) -> Decimal:
    """What may still be refunded: what was paid less all that was or is being refunded."""
    if payment.status is not Status.PAID:
        return Decimal(0)
    return payment.amount - payment.refunded - payment.refunded_elsewhere


def refund(
    db: Session,
    payment_id: str,
    asked: Mapping[str, Any],
    declarations: Declarations,
    caller: Caller,
    audit: AuditTrail,
    now: datetime,
) -> Refund:
    """Reserve an amount (all that is left without one) and store its refund; declarations of the payment wait.

    `asked` holds a `reason` and, perhaps, an `amount` as Decimal.

    Raises NotFound, ValidationFailed, and ActionNotAllowed with the rule and what is left (R17).
    """
    named = (Payment.id == payment_id, caller.sees(Payment.merchant_no))
    payment = db.scalar(select(Payment).where(*named).with_for_update())
    if payment is None:
        raise NotFound
    reason, amount = mask_free_text(asked["reason"]), _allowed(payment, asked.get("amount"))
    payment.refunded += amount
    payment.refund_status = refunded_so_far(payment.amount, payment.refunded + payment.refunded_elsewhere)
    made = _made(payment, amount, reason, caller, now)
    db.add(made)
    db.flush()
    detail = {"action": "refund", "reason": reason, "amount": str(amount)}
    event = PaymentEvent(
        merchant_no=payment.merchant_no,
        payment_id=payment.id,
        refund_id=made.id,
        at=now,
        kind="action",
        actor=caller.name,
        detail=detail,
    )
    db.add(event)
    key = PaymentKey(payment.merchant_no, Channel(payment.channel), made.payment_no)
    declarations.withhold(db, key, RefundNotice(amount, payment.currency, reason), now)
    facts = {"payment": payment.id, "amount": str(amount), "currency": payment.currency}
    owner = {"merchant_no": payment.merchant_no}
    audit.append(db, audit_event(caller, AuditAction.REFUND_CREATE, made.id, reason=reason, **owner, **facts), now)
    return made


def _allowed(payment: Payment, amount: Decimal | None) -> Decimal:
    places = CURRENCY_PLACES[payment.currency]
    if amount is not None and (amount <= 0 or amount != round(amount, places)):
        detail = f"an amount over 0 with {places} decimal places"
        raise ValidationFailed(f"/amount: {detail}", errors=[ErrorDetail("/amount", "amount_invalid", detail)])
    if payment.status is not Status.PAID:
        why = f"this payment is {payment.status}: nothing of it can be refunded"
        raise ActionNotAllowed(why, errors=[ErrorDetail("", "not_paid", why)])
    if payment.payment_no is None:
        why = "the gateway has not told the number of this payment yet"
        raise ActionNotAllowed(why, errors=[ErrorDetail("", "number_unknown", why)])
    left = refundable(payment)
    if left <= 0 or (amount is not None and amount > left):
        why = f"{money_text(left, places)} {payment.currency} is left to refund"
        raise ActionNotAllowed(why, errors=[ErrorDetail("/amount", "over_refundable", why)])
    return left if amount is None else amount


def _made(payment: Payment, amount: Decimal, reason: str, caller: Caller, now: datetime) -> Refund:
    assert payment.payment_no is not None, "what is PAID has the gateway's number"
    refund_id = new_id("ref")
    return Refund(
        id=refund_id,
        payment_id=payment.id,
        merchant_no=payment.merchant_no,
        channel=payment.channel,
        payment_no=payment.payment_no,
        outer_refund_no=refund_id.removeprefix("ref_"),
        currency=payment.currency,
        amount=amount,
        reason=reason,
        sender=caller.name,
        created_at=now,
        next_action=TaskAction.SEND,
        due_at=now + HEAD_START,
    )
