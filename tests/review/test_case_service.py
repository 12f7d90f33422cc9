"""Who sees to a cause and what is noted beside it: for whom, and on the record."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from customs.audit.actions import AuditAction
from customs.audit.models import AuditEntry
from customs.auth.principal import Caller
from customs.container import Services
from customs.db import database
from customs.declarations.reading.failure_groups import group_of
from customs.errors import NotFound
from customs.events.comments import comments_of
from customs.review.case_service import CaseService, Contacted, assignable
from tests import make
from tests.product import Desk
from tests.web.visiting import People


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def people(services: Services) -> People:
    return People(services)


@pytest.fixture
def case(desk: Desk) -> Iterator[str]:
    """A declaration with an open case."""
    declaration_id = desk.declare()
    desk.end(declaration_id, "FAIL")
    return declaration_id


def cause_of(desk: Desk, declaration_id: str) -> str:
    return desk.push(declaration_id).cause_id or ""


def handle(services: Services, by: Caller, action: str, *args: object) -> None:
    with services.transaction() as db:
        getattr(CaseService(db, by, database.now(db), services.audit), action)(*args)


def last_entry(services: Services) -> AuditEntry:
    with services.reading() as db:
        return db.scalars(select(AuditEntry).order_by(AuditEntry.number.desc()).limit(1)).one()


def test_somebody_sees_to_a_cause_until_nobody_does(services: Services, desk: Desk, people: People, case: str):
    person_id, _ = people.on_file("reviewer")
    cause_id = cause_of(desk, case)

    handle(services, make.caller(), "assign", cause_id, person_id)

    with services.reading() as db:
        assert group_of(db, make.caller(), cause_id).assignee == "a reviewer"
    entry = last_entry(services)
    assert (entry.action, entry.subject_id, entry.detail) == (AuditAction.CAUSE_ASSIGN, cause_id, {"to": person_id})

    handle(services, make.caller(), "assign", cause_id, None)

    assert last_entry(services).detail == {"to": "nobody"}


def test_a_cause_is_given_only_to_people_with_a_merchant_in_common(services: Services, people: People):
    mine, everybodys = people.on_file("clerk", ["M100"])[0], people.on_file("reviewer")[0]
    theirs = people.on_file("clerk", ["M200"])[0]

    with services.reading() as db:
        seen = {person.id for person in assignable(db, make.caller("M100"))}
        all_of_them = {person.id for person in assignable(db, make.caller())}

    assert seen == {mine, everybodys}
    assert all_of_them == {mine, everybodys, theirs}


@pytest.mark.parametrize("person_id", ["per_nobody", ""])
def test_a_person_there_is_not_is_not_found(services: Services, desk: Desk, case: str, person_id: str):
    with pytest.raises(NotFound):
        handle(services, make.caller(), "assign", cause_of(desk, case), person_id)


def test_a_remark_beside_a_cause_is_read_by_those_it_is_for(services: Services, desk: Desk, case: str):
    cause_id = cause_of(desk, case)

    handle(services, make.caller(), "remark_on_cause", cause_id, "the office is down", None)
    handle(services, make.caller("M100"), "remark_on_cause", cause_id, "the shop knows", "M100")

    with services.reading() as db:
        assert [one.text for one in comments_of(db, make.caller("M100"), cause_id)] == [
            "the office is down",
            "the shop knows",
        ]
        assert [one.text for one in comments_of(db, make.caller("M200"), cause_id)] == ["the office is down"]
    assert last_entry(services).action == AuditAction.COMMENT_WRITE


def test_whoever_has_some_merchants_does_not_write_for_everybody(services: Services, desk: Desk, case: str):
    with pytest.raises(NotFound):
        handle(services, make.caller("M100"), "remark_on_cause", cause_of(desk, case), "hello, all of you", None)


def test_a_contact_stands_in_the_timeline_and_the_case_stays(services: Services, desk: Desk, case: str):
    answer = f"the shop says it was {make.cert_id()}"

    handle(services, make.caller(), "note_contact", case, Contacted.MERCHANT, answer)

    event = desk.events(case)[-1]
    assert (event.kind, event.detail["action"], event.detail["whom"]) == ("action", "contact", "merchant")
    assert make.cert_id() not in event.detail["reason"]
    assert desk.declaration(case).needs_review
    entry = last_entry(services)
    assert (entry.action, entry.subject_id, entry.merchant_no) == (AuditAction.CASE_CONTACT, case, make.MERCHANT)
    assert make.cert_id() not in (entry.reason or "")


@pytest.mark.parametrize(
    ("action", "args"), [("remark_on_case", ["hello"]), ("note_contact", [Contacted.BUYER, "hello"])]
)
def test_nothing_is_noted_beside_another_merchants_case(services: Services, case: str, action: str, args: list[object]):
    with pytest.raises(NotFound):
        handle(services, make.caller("M999"), action, case, *args)
