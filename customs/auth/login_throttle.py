"""Throttling: whoever fails to sign in again and again waits longer each time, whether there is such a login or not.

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
# How much of an IPv6 address one household has for itself.
NETWORK_BITS = 64


@dataclass(frozen=True)
class Counted:
    """A counted attempt: blind indexes of the login or codes it was made for, and of its address."""

    one: str
    address: str


def count_password(engine: Engine, vault: Vault, login: str, address: str, now: datetime) -> Counted:
    """Count an attempt at the password of a login, real or not. Raises LoginThrottled."""
    return _count(engine, Counted(_of_login(vault, login), _of_address(vault, address)), now)


def count_code(engine: Engine, vault: Vault, person_id: str, address: str, now: datetime) -> Counted:
    """Count an attempt at the one-time code of a person; a good password takes none of these back."""
    return _count(engine, Counted(_of_code(vault, person_id), _of_address(vault, address)), now)


def take_back(db: Session, counted: Counted) -> None:
    """Forget the failures of the same login or codes, and the one of its address: the attempt was good."""
    was_counted = FailedSignIn.who == counted.address, FailedSignIn.failures > 0
    forgotten = delete(FailedSignIn).where(FailedSignIn.who == counted.one)
    one_less = update(FailedSignIn).where(*was_counted).values(failures=FailedSignIn.failures - 1)
    for undo in (forgotten, one_less) if counted.one < counted.address else (one_less, forgotten):
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


def _count(engine: Engine, counted: Counted, now: datetime) -> Counted:
    free = {counted.one: FREE_FOR_ONE, counted.address: FREE_FROM_ADDRESS}
    with database.transaction(engine) as db:
        rows = _locked(db, sorted(free), now)
        for row in rows:
            if row.last_at <= now - REMEMBERED:
                row.failures = 0
        left = max(_left(row, free[row.who], now) for row in rows)
        if left > timedelta():
            raise LoginThrottled(retry_after=math.ceil(left.total_seconds()))
        for row in rows:
            row.failures, row.last_at = row.failures + 1, now
    return counted


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
