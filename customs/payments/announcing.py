"""What is announced of payments and refunds: how they ended, and that somebody has to look."""

from collections.abc import Iterator, Mapping
from typing import Any

from customs.gateway import CURRENCY_PLACES, money_text
from customs.history.announcements import EventType, News
from customs.payments.states import RefundStatus, Status

ENDED = {
    Status.PAID: EventType.PAYMENT_PAID,
    Status.EXPIRED: EventType.PAYMENT_EXPIRED,
    Status.FAIL: EventType.PAYMENT_FAILED,
}
PAYMENT_NUMBERS = ("channel", "out_order_no", "payment_no")
REFUND_NUMBERS = ("payment_id", "channel", "payment_no", "outer_refund_no", "refund_no")


def payment_news(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[News]:
    """A payment that ended, that was PAID late, or that needs a person."""
    if after["status"] is not before["status"] and after["status"] in ENDED:
        yield _news(ENDED[after["status"]], "payment_id", after, PAYMENT_NUMBERS)
    if after["case_reason"] and not before["case_reason"]:
        yield _news(EventType.PAYMENT_NEEDS_REVIEW, "payment_id", after, PAYMENT_NUMBERS)


def refund_news(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[News]:
    """A refund that ended, as SUCCESS or FAIL, or that needs a person."""
    if after["status"] is not before["status"] and after["status"] is not RefundStatus.PENDING:
        yield _news(EventType.REFUND_ENDED, "refund_id", after, REFUND_NUMBERS)
    if after["case_reason"] and not before["case_reason"]:
        yield _news(EventType.REFUND_NEEDS_REVIEW, "refund_id", after, REFUND_NUMBERS)


def _news(kind: EventType, named: str, row: Mapping[str, Any], numbers: tuple[str, ...]) -> News:
    data = {
        named: row["id"],
        "merchant_no": row["merchant_no"],
        **{name: None if row[name] is None else str(row[name]) for name in numbers},
        "currency": row["currency"],
        "amount": money_text(row["amount"], CURRENCY_PLACES[row["currency"]]),
        "status": str(row["status"]),
    }
    return News(kind, row["merchant_no"], data)
