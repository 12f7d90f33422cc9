"""A re-push of many on its pages: first what would happen, then one declaration after the other."""

import pytest

from customs.container import Services
from customs.declarations.actions.bulk_actions import MOST_AT_ONCE
from customs.declarations.states import Action
from tests import make
from tests.product import Desk
from tests.web.visiting import People, Visitor, text_of

PLACE = "/declarations/redeclare"
LIST = "/declarations?tab=review"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Doors are the same on both."""
    return sqlite_url


@pytest.fixture
def people(services: Services) -> People:
    return People(services)


@pytest.fixture
def clerk(people: People) -> Visitor:
    return people.signed_in("clerk", [make.MERCHANT])


@pytest.fixture
def lost(desk: Desk) -> list[str]:
    """Two that customs lost."""
    ids = [desk.declare() for _ in range(2)]
    for one in ids:
        desk.end(one, "EXCEPT")
    return ids


@pytest.fixture
def failed(desk: Desk) -> str:
    declared = desk.declare()
    desk.end(declared, "FAIL")
    return declared


def next_actions(desk: Desk, *ids: str) -> list[Action | None]:
    return [desk.push(one).next_action for one in ids]


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_first_it_says_what_would_happen(people: People, desk: Desk, lost: list[str], failed: str, language: str):
    visitor = people.signed_in("clerk", [make.MERCHANT], language=language)

    page = visitor.post(PLACE, ids=[*lost, failed], back=LIST)

    shown = {
        "en": ("2 of 3 may be pushed again, 1 skipped.", "A FAIL comes back as FAIL"),
        "zh_CN": ("3 条中有 2 条可以重推，跳过 1 条。", "FAIL 不更正就重推"),
    }
    assert page.status_code == 200
    assert all(words in text_of(page) for words in shown[language])
    assert next_actions(desk, *lost, failed) == [None, None, None]


def test_with_a_reason_those_that_may_are_pushed_again(clerk: Visitor, desk: Desk, lost: list[str]):
    answer = clerk.post(PLACE, ids=lost, reason="customs was down", back=LIST)

    assert answer.location == LIST
    assert "2 declarations are pushed again." in clerk.follow(answer).text
    assert next_actions(desk, *lost) == [Action.REDECLARE] * 2


def test_what_changed_meanwhile_is_shown_with_its_reason(clerk: Visitor, desk: Desk, lost: list[str]):
    desk.decide("redeclare", lost[0])

    answer = clerk.post(PLACE, ids=lost, reason="customs was down", back=LIST)
    page = clerk.follow(answer)

    assert answer.location.startswith(f"{PLACE}?ids={lost[0]}")
    assert "1 declaration is pushed again." in page.text
    assert "The push has not ended and goes on by itself." in page.text
    assert desk.declaration(lost[0]).out_order_no in page.text
    assert next_actions(desk, *lost) == [Action.REDECLARE] * 2


def test_without_a_reason_nothing_is_done(clerk: Visitor, desk: Desk, lost: list[str]):
    answer = clerk.post(PLACE, ids=lost, reason="", back=LIST)

    assert answer.location == LIST
    assert "alert-danger" in clerk.follow(answer).text
    assert next_actions(desk, *lost) == [None, None]


def test_only_a_reviewer_lets_failed_ones_out(people: People, clerk: Visitor, desk: Desk, failed: str):
    reviewer = people.signed_in("reviewer")
    offered = reviewer.post(PLACE, ids=[failed]).text
    forbidden = clerk.post(PLACE, ids=[failed], override="on", reason="let it out")
    done = reviewer.post(PLACE, ids=[failed], override="on", reason="let it out", back=LIST)

    assert "Resend them unchanged (override)" in offered
    assert "Resend them unchanged (override)" not in clerk.post(PLACE, ids=[failed]).text
    assert forbidden.status_code == 403
    assert done.location == LIST
    assert next_actions(desk, failed) == [Action.REDECLARE]


@pytest.mark.parametrize("count", [0, MOST_AT_ONCE + 1])
def test_none_and_too_many_are_refused(clerk: Visitor, count: int):
    answer = clerk.post(PLACE, ids=[f"decl_{number}" for number in range(count)], back=LIST)

    assert answer.location == LIST
    assert "alert-danger" in clerk.follow(answer).text


@pytest.mark.parametrize("reason", [{}, {"reason": "mine"}])
def test_one_that_is_anothers_spoils_it_all(clerk: Visitor, desk: Desk, lost: list[str], reason: dict[str, str]):
    other = desk.declare(merchant_no="M999")
    desk.end(other, "EXCEPT")

    answer = clerk.post(PLACE, ids=[other, *lost], **reason)

    assert answer.status_code == 404
    assert next_actions(desk, other, *lost) == [None, None, None]
