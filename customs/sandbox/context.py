"""What every operation needs: the ledgers, and records moved in time or by the payer, with their notifications."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from customs.sandbox import SandboxSettings
from customs.sandbox.calls import Refused
from customs.sandbox.filings import Filing
from customs.sandbox.ledger import Ledger, PaymentLedger
from customs.sandbox.payments import Notification, Payment, Refund

# Longer than one attempt may take: nobody else sends what somebody is sending.
SENDING_SECONDS = 10.0


AnyRecord = TypeVar("AnyRecord", Filing, Payment, Refund)


@dataclass(frozen=True)
class SandboxContext:
    """The ledgers of declarations and payments, the settings; `now` gives Unix seconds."""

    ledger: Ledger
    payments: PaymentLedger
    settings: SandboxSettings
    now: Callable[[], float]

    def current_payments(self, payment_no: str | None = None) -> list[Payment]:
        """Orders (or one) as they stand now; nothing is stored."""
        return self._moved(self.payments.payments(payment_no))

    def waiting_payments(self, most: int) -> list[Payment]:
        """The newest orders that have not ended."""
        return [payment for payment in self._moved(self.payments.waiting_payments(most)) if not payment.ended]

    def current_refunds(self, payment_no: str | None = None) -> list[Refund]:
        """Refunds (or those of one order) as they stand now; nothing is stored."""
        return self._moved(self.payments.refunds(payment_no))

    def current_filings(self, payment_no: str | None = None) -> list[Filing]:
        """Filings (or those of one payment) as they would be answered now; nothing is stored."""
        return self._moved(self.ledger.filings(payment_no))

    def _moved(self, records: list[AnyRecord]) -> list[AnyRecord]:
        for record in records:
            record.move_on(self.now(), self.settings.step_seconds)
        return records


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
