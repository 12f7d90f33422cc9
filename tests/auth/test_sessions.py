"""Sessions: a new one at each sign-in, over after hours or at will, with rights as fresh as their person."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from customs.auth import sessions, users
from customs.auth.models import UserSession
from customs.auth.principal import Scope
from customs.auth.sessions import LoginSession, is_seen_anew, list_sessions, note_seen
from customs.errors import NotFound
from tests.auth.staff import PASSWORD, Staff


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What hangs on the database is tested in `test_at_once.py`."""
    return sqlite_url


@pytest.fixture
def token(staff: Staff) -> str:
    """A clerk's session."""
    staff.hire()
    return staff.sign_in()


def seen(staff: Staff, token: str) -> None:
    """As a page's view does at each request."""
    session = staff.session(token)
    with staff.services.transaction() as db:
        note_seen(db, session.session_id, staff.now)


def test_a_session_shows_whose_it_is(staff: Staff, token: str):
    session = staff.session(token)

    assert (session.person.login, session.code_given) == ("zhang", False)
    assert session.caller.id == session.person.id


def test_each_sign_in_is_a_new_session(staff: Staff, token: str):
    other = staff.sign_in()

    assert token != other
    assert staff.session(token).session_id != staff.session(other).session_id


@pytest.mark.parametrize(
    "change",
    [str.swapcase, lambda token: token[:-1], lambda token: token + "x", lambda token: "", lambda token: "\ud800\x00"],
)
def test_what_is_nearly_a_token_opens_nothing(staff: Staff, token: str, change):
    assert staff.look(change(token)) is None


def test_the_database_holds_no_token(staff: Staff, token: str):
    with staff.services.reading() as db:
        rows = str(db.execute(text("SELECT * FROM sessions")).all())

    assert token not in rows
    assert len(token) >= 43


def test_after_two_idle_hours_it_is_over(staff: Staff, token: str):
    staff.wait(hours=1, minutes=59)
    seen(staff, token)
    staff.wait(hours=1, minutes=59)

    assert staff.look(token)
    staff.wait(minutes=1)
    assert staff.look(token) is None


def test_after_twelve_hours_it_is_over_however_busy(staff: Staff, token: str):
    for _ in range(11):
        staff.wait(hours=1)
        seen(staff, token)

    staff.wait(minutes=59)
    assert staff.look(token)
    staff.wait(minutes=1)
    assert staff.look(token) is None


def test_that_it_is_in_use_is_noted_once_a_minute(staff: Staff, token: str):
    noted = []
    for seconds in (0, 59, 1, 1):
        staff.wait(seconds=seconds)
        session = staff.session(token)
        seen(staff, token)
        noted.append((is_seen_anew(session, staff.now), staff.session(token).last_seen_at == staff.now))

    assert noted == [(False, True), (False, False), (True, True), (False, False)]


def ended_by_itself(staff: Staff, session: LoginSession) -> None:
    with staff.services.transaction() as db:
        sessions.end_session(db, session.person.id, session.session_id, staff.now)


def everywhere(staff: Staff, session: LoginSession) -> None:
    with staff.services.transaction() as db:
        assert sessions.end_all_sessions(db, session.person.id, staff.now) == 2


def by_another_of_theirs(staff: Staff, session: LoginSession) -> None:
    kept = staff.session(staff.sign_in()).session_id
    with staff.services.transaction() as db:
        assert sessions.end_other_sessions(db, session.person.id, kept, staff.now) == 2


def by_an_admin(staff: Staff, session: LoginSession) -> None:
    with staff.services.transaction() as db:
        assert users.end_sessions(db, session.person.id, staff.now).detail == {"sessions": "2"}


ENDS = {
    "by itself": ended_by_itself,
    "everywhere": everywhere,
    "by another of theirs": by_another_of_theirs,
    "by an admin": by_an_admin,
    "when they are disabled": lambda staff, _: staff.disable(),
    "when an admin resets their password": lambda staff, _: staff.reset(),
    "when they choose another password elsewhere": lambda staff, _: staff.change_password(
        staff.sign_in(), PASSWORD, "something else altogether"
    ),
    "when they set up codes elsewhere": lambda staff, _: staff.set_up_codes(staff.sign_in()),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_once_it_ended_it_opens_nothing(staff: Staff, token: str, end):
    staff.hire("wang")
    other, somebody_elses = staff.sign_in(), staff.sign_in("wang")

    end(staff, staff.session(token))

    assert staff.look(token) is None
    assert (staff.look(other) is None) == (end is not ended_by_itself)
    assert staff.look(somebody_elses)


def test_nobody_ends_a_session_that_is_not_theirs(staff: Staff, token: str):
    other = staff.hire("wang")

    with pytest.raises(NotFound), staff.services.transaction() as db:
        sessions.end_session(db, other.id, staff.session(token).session_id, staff.now)

    assert staff.look(token)


def test_who_is_enabled_again_signs_in_anew(staff: Staff, token: str):
    staff.disable()
    staff.enable()

    assert staff.look(token) is None
    assert staff.look(staff.sign_in())


def test_a_new_role_and_new_merchants_count_at_once(staff: Staff, token: str):
    before = staff.session(token).caller

    staff.change_role("zhang", "reviewer")
    staff.change_merchants("zhang", ["M100"])

    after = staff.session(token).caller
    assert (before.may(Scope.DECLARATIONS_REVIEW), before.merchants) == (False, None)
    assert (after.may(Scope.DECLARATIONS_REVIEW), after.merchants) == (True, {"M100"})


def test_live_sessions_are_listed_the_newest_first(staff: Staff, token: str):
    staff.wait(hours=1)
    newer, over = staff.sign_in(), staff.sign_in()
    ended_by_itself(staff, staff.session(over))

    person = staff.person()
    with staff.services.reading() as db:
        listed = [one.id for one in list_sessions(db, person.id, staff.now)]
        later = [one.id for one in list_sessions(db, person.id, staff.now + timedelta(minutes=61))]

    assert listed == [staff.session(newer).session_id, staff.session(token).session_id]
    assert later == listed[:1]


def test_what_a_browser_calls_itself_is_kept_as_far_as_it_can_be_shown(staff: Staff):
    person = staff.hire()

    with staff.services.transaction() as db:
        sessions.begin_session(db, person.id, "Browser\x00 1.0\n" + "x" * 500, staff.now)
        browser = db.scalar(select(UserSession.browser))

    assert browser.startswith("Browser? 1.0?x")
    assert len(browser) == 200
