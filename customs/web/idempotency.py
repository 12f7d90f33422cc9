"""Idempotency-Key: reserved before the work, answered in the transaction that did it, so a repeat gets the same answer.

A reservation is a row with a lease. It lapses when its process is seen dead on this machine, else when the lease ends;
whoever lost it so can no longer store an answer, and its work is rolled back: one key, one effect.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from flask import request
from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from customs.auth.models import IdempotentReply
from customs.auth.principal import Caller
from customs.db import database
from customs.errors import ConcurrentUpdate, IdempotencyKeyInUse, IdempotencyKeyReused, ValidationFailed
from customs.ids import new_id
from customs.jobs.leases import dead_holders, this_holder
from customs.web.request import current_caller
from customs.web.services import services

log = structlog.get_logger()

KEPT = timedelta(days=30)
LONGEST_KEY = 255
RETRY_SECONDS = 1
ATTEMPTS = 3
# A form carries its key as a field: pressed twice, it acts once.
FIELD = "once"

# The body as JSON, and the status.
JsonResponse = tuple[dict[str, Any], int]
Done = TypeVar("Done")


@dataclass(frozen=True)
class KeyedRequest:
    """A request with an Idempotency-Key: whose it is, and the digest of what makes it the same request."""

    caller: str
    key: str
    fingerprint: str

    @classmethod
    def of(cls, caller: Caller, key: str, content: bytes) -> "KeyedRequest":
        """Raises ValidationFailed for a key that is none."""
        if not (1 <= len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
            raise ValidationFailed(f"an Idempotency-Key has 1 to {LONGEST_KEY} printable ASCII characters")
        return cls(caller.id, key, hashlib.sha256(content).hexdigest())


@dataclass(frozen=True)
class Reservation:
    """Right to do the work of one key, and to store its answer."""

    id: str


def idempotent(
    raw: bytes, work: Callable[[Session], JsonResponse], before: Callable[[], object] | None = None
) -> JsonResponse:
    """Do the work in one transaction, unless this Idempotency-Key was answered before.

    `before` is what the work needs first and no transaction may wait for; it is done for the first request only. The
    answer stored is the one given then: a view that shows how a thing is today stores its id, and reads it anew.
    """
    with _reserved(raw) as reservation:
        if isinstance(reservation, tuple):
            return reservation
        if before is not None:
            before()

        def work_and_store(db: Session) -> JsonResponse:
            response = work(db)
            if reservation is not None:
                store_response(db, reservation, response)
            return response

        return retry_on_conflict(work_and_store)


def idempotent_read(raw: bytes, read: Callable[[], JsonResponse]) -> JsonResponse:
    """Answer a request that changes nothing; only with an Idempotency-Key does it need a transaction that writes."""
    if request.headers.get("Idempotency-Key") is None:
        return read()
    found: list[JsonResponse] = []
    return idempotent(raw, lambda _: found[0], before=lambda: found.append(read()))


def retry_on_conflict(work: Callable[[Session], Done]) -> Done:
    """Work in one transaction; who loses a race to another begins again, and then sees the winner."""
    for _attempt in range(ATTEMPTS):
        try:
            with services().transaction() as db:
                return work(db)
        except DBAPIError as error:
            if not database.lost_a_race(error):
                raise
    raise ConcurrentUpdate("try again", retry_after=1)


@contextmanager
def _reserved(raw: bytes) -> Iterator[Reservation | JsonResponse | None]:
    """Reserve this request's key, until the work fails; or return the answer given before. None without a key."""
    key = request.headers.get("Idempotency-Key", request.form.get(FIELD))
    if key is None:
        yield None
        return
    query = f"?{request.query_string.decode('ascii', 'replace')}" if request.query_string else ""
    asked = KeyedRequest.of(current_caller(), key, f"{request.method} {request.path}{query}\n".encode() + raw)
    with services().reading() as db:
        stored = stored_response(db, asked, database.now(db))
    lease = timedelta(seconds=services().settings.lease_seconds)
    reservation = stored or retry_on_conflict(lambda db: reserve(db, asked, database.now(db), lease))
    done = False
    try:
        yield reservation
        done = True
    finally:
        if not done and isinstance(reservation, Reservation):
            _release(reservation)


def _release(reservation: Reservation) -> None:
    try:
        with services().transaction() as db:
            release(db, reservation)
    except SQLAlchemyError as error:
        # It lapses by itself, and what failed first is what the caller has to hear.
        log.warning("an Idempotency-Key stays reserved for a while", error=type(error).__name__)


def stored_response(db: Session, request: KeyedRequest, now: datetime) -> JsonResponse | None:
    """Return the answer stored for this key; None when there is none and nobody works on it.

    Reads only, so it never waits for the first request. Raises IdempotencyKeyReused for another request under the same
    key, and IdempotencyKeyInUse while the first one runs.
    """
    return _response_in(db.scalar(select(IdempotentReply).where(*_is_for(request))), request, now)


def reserve(db: Session, request: KeyedRequest, now: datetime, lease: timedelta) -> Reservation | JsonResponse:
    """Reserve the key, in a transaction of its own; or return the answer that came meanwhile.

    Two at once: the second's insert breaks the unique constraint. It begins again, and finds the key in use.
    """
    # Of two who find the same lapsed reservation, one has to wait here and then sees the other's.
    found = db.scalar(select(IdempotentReply).where(*_is_for(request)).with_for_update())
    stored = _response_in(found, request, now)
    if stored is not None:
        return stored
    reservation = Reservation(new_id("turn"))
    reserved = {
        "fingerprint": request.fingerprint,
        "turn": reservation.id,
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
    return reservation


def store_response(db: Session, reservation: Reservation, response: JsonResponse) -> None:
    """Store the answer, at the end of the transaction that did the work.

    Raises IdempotencyKeyInUse when the reservation was lost.
    """
    body, status = response
    text = json.dumps(body, ensure_ascii=False)
    values = {"status": status, "body": text, "turn": None, "holder": None, "lease_until": None}
    stored: CursorResult[Any] = db.execute(update(IdempotentReply).where(*_is_of(reservation)).values(values))  # type: ignore[assignment]
    if stored.rowcount != 1:
        raise IdempotencyKeyInUse(retry_after=RETRY_SECONDS)


def release(db: Session, reservation: Reservation) -> None:
    """Give up the key of work that failed without effect: it may come again, corrected."""
    db.execute(delete(IdempotentReply).where(*_is_of(reservation)))


def _response_in(found: IdempotentReply | None, request: KeyedRequest, now: datetime) -> JsonResponse | None:
    """Return the answer in a row; None when the key is free."""
    if found is None or found.created_at < now - KEPT or _has_lapsed(found, now):
        return None
    if found.fingerprint != request.fingerprint:
        raise IdempotencyKeyReused
    if found.status is None:
        raise IdempotencyKeyInUse(retry_after=RETRY_SECONDS)
    return json.loads(found.body or "null"), found.status


def _is_for(request: KeyedRequest) -> Sequence[Any]:
    return IdempotentReply.caller == request.caller, IdempotentReply.key == request.key


def _is_of(reservation: Reservation) -> Sequence[Any]:
    return IdempotentReply.turn == reservation.id, IdempotentReply.status.is_(None)


def _has_lapsed(found: IdempotentReply, now: datetime) -> bool:
    if found.status is not None or found.lease_until is None:
        return False
    return found.lease_until < now or bool(dead_holders([found.holder or ""]))
