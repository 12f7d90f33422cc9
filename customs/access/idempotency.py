"""Idempotency-Key: the answer is stored in the transaction that did the work, so a repeat gets the same answer."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from customs.access.callers import Caller
from customs.access.models import IdempotentReply
from customs.errors import Invalid, KeyReused

KEPT = timedelta(days=30)
LONGEST_KEY = 255


def answer_once(
    db: Session, caller: Caller, key: str | None, request: bytes, now: datetime, work: Callable[[], tuple[Any, int]]
) -> tuple[Any, int]:
    """The answer given before to this key, else that of `work`, kept. `request`: what makes it the same request.

    Raises KeyReused when the key came with another request. Two at once: the second's insert breaks the unique
    constraint, and the door begins again.
    """
    if key is None:
        return work()
    if not (1 <= len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise Invalid(f"an Idempotency-Key has 1 to {LONGEST_KEY} printable ASCII characters")
    fingerprint = hashlib.sha256(request).hexdigest()
    named = (IdempotentReply.caller == caller.id, IdempotentReply.key == key)
    db.execute(delete(IdempotentReply).where(*named, IdempotentReply.created_at < now - KEPT))
    given = db.scalar(select(IdempotentReply).where(*named))
    if given is not None:
        if given.fingerprint != fingerprint:
            raise KeyReused
        return json.loads(given.body), given.status
    body, status = work()
    db.add(
        IdempotentReply(
            caller=caller.id,
            key=key,
            fingerprint=fingerprint,
            status=status,
            body=json.dumps(body, ensure_ascii=False),
            created_at=now,
        )
    )
    db.flush()
    return body, status
