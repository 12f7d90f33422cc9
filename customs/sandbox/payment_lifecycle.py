"""How a payment comes to its end, by time or by the payer, and what is to be told then."""

from customs.sandbox.context import Desk
from customs.sandbox.notifications import Notification
from customs.sandbox.payments import Payment, Refund
from customs.sandbox.responses import Refused

# Longer than one attempt may take: nobody else sends what somebody is sending.
HELD_SECONDS = 10.0


def settle(desk: Desk, payment: Payment) -> Payment:
    """Move an order to where time has brought it; to be called in a turn."""
    before = payment.status
    payment.move_on(desk.now(), desk.settings.step_seconds)
    if payment.status != before:
        keep(desk, payment, before)
    return payment


def keep(desk: Desk, payment: Payment, before: str) -> None:
    """Store an order whose status was `before` ("": a new one), with what is to be told when it is PAID now."""
    desk.book.keep_payment(payment, desk.settings.step_seconds)
    if payment.status == "PAID" != before and "notify_url" in payment.content:
        _announce(desk, payment, early=payment.telling.early and not before)


def _announce(desk: Desk, payment: Payment, *, early: bool) -> None:
    for sending in payment.telling.sendings:
        # An early one is sent by the create call itself, before its reply leaves.
        wait = HELD_SECONDS if early else sending.steps * desk.settings.step_seconds
        url = payment.content["notify_url"]
        due_at = payment.since + wait
        desk.book.keep_notification(Notification(payment.payment_no, url, due_at, sending.forged, early))


def settle_refund(desk: Desk, refund: Refund) -> Refund:
    """Move a refund to where time has brought it; to be called in a turn."""
    before = refund.status
    refund.move_on(desk.now(), desk.settings.step_seconds)
    if refund.status != before:
        desk.book.keep_refund(refund, desk.settings.step_seconds)
    return refund


def refunds_of(desk: Desk, payment: Payment) -> list[Refund]:
    """The refunds of an order as they stand now; to be called in a turn."""
    return [settle_refund(desk, refund) for refund in desk.book.refunds(payment.payment_no)]


def end_by_payer(desk: Desk, payment_no: str, status: str) -> Payment:
    """The payer's deed: PAID, or FAIL when it is given up. The same again changes nothing.

    Raises Refused: 404 unknown, 409 when the order has ended otherwise.
    """
    with desk.book.turn():
        payment = desk.book.payment(payment_no)
        if payment is None:
            raise Refused(404, "no order is known by this number")
        settle(desk, payment)
        before = payment.status
        if before != status:
            if payment.ended:
                raise Refused(409, f"the order is {before} already")
            payment.become(status, desk.now(), "payer")
            keep(desk, payment, before)
    return payment
