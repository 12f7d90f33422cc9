"""Throttling: a few failures are free, then each costs more time; many at once gain nothing; a success ends it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from customs.auth.login_throttle import (
    FREE_FOR_ONE,
    FREE_FROM_ADDRESS,
    LONGEST_WAIT,
    Origin,
    count_code,
    waiting_time,
)
from customs.auth.models import FailedSignIn
from customs.errors import InvalidCredentials, LoginThrottled
from tests.auth.staff import ADDRESS, Staff

WRONG = "a wrong password"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What hangs on the database is tested in `test_at_once.py`."""
    return sqlite_url


def fail(staff: Staff, login: str = "zhang", address: str = ADDRESS) -> int:
    """Try a wrong password; returns the seconds to wait when it was not even looked at, else 0."""
    try:
        staff.sign_in(login, WRONG, address)
    except LoginThrottled as refused:
        assert refused.retry_after
        return refused.retry_after
    except InvalidCredentials:
        return 0
    raise AssertionError("it opened")


def test_the_wait_doubles_up_to_a_quarter_of_an_hour():
    waits = [waiting_time(failures, 5).total_seconds() for failures in range(15)]

    assert waits == [0, 0, 0, 0, 0, 5, 10, 20, 40, 80, 160, 320, 640, 900, 900]
    assert waiting_time(10**9, 5) == LONGEST_WAIT


@pytest.mark.parametrize("login", ["zhang", "nobody", "no login at all: 李\x00"], ids=["known", "unknown", "malformed"])
def test_after_five_failures_one_waits_longer_each_time_known_or_not(staff: Staff, login: str):
    staff.hire()

    waits = [fail(staff, login) for _ in range(7)]
    staff.wait(seconds=5)
    waits += [fail(staff, login) for _ in range(2)]
    staff.wait(seconds=9)
    waits += [fail(staff, login)]
    staff.wait(seconds=1)
    waits += [fail(staff, login)]

    assert waits == [0, 0, 0, 0, 0, 5, 5, 0, 10, 1, 0]


def test_while_it_is_throttled_not_even_the_right_password_opens(staff: Staff):
    staff.hire()
    for _ in range(FREE_FOR_ONE):
        fail(staff)

    with pytest.raises(LoginThrottled):
        staff.sign_in()
    staff.wait(seconds=5)
    assert staff.look(staff.sign_in())


def test_a_success_forgets_the_failures_of_its_login(staff: Staff):
    staff.hire()
    for _ in range(FREE_FOR_ONE - 1):
        fail(staff)

    staff.sign_in()

    assert [fail(staff) for _ in range(FREE_FOR_ONE + 1)] == [0, 0, 0, 0, 0, 5]


def test_a_login_is_one_however_it_is_typed(staff: Staff):
    staff.hire()

    answers = [fail(staff, login) for login in ("zhang", "ZHANG", " zhang ", "zhang", "zhang", "Zhang")]

    assert answers == [0, 0, 0, 0, 0, 5]


@pytest.mark.parametrize(
    "addresses", [["192.0.2.1"], ["2001:db8::1", "2001:db8::ffff:2"]], ids=["one", "one household of IPv6"]
)
def test_one_address_may_fail_twenty_times_over_all_logins(staff: Staff, addresses: list[str]):
    answers = [
        fail(staff, f"somebody{number}", addresses[number % len(addresses)]) for number in range(FREE_FROM_ADDRESS)
    ]

    assert answers == [0] * FREE_FROM_ADDRESS
    assert fail(staff, "another", addresses[0]) == 5
    assert fail(staff, "another", "198.51.100.7") == 0


def test_a_success_gives_its_own_attempt_back_to_its_address_and_no_more(staff: Staff):
    staff.hire()
    for number in range(FREE_FROM_ADDRESS - 1):
        fail(staff, f"somebody{number}")

    for _ in range(3):
        staff.sign_in()

    assert [fail(staff, "one"), fail(staff, "another")] == [0, 5]


def test_after_a_day_it_begins_anew(staff: Staff):
    for _ in range(FREE_FOR_ONE):
        fail(staff)
    assert fail(staff)

    staff.wait(days=1)

    assert [fail(staff) for _ in range(FREE_FOR_ONE + 1)] == [0, 0, 0, 0, 0, 5]


def test_an_admins_reset_lets_somebody_in_at_once(staff: Staff):
    staff.hire()
    for _ in range(FREE_FOR_ONE):
        fail(staff)

    given = staff.reset().password

    assert given
    assert staff.look(staff.sign_in(password=given))


def test_the_database_says_of_nobody_that_they_failed(staff: Staff):
    fail(staff, "somebody.special")

    with staff.services.reading() as db:
        whos = db.scalars(select(FailedSignIn.who)).all()
    assert len(whos) == 2
    assert not any("special" in who or ADDRESS in who for who in whos)


def test_a_clock_that_is_a_little_behind_throttles_nobody(staff: Staff):
    fail(staff)

    staff.now -= timedelta(seconds=2)

    assert fail(staff) == 0


def test_failures_are_forgiven_with_time(staff: Staff):
    for _ in range(FREE_FOR_ONE):
        fail(staff)
    assert fail(staff) == 5

    staff.wait(minutes=10)

    assert [fail(staff), fail(staff)] == [0, 5]


def test_twenty_clerks_behind_one_address_who_mistype_now_and_then_never_wait(staff: Staff):
    """Two weeks: each mistypes three times a day, at any time of eight hours."""
    answers = []
    for day in range(14):
        for number in range(60):
            answers.append(fail(staff, f"clerk{number % 20}"))
            staff.wait(minutes=8)
        staff.wait(hours=16 if day % 7 != 4 else 64)

    assert set(answers) == {0}


def test_a_guesser_at_one_address_stays_slow(staff: Staff):
    """A day of trying as often as it is let: some six guesses an hour, of one login or of many."""
    judged = 0
    for _ in range(24 * 12):
        judged += fail(staff) == 0
        staff.wait(minutes=5)

    assert judged < 24 * 7


def test_strangers_who_know_a_login_keep_nobody_out_who_comes_from_elsewhere(staff: Staff):
    staff.hire()
    for _ in range(100):
        fail(staff, address="198.51.100.7")

    assert staff.look(staff.sign_in(address="203.0.113.9"))


def test_a_browser_known_from_before_answers_for_its_own_failures_alone(staff: Staff):
    staff.hire()
    for number in range(100):
        fail(staff, "zhang" if number % 2 else f"somebody{number}")

    with pytest.raises(LoginThrottled):
        staff.sign_in()
    assert staff.look(staff.sign_in(device="a browser"))

    for _ in range(FREE_FOR_ONE):
        with pytest.raises(InvalidCredentials):
            staff.sign_in("zhang", WRONG, device="a browser")
    with pytest.raises(LoginThrottled):
        staff.sign_in("zhang", WRONG, device="a browser")


@pytest.mark.parametrize("device", [True, False], ids=["new devices", "new addresses"])
def test_codes_cannot_be_guessed_from_many_places_by_whoever_has_the_password(staff: Staff, device: bool):
    person, services = staff.hire(), staff.services

    def origin(number: int) -> Origin:
        return Origin(ADDRESS, f"device {number}") if device else Origin(f"203.0.113.{number}")

    for number in range(FREE_FOR_ONE):
        count_code(services.engine, services.vault, person.id, origin(number), staff.now)

    with pytest.raises(LoginThrottled):
        count_code(services.engine, services.vault, person.id, origin(FREE_FOR_ONE), staff.now)
