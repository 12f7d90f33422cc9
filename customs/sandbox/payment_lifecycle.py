"""Move payments and refunds in time or by the payer, and queue notifications of payments."""

from customs.sandbox.context import SandboxContext
from customs.sandbox.notifications import Notification
from customs.sandbox.payments import Payment, Refund
from customs.sandbox.responses import Refused

# Longer than one attempt may take: nobody else sends what somebody is sending.
SENDING_SECONDS = 10.0


def settle(context: SandboxContext, payment: Payment) -> Payment:
    """Move an order to where time has brought it; to be called in a turn."""
    before = payment.status
    payment.move_on(context.now(), context.settings.step_seconds)
    if payment.status != before:
        keep(context, payment, before)
    return payment


def keep(context: SandboxContext, payment: Payment, before: str) -> None:
    """Store an order whose status was `before` ("": a new one), with its notifications when it is PAID now."""
    context.payments.keep_payment(payment, context.settings.step_seconds)
    if payment.status == "PAID" != before and "notify_url" in payment.content:
        _announce(context, payment, early=payment.telling.early and not before)


def _announce(context: SandboxContext, payment: Payment, *, early: bool) -> None:
    for sending in payment.telling.sendings:
        # An early one is sent by the create call itself, before its reply leaves.
        wait = SENDING_SECONDS if early else sending.steps * context.settings.step_seconds
        url = payment.content["notify_url"]
        due_at = payment.since + wait
        context.payments.keep_notification(Notification(payment.payment_no, url, due_at, sending.forged, early))


def settle_refund(context: SandboxContext, refund: Refund) -> Refund:
    """Move a refund to where time has brought it; to be called in a turn."""
    before = refund.status
    refund.move_on(context.now(), context.settings.step_seconds)
    if refund.status != before:
        context.payments.keep_refund(refund, context.settings.step_seconds)
    return refund


def refunds_of(context: SandboxContext, payment: Payment) -> list[Refund]:
    """The refunds of an order as they stand now; to be called in a turn."""
    return [settle_refund(context, refund) for refund in context.payments.refunds(payment.payment_no)]


def end_by_payer(context: SandboxContext, payment_no: str, status: str) -> Payment:
    """End an order as the payer: PAID, or FAIL when it is given up. The same again changes nothing.

    Raises Refused: 404 unknown, 409 when the order has ended otherwise.
    """
    with context.payments.turn():
        payment = context.payments.payment(payment_no)
        if payment is None:
            raise Refused(404, "no order is known by this number")
        settle(context, payment)
        before = payment.status
        if before != status:
            if payment.ended:
                raise Refused(409, f"the order is {before} already")
            payment.become(status, context.now(), "payer")
            keep(context, payment, before)
    return payment
