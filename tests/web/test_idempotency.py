"""Answers kept by their key: whose they are, how long, who is at it, and that work that failed stores none."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError

from customs.auth.models import IdempotentReply
from customs.container import Services
from customs.db.database import lost_a_race
from customs.errors import IdempotencyKeyInUse, IdempotencyKeyReused, ValidationFailed
from customs.jobs.leases import machine
from customs.web.idempotency import (
    KEPT,
    JsonResponse,
    KeyedRequest,
    Reservation,
    release,
    reserve,
    store_response,
    stored_response,
)
from tests import make

LEASE = timedelta(minutes=1)
RESPONSE = ({"done": 1, "name": "李雷", "amount": "1.10"}, 202)


class Keys:
    """Idempotency-Keys of a test, each reserved for work that ends or fails."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def begin(self, key: str = "k1", content: bytes = b"x", *, caller: Any = None, now: datetime = make.NOON) -> Any:
        """Reserve a key, or return the answer stored before."""
        asked = KeyedRequest.of(caller or make.caller(), key, content)
        with self.services.reading() as db:
            stored = stored_response(db, asked, now)
        if stored:
            return stored
        with self.services.transaction() as db:
            return reserve(db, asked, now, LEASE)

    def end(self, reservation: Reservation, response: JsonResponse = RESPONSE) -> None:
        with self.services.transaction() as db:
            store_response(db, reservation, response)

    def fail(self, reservation: Reservation) -> None:
        with self.services.transaction() as db:
            release(db, reservation)

    def kept(self) -> int:
        with self.services.reading() as db:
            return db.scalar(select(func.count(IdempotentReply.id))) or 0

    def set_lease_owner(self, lease_owner: str) -> None:
        with self.services.transaction() as db:
            db.execute(update(IdempotentReply).values(holder=lease_owner))


@pytest.fixture
def keys(services: Services) -> Keys:
    return Keys(services)


def test_the_second_time_the_answer_is_given(keys: Keys):
    keys.end(keys.begin())

    assert keys.begin() == RESPONSE


def test_another_key_is_another_request(keys: Keys):
    keys.end(keys.begin("k1"))

    assert isinstance(keys.begin("K1"), Reservation)


def test_the_same_key_with_another_request_is_refused(keys: Keys):
    keys.end(keys.begin(content=b"x"))

    with pytest.raises(IdempotencyKeyReused):
        keys.begin(content=b"y")


def test_each_caller_has_keys_of_their_own(keys: Keys):
    keys.end(keys.begin())
    other = type(make.caller())("another", "another", frozenset(), None)

    assert isinstance(keys.begin(caller=other), Reservation)


@pytest.mark.parametrize("age", [KEPT, KEPT + timedelta(seconds=1)], ids=["30 days", "older"])
def test_an_answer_is_kept_for_thirty_days(keys: Keys, age: timedelta):
    keys.end(keys.begin())

    again = keys.begin(content=b"x" if age == KEPT else b"another", now=make.NOON + age)

    assert isinstance(again, tuple if age == KEPT else Reservation)
    assert keys.kept() == 1


def test_while_the_first_runs_the_second_is_asked_to_come_back(keys: Keys):
    keys.begin()

    with pytest.raises(IdempotencyKeyInUse) as refused:
        keys.begin()
    assert refused.value.retry_after


def test_while_the_first_runs_another_request_is_another_request(keys: Keys):
    keys.begin(content=b"x")

    with pytest.raises(IdempotencyKeyReused):
        keys.begin(content=b"y")


def test_what_failed_may_be_corrected_under_the_same_key(keys: Keys):
    keys.fail(keys.begin(content=b"x"))

    assert keys.kept() == 0
    assert isinstance(keys.begin(content=b"y"), Reservation)


def test_a_reservation_lapses_with_its_lease(keys: Keys):
    keys.begin()

    assert isinstance(keys.begin(now=make.NOON + LEASE + timedelta(seconds=1)), Reservation)
    assert keys.kept() == 1


def test_a_reservation_lapses_at_once_with_its_process(keys: Keys):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    keys.begin()
    keys.set_lease_owner(f"{machine()}:{gone.pid}")

    assert isinstance(keys.begin(content=b"corrected"), Reservation)


def test_a_reservation_of_another_machine_runs_until_its_lease_ends(keys: Keys):
    keys.begin()
    keys.set_lease_owner("elsewhere:1")

    with pytest.raises(IdempotencyKeyInUse):
        keys.begin(now=make.NOON + LEASE)


def test_who_lost_the_reservation_stores_no_answer_and_releases_nobody_elses(keys: Keys):
    slow = keys.begin()
    late = make.NOON + LEASE + timedelta(seconds=1)
    quick = keys.begin(now=late)

    with pytest.raises(IdempotencyKeyInUse):
        keys.end(slow, ({}, 500))
    keys.fail(slow)
    keys.end(quick)

    assert keys.begin(now=late) == RESPONSE


@pytest.mark.parametrize("lapsed", [False, True], ids=["a new key", "a lapsed reservation"])
def test_of_many_at_once_one_gets_the_reservation(keys: Keys, lapsed: bool):
    if lapsed:
        keys.begin(now=make.NOON - timedelta(days=1))
    barrier = threading.Barrier(8)

    def begin(_: int) -> Any:
        barrier.wait()
        for _attempt in range(3):
            try:
                return keys.begin()
            except IdempotencyKeyInUse:
                return None
            except DBAPIError as error:
                assert lost_a_race(error)
        return None

    with ThreadPoolExecutor(8) as pool:
        reservations = [one for one in pool.map(begin, range(8)) if one]

    assert len(reservations) == 1
    keys.end(reservations[0])


@pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel", "a\nb", "a\x00b"], ids=ascii)
def test_a_key_that_is_none_is_refused_before_any_work(keys: Keys, key: str):
    with pytest.raises(ValidationFailed):
        keys.begin(key)

    assert keys.kept() == 0
