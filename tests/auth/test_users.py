"""People: what may be kept of them, who may change, and that one admin always stays."""

import pytest

from customs.audit.actions import AuditEvent
from customs.auth import users
from customs.auth.models import Person
from customs.auth.principal import operator
from customs.auth.users import Profile
from customs.errors import ActionNotAllowed, NotFound, ValidationFailed
from tests.auth.staff import PASSWORD, Staff


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What hangs on the database is tested in `test_at_once.py`."""
    return sqlite_url


def create(staff: Staff, **changes) -> users.Change:
    profile = Profile(**{"login": "zhang", "name": "Zhang", "role": "clerk"} | changes)
    with staff.services.transaction() as db:
        return users.create_person(db, staff.passwords, profile, staff.now)


def codes(refused: ValidationFailed) -> list[str]:
    return [f"{error.pointer} {error.code}" for error in refused.errors]


def test_somebody_new_gets_a_password_once_and_chooses_their_own(staff: Staff):
    change = create(staff, login=" Zhang.Wei@Example.COM ", name=" 张伟 ", merchants=["M200", " M100", "M200"])

    assert change.password
    person = staff.session(staff.sign_in("zhang.wei@example.com", change.password)).person
    assert (person.name, person.role, person.merchants) == ("张伟", "clerk", ["M100", "M200"])
    assert (person.must_change_password, person.language) == (True, None)


def test_a_password_that_they_know_need_not_be_changed(staff: Staff):
    assert not staff.hire().must_change_password


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"login": "ab"}, ["/login login_invalid"]),
        ({"login": "a" * 65}, ["/login login_invalid"]),
        ({"login": "zhang wei"}, ["/login login_invalid"]),
        ({"login": "张伟张"}, ["/login login_invalid"]),
        ({"login": "zhang\x00"}, ["/login login_invalid"]),
        ({"name": "  "}, ["/name person_name_invalid"]),
        ({"name": "x" * 101}, ["/name person_name_invalid"]),
        ({"name": "a\u200bb"}, ["/name person_name_invalid"]),
        ({"role": "king"}, ["/role choice"]),
        ({"role": ""}, ["/role choice"]),
        ({"merchants": []}, ["/merchants merchants_invalid"]),
        ({"merchants": ["M100", ""]}, ["/merchants merchants_invalid"]),
        ({"merchants": ["M" * 65]}, ["/merchants merchants_invalid"]),
        (
            {"login": "", "name": "", "role": "king"},
            ["/login login_invalid", "/name person_name_invalid", "/role choice"],
        ),
    ],
)
def test_what_cannot_be_kept_is_named_all_at_once(staff: Staff, changes, found: list[str]):
    with pytest.raises(ValidationFailed) as refused:
        create(staff, **changes)

    assert sorted(codes(refused.value)) == found


def test_a_login_is_somebodys_for_ever(staff: Staff):
    create(staff)
    staff.disable()

    with pytest.raises(ValidationFailed) as refused:
        create(staff, login="ZHANG")

    assert codes(refused.value) == ["/login login_taken"]


def test_everybody_is_listed_by_login(staff: Staff):
    staff.hire("zhang")
    staff.hire("admin", "admin")
    staff.disable("zhang")

    with staff.services.reading() as db:
        assert [one.login for one in users.list_people(db)] == ["admin", "zhang"]


@pytest.mark.parametrize("ask", [users.person_of, users.person_named, users.locked_person, users.enable])
def test_nobody_is_found_who_is_not_there(staff: Staff, ask):
    with pytest.raises(NotFound), staff.services.transaction() as db:
        ask(db, "per_0")


def test_a_language_is_remembered(staff: Staff):
    person = staff.hire()

    with staff.services.transaction() as db:
        users.set_language(db, person.id, "en")

    assert staff.person().language == "en"


# What the audit trail is told.


def test_every_change_is_shown_as_what_the_operator_did_to_whom_without_a_name(staff: Staff):
    staff.hire("admin", "admin")
    changes = [
        create(staff, name="Somebody Special", merchants=["M100"]),
        staff.change_role("zhang", "reviewer"),
        staff.change_merchants("zhang", None),
        staff.reset(code_too=True),
        staff.disable(),
        staff.enable(),
    ]

    events = [change.audit_event_of(operator()) for change in changes]

    person_id = staff.person().id
    assert {(one.actor_id, one.subject, one.subject_id) for one in events} == {("operator", "person", person_id)}
    assert [(one.action, one.detail) for one in events] == [
        ("person.create", {"role": "clerk", "merchants": "M100"}),
        ("person.change_role", {"from": "clerk", "to": "reviewer"}),
        ("person.change_merchants", {"from": "M100", "to": "all"}),
        ("person.reset_password", {"one_time_codes": "removed"}),
        ("person.disable", {}),
        ("person.enable", {}),
    ]
    assert not any(secret in f"{one}" for one in events for secret in ("Special", changes[0].password, PASSWORD))
    assert all(isinstance(one, AuditEvent) for one in events)


# One admin always stays.


@pytest.fixture
def admin(staff: Staff) -> Person:
    return staff.hire("admin", "admin")


LEAVES = {
    "disabled": lambda staff, login: staff.disable(login),
    "made a clerk": lambda staff, login: staff.change_role(login, "clerk"),
}


@pytest.mark.parametrize("leaves", LEAVES.values(), ids=LEAVES)
def test_the_last_admin_stays(staff: Staff, admin: Person, leaves):
    staff.hire("former", "admin")
    staff.disable("former")
    token = staff.sign_in("admin")

    with pytest.raises(ActionNotAllowed) as refused:
        leaves(staff, "admin")

    assert [error.code for error in refused.value.errors] == ["last_admin"]
    assert staff.session(token).person.role == "admin"


@pytest.mark.parametrize("leaves", LEAVES.values(), ids=LEAVES)
def test_one_of_two_admins_may_leave(staff: Staff, admin: Person, leaves):
    staff.hire("other", "admin")

    leaves(staff, "admin")

    with pytest.raises(ActionNotAllowed):
        leaves(staff, "other")


def test_an_admin_may_stay_one_and_others_may_go(staff: Staff, admin: Person):
    staff.hire()

    staff.change_role("admin", "admin")
    staff.disable("zhang")

    assert staff.person("admin").role == "admin"
