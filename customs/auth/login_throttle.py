"""Throttling: whoever fails to sign in again and again waits longer each time, whether there is such a login or not.

Failures are forgiven with time, so that people who mistype once in a while never wait. What strangers do keeps nobody
out: a login's wait counts only at addresses that failed themselves, and a browser from which somebody signed in before
answers for its own failures alone.

An attempt is counted as failed before it is judged, in a transaction of its own, and taken back when it was none: of
many at once no more are judged than of many in a row, and a process that dies forgives nothing. Whoever holds rows of
this table takes them in the order of `who`, so that no two can wait for each other.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, ip_address, ip_network

from sqlalchemy import Engine, delete, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from customs.auth.models import FailedSignIn
from customs.db import database
from customs.errors import LoginThrottled
from customs.privacy.vault import Vault

FREE_FOR_ONE, FREE_FROM_ADDRESS = 5, 20
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=15)
REMEMBERED = timedelta(days=1)
# One failure is forgiven for each of these.
FORGIVEN_EVERY = timedelta(minutes=10)
# How much of an IPv6 address one household has for itself.
NETWORK_BITS = 64


@dataclass(frozen=True)
class Origin:
    """Where an attempt came from: an address, and the device if somebody signed in from it with this login before."""

    address: str
    device: str | None = None


@dataclass(frozen=True)
class Counted:
    """A counted attempt: blind indexes of the login or codes it was made for, and of where it came from."""

    one: str
    origin: str
    is_known_device: bool


def count_password(engine: Engine, vault: Vault, login: str, origin: Origin, now: datetime) -> Counted:
    """Count an attempt at the password of a login, real or not. Raises LoginThrottled."""
    return _count(engine, _counted(vault, _of_login(vault, login), origin), now, strangers_count=False)


def count_code(engine: Engine, vault: Vault, person_id: str, origin: Origin, now: datetime) -> Counted:
    """Count an attempt at the one-time code of a person; a good password takes none of these back.

    Whoever comes so far knows the password: their failures count wherever they were made.
    """
    return _count(engine, _counted(vault, _of_code(vault, person_id), origin), now, strangers_count=True)


def _counted(vault: Vault, one: str, origin: Origin) -> Counted:
    where = _of_address(vault, origin.address) if origin.device is None else vault.index(f"device:{origin.device}")
    return Counted(one, where, origin.device is not None)


def take_back(db: Session, counted: Counted) -> None:
    """Forget the failures of the same login or codes, and the one of its origin: the attempt was good."""
    was_counted = FailedSignIn.who == counted.origin, FailedSignIn.failures > 0
    forgotten = delete(FailedSignIn).where(FailedSignIn.who == counted.one)
    one_less = update(FailedSignIn).where(*was_counted).values(failures=FailedSignIn.failures - 1)
    for undo in (forgotten, one_less) if counted.one < counted.origin else (one_less, forgotten):
        db.execute(undo)


def forget_failures(db: Session, vault: Vault, login: str, person_id: str) -> None:
    """Forget the failures of a person who was given a new password."""
    for who in sorted((_of_login(vault, login), _of_code(vault, person_id))):
        db.execute(delete(FailedSignIn).where(FailedSignIn.who == who))


def waiting_time(failures: int, free: int) -> timedelta:
    """Return how long after the last of so many failures the next attempt is judged."""
    if failures < free:
        return timedelta()
    # The exponent is bounded: failures are not.
    return min(FIRST_WAIT * float(2 ** min(failures - free, 20)), LONGEST_WAIT)


def _count(engine: Engine, counted: Counted, now: datetime, *, strangers_count: bool) -> Counted:
    free = {counted.one: FREE_FOR_ONE, counted.origin: FREE_FOR_ONE if counted.is_known_device else FREE_FROM_ADDRESS}
    with database.transaction(engine) as db:
        rows = {row.who: row for row in _locked(db, sorted(free), now)}
        for row in rows.values():
            _forgive(row, now)
        origin = rows[counted.origin]
        # Else they count where they were made: not on a known device, nor at an address that hardly failed.
        is_elsewhere = counted.is_known_device or origin.failures < FREE_FOR_ONE
        counts = {counted.origin} if is_elsewhere and not strangers_count else set(rows)
        left = max(_left(rows[who], free[who], now) for who in counts)
        if left > timedelta():
            raise LoginThrottled(retry_after=math.ceil(left.total_seconds()))
        for row in rows.values():
            row.failures, row.last_at = row.failures + 1, now
    return counted


def _forgive(row: FailedSignIn, now: datetime) -> None:
    """Take off the failures that time has forgiven; what is left of the time counts for the next one."""
    begun = row.forgiven_at or row.last_at
    count = max(now - begun, timedelta()) // FORGIVEN_EVERY
    is_forgotten = count >= row.failures or row.last_at <= now - REMEMBERED
    row.failures = 0 if is_forgotten else row.failures - count
    row.forgiven_at = now if is_forgotten else begun + count * FORGIVEN_EVERY


def _locked(db: Session, whos: Sequence[str], now: datetime) -> Sequence[FailedSignIn]:
    """Return the rows of these, locked; make those that are missing."""
    insert = insert_sqlite if db.connection().dialect.name == "sqlite" else insert_postgresql
    fresh = insert(FailedSignIn).values([{"who": who, "failures": 0, "last_at": now} for who in whos])
    # A row that is there is written as it is: that locks it, and gives it back.
    upserted = fresh.on_conflict_do_update(index_elements=["who"], set_={"failures": FailedSignIn.failures})
    return db.scalars(upserted.returning(FailedSignIn)).all()


def _left(row: FailedSignIn, free: int, now: datetime) -> timedelta:
    wait = waiting_time(row.failures, free)
    return row.last_at + wait - now if wait else wait


def _of_login(vault: Vault, login: str) -> str:
    return vault.index(f"login:{login}")


def _of_code(vault: Vault, person_id: str) -> str:
    return vault.index(f"code:{person_id}")


def _of_address(vault: Vault, address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return vault.index(f"address:{address}")
    is_single = isinstance(parsed, IPv4Address)
    return vault.index(f"address:{parsed if is_single else ip_network((parsed, NETWORK_BITS), strict=False)}")
