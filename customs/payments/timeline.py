"""One call as an event in the timeline of the payment it belongs to."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from customs.gateway import GatewayError
from customs.payments.errands import Task
from customs.payments.judging import Judgement, Outcome
from customs.payments.models import Refund
from customs.payments.personal import mask_words


def event_of(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    task: Task,
    outcome: Outcome,
    judgement: Judgement,
    now: datetime,
) -> dict[str, Any]:
    """One call in the timeline of the payment it belongs to."""
    detail = {"action": f"{task.table.name} {task.deed}", "outcome": judgement.outcome}
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
