"""Retention: delete old answers of Idempotency-Keys, logged requests, sessions and failed sign-ins."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, delete, select
from sqlalchemy.orm import Session

from customs.auth.login_throttle import REMEMBERED
from customs.auth.models import FailedSignIn, IdempotentReply, UserSession
from customs.request_log.models import LoggedRequest
from customs.web.idempotency import KEPT

LOG_KEPT = SESSIONS_KEPT = timedelta(days=30)
# Few rows a transaction: no request waits for this.
BATCH_SIZE = 500
# The key of a row, the time from which it counts, how long it is kept. A session counts from when it expires.
EXPIRING = (
    (IdempotentReply.id, IdempotentReply.created_at, KEPT),
    (LoggedRequest.id, LoggedRequest.at, LOG_KEPT),
    (UserSession.id, UserSession.expires_at, SESSIONS_KEPT),
    (FailedSignIn.who, FailedSignIn.last_at, REMEMBERED),
)


def has_expired_rows(db: Session, now: datetime) -> bool:
    """Whether `purge_expired` has anything to delete."""
    return any(db.scalar(select(name).where(at < now - kept).limit(1)) is not None for name, at, kept in EXPIRING)


def purge_expired(db: Session, now: datetime) -> int:
    """Delete a batch of expired rows from each table; return how many."""
    count = 0
    for name, at, kept in EXPIRING:
        expired = select(name).where(at < now - kept).order_by(at).limit(BATCH_SIZE)
        deleted: CursorResult[Any] = db.execute(delete(name.class_).where(name.in_(expired)))  # type: ignore[assignment]
        count += deleted.rowcount
    return count
