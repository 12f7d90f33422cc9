"""One-time codes: set up by whoever shows one, each good once and for a short while, asked for at every sign-in."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest

from customs.auth import users
from customs.auth.roles import NEEDS_CODE, Role
from customs.auth.sessions import LoginSession
from customs.auth.totp import CodeStep, code_step_of, new_set_up, same_set_up
from customs.errors import ActionNotAllowed, LoginThrottled, OneTimeCodeRejected, ValidationFailed
from customs.ops.key_rotation import rotate_keys
from customs.privacy.vault import Vault
from tests import make
from tests.auth.staff import Staff, at_step

STEP = timedelta(seconds=30)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What hangs on the database is tested in `test_at_once.py`."""
    return sqlite_url


@pytest.fixture
def phone(staff: Staff) -> pyotp.TOTP:
    """What shows the codes of a reviewer who set them up, a while ago."""
    staff.now = at_step(staff.now)
    staff.hire(role="reviewer")
    phone, _ = staff.set_up_codes(staff.sign_in())
    staff.wait(hours=1)
    return phone


def step_of(staff: Staff, session: LoginSession, policy: str) -> CodeStep:
    return code_step_of(session, replace(staff.services.settings, mfa=policy))


# What a session has to do.


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("policy", ["required", "optional"])
def test_who_has_to_set_codes_up(staff: Staff, role: Role, policy: str):
    staff.hire(role=role)

    step = step_of(staff, staff.session(staff.sign_in()), policy)

    has_to = policy == "required" and role in NEEDS_CODE
    assert step is (CodeStep.SET_UP if has_to else CodeStep.NOTHING)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("policy", ["required", "optional"])
def test_whoever_set_codes_up_is_asked_at_each_sign_in(staff: Staff, role: Role, policy: str):
    staff.now = at_step(staff.now)
    staff.hire(role=role)
    phone, there = staff.set_up_codes(staff.sign_in())
    staff.wait(seconds=30)

    token = staff.sign_in()
    passed = staff.give_code(token, phone.at(staff.now))

    assert step_of(staff, staff.session(there), policy) is CodeStep.NOTHING
    assert step_of(staff, staff.session(passed), policy) is CodeStep.NOTHING
    assert step_of(staff, staff.session(staff.sign_in()), policy) is CodeStep.ASK


# Setting up.


def test_a_phone_is_shown_what_it_needs_and_nothing_is_kept_until_it_shows_a_code(staff: Staff):
    person = staff.hire("zhang.wei")

    set_up = new_set_up(staff.services.vault, person)

    link = urlsplit(set_up.uri)
    assert (link.scheme, link.netloc, link.path) == ("otpauth", "totp", "/Customs%20Desk:zhang.wei")
    assert parse_qs(link.query) == {"secret": [set_up.secret], "issuer": ["Customs Desk"]}
    assert staff.person("zhang.wei").code_secret is None
    assert same_set_up(staff.services.vault, person, set_up.sealed).secret == set_up.secret


def test_the_seed_is_sealed_and_the_token_changes_with_it(staff: Staff):
    staff.hire()
    token = staff.sign_in()

    phone, fresh = staff.set_up_codes(token)

    sealed = staff.person().code_secret
    assert sealed
    assert phone.secret not in sealed
    assert staff.look(token) is None
    assert staff.session(fresh).code_given


def test_a_wrong_code_sets_nothing_up(staff: Staff):
    staff.hire()
    token = staff.sign_in()
    set_up = new_set_up(staff.services.vault, staff.person())

    with pytest.raises(OneTimeCodeRejected):
        staff.confirm(staff.session(token), set_up.sealed, pyotp.TOTP(pyotp.random_base32()).at(staff.now))

    assert staff.person().code_secret is None
    assert staff.look(token)


@pytest.mark.parametrize("made", ["", "x", "v1.x.y", "v1.00000000.AAAA", "李", "for another"])
def test_a_seed_that_was_not_made_for_them_is_refused(staff: Staff, made: str):
    person, other = staff.hire(), staff.hire("wang")
    sealed = new_set_up(staff.services.vault, other).sealed if made == "for another" else made

    with pytest.raises(ValidationFailed) as refused:
        same_set_up(staff.services.vault, person, sealed)

    assert [error.code for error in refused.value.errors] == ["set_up_stale"]


def test_who_only_has_the_password_cannot_put_another_phone_in_the_place_of_the_first(staff: Staff, phone):
    session = staff.session(staff.sign_in())
    mine = new_set_up(staff.services.vault, session.person)

    with pytest.raises(ActionNotAllowed):
        staff.confirm(session, mine.sealed, pyotp.TOTP(mine.secret).at(staff.now))

    assert staff.give_code(staff.sign_in(), phone.at(staff.now))


def test_who_gave_a_code_may_go_on_with_another_phone(staff: Staff, phone: pyotp.TOTP):
    passed = staff.give_code(staff.sign_in(), phone.at(staff.now))

    other, _ = staff.set_up_codes(passed)

    staff.wait(seconds=30)
    with pytest.raises(OneTimeCodeRejected):
        staff.give_code(staff.sign_in(), phone.at(staff.now))
    assert staff.give_code(staff.sign_in(), other.at(staff.now))


# Giving a code.


def test_the_token_changes_when_a_code_was_given(staff: Staff, phone: pyotp.TOTP):
    token = staff.sign_in()

    fresh = staff.give_code(token, phone.at(staff.now))

    assert staff.look(token) is None
    assert staff.session(fresh).code_given


@pytest.mark.parametrize(("steps", "passes"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_phones_clock_may_be_off_by_one_step(staff: Staff, phone: pyotp.TOTP, steps: int, passes: bool):
    token, code = staff.sign_in(), phone.at(staff.now + steps * STEP)

    try:
        given = bool(staff.give_code(token, code))
    except OneTimeCodeRejected:
        given = False

    assert given is passes


def test_a_code_may_be_typed_as_it_is_shown(staff: Staff, phone: pyotp.TOTP):
    code = phone.at(staff.now).translate({ord(str(digit)): 0xFF10 + digit for digit in range(10)})

    assert staff.give_code(staff.sign_in(), f" {code[:3]} {code[3:]} ")


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "12345\x00", "-12345"], ids=ascii)
def test_what_is_no_code_is_refused(staff: Staff, phone: pyotp.TOTP, code: str):
    with pytest.raises(OneTimeCodeRejected):
        staff.give_code(staff.sign_in(), code)


def test_who_set_none_up_cannot_give_one(staff: Staff):
    staff.hire()

    with pytest.raises(OneTimeCodeRejected):
        staff.give_code(staff.sign_in(), "123456")


def test_a_code_is_good_once(staff: Staff, phone: pyotp.TOTP):
    code = phone.at(staff.now)
    staff.give_code(staff.sign_in(), code)

    with pytest.raises(OneTimeCodeRejected):
        staff.give_code(staff.sign_in(), code)
    staff.wait(seconds=30)
    with pytest.raises(OneTimeCodeRejected):
        staff.give_code(staff.sign_in(), code)


def test_after_a_later_code_an_earlier_one_is_used_up(staff: Staff, phone: pyotp.TOTP):
    staff.give_code(staff.sign_in(), phone.at(staff.now + STEP))

    with pytest.raises(OneTimeCodeRejected):
        staff.give_code(staff.sign_in(), phone.at(staff.now))


def test_a_code_noted_by_a_clock_that_was_ahead_locks_nobody_out(staff: Staff, phone: pyotp.TOTP):
    staff.wait(hours=8)
    staff.give_code(staff.sign_in(), phone.at(staff.now))
    staff.wait(hours=-8)
    code = phone.at(staff.now)

    staff.give_code(staff.sign_in(), code)

    with pytest.raises(OneTimeCodeRejected):
        staff.give_code(staff.sign_in(), code)


def test_wrong_codes_are_throttled_whatever_the_password_does(staff: Staff, phone: pyotp.TOTP):
    for _ in range(5):
        with pytest.raises(OneTimeCodeRejected):
            staff.give_code(staff.sign_in(), "12 34")

    with pytest.raises(LoginThrottled) as refused:
        staff.give_code(staff.sign_in(), phone.at(staff.now))
    assert refused.value.retry_after == 5
    staff.wait(seconds=5)
    assert staff.give_code(staff.sign_in(), phone.at(staff.now))


# Losing it, and other keys.


def without_code(staff: Staff) -> None:
    person = staff.person()
    with staff.services.transaction() as db:
        users.reset_code(db, person.id, staff.now)


@pytest.mark.parametrize("reset", [without_code, lambda staff: staff.reset(code_too=True)], ids=["alone", "and more"])
def test_who_lost_their_phone_sets_another_one_up(staff: Staff, phone: pyotp.TOTP, reset):
    passed = staff.give_code(staff.sign_in(), phone.at(staff.now))

    reset(staff)

    person = staff.person()
    assert (person.code_secret, person.code_step, staff.look(passed)) == (None, None, None)


def test_a_new_password_alone_takes_no_codes_away(staff: Staff, phone: pyotp.TOTP):
    given = staff.reset().password

    assert given
    assert step_of(staff, staff.session(staff.sign_in(password=given)), "optional") is CodeStep.ASK


def test_seeds_are_sealed_with_the_newest_key(staff: Staff, phone: pyotp.TOTP):
    old, secret = make.SECRETS["CUSTOMS_PII_KEYS"], staff.services.settings.secret_key
    staff.hire("wang")
    both = Vault(["a newer key of the tests", old], secret)

    counts = [rotate_keys(staff.services.engine, both)["codes"] for _ in range(2)]

    staff.services.vault = Vault(["a newer key of the tests"], secret)
    assert counts == [1, 0]
    assert staff.give_code(staff.sign_in(), phone.at(staff.now))
