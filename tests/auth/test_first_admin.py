"""The first admin of a trial: made once, their password shown as long as it opens."""

import stat

import pytest

from customs.auth import users
from customs.auth.users import PASSWORD_FILE, create_first_admin, first_admin_password, has_no_users
from tests.auth.staff import Staff


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Where people are kept does not matter here."""
    return sqlite_url


@pytest.fixture
def shown(staff: Staff):
    home = staff.services.settings.home

    def seen() -> str | None:
        with staff.services.reading() as db:
            return first_admin_password(db, staff.passwords, home)

    return seen


def begin(staff: Staff) -> None:
    with staff.services.transaction() as db:
        create_first_admin(db, staff.passwords, staff.services.settings.home, staff.now)


def test_the_password_kept_in_the_home_opens_and_belongs_to_its_owner_only(staff: Staff, shown):
    with staff.services.reading() as db:
        assert has_no_users(db)
    assert shown() is None

    begin(staff)

    file = staff.services.settings.home / PASSWORD_FILE
    person = staff.session(staff.sign_in("admin", file.read_text())).person
    assert (person.role, person.merchants, person.must_change_password) == ("admin", None, False)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert shown() == file.read_text()
    with staff.services.reading() as db:
        assert not has_no_users(db)


def test_a_database_begun_anew_keeps_the_password(staff: Staff, shown):
    file = staff.services.settings.home / PASSWORD_FILE
    file.write_text("kept from before")

    begin(staff)

    assert shown() == "kept from before"


def test_a_password_that_was_changed_is_shown_no_more(staff: Staff, shown):
    begin(staff)
    staff.change_password(staff.sign_in("admin", shown()), shown(), "something else altogether")

    assert shown() == ""


def test_of_an_admin_who_may_not_sign_in_nothing_is_shown(staff: Staff, shown):
    begin(staff)
    staff.hire("other", "admin")
    staff.disable(users.FIRST_LOGIN)

    assert shown() is None
