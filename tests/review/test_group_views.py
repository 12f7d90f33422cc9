"""The pages of what failed: groups by cause as tallies count them, one cause, and a correction of its whole group."""

import re

import pytest
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from customs.audit.actions import AuditAction
from customs.audit.models import AuditEntry
from customs.container import Services
from customs.declarations.cases import CaseKind
from customs.declarations.states import Action, State
from tests import make
from tests.product import Desk
from tests.web.visiting import People, Visitor, text_of


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def people(services: Services) -> People:
    return People(services)


@pytest.fixture
def reviewer(people: People) -> Visitor:
    return people.signed_in("reviewer")


def failed(desk: Desk, state: str = "FAIL", explanation: str | None = None, **changes: object) -> str:
    declaration_id = desk.declare(**changes)
    desk.end(declaration_id, state, explanation=explanation)
    return declaration_id


def cause_of(desk: Desk, declaration_id: str) -> str:
    return f"/review/causes/{desk.push(declaration_id).cause_id}"


def causes_in(page: TestResponse) -> list[str]:
    return re.findall(r'class="cause" href="(/review/causes/[^"]+)"', page.text)


def cases_in(page: TestResponse) -> list[str]:
    return re.findall(r'href="/review/cases/(decl_\w+)\?', page.text)


# The groups.


def test_what_failed_alike_is_one_group_and_the_largest_comes_first(desk: Desk, reviewer: Visitor):
    failed(desk, "EXCEPT")
    alike = [failed(desk, explanation=f"备案号 {number} 不正确") for number in (1234567, 7654321)]

    page = reviewer.get("/review")

    assert causes_in(page)[0] == cause_of(desk, alike[0]) == cause_of(desk, alike[1])
    assert len(causes_in(page)) == 2
    assert "备案号 # 不正确" in text_of(page)
    assert "Hangzhou" in text_of(page)
    assert "data-rows" in page.text


def test_where_nothing_failed_nothing_needs_anybody(reviewer: Visitor):
    page = reviewer.get("/review")

    assert "Nothing needs anybody" in text_of(page)
    assert "<table" not in page.text


def test_the_trend_is_shown_in_numbers_too(desk: Desk, reviewer: Visitor):
    failed(desk)

    page = reviewer.get("/review")

    assert "Opened on each of the last 14 days, today last: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1" in page.text


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", True),
        ("channel=wechatpay&customs=HANGZHOU_ZS&error=FAIL&assignee=nobody", True),
        ("channel=&customs=&error=&assignee=", True),
        ("channel=alipay", False),
        ("customs=NINGBO", False),
        ("error=EXCEPT", False),
        ("assignee=me", False),
    ],
)
def test_filters_narrow_the_groups(desk: Desk, reviewer: Visitor, query: str, shown: bool):
    failed(desk)

    page = reviewer.get(f"/review?{query}")

    assert page.status_code == 200
    assert bool(causes_in(page)) is shown
    assert ("No cause fits these filters" in text_of(page)) is not shown


@pytest.mark.parametrize("query", ["channel=x", "error=x", "assignee=per_1", "customs=%00", "cursor=x", "limit=0"])
def test_a_filter_there_is_not_is_refused(reviewer: Visitor, query: str):
    assert reviewer.get(f"/review?{query}").status_code == 422


def test_the_groups_come_in_pages(desk: Desk, reviewer: Visitor):
    for office in ("HANGZHOU", "NINGBO", "XIAN"):
        failed(desk, office=office)

    first = reviewer.get("/review?limit=2")
    second = reviewer.get("/review?limit=2&cursor=2")

    assert 'href="?limit=2&amp;cursor=2"' in first.text
    assert len(causes_in(first)) == 2
    assert len(causes_in(second)) == 1
    assert not set(causes_in(first)) & set(causes_in(second))


def test_another_merchants_failures_are_not_there(desk: Desk, people: People):
    declaration_id = failed(desk)
    other = people.signed_in("reviewer", ["M999"])

    assert causes_in(other.get("/review")) == []
    assert other.get(cause_of(desk, declaration_id)).status_code == 404
    assert other.post(f"{cause_of(desk, declaration_id)}/assign", assignee="me").status_code == 404
    assert other.post(f"{cause_of(desk, declaration_id)}/comment", text="x").status_code == 404
    assert other.post(f"{cause_of(desk, declaration_id)}/correct", ids=[declaration_id]).status_code == 404


@pytest.mark.parametrize("path", ["/review", "/review/causes/cause_1", "/review/recent"])
def test_a_stranger_is_asked_to_sign_in(people: People, path: str):
    assert people.stranger().get(path).status_code == 303


# One cause.


@pytest.mark.parametrize("error", ["FAIL", "EXCEPT"])
@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_a_cause_says_what_helps_and_shows_its_cases(desk: Desk, people: People, error: str, language: str):
    ids = [failed(desk, error, "what customs says") for _ in range(2)]
    visitor = people.signed_in("clerk", language=language)

    page = visitor.get(cause_of(desk, ids[0]))

    assert page.status_code == 200
    assert cases_in(page)[1:] == sorted(ids, reverse=True)
    assert page.text.count('name="ids"') == page.text.count("checked aria-label=") - 1 == 2
    main = re.search(r"<(?:button|a)[^>]*data-main-action", page.text)
    assert main is not None
    assert ("/correct" in main[0]) is (error == "FAIL")


def test_every_error_has_its_advice_in_both_languages(desk: Desk, people: People):
    from customs.review.advice import ADVICE, REASONS, Resolution

    assert set(ADVICE) == set(CaseKind)
    assert all(
        set(advice.ways) == set(REASONS) == set(Resolution) - {Resolution.ONE_BY_ONE} for advice in ADVICE.values()
    )


def test_somebody_sees_to_it(desk: Desk, reviewer: Visitor):
    place = cause_of(desk, failed(desk))

    page = reviewer.follow(reviewer.post(f"{place}/assign", assignee="me"))

    assert "It is written down who sees to it." in text_of(page)
    assert causes_in(reviewer.get("/review?assignee=me")) == [place]
    assert causes_in(reviewer.get("/review?assignee=nobody")) == []

    reviewer.post(f"{place}/assign", assignee="nobody")

    assert causes_in(reviewer.get("/review?assignee=nobody")) == [place]


def test_a_person_there_is_not_sees_to_nothing(desk: Desk, reviewer: Visitor):
    assert reviewer.post(f"{cause_of(desk, failed(desk))}/assign", assignee="per_nobody").status_code == 404


def test_a_comment_is_kept_and_an_empty_one_is_refused(desk: Desk, reviewer: Visitor):
    place = cause_of(desk, failed(desk))

    kept = reviewer.follow(reviewer.post(f"{place}/comment", text="<b>the office is down</b>"))
    empty = reviewer.follow(reviewer.post(f"{place}/comment", text=" "))

    assert "&lt;b&gt;the office is down" in kept.text
    assert "alert-danger" in empty.text


def test_a_comment_of_somebody_with_one_merchant_is_for_that_merchant(desk: Desk, people: People):
    place = cause_of(desk, failed(desk))
    failed(desk, merchant_no="M200")
    of_one, of_other = people.signed_in("clerk", [make.MERCHANT]), people.signed_in("clerk", ["M200"])

    of_one.post(f"{place}/comment", text="only for us")

    assert "only for us" in of_one.get(place).text
    assert "only for us" not in of_other.get(place).text


def test_somebody_with_several_merchants_says_which_one_it_concerns(desk: Desk, people: People):
    place = cause_of(desk, failed(desk))
    visitor = people.signed_in("clerk", [make.MERCHANT, "M200"])

    assert 'name="merchant_no"' in visitor.get(place).text
    refused = visitor.follow(visitor.post(f"{place}/comment", text="hello"))
    kept = visitor.follow(visitor.post(f"{place}/comment", text="hello", merchant_no="M200"))

    assert "alert-danger" in refused.text
    assert "hello" in kept.text


def test_the_group_is_pushed_again_after_a_look_at_what_would_happen(desk: Desk, reviewer: Visitor):
    ids = [failed(desk, "EXCEPT") for _ in range(3)]
    place = cause_of(desk, ids[0])

    look = reviewer.post("/declarations/redeclare", ids=ids, back=place)
    assert "All 3 may be pushed again." in text_of(look)
    done = reviewer.post("/declarations/redeclare", ids=ids, back=place, reason="their system works again")

    assert done.location == place
    assert all(desk.push(one).next_action is Action.REDECLARE for one in ids)
    assert "Nothing of this cause is open" in text_of(reviewer.get(place))


# The correction of a whole group.


def test_a_group_with_one_wrong_value_is_corrected_and_sent_until_it_is_cleared(desk: Desk, reviewer: Visitor):
    ids = [failed(desk) for _ in range(3)]
    place = cause_of(desk, ids[0])

    asked = reviewer.post(f"{place}/correct", ids=ids)
    look = reviewer.post(f"{place}/correct", ids=ids, mch_customs_no="110396T0002")
    done = reviewer.post(f"{place}/correct", ids=ids, mch_customs_no="110396T0002", reason="the number was wrong")

    assert "now 110396T0001 in all of them" in text_of(asked)
    assert "All 3 can be corrected and sent." in text_of(look)
    assert all(desk.declaration(one).mch_customs_no == "110396T0002" for one in ids)
    assert all(desk.push(one).next_action is Action.MODIFY for one in ids)
    page = reviewer.follow(done)
    assert "3 declarations are corrected." in text_of(page)
    assert 'hx-get="/review/recent"' in page.text

    for one in ids:
        desk.end(one)

    recent = reviewer.get("/review/recent")
    assert "Accepted by customs 3" in text_of(recent)
    assert "hx-get" not in recent.text


def test_nothing_is_changed_before_there_is_a_reason(desk: Desk, reviewer: Visitor):
    declaration_id = failed(desk)
    place = cause_of(desk, declaration_id)

    reviewer.post(f"{place}/correct", ids=[declaration_id], mch_customs_no="110396T0002")
    refused = reviewer.post(f"{place}/correct", ids=[declaration_id], mch_customs_no="110396T0002", reason=" ")

    assert refused.status_code == 422
    assert "alert-danger" in refused.text
    assert desk.declaration(declaration_id).mch_customs_no == "110396T0001"


def test_blocked_declarations_are_shown_with_their_rule(desk: Desk, reviewer: Visitor):
    ids = [failed(desk), failed(desk, mch_customs_no="110396T0002")]

    look = reviewer.post(f"{cause_of(desk, ids[0])}/correct", ids=ids, mch_customs_no="110396T0002")

    assert "1 of 2 can be corrected and sent, 1 stay as they are." in text_of(look)
    assert "Nothing in the change differs" in text_of(look)
    assert look.text.count(f'value="{ids[0]}"') == 2


def test_declarations_changed_meanwhile_are_counted_in_a_message(desk: Desk, reviewer: Visitor):
    ids = [failed(desk), failed(desk)]
    place = cause_of(desk, ids[0])
    desk.modify(ids[1], mch_customs_no="110396T0002")

    done = reviewer.post(f"{place}/correct", ids=ids, mch_customs_no="110396T0002", reason="the number was wrong")

    page = text_of(reviewer.follow(done))
    assert "1 declaration is corrected." in page
    assert "1 was changed meanwhile." in page


def test_a_registration_is_corrected_for_one_merchant_and_the_others_stay(desk: Desk, reviewer: Visitor):
    ids = [failed(desk), failed(desk), failed(desk, merchant_no="M200")]
    place = cause_of(desk, ids[0])

    asked = reviewer.post(f"{place}/correct", ids=ids)
    of_one = reviewer.post(f"{place}/correct", ids=ids, mch_customs_no="110396T0002", merchant_no=make.MERCHANT)
    of_all = reviewer.post(f"{place}/correct", ids=ids, mch_customs_no="110396T0002", merchant_no="")

    # The merchant with most of them is the one that is chosen already.
    assert re.search(rf'<option value="{make.MERCHANT}" selected>', asked.text)
    assert "All 2 can be corrected and sent." in text_of(of_one)
    assert ids[2] not in of_one.text
    assert "All 3 can be corrected and sent." in text_of(of_all)


def test_an_invalid_value_is_shown_at_its_field(desk: Desk, reviewer: Visitor):
    declaration_id = failed(desk)

    page = reviewer.post(f"{cause_of(desk, declaration_id)}/correct", ids=[declaration_id], duty="a lot")

    assert page.status_code == 422
    assert 'aria-invalid="true"' in page.text
    assert 'value="a lot"' in page.text


def test_the_value_can_be_changed_after_the_look(desk: Desk, reviewer: Visitor):
    declaration_id = failed(desk)

    again = reviewer.post(
        f"{cause_of(desk, declaration_id)}/correct", ids=[declaration_id], mch_customs_no="110396T0002", again="on"
    )

    assert 'value="110396T0002"' in again.text
    assert 'name="reason"' not in again.text


@pytest.mark.parametrize("ids", [[], ["decl_1"] * 3])
def test_without_declarations_of_ones_own_there_is_nothing_to_correct(desk: Desk, reviewer: Visitor, ids: list[str]):
    answer = reviewer.post(f"{cause_of(desk, failed(desk))}/correct", ids=ids)

    assert answer.status_code == (404 if ids else 303)


def test_what_alipay_takes_is_the_name_and_not_the_duty(desk: Desk, reviewer: Visitor):
    declaration_id = failed(desk, channel="alipay")

    page = reviewer.post(f"{cause_of(desk, declaration_id)}/correct", ids=[declaration_id])

    assert 'name="merchant_customs_name"' in page.text
    assert 'name="duty"' not in page.text


def test_a_clerk_corrects_a_group_too_and_the_trail_says_so(desk: Desk, people: People, services: Services):
    ids = [failed(desk), failed(desk)]
    clerk = people.signed_in("clerk")

    clerk.post(f"{cause_of(desk, ids[0])}/correct", ids=ids, mch_customs_no="110396T0002", reason="typed wrongly")

    with services.reading() as db:
        asked = select(AuditEntry).where(AuditEntry.action == AuditAction.DECLARATION_MODIFY)
        found = {(one.actor_id, one.subject_id, one.reason) for one in db.scalars(asked)}
    assert found == {(clerk.person_id, one, "typed wrongly") for one in ids}


# Decided recently.


def test_what_somebody_else_sent_out_is_not_ones_own(desk: Desk, reviewer: Visitor):
    desk.decide("redeclare", failed(desk, "EXCEPT"))

    assert "within the last hour" not in text_of(reviewer.get("/review"))


def test_what_fails_again_is_named(desk: Desk, reviewer: Visitor):
    declaration_id = failed(desk, "EXCEPT")
    reviewer.post("/declarations/redeclare", ids=[declaration_id], reason="works again", back="/review")
    desk.end(declaration_id, "EXCEPT")

    recent = reviewer.get("/review/recent")

    assert "1 needs somebody again" in text_of(recent)
    assert f'href="/review/cases/{declaration_id}"' in recent.text
    assert desk.declaration(declaration_id).state is State.EXCEPT


def test_pages_show_a_kind_of_case_that_only_a_newer_version_knows(desk: Desk, reviewer: Visitor):
    declaration_id = failed(desk)
    cause = cause_of(desk, declaration_id)
    with desk.services.transaction() as db:
        for table in ("pushes", "declarations"):
            db.execute(text(f"UPDATE {table} SET case_kind = 'NEWER', case_detail = '{{\"x\": \"y\"}}'"))
        db.execute(text("UPDATE causes SET error = 'NEWER'"))

    pages = ("/review", cause, f"/review/cases/{declaration_id}", "/declarations", f"/declarations/{declaration_id}")
    for page in map(reviewer.get, pages):
        assert page.status_code == 200
        assert "Something else" in page.text
