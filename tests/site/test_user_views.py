"""The pages about people: made with a password shown once, changed with a reason on the record, one admin stays."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from customs.audit.models import AuditEntry
from customs.auth.models import Person
from customs.container import Services
from tests import make
from tests.web.visiting import PASSWORD, People, Visitor, text_of

PAGE = "/admin/people"
MADE_PASSWORD = re.compile(r"<code[^>]*>([a-z2-9]{4}(?:-[a-z2-9]{4}){3})</code>")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def people(services: Services) -> People:
    return People(services)


@pytest.fixture
def person(services: Services) -> Callable[[str], Person]:
    def found(person_id: str) -> Person:
        with services.reading() as db:
            return db.get_one(Person, person_id)

    return found


@pytest.fixture
def last_action(services: Services) -> Callable[[], tuple[str, str, str | None]]:
    """The newest entry of the audit trail: what, to whom, why."""

    def event() -> tuple[str, str, str | None]:
        with services.reading() as db:
            entry = db.scalars(select(AuditEntry).order_by(AuditEntry.number.desc()).limit(1)).one()
            return entry.action, entry.subject_id, entry.reason

    return event


def wanted(**changes: object) -> dict[str, object]:
    form = {"login": "li.mei", "name": "李梅", "role": "clerk", "merchants": "", "once": make.number("form")}
    return form | changes


def signs_in(people: People, login: str, password: str) -> bool:
    return people.stranger().post("/sign-in", login=login, password=password).status_code == 303


def password_in(answer: TestResponse) -> str:
    found = MADE_PASSWORD.search(answer.text)
    assert found, answer.text
    return found[1]


def test_somebody_is_let_in_with_a_password_that_is_shown_once(people: People, person, last_action):
    admin = people.signed_in("admin")

    answer = admin.post(PAGE, **wanted(merchants="M200, M100"))

    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
    assert signs_in(people, "li.mei", password_in(answer))
    _, person_id, _ = last_action()
    made = person(person_id)
    assert (made.login, made.name, made.role, made.merchants) == ("li.mei", "李梅", "clerk", ["M100", "M200"])
    assert made.must_change_password
    assert password_in(answer) not in admin.get(f"{PAGE}/{person_id}").text
    assert "li.mei" in text_of(admin.get(PAGE))


def test_a_form_sent_twice_makes_one_person(people: People):
    admin, form = people.signed_in("admin"), wanted()
    admin.post(PAGE, **form)

    again = admin.post(PAGE, **form)

    assert again.status_code == 201
    assert not MADE_PASSWORD.search(again.text)
    assert "was sent before" in text_of(again)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"login": "李"}, "A login has 3 to 64 characters"),
        ({"name": " "}, "A name has 1 to 100"),
        ({"role": "king"}, "A role is clerk"),
        ({"merchants": "x" * 65}, "at most 64"),
    ],
)
def test_what_is_wrong_is_shown_and_nothing_typed_is_lost(people: People, changes, words: str):
    answer = people.signed_in("admin").post(PAGE, **wanted(**changes))

    assert answer.status_code == 422
    assert words in text_of(answer)
    assert ('value="李梅"' in answer.text) is ("name" not in changes)


def test_a_role_and_merchants_are_changed_with_a_reason(people: People, person, last_action):
    admin, (person_id, _) = people.signed_in("admin"), people.on_file("clerk")
    page = f"{PAGE}/{person_id}"

    refused = admin.post(f"{page}/role", role="reviewer", reason=" ")
    assert "Reason is missing" in text_of(admin.follow(refused))
    assert person(person_id).role == "clerk"

    admin.follow(admin.post(f"{page}/role", role="reviewer", reason="she was trained"))
    assert (person(person_id).role, last_action()) == (
        "reviewer",
        ("person.change_role", person_id, "she was trained"),
    )
    admin.follow(admin.post(f"{page}/merchants", merchants="M1 M2", reason="two more"))
    assert (person(person_id).merchants, last_action()[2]) == (["M1", "M2"], "two more")
    admin.follow(admin.post(f"{page}/merchants", merchants="", reason="all of them"))
    assert person(person_id).merchants is None


def test_a_lost_password_is_made_anew_and_shown_once(people: People, last_action):
    admin, (person_id, login) = people.signed_in("admin"), people.on_file("clerk")

    answer = admin.post(f"{PAGE}/{person_id}/password", reason="she forgot it", once=make.number("form"))

    assert signs_in(people, login, password_in(answer))
    assert not signs_in(people, login, PASSWORD)
    assert last_action()[2] != "she forgot it"  # the newest is that she signed in
    nameless = admin.post(f"{PAGE}/{person_id}/password", reason="", once=make.number("form"))
    assert (nameless.status_code, "Reason is missing" in text_of(nameless)) == (422, True)


def test_one_time_codes_are_removed_for_a_lost_phone(people: People, person, last_action):
    admin, reviewer = people.signed_in("admin"), people.signed_in("reviewer")
    assert person(reviewer.person_id).code_secret

    admin.follow(admin.post(f"{PAGE}/{reviewer.person_id}/code", reason="the phone is lost"))

    assert person(reviewer.person_id).code_secret is None
    assert reviewer.get("/").status_code == 303
    assert last_action() == ("person.reset_code", reviewer.person_id, "the phone is lost")


def test_somebody_is_signed_out_disabled_and_let_in_again(people: People, last_action):
    admin, clerk = people.signed_in("admin"), people.signed_in("clerk")
    page = f"{PAGE}/{clerk.person_id}"

    admin.follow(admin.post(f"{page}/sessions/end", reason="a shared computer"))
    assert clerk.get("/declarations").status_code == 303
    assert last_action() == ("person.end_sessions", clerk.person_id, "a shared computer")

    shown = admin.follow(admin.post(f"{page}/disable", reason="she left"))
    assert "Disabled" in text_of(shown)
    assert last_action()[0] == "person.disable"
    shown = admin.follow(admin.post(f"{page}/enable", reason="she is back"))
    assert "May sign in" in text_of(shown)


def test_the_last_admin_stays(people: People, person):
    admin = people.signed_in("admin")
    page = f"{PAGE}/{admin.person_id}"

    for event, form in {"disable": {}, "role": {"role": "clerk"}}.items():
        shown = admin.follow(admin.post(f"{page}/{event}", reason="to see", **form))
        assert "make another person an admin first" in text_of(shown)
    assert (person(admin.person_id).role, person(admin.person_id).disabled_at) == ("admin", None)


def test_an_admin_of_some_merchants_touches_nobody_beyond_them(people: People, person):
    admin = people.signed_in("admin", ["M1", "M2"])
    mine, _ = people.on_file("clerk", ["M1"])
    others = [people.on_file("clerk", ["M1", "M3"])[0], people.on_file("clerk")[0]]

    for one in others:
        assert admin.get(f"{PAGE}/{one}").status_code == 404
        assert admin.post(f"{PAGE}/{one}/disable", reason="x").status_code == 404
        assert admin.post(f"{PAGE}/{one}/password", reason="x").status_code == 404
    assert admin.get(f"{PAGE}/{mine}").status_code == 200
    refused = admin.follow(admin.post(f"{PAGE}/{admin.person_id}/merchants", merchants="M3", reason="more"))
    assert "merchant is not" in text_of(refused)
    admin.follow(admin.post(f"{PAGE}/{mine}/merchants", reason="all of mine"))
    assert person(mine).merchants == ["M1", "M2"]


@pytest.mark.parametrize("role", ["clerk", "reviewer", "developer"])
def test_nobody_else_looks_after_people(people: People, role: str):
    visitor: Visitor = people.signed_in(role)

    assert visitor.get(PAGE).status_code == 403
    assert visitor.post(PAGE, **wanted()).status_code == 403
    assert "/admin/people" not in visitor.get("/admin/offices").text


@pytest.mark.parametrize(("language", "words"), [("en", "May sign in"), ("zh_CN", "可登录")])
def test_both_languages(people: People, language: str, words: str):
    admin = people.signed_in("admin", language=language)

    assert words in text_of(admin.get(PAGE))
    assert words in text_of(admin.get(f"{PAGE}/{admin.person_id}"))


def test_an_admin_does_not_take_off_their_own_codes(people: People, person):
    admin, other = people.signed_in("admin"), people.signed_in("admin")
    before = person(admin.person_id).code_secret
    page = f"{PAGE}/{admin.person_id}"

    shown = admin.follow(admin.post(f"{page}/code", reason="a new phone"))
    refused = admin.post(f"{page}/password", reason="a new phone", code_too="on")

    assert "Ask another admin" in text_of(shown)
    assert "Ask another admin" in text_of(refused)
    assert person(admin.person_id).code_secret == before
    other.follow(other.post(f"{page}/code", reason="she asked for it"))
