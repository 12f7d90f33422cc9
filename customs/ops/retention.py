"""What is kept for a time only: answers by their Idempotency-Key, the log of requests, sessions, failed sign-ins."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, delete, select
from sqlalchemy.orm import Session

from customs.auth.idempotency_store import KEPT
from customs.auth.login_throttle import REMEMBERED
from customs.auth.models import FailedSignIn, IdempotentReply, SignedIn
from customs.request_log.models import LoggedRequest

LOG_KEPT = SESSIONS_KEPT = timedelta(days=30)
# Few at a time: no request waits for this.
BITE = 500
# What names a row, since when it is old, and for how long it is kept. No session ends later than it expires.
OLD = (
    (IdempotentReply.id, IdempotentReply.created_at, KEPT),
    (LoggedRequest.id, LoggedRequest.at, LOG_KEPT),
    (SignedIn.id, SignedIn.expires_at, SESSIONS_KEPT),
    (FailedSignIn.who, FailedSignIn.last_at, REMEMBERED),
)


def something_is_old(db: Session, now: datetime) -> bool:
    """Whether `forget_old` has anything to do."""
    return any(db.scalar(select(name).where(at < now - kept).limit(1)) is not None for name, at, kept in OLD)


def forget_old(db: Session, now: datetime) -> int:
    """Delete a bite of what is older than it is kept; how many rows that were."""
    count = 0
    for name, at, kept in OLD:
        old = select(name).where(at < now - kept).order_by(at).limit(BITE)
        gone: CursorResult[Any] = db.execute(delete(name.class_).where(name.in_(old)))  # type: ignore[assignment]
        count += gone.rowcount
    return count
