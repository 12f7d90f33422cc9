"""Passwords: hashed so that guessing is dear, verified exactly, and held against three rules."""

import re
import time
import unicodedata
from dataclasses import replace

import pytest
from argon2 import Type, extract_parameters
from argon2.profiles import CHEAPEST

from customs.auth.passwords import ALPHABET, COMMON, MOST_USED, Passwords, check_password, new_password
from customs.errors import ValidationFailed

GOOD = "a horse and a staple"


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords(CHEAPEST)


@pytest.fixture(scope="module")
def dear() -> Passwords:
    """The product's own."""
    return Passwords()


def codes(password: str) -> list[str]:
    """What the rules find."""
    try:
        check_password(password, not_like=("zhang.wei@example", "Zhang Wei the Elder"))
    except ValidationFailed as error:
        return [one.code for one in error.errors]
    return []


def test_the_products_own_cost_is_as_much_as_a_sign_in_can_bear(dear: Passwords):
    hashed = dear.hashed(GOOD)

    cost = extract_parameters(hashed)
    assert cost.type is Type.ID
    assert 32 * 1024 <= cost.memory_cost <= 64 * 1024
    assert cost.time_cost >= 3


@pytest.mark.parametrize(
    "wrong", [GOOD.upper(), GOOD[:-1], GOOD + " ", "", "\x00", GOOD + "\x00", GOOD * 50, "\ud800"], ids=ascii
)
def test_only_the_same_password_fits(passwords: Passwords, wrong: str):
    hashed = passwords.hashed(GOOD)

    assert passwords.fits(GOOD, hashed)
    assert not passwords.fits(wrong, hashed)


def test_the_same_characters_fit_however_a_keyboard_composes_them(passwords: Passwords):
    hashed = passwords.hashed("grüße aus 杭州, é")

    assert passwords.fits(unicodedata.normalize("NFD", "grüße aus 杭州, é"), hashed)


def test_no_two_hashes_of_a_password_are_equal(passwords: Passwords):
    assert passwords.hashed(GOOD) != passwords.hashed(GOOD)


@pytest.mark.parametrize("hashed", [None, "", "no hash", "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$"])
def test_nothing_fits_where_there_is_no_hash(passwords: Passwords, hashed: str | None):
    assert not passwords.fits(GOOD, hashed)


def test_nobody_takes_as_much_work_as_somebody():
    passwords = Passwords(replace(CHEAPEST, memory_cost=8 * 1024, time_cost=2))
    hashed = passwords.hashed(GOOD)

    def seconds(of: str | None) -> float:
        began = time.process_time()
        passwords.fits("another password", of)
        return time.process_time() - began

    somebody, nobody = (min(seconds(of) for _ in range(5)) for of in (hashed, None))
    assert 0.5 < nobody / somebody < 2


def test_a_hash_of_another_cost_is_outdated(passwords: Passwords, dear: Passwords):
    hashed = passwords.hashed(GOOD)

    assert not passwords.is_outdated(hashed)
    assert dear.is_outdated(hashed)


@pytest.mark.parametrize(
    ("password", "found"),
    [
        (GOOD, []),
        ("1" * 9, ["password_length"]),
        ("12 34 56 7", []),
        ("李" * 10, []),
        ("x" * 200, []),
        ("x" * 201, ["password_length"]),
        ("", ["password_length"]),
        ("Zhang.Wei@Example", ["password_like_name"]),
        ("zhang wei the elder", ["password_like_name"]),
        ("zhang wei the elder 2", []),
        ("PassWord123", ["password_common"]),
        ("1234567890", ["password_common"]),
    ],
)
def test_the_rules_find_what_is_wrong_and_nothing_else(password: str, found: list[str]):
    assert codes(password) == found


def test_the_common_ones_are_those_that_would_be_taken_otherwise():
    assert all(len(one) >= 10 and one == one.casefold() for one in COMMON)


def test_a_new_password_can_be_read_out_and_not_guessed():
    made = [new_password() for _ in range(200)]

    assert len(set(made)) == 200
    assert all(re.fullmatch(r"([a-z2-9]{4}-){3}[a-z2-9]{4}", one) and codes(one) == [] for one in made)
    assert not set("il1o0") & set(ALPHABET)
    assert len(ALPHABET) ** 16 > 2**75


@pytest.mark.parametrize(
    "password", ["wisecashier2026", "Customs-Desk-1", "admin@customs8", "Haiguan!!2026", "iloveyou123", "football123"]
)
def test_what_is_tried_first_is_refused(password: str):
    assert codes(password) == ["password_common"]


def test_the_list_holds_more_than_the_three_thousand_most_common():
    assert len(MOST_USED) >= 3000
    assert {"123456789a", "qwertyuiop"} <= MOST_USED | COMMON
