"""Signing in, and choosing a password of one's own: what is proven counts only as long as it is true."""

from dataclasses import replace

import pytest
from argon2.profiles import CHEAPEST

from customs.auth import login as auth_login
from customs.auth.login import Attempt, Proof
from customs.auth.login_throttle import Origin
from customs.auth.passwords import Passwords
from customs.errors import InvalidCredentials, LoginThrottled, ValidationFailed
from tests.auth.staff import ADDRESS, PASSWORD, Staff

NEW = "something else altogether"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What hangs on the database is tested in `test_at_once.py`."""
    return sqlite_url


def prove(staff: Staff, login: str = "zhang", password: str = PASSWORD) -> Proof:
    services = staff.services
    attempt = Attempt(login, password, Origin(ADDRESS))
    return auth_login.prove(services.engine, services.vault, staff.passwords, attempt, staff.now)


def enter(staff: Staff, proof: Proof) -> str:
    with staff.services.transaction() as db:
        return auth_login.sign_in(db, proof, "a browser", staff.now)[0]


@pytest.mark.parametrize(
    ("login", "password"),
    [("zhang", "another password"), ("nobody", PASSWORD), ("wang", PASSWORD), ("\x00", ""), ("zhang%", PASSWORD)],
    ids=["a wrong password", "an unknown login", "somebody disabled", "no login at all", "a pattern"],
)
def test_whatever_is_wrong_the_answer_is_the_same(staff: Staff, login: str, password: str):
    staff.hire()
    staff.hire("wang")
    staff.disable("wang")

    with pytest.raises(InvalidCredentials) as refused:
        prove(staff, login, password)

    assert refused.value.detail == InvalidCredentials().title


@pytest.mark.parametrize("typed", ["ZHANG", " zhang\t", "ｚｈａｎｇ"])
def test_a_login_may_be_typed_as_keyboards_do(staff: Staff, typed: str):
    staff.hire()

    assert staff.session(staff.sign_in(typed)).person.login == "zhang"


MEANWHILE = {
    "the password was reset": lambda staff: staff.reset(),
    "they were disabled": lambda staff: staff.disable(),
}


@pytest.mark.parametrize("happens", MEANWHILE.values(), ids=MEANWHILE)
def test_what_was_proven_opens_nothing_once_it_is_not_true_any_more(staff: Staff, happens):
    staff.hire()
    proof = prove(staff)

    happens(staff)

    with pytest.raises(InvalidCredentials):
        enter(staff, proof)


def test_a_hash_of_another_cost_is_made_anew_and_the_password_stays(staff: Staff):
    before = staff.hire().password_hash
    staff.passwords = Passwords(replace(CHEAPEST, time_cost=2))

    staff.sign_in()

    assert staff.person().password_hash != before
    assert not staff.passwords.is_outdated(staff.person().password_hash)
    assert staff.look(staff.sign_in())


def test_a_password_of_ones_own(staff: Staff):
    staff.hire()
    token = staff.sign_in()
    given = staff.reset().password
    assert given
    token = staff.sign_in(password=given)
    assert staff.session(token).person.must_change_password

    fresh = staff.change_password(token, given, NEW)

    session = staff.session(fresh)
    assert not session.person.must_change_password
    assert staff.look(token) is None
    assert staff.look(staff.sign_in(password=NEW))
    with pytest.raises(InvalidCredentials):
        staff.sign_in(password=given)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("a wrong password", NEW, "password_wrong"),
        (PASSWORD, "short", "password_length"),
        (PASSWORD, "password123", "password_common"),
        (PASSWORD, PASSWORD, "password_unchanged"),
    ],
)
def test_a_password_that_cannot_be_taken_changes_nothing(staff: Staff, old: str, new: str, code: str):
    staff.hire()
    token = staff.sign_in()

    with pytest.raises(ValidationFailed) as refused:
        staff.change_password(token, old, new)

    assert [error.code for error in refused.value.errors] == [code]
    assert staff.look(token)
    assert staff.look(staff.sign_in())


def test_the_present_password_cannot_be_guessed_from_an_open_session(staff: Staff):
    staff.hire()
    token = staff.sign_in()
    for _ in range(5):
        with pytest.raises(ValidationFailed):
            staff.change_password(token, "a wrong password", NEW)

    with pytest.raises(LoginThrottled):
        staff.change_password(token, PASSWORD, NEW)


def test_of_two_changes_proven_by_the_same_password_one_counts(staff: Staff):
    staff.hire()
    services, session = staff.services, staff.session(staff.sign_in())
    proofs = [
        auth_login.prove_choice(
            services.engine,
            services.vault,
            staff.passwords,
            session.person,
            auth_login.Choice(PASSWORD, new, Origin(ADDRESS)),
            staff.now,
        )
        for new in (NEW, NEW + " again")
    ]

    with services.transaction() as db:
        auth_login.change_own_password(db, session, proofs[0], staff.now)
    with pytest.raises(InvalidCredentials), services.transaction() as db:
        auth_login.change_own_password(db, session, proofs[1], staff.now)

    assert staff.look(staff.sign_in(password=NEW))


def test_what_is_secret_is_not_shown_where_it_is_printed(staff: Staff):
    staff.hire()
    attempt, proof, change = Attempt("zhang", PASSWORD, Origin(ADDRESS)), prove(staff), staff.reset()

    shown = f"{attempt} {proof} {auth_login.Choice(PASSWORD, NEW, Origin(ADDRESS))} {change}"

    assert not any(secret and secret in shown for secret in (PASSWORD, NEW, change.password, proof.hash_seen))
