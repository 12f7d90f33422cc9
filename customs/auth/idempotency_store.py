"""Idempotency-Key: reserved before the work, answered in the transaction that did it, so a repeat gets the same answer.

A reservation is a row with a lease. It lapses when its process is seen dead on this machine, else when the lease ends;
whoever lost it so can no longer keep an answer, and its work is rolled back: one key, one effect.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session

from customs.auth.models import IdempotentReply
from customs.auth.principal import Caller
from customs.errors import IdempotencyKeyInUse, IdempotencyKeyReused, ValidationFailed
from customs.ids import new_id
from customs.jobs.leases import dead_holders, this_holder

KEPT = timedelta(days=30)
LONGEST_KEY = 255
RETRY_SECONDS = 1


@dataclass(frozen=True)
class Request:
    """What one Idempotency-Key stands for: whose it is, and the digest of what makes it the same request."""

    caller: str
    key: str
    fingerprint: str

    @classmethod
    def of(cls, caller: Caller, key: str, content: bytes) -> "Request":
        """Raises ValidationFailed for a key that is none."""
        if not (1 <= len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
            raise ValidationFailed(f"an Idempotency-Key has 1 to {LONGEST_KEY} printable ASCII characters")
        return cls(caller.id, key, hashlib.sha256(content).hexdigest())


@dataclass(frozen=True)
class Answer:
    """What was answered: a body of JSON and a status."""

    body: Any
    status: int


@dataclass(frozen=True)
class Turn:
    """The right to do the work of one key, and to keep its answer."""

    id: str


def answer_given(db: Session, request: Request, now: datetime) -> Answer | None:
    """The answer kept for this key; None when there is none and nobody is at it.

    Reads only, so it never waits for the first request. Raises IdempotencyKeyReused for another request under the same
    key, and IdempotencyKeyInUse while the first one runs.
    """
    return _judged(db.scalar(select(IdempotentReply).where(*_named(request))), request, now)


def take_turn(db: Session, request: Request, now: datetime, lease: timedelta) -> Turn | Answer:
    """Reserve the key, in a transaction of its own; or the answer that came meanwhile.

    Two at once: the second's insert breaks the unique constraint. It begins again, and finds the key in use.
    """
    # Of two who find the same lapsed reservation, one has to wait here and then sees the other's.
    found = db.scalar(select(IdempotentReply).where(*_named(request)).with_for_update())
    given = _judged(found, request, now)
    if given is not None:
        return given
    turn = Turn(new_id("turn"))
    reserved = {
        "fingerprint": request.fingerprint,
        "turn": turn.id,
        "holder": this_holder(),
        "lease_until": now + lease,
        "created_at": now,
        "status": None,
        "body": None,
    }
    if found is None:
        db.add(IdempotentReply(caller=request.caller, key=request.key, **reserved))
        db.flush()
    else:
        db.execute(update(IdempotentReply).where(IdempotentReply.id == found.id).values(reserved))
    return turn


def keep(db: Session, turn: Turn, answer: Answer) -> None:
    """Keep the answer, at the end of the transaction that did the work.

    Raises IdempotencyKeyInUse when the turn was lost.
    """
    body = json.dumps(answer.body, ensure_ascii=False)
    values = {"status": answer.status, "body": body, "turn": None, "holder": None, "lease_until": None}
    kept: CursorResult[Any] = db.execute(update(IdempotentReply).where(*_mine(turn)).values(values))  # type: ignore[assignment]
    if kept.rowcount != 1:
        raise IdempotencyKeyInUse(retry_after=RETRY_SECONDS)


def give_up(db: Session, turn: Turn) -> None:
    """The work failed and had no effect: the same key may come again, corrected."""
    db.execute(delete(IdempotentReply).where(*_mine(turn)))


def _judged(found: IdempotentReply | None, request: Request, now: datetime) -> Answer | None:
    """What a row means for this request; None when the key is free."""
    if found is None or found.created_at < now - KEPT or _has_lapsed(found, now):
        return None
    if found.fingerprint != request.fingerprint:
        raise IdempotencyKeyReused
    if found.status is None:
        raise IdempotencyKeyInUse(retry_after=RETRY_SECONDS)
    return Answer(json.loads(found.body or "null"), found.status)


def _named(request: Request) -> Sequence[Any]:
    return IdempotentReply.caller == request.caller, IdempotentReply.key == request.key


def _mine(turn: Turn) -> Sequence[Any]:
    return IdempotentReply.turn == turn.id, IdempotentReply.status.is_(None)


def _has_lapsed(found: IdempotentReply, now: datetime) -> bool:
    if found.status is not None or found.lease_until is None:
        return False
    return found.lease_until < now or bool(dead_holders([found.holder or ""]))
