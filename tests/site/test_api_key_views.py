"""The page of API keys: whose are shown, what may be handed out, a text shown once, an end that is final."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from customs.audit.models import AuditEntry
from customs.auth.api_keys import ApiKeyService, AuditedKeys, KeyRequest, caller_of
from customs.auth.models import ApiKey, Person
from customs.auth.principal import Caller, Scope
from customs.container import Services
from customs.db import database
from customs.errors import ActionNotAllowed, ApiKeyInvalid
from tests import make
from tests.web.visiting import People, Visitor, text_of

KEYS = "/developers/keys"
TEXT = re.compile(r"ck_(?:test|live)_[A-Za-z0-9_-]{43}")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def people(services: Services) -> People:
    return People(services)


@pytest.fixture
def recognise(services: Services) -> Callable[[str], Caller]:
    def recognised(text: str) -> Caller:
        with services.reading() as db:
            return caller_of(db, text, make.NOON)[0]

    return recognised


def wanted(**changes: object) -> dict[str, object]:
    """The form of a new key."""
    form = {"name": "the ERP", "scopes": ["declarations:read"], "lifetime": "90", "once": make.number("form")}
    return form | changes


def text_in(answer: TestResponse) -> str:
    (text,) = set(TEXT.findall(answer.text))
    return text


def key_made(visitor: Visitor, **changes: object) -> str:
    """Make a key; returns its text."""
    answer = visitor.post(KEYS, **wanted(**changes))
    assert answer.status_code == 201, answer.text
    return text_in(answer)


@pytest.fixture
def actions(services: Services) -> Callable[[], list[str]]:
    """What stands in the audit trail, by action, but for people."""

    def done() -> list[str]:
        with services.reading() as db:
            found = db.scalars(select(AuditEntry.action).order_by(AuditEntry.number))
            return [one for one in found if one.startswith("api_key.")]

    return done


def test_a_key_is_shown_in_the_answer_that_made_it_and_nowhere_else(people: People, recognise, actions):
    developer = people.signed_in("developer")

    answer = developer.post(KEYS, **wanted(merchants="M100, M200 M100"))

    text = text_in(answer)
    caller = recognise(text)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
    assert (caller.name, caller.scopes, caller.merchants) == (
        "the ERP",
        {Scope.DECLARATIONS_READ},
        {"M100", "M200"},
    )
    assert text not in developer.get(KEYS).text + developer.get(f"{KEYS}/{caller.key_id}").text
    assert "the ERP" in developer.get(KEYS).text
    assert actions() == ["api_key.create"]


def test_a_form_sent_twice_makes_one_key_and_shows_it_once(people: People, services: Services):
    developer, form = people.signed_in("developer"), wanted()
    first, again = developer.post(KEYS, **form), developer.post(KEYS, **form)

    assert TEXT.search(first.text) and not TEXT.search(again.text)
    assert "was sent before" in text_of(again)
    with services.reading() as db:
        assert db.query(ApiKey).count() == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scopes": []}, "Choose at least one scope"),
        ({"scopes": ["everything"]}, "Use one of those"),
        ({"name": " "}, "Name is missing"),
        ({"name": "x" * 101}, "at most 100"),
        ({"lifetime": "7"}, "use one of 30"),
        ({"merchants": "x" * 65}, "at most 64"),
    ],
)
def test_what_is_wrong_is_shown_above_the_form_which_keeps_what_was_typed(people: People, changes, words: str):
    answer = people.signed_in("developer").post(KEYS, **wanted(**({"merchants": "M7"} | changes)))

    assert answer.status_code == 422
    assert words in text_of(answer)
    assert "M7" in answer.text or "merchants" in changes


def test_nobody_hands_out_a_right_they_do_not_have(people: People):
    developer = people.signed_in("developer")

    assert "declarations:review" not in developer.get(f"{KEYS}/new").text
    assert developer.post(KEYS, **wanted(scopes=["admin"])).status_code == 403
    assert developer.post(KEYS, **wanted(scopes=["declarations:review"])).status_code == 403
    assert key_made(people.signed_in("admin"), scopes=["admin"])


def test_a_key_is_for_ones_own_merchants_at_most(people: People, recognise):
    developer = people.signed_in("developer", ["M100", "M200"])

    assert recognise(key_made(developer)).merchants == {"M100", "M200"}
    assert recognise(key_made(developer, merchants=["M200"])).merchants == {"M200"}
    refused = developer.post(KEYS, **wanted(merchants=["M100", "M300"]))
    assert (refused.status_code, "merchant is not" in text_of(refused)) == (422, True)


def test_keys_of_other_merchants_are_not_there(people: People, recognise):
    admin, developer = people.signed_in("admin"), people.signed_in("developer", ["M100"])
    keys = {
        name: recognise(key_made(admin, name=name, merchants=merchants)).key_id
        for name, merchants in {"mine": "M100", "shared": "M100,M200", "another's": "M200", "all": ""}.items()
    }

    listed = text_of(developer.get(KEYS))

    assert "mine" in listed
    for name in ("shared", "another's", "all"):
        assert name not in listed.replace("all of them", "")
        assert developer.get(f"{KEYS}/{keys[name]}").status_code == 404
        assert developer.post(f"{KEYS}/{keys[name]}/rotate", overlap="24").status_code == 404
        assert developer.post(f"{KEYS}/{keys[name]}/revoke").status_code == 404
    assert all(name in text_of(admin.get(KEYS)) for name in keys)
    assert developer.get(f"{KEYS}/{keys['mine']}").status_code == 200


def test_a_key_is_rotated_and_the_new_text_shown_once(people: People, recognise, actions):
    developer = people.signed_in("developer")
    old = key_made(developer)
    page = f"{KEYS}/{recognise(old).key_id}"

    answer = developer.post(f"{page}/rotate", overlap="24", once=make.number("form"))

    new = text_in(answer)
    assert (answer.status_code, recognise(new).id) == (201, recognise(old).id)
    assert "Replaced" in text_of(developer.get(page))
    assert developer.post(f"{page}/rotate", overlap="24", once=make.number("form")).status_code == 404
    assert actions() == ["api_key.create", "api_key.rotate"]


def test_a_key_that_may_do_more_is_not_rotated_but_may_be_ended(people: People, recognise):
    key = key_made(people.signed_in("admin"), scopes=["admin"])
    developer, page = people.signed_in("developer"), f"{KEYS}/{recognise(key).key_id}"

    assert "It may do more than you may" in text_of(developer.get(page))
    assert developer.post(f"{page}/rotate", overlap="24", once=make.number("form")).status_code == 403
    assert developer.post(f"{page}/revoke").status_code == 303
    with pytest.raises(ApiKeyInvalid):
        recognise(key)


def test_a_revoked_key_leaves_the_list_and_opens_nothing(people: People, recognise, actions):
    developer = people.signed_in("developer")
    key = key_made(developer)
    page = f"{KEYS}/{recognise(key).key_id}"

    answer = developer.post(f"{page}/revoke")

    assert "was revoked" in text_of(developer.follow(answer))
    assert "the ERP" not in text_of(developer.get(KEYS))
    assert "the ERP" in text_of(developer.get(f"{KEYS}?ended"))
    assert actions() == ["api_key.create", "api_key.revoke"]


def test_the_keys_of_a_disabled_user_end_with_them_and_do_not_come_back(people: People, recognise, services: Services):
    developer, admin = people.signed_in("developer"), people.signed_in("admin")
    made, rotated, other = key_made(developer), key_made(developer), key_made(admin)
    new = text_in(admin.post(f"{KEYS}/{recognise(rotated).key_id}/rotate", overlap="24", once=make.number("form")))
    ids = [recognise(one).key_id for one in (made, rotated)]
    with services.transaction() as db:
        person_id = db.scalars(select(ApiKey.created_by).where(ApiKey.id == ids[0])).one()

    admin.post(f"/admin/people/{person_id}/disable", reason="left")
    admin.post(f"/admin/people/{person_id}/enable", reason="came back")

    for ended in (made, rotated):
        with pytest.raises(ApiKeyInvalid):
            recognise(ended)
    # Whoever rotated a key is the only one who saw the new text.
    assert recognise(new).name == recognise(other).name == "the ERP"
    with services.reading() as db:
        (detail,) = db.scalars(select(AuditEntry.detail).where(AuditEntry.action == "person.disable"))
    assert detail == {"api_keys": ", ".join(sorted(ids))}


def test_a_user_who_was_disabled_a_moment_ago_makes_no_key(services: Services, people: People):
    people.signed_in("developer")
    with services.transaction() as db:
        person, now = db.scalars(select(Person)).one(), database.now(db)
        person.disabled_at = now
        caller = Caller(person.id, person.name, frozenset(Scope), None)
        keys = AuditedKeys(db, caller, services.audit, now, sandbox=True)

        with pytest.raises(ActionNotAllowed, match="disabled"):
            ApiKeyService(db, caller, keys, now).create(KeyRequest("erp", [Scope.DECLARATIONS_READ]))


@pytest.mark.parametrize(("role", "status"), [("clerk", 403), ("reviewer", 403), ("developer", 200), ("admin", 200)])
def test_who_sees_keys(people: People, role: str, status: int):
    assert people.signed_in(role).get(KEYS).status_code == status


@pytest.mark.parametrize(("language", "words"), [("en", "No key opens anything yet"), ("zh_CN", "还没有可用的密钥")])
def test_an_empty_list_says_what_to_do_in_both_languages(people: People, language: str, words: str):
    assert words in text_of(people.signed_in("developer", language=language).get(KEYS))
