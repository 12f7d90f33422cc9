"""People at both databases: a day of one of them, and what happens when many do the same at the same moment."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

import pytest
from sqlalchemy.exc import IntegrityError

from customs.auth.login_throttle import FREE_FOR_ONE, Origin, count_password, take_back
from customs.auth.models import FailedSignIn
from customs.auth.sessions import note_seen
from customs.container import Services
from customs.errors import CustomsError, InvalidCredentials
from tests import make
from tests.auth.staff import ADDRESS, PASSWORD, Staff, at_step

One = TypeVar("One")


def at_once(action: Callable[[One], object], ones: Sequence[One]) -> Counter[str]:
    """Let a thread each do it, all together; how often it was done, and how often refused, by its error."""
    barrier = threading.Barrier(len(ones))

    def done(one: One) -> str:
        barrier.wait()
        try:
            action(one)
        except CustomsError as error:
            return type(error).__name__
        return "done"

    with ThreadPoolExecutor(len(ones)) as pool:
        return Counter(pool.map(done, ones))


def test_a_day_of_a_reviewer(staff: Staff):
    staff.now = at_step(staff.now)
    staff.hire(role="clerk", merchants=["M100"])
    for login in ("nobody", "zhang\x00", "李"):
        with pytest.raises(InvalidCredentials):
            staff.sign_in(login)
    staff.change_role("zhang", "reviewer")

    phone, token = staff.set_up_codes(staff.sign_in())
    staff.wait(minutes=90)
    with staff.services.transaction() as db:
        note_seen(db, staff.session(token).session_id, staff.now)
    staff.wait(minutes=90)
    fresh = staff.change_password(token, PASSWORD, "something else altogether")
    elsewhere = staff.give_code(staff.sign_in(password="something else altogether"), phone.at(staff.now))

    assert staff.look(token) is None
    assert [staff.session(one).caller.merchants for one in (fresh, elsewhere)] == [{"M100"}, {"M100"}]
    assert staff.reset(code_too=True).password
    assert [staff.look(one) for one in (fresh, elsewhere)] == [None, None]


def test_of_many_attempts_only_the_free_ones_are_looked_at(staff: Staff):
    staff.hire()

    outcomes = at_once(lambda _: staff.sign_in(password="a wrong password"), range(16))

    assert outcomes == {"InvalidCredentials": FREE_FOR_ONE, "LoginThrottled": 16 - FREE_FOR_ONE}


def test_good_and_bad_attempts_leave_no_trace_but_the_bad_ones(services: Services):
    def attempt(number: int) -> None:
        counted = count_password(services.engine, services.vault, f"login{number % 3}", Origin(ADDRESS), make.NOON)
        if number % 2:
            with services.transaction() as db:
                take_back(db, counted)

    outcomes = at_once(attempt, range(12))

    with services.reading() as db:
        of_address = db.get_one(FailedSignIn, services.vault.index(f"address:{ADDRESS}"))
    assert outcomes == {"done": 12}
    assert of_address.failures == 6


def test_of_many_who_bring_the_same_code_one_passes(staff: Staff):
    staff.now = at_step(staff.now)
    staff.hire()
    phone, _ = staff.set_up_codes(staff.sign_in())
    staff.wait(hours=1)
    tokens = [staff.sign_in() for _ in range(5)]

    outcomes = at_once(lambda token: staff.give_code(token, phone.at(staff.now)), tokens)

    assert outcomes == {"done": 1, "OneTimeCodeRejected": 4}


def test_of_admins_who_disable_each_other_one_stays(staff: Staff):
    logins = ["one", "two", "three"]
    for login in logins:
        staff.hire(login, "admin")

    outcomes = at_once(staff.disable, logins)

    assert outcomes == {"done": 2, "ActionNotAllowed": 1}
    assert sum(staff.person(login).disabled_at is None for login in logins) == 1


def test_of_those_who_are_given_the_same_login_one_has_it(staff: Staff):
    def hired(_: int) -> None:
        # As the views do: who loses a race to a unique name begins again, and then sees the winner.
        while True:
            with suppress(IntegrityError):
                staff.hire()
                return

    outcomes = at_once(hired, range(4))

    assert outcomes == {"done": 1, "ValidationFailed": 3}
