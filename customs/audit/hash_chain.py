"""Hash chain of the audit trail: how an entry is hashed, and how the first entry that does not fit is found."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, bindparam, select

from customs.audit.models import ENTRIES

HASHED = tuple(column.name for column in ENTRIES.columns if column.name != "hash")
# Read at once: a million entries are never in memory together.
CHUNK = 5000
NEXT = (
    select(ENTRIES)
    .where(ENTRIES.c.number > bindparam("last"), ENTRIES.c.number <= bindparam("end"))
    .order_by(ENTRIES.c.number)
    .limit(bindparam("room"))
)

_as_json = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode


class ChainDefect(StrEnum):
    """How the trail was tampered with, as far as it shows."""

    ALTERED = "altered"
    MISSING = "missing"
    ADDED = "added"
    CUT_OFF = "cut off at the end"
    SEAL = "seal"
    PUT_BACK = "put back"


@dataclass(frozen=True)
class Link:
    """Number and hash of an entry, which the next one refers to."""

    number: int
    hash: str


# What the first entry goes on from.
START = Link(0, "0" * 64)


@dataclass(frozen=True)
class WalkResult:
    """How many entries fit; `first_bad` is the number of the first that does not, None when all do."""

    last: Link
    first_bad: int | None = None
    what: ChainDefect | None = None


def hash_of(entry: Mapping[str, Any]) -> str:
    """Return SHA-256 of all columns but the hash, as JSON: names sorted, no blanks, UTF-8, the time as text."""
    hashed = {name: entry[name] for name in HASHED}
    hashed["at"] = exact(entry["at"])
    return hashlib.sha256(_as_json(hashed).encode()).hexdigest()


def exact(moment: datetime) -> str:
    """Write a time as RFC 3339 in UTC with six places: 2026-11-23T08:00:00.000000Z."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def walk(db: Connection, end: int, last: Link = START) -> WalkResult:
    """Verify the entries after `last` up to number `end`; stop at the first that does not fit."""
    room = CHUNK
    while True:
        try:
            rows: Sequence[Any] = db.execute(NEXT, {"last": last.number, "end": end, "room": room}).mappings().all()
        except (ValueError, TypeError):
            # Somewhere among these stands what is no time or no JSON: one by one, to find where.
            if room == 1:
                return WalkResult(last, last.number + 1, ChainDefect.ALTERED)
            room = 1
            continue
        for entry in rows:
            if entry["number"] != last.number + 1:
                return WalkResult(last, last.number + 1, ChainDefect.MISSING)
            fits = _is_hashed_right(entry)
            if not fits or entry["previous"] != last.hash:
                # Right in itself, and made after another one than now stands before it: that one was written anew.
                return WalkResult(last, max(last.number, 1) if fits else entry["number"], ChainDefect.ALTERED)
            last = Link(entry["number"], entry["hash"])
        if len(rows) < room:
            return WalkResult(last)


def _is_hashed_right(entry: Mapping[str, Any]) -> bool:
    try:
        return bool(hash_of(entry) == entry["hash"])
    except (ValueError, TypeError, AttributeError):
        # SQLite keeps bytes and numbers in a column of texts.
        return False
