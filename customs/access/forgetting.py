"""What is kept for a time only: answers by their Idempotency-Key, and the log of requests."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, delete, select
from sqlalchemy.orm import Session

from customs.access.idempotency import KEPT
from customs.access.models import IdempotentReply
from customs.history.requests import LoggedRequest

LOG_KEPT = timedelta(days=30)
# Few at a time: no request waits for this.
BITE = 500
OLD = ((IdempotentReply, IdempotentReply.created_at, KEPT), (LoggedRequest, LoggedRequest.at, LOG_KEPT))


def something_is_old(db: Session, now: datetime) -> bool:
    """Whether `forget_old` has anything to do."""
    return any(db.scalar(select(model.id).where(at < now - kept).limit(1)) is not None for model, at, kept in OLD)


def forget_old(db: Session, now: datetime) -> int:
    """Delete a bite of what is older than it is kept; how many rows that were."""
    count = 0
    for model, at, kept in OLD:
        old = select(model.id).where(at < now - kept).order_by(at).limit(BITE)
        gone: CursorResult[Any] = db.execute(delete(model).where(model.id.in_(old)))  # type: ignore[assignment]
        count += gone.rowcount
    return count
