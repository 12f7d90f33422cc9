"""Doors that store something do it once: one transaction, one answer for each Idempotency-Key."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import structlog
from flask import request
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from customs.auth.idempotency_store import Answer, Request, Turn, answer_given, give_up, keep, take_turn
from customs.db import database
from customs.errors import ConcurrentUpdate
from customs.web.request import current_caller
from customs.web.services import services

log = structlog.get_logger()

ATTEMPTS = 3
# A form of the desk carries its key as a field: pressed twice, it does its deed once.
FIELD = "once"

Shown = tuple[dict[str, Any], int]
Done = TypeVar("Done")


def idempotent(raw: bytes, work: Callable[[Session], Shown], before: Callable[[], object] | None = None) -> Shown:
    """Do the work in one transaction, unless this Idempotency-Key was answered before.

    `before` is what the work needs first and no transaction may wait for; it is done for the first request only. Who
    loses a race to a unique number begins again, and then sees the winner. The answer kept is the one given then: a
    door that shows how the thing stands today keeps its id, and reads it anew.
    """
    with _turn(raw) as turn:
        if isinstance(turn, Answer):
            return turn.body, turn.status
        if before is not None:
            before()
        return retry_on_conflict(lambda db: _kept(db, turn, work(db)))


def idempotent_read(raw: bytes, tell: Callable[[], Shown]) -> Shown:
    """The same for a door that only tells something: without a key it needs no transaction that writes."""
    if request.headers.get("Idempotency-Key") is None:
        return tell()
    read: list[Shown] = []
    return idempotent(raw, lambda _: read[0], before=lambda: read.append(tell()))


@contextmanager
def _turn(raw: bytes) -> Iterator[Turn | Answer | None]:
    """The turn of this request's key, given up when the work fails; the answer given before; None without a key."""
    key = request.headers.get("Idempotency-Key", request.form.get(FIELD))
    if key is None:
        yield None
        return
    query = f"?{request.query_string.decode('ascii', 'replace')}" if request.query_string else ""
    asked = Request.of(current_caller(), key, f"{request.method} {request.path}{query}\n".encode() + raw)
    with services().reading() as db:
        given = answer_given(db, asked, database.now(db))
    lease = timedelta(seconds=services().settings.lease_seconds)
    turn = given or retry_on_conflict(lambda db: take_turn(db, asked, database.now(db), lease))
    done = False
    try:
        yield turn
        done = True
    finally:
        if not done and isinstance(turn, Turn):
            _give_up(turn)


def _give_up(turn: Turn) -> None:
    try:
        with services().transaction() as db:
            give_up(db, turn)
    except SQLAlchemyError as error:
        # It lapses by itself, and what failed first is what the caller has to hear.
        log.warning("an Idempotency-Key stays reserved for a while", error=type(error).__name__)


def _kept(db: Session, turn: Turn | None, shown: Shown) -> Shown:
    if turn is not None:
        keep(db, turn, Answer(*shown))
    return shown


def retry_on_conflict(work: Callable[[Session], Done]) -> Done:
    """Do a deed in one transaction; who loses a race begins again, and then sees the winner."""
    for _attempt in range(ATTEMPTS):
        try:
            with services().transaction() as db:
                return work(db)
        except DBAPIError as error:
            if not database.lost_a_race(error):
                raise
    raise ConcurrentUpdate("try again", retry_after=1)
