"""Doors that store something do it once: one transaction, one answer for each Idempotency-Key."""

from collections.abc import Callable
from typing import Any

from flask import request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from customs import database
from customs.access.idempotency import answer_once
from customs.errors import Contended
from customs.web.doors import current_caller, services

ATTEMPTS = 3


def once(raw: bytes, work: Callable[[Session], tuple[dict[str, Any], int]]) -> tuple[dict[str, Any], int]:
    """Do the work in one transaction. Who loses a race to a unique number begins again, and then sees the winner."""
    request_text = f"{request.method} {request.path}\n".encode() + raw
    key = request.headers.get("Idempotency-Key")
    for _attempt in range(ATTEMPTS):
        try:
            with services().transaction() as db:
                now = database.now(db)
                return answer_once(db, current_caller(), key, request_text, now, lambda db=db: work(db))  # type: ignore[misc]
        except DBAPIError as error:
            if not database.lost_a_race(error):
                raise
    raise Contended("try again", retry_after=1)
