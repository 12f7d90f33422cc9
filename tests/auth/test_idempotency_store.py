"""Answers kept by their key: whose they are, how long, who is at it, and that a failed deed keeps none."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError

from customs.auth.idempotency_store import KEPT, Answer, Request, Turn, answer_given, give_up, keep, take_turn
from customs.auth.models import IdempotentReply
from customs.container import Services
from customs.db.database import lost_a_race
from customs.errors import IdempotencyKeyInUse, IdempotencyKeyReused, ValidationFailed
from customs.jobs.leases import machine
from tests import make

LEASE = timedelta(minutes=1)
TOLD = Answer({"done": 1, "name": "李雷", "amount": "1.10"}, 202)


class Door:
    """Something that does its work under a turn."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def begin(self, key: str = "k1", content: bytes = b"x", *, caller: Any = None, now: datetime = make.NOON) -> Any:
        """A turn, or the answer given before."""
        asked = Request.of(caller or make.caller(), key, content)
        with self.services.reading() as db:
            given = answer_given(db, asked, now)
        if given:
            return given
        with self.services.transaction() as db:
            return take_turn(db, asked, now, LEASE)

    def end(self, turn: Turn, answer: Answer = TOLD) -> None:
        with self.services.transaction() as db:
            keep(db, turn, answer)

    def fail(self, turn: Turn) -> None:
        with self.services.transaction() as db:
            give_up(db, turn)

    def kept(self) -> int:
        with self.services.reading() as db:
            return db.scalar(select(func.count(IdempotentReply.id))) or 0

    def held_by(self, holder: str) -> None:
        with self.services.transaction() as db:
            db.execute(update(IdempotentReply).values(holder=holder))


@pytest.fixture
def door(services: Services) -> Door:
    return Door(services)


def test_the_second_time_the_answer_is_given(door: Door):
    door.end(door.begin())

    assert door.begin() == TOLD


def test_another_key_is_another_request(door: Door):
    door.end(door.begin("k1"))

    assert isinstance(door.begin("K1"), Turn)


def test_the_same_key_with_another_request_is_refused(door: Door):
    door.end(door.begin(content=b"x"))

    with pytest.raises(IdempotencyKeyReused):
        door.begin(content=b"y")


def test_each_caller_has_keys_of_their_own(door: Door):
    door.end(door.begin())
    other = type(make.caller())("another", "another", frozenset(), None)

    assert isinstance(door.begin(caller=other), Turn)


@pytest.mark.parametrize("age", [KEPT, KEPT + timedelta(seconds=1)], ids=["30 days", "older"])
def test_an_answer_is_kept_for_thirty_days(door: Door, age: timedelta):
    door.end(door.begin())

    again = door.begin(content=b"x" if age == KEPT else b"another", now=make.NOON + age)

    assert isinstance(again, Answer if age == KEPT else Turn)
    assert door.kept() == 1


def test_while_the_first_runs_the_second_is_told_to_come_back(door: Door):
    door.begin()

    with pytest.raises(IdempotencyKeyInUse) as refused:
        door.begin()
    assert refused.value.retry_after


def test_while_the_first_runs_another_request_is_another_request(door: Door):
    door.begin(content=b"x")

    with pytest.raises(IdempotencyKeyReused):
        door.begin(content=b"y")


def test_what_failed_may_be_corrected_under_the_same_key(door: Door):
    door.fail(door.begin(content=b"x"))

    assert door.kept() == 0
    assert isinstance(door.begin(content=b"y"), Turn)


def test_a_reservation_lapses_with_its_lease(door: Door):
    door.begin()

    assert isinstance(door.begin(now=make.NOON + LEASE + timedelta(seconds=1)), Turn)
    assert door.kept() == 1


def test_a_reservation_lapses_at_once_with_its_process(door: Door):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    door.begin()
    door.held_by(f"{machine()}:{gone.pid}")

    assert isinstance(door.begin(content=b"corrected"), Turn)


def test_a_reservation_of_another_machine_runs_until_its_lease_ends(door: Door):
    door.begin()
    door.held_by("elsewhere:1")

    with pytest.raises(IdempotencyKeyInUse):
        door.begin(now=make.NOON + LEASE)


def test_who_lost_the_turn_keeps_no_answer_and_gives_up_nobody_elses(door: Door):
    slow = door.begin()
    late = make.NOON + LEASE + timedelta(seconds=1)
    quick = door.begin(now=late)

    with pytest.raises(IdempotencyKeyInUse):
        door.end(slow, Answer({}, 500))
    door.fail(slow)
    door.end(quick)

    assert door.begin(now=late) == TOLD


@pytest.mark.parametrize("lapsed", [False, True], ids=["a new key", "a lapsed reservation"])
def test_of_many_at_once_one_gets_the_turn(door: Door, lapsed: bool):
    if lapsed:
        door.begin(now=make.NOON - timedelta(days=1))
    barrier = threading.Barrier(8)

    def begin(_: int) -> Any:
        barrier.wait()
        for _attempt in range(3):
            try:
                return door.begin()
            except IdempotencyKeyInUse:
                return None
            except DBAPIError as error:
                assert lost_a_race(error)
        return None

    with ThreadPoolExecutor(8) as pool:
        turns = [one for one in pool.map(begin, range(8)) if one]

    assert len(turns) == 1
    door.end(turns[0])


@pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel", "a\nb", "a\x00b"], ids=ascii)
def test_a_key_that_is_none_is_refused_before_any_work(door: Door, key: str):
    with pytest.raises(ValidationFailed):
        door.begin(key)

    assert door.kept() == 0
