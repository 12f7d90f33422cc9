"""Report what was filed, paid, refunded and notified, without moving anything."""

from dataclasses import asdict
from typing import Any

from customs.sandbox.context import SandboxContext
from customs.sandbox.payments import Payment, Refund, given_back

LEDGER_FIELDS = (
    "channel",
    "payment_no",
    "out_order_no",
    "customs",
    "sub_order_no",
    "adds",
    "modifies",
    "redeclares",
    "content",
    "history",
)


def report(context: SandboxContext, payment_no: str | None) -> dict[str, Any]:
    """Everything, or what belongs to one payment with the calls about it."""
    outcomes = context.ledger.outcomes()
    payments, refunds = _payments(context, payment_no), _refunds(context, payment_no)
    shown: dict[str, Any] = {
        "filings": _filings(context, payment_no),
        "payments": [payment.shown() for payment in payments],
        "refunds": [refund.shown() for refund in refunds],
        "notifications": [asdict(one) for one in context.payments.notifications(payment_no)],
        "calls": sum(outcomes.values()),
        "refused_signatures": outcomes.get("signature", 0),
        "refused_parameters": outcomes.get("parameters", 0),
    }
    if payment_no:
        own = [payment.our_no for payment in payments]
        back = [number for refund in refunds for number in (refund.refund_no, refund.outer_refund_no)]
        shown["log"] = context.ledger.calls(payment_no, [*own, *back])
    return shown


def refunds_by_payment(context: SandboxContext) -> list[dict[str, Any]]:
    """Paid, gone back, on its way and left, of each order with a refund; amounts are text."""
    by_payment: dict[str, list[Refund]] = {}
    for refund in _refunds(context, None):
        by_payment.setdefault(refund.payment_no, []).append(refund)
    return [
        _balance(payment, by_payment[payment.payment_no])
        for payment in _payments(context, None)
        if payment.payment_no in by_payment
    ]


def _balance(payment: Payment, refunds: list[Refund]) -> dict[str, Any]:
    back, certain = given_back(refunds), given_back(refunds, certain=True)
    names = ("channel", "payment_no", "our_no", "currency")
    return {name: getattr(payment, name) for name in names} | {
        "paid": payment.content["amount"],
        "refunds": len(refunds),
        "refunded": str(certain),
        "pending": str(back - certain),
        "left": str(payment.amount - back),
    }


def _payments(context: SandboxContext, payment_no: str | None) -> list[Payment]:
    payments = context.payments.payments(payment_no)
    for payment in payments:
        payment.move_on(context.now(), context.settings.step_seconds)
    return payments


def _refunds(context: SandboxContext, payment_no: str | None) -> list[Refund]:
    refunds = context.payments.refunds(payment_no)
    for refund in refunds:
        refund.move_on(context.now(), context.settings.step_seconds)
    return refunds


def _filings(context: SandboxContext, payment_no: str | None) -> list[dict[str, Any]]:
    """The filings as they would be answered at this moment; looking here moves nothing."""
    filings = context.ledger.filings(payment_no)
    for filing in filings:
        filing.move_on(context.now(), context.settings.step_seconds)
    return [
        _row(asdict(filing)) | {"state": filing.step.state, "modify_time": filing.modify_time} for filing in filings
    ]


def _row(filing: dict[str, Any]) -> dict[str, Any]:
    # The digests behind the masks are for comparing inside; nobody outside needs them.
    content = {name: value.partition("#")[0] for name, value in filing["content"].items()}
    return {name: filing[name] for name in LEDGER_FIELDS} | {"content": content}
