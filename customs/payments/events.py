"""Events of payments and refunds: how they ended, and that somebody has to look."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from customs.events.outbox import EventType, NewEvent
from customs.gateway import CURRENCY_PLACES, GatewayError, money_text
from customs.payments.models import Refund
from customs.payments.redaction import mask_words
from customs.payments.states import RefundStatus, Status
from customs.payments.tasks.outcomes import Outcome, Transition
from customs.payments.tasks.task import Task

ENDED = {
    Status.PAID: EventType.PAYMENT_PAID,
    Status.EXPIRED: EventType.PAYMENT_EXPIRED,
    Status.FAIL: EventType.PAYMENT_FAILED,
}
REFUND_ENDED = {
    RefundStatus.SUCCESS: EventType.REFUND_SUCCEEDED,
    RefundStatus.FAIL: EventType.REFUND_FAILED,
}
PAYMENT_NUMBERS = ("channel", "out_order_no", "payment_no")
REFUND_NUMBERS = ("payment_id", "channel", "payment_no", "outer_refund_no", "refund_no")


def payment_news(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[NewEvent]:
    """A payment that ended, that was PAID late, or that needs a person."""
    if after["status"] is not before["status"] and after["status"] in ENDED:
        yield _news(ENDED[after["status"]], "payment_id", after, PAYMENT_NUMBERS)
    if after["case_kind"] and not before["case_kind"]:
        yield _news(EventType.PAYMENT_NEEDS_REVIEW, "payment_id", after, PAYMENT_NUMBERS)


def refund_news(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[NewEvent]:
    """A refund that ended, as SUCCESS or FAIL, or that needs a person."""
    if after["status"] is not before["status"] and after["status"] in REFUND_ENDED:
        yield _news(REFUND_ENDED[after["status"]], "refund_id", after, REFUND_NUMBERS)
    if after["case_kind"] and not before["case_kind"]:
        yield _news(EventType.REFUND_NEEDS_REVIEW, "refund_id", after, REFUND_NUMBERS)


def _news(kind: EventType, named: str, row: Mapping[str, Any], numbers: tuple[str, ...]) -> NewEvent:
    data = {
        named: row["id"],
        "merchant_no": row["merchant_no"],
        **{name: None if row[name] is None else str(row[name]) for name in numbers},
        "currency": row["currency"],
        "amount": money_text(row["amount"], CURRENCY_PLACES[row["currency"]]),
        "status": str(row["status"]),
    }
    return NewEvent(kind, row["merchant_no"], data)


def event_of(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    task: Task,
    outcome: Outcome,
    transition: Transition,
    now: datetime,
) -> dict[str, Any]:
    """One call in the timeline of the payment it belongs to."""
    detail = {"action": f"{task.table.name} {task.action}", "outcome": transition.outcome}
    if isinstance(outcome, GatewayError):
        detail["message"] = mask_words(outcome.message)
    if before["status"] is not after["status"]:
        detail |= {"from": str(before["status"]), "to": str(after["status"])}
    exchange = outcome.exchange
    is_refund = task.table.name == Refund.__tablename__
    return {
        "merchant_no": before["merchant_no"],
        "payment_id": before["payment_id"] if is_refund else before["id"],
        "refund_id": before["id"] if is_refund else None,
        "at": now,
        "kind": "call",
        "actor": "gateway",
        "detail": detail,
        "request": dict(exchange.params) if exchange else None,
        "reply": exchange.reply if exchange else None,
        "duration_ms": exchange.duration_ms if exchange else None,
    }
