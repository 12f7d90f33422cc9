"""What is due: one `due_at` for first submission, retry, polling and recovery; a lease and a fence for who records."""

import hashlib
import os
import random
import socket
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Integer, String, and_, or_
from sqlalchemy.orm import Mapped, mapped_column

from customs.db.database import UtcDateTime

LONGEST_POLL_FACTOR = 20
POLL_GROWTH = 1.5
JITTER = 0.1
# A gateway that asks for more patience than this is asked again all the same.
LONGEST_RETRY_AFTER_SECONDS = 600.0


class Due:
    """The columns of anything a worker may be asked to call for.

    A row is claimable when `due_at` has passed and no lease runs. Claiming writes `holder` and `lease_until` and
    raises `fence`; only whoever still holds that fence may record. `overdue_since`: when it first fell due, while its
    calls end without an answer and `due_at` is only the next attempt.
    """

    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    overdue_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    holder: Mapped[str | None] = mapped_column(String(80))
    fence: Mapped[int] = mapped_column(Integer, default=0)


def waits_for_a_worker(model: type[Due], now: datetime) -> ColumnElement[bool]:
    """The condition that a row is due and nobody holds it."""
    unleased = or_(model.lease_until.is_(None), model.lease_until < now)
    return and_(model.due_at.is_not(None), model.due_at <= now, unleased)


def overdue_since(before: Mapping[str, Any], due_at: datetime | None, *, answered: bool) -> datetime | None:
    """When what was due before a call first fell due, given when it is due next; None once it was answered."""
    if answered or due_at is None:
        return None
    moment: datetime | None = before["overdue_since"] or before["due_at"]
    return moment


def growing(first: float, times: int, *, factor: float = POLL_GROWTH, most: float | None = None) -> float:
    """Seconds to wait after `times` waits: growing from `first` to `most` (20 times the first), with jitter."""
    most = first * LONGEST_POLL_FACTOR if most is None else most
    # The exponent is bounded: a push polled for a week must not overflow a float.
    wait = min(first * factor ** min(times, 100), most)
    return wait * (1 + random.uniform(-JITTER, JITTER))  # noqa: S311 - spreading load, not a secret


def machine() -> str:
    """This host and process namespace: a process id means something only within one."""
    parts = [socket.gethostname()]
    for source in (Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")):
        if source.exists():
            parts.append(str(source.readlink()) if source.is_symlink() else source.read_text().strip())
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def this_holder() -> str:
    """The name under which this process holds leases."""
    return f"{machine()}:{os.getpid()}"


def dead_holders(holders: Iterable[str]) -> list[str]:
    """Those of `holders` that were processes of this machine and are gone: their leases need not run out."""
    here = machine()
    return [holder for holder in holders if holder.startswith(f"{here}:") and not _lives(int(holder.split(":")[1]))]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
