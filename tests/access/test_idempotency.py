"""Answers kept by their key: whose they are, how long, and that a failed deed keeps none."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from customs.access.idempotency import KEPT, answer_once
from customs.access.models import IdempotentReply
from customs.errors import Invalid, KeyReused
from customs.wiring import Services
from tests import make


class Door:
    """Something that counts how often its work was really done."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.done = 0

    def ask(self, key: str | None, request: bytes = b"x", *, caller: Any = None, now: datetime = make.NOON) -> Any:
        with self.services.transaction() as db:
            return answer_once(db, caller or make.caller(), key, request, now, self.work)

    def work(self) -> tuple[Any, int]:
        self.done += 1
        return {"done": self.done, "name": "李雷", "amount": "1.10"}, 202

    def kept(self) -> int:
        with self.services.reading() as db:
            return db.scalar(select(func.count(IdempotentReply.id))) or 0


@pytest.fixture
def door(services: Services) -> Door:
    return Door(services)


def test_the_second_time_the_answer_is_given_and_the_work_is_not_done(door: Door):
    first, second = door.ask("k1"), door.ask("k1")

    assert first == second == ({"done": 1, "name": "李雷", "amount": "1.10"}, 202)
    assert door.done == 1


def test_without_a_key_the_work_is_done_each_time_and_nothing_is_kept(door: Door):
    door.ask(None)
    door.ask(None)

    assert (door.done, door.kept()) == (2, 0)


def test_another_key_is_another_request(door: Door):
    door.ask("k1")
    door.ask("K1")

    assert door.done == 2


def test_the_same_key_with_another_request_is_refused(door: Door):
    door.ask("k1", b"x")

    with pytest.raises(KeyReused):
        door.ask("k1", b"y")
    assert door.done == 1


def test_each_caller_has_keys_of_their_own(door: Door):
    door.ask("k1")
    other = type(make.caller())("another", "another", frozenset(), None)

    door.ask("k1", caller=other)

    assert door.done == 2


@pytest.mark.parametrize(("age", "done"), [(KEPT, 1), (KEPT + timedelta(seconds=1), 2)], ids=["30 days", "older"])
def test_an_answer_is_kept_for_thirty_days(door: Door, age: timedelta, done: int):
    door.ask("k1")

    door.ask("k1", now=make.NOON + age)

    assert (door.done, door.kept()) == (done, 1)


def test_work_that_failed_keeps_no_answer(door: Door, services: Services):
    def fail() -> tuple[Any, int]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), services.transaction() as db:
        answer_once(db, make.caller(), "k1", b"x", make.NOON, fail)

    assert door.kept() == 0
    assert door.ask("k1")[0]["done"] == 1


def test_of_two_at_once_the_second_loses_with_all_its_work(door: Door, services: Services):
    def overtaken() -> tuple[Any, int]:
        # The winner's answer, stored between the loser's look and its insert.
        db.add(
            IdempotentReply(
                caller=make.caller().id, key="k1", fingerprint="f", status=202, body="{}", created_at=make.NOON
            )
        )
        db.flush()
        return {}, 202

    with pytest.raises(IntegrityError), services.transaction() as db:
        answer_once(db, make.caller(), "k1", b"x", make.NOON, overtaken)

    assert door.kept() == 0


@pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel", "a\nb", "a\x00b"], ids=ascii)
def test_a_key_that_is_none_is_refused_before_any_work(door: Door, key: str):
    with pytest.raises(Invalid):
        door.ask(key)

    assert door.done == 0
