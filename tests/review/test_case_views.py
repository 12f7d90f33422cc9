"""The page of one case: the evidence field by field, the ways out that a role has, and the next case after each."""

import re
from typing import Any

import pytest
from werkzeug.test import TestResponse

from customs.container import Services
from customs.declarations.pushes.claim import Task
from customs.declarations.states import Action
from customs.gateway import DeclarationReply, Refused
from tests import make
from tests.product import Desk
from tests.web.visiting import People, Visitor, text_of

NAME, OTHER_NAME = "欧阳娜娜", "司马相如"
CERT_ID, OTHER_CERT_ID = make.cert_id(7), make.cert_id(8)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def people(services: Services) -> People:
    return People(services)


@pytest.fixture
def reviewer(people: People) -> Visitor:
    return people.signed_in("reviewer")


@pytest.fixture
def clerk(people: People) -> Visitor:
    return people.signed_in("clerk")


def failed(desk: Desk, channel: str = "wechatpay", *, state: str = "FAIL", says: str | None = None, **row: Any) -> str:
    declaration_id = desk.declare(channel, **row)
    desk.end(declaration_id, state, explanation=says)
    return declaration_id


def place(declaration_id: str) -> str:
    return f"/review/cases/{declaration_id}"


def cause_of(desk: Desk, declaration_id: str) -> str:
    return desk.push(declaration_id).cause_id or ""


def focused(page: TestResponse) -> str:
    """The name of the field in which one begins to type."""
    found = re.findall(r"<input[^>]*autofocus[^>]*>", page.text)
    assert len(found) <= 1
    return re.search(r'name="([^"]+)"', found[0])[1] if found else ""  # type: ignore[index]


# What is shown.


def test_an_error_stands_beside_the_field_it_names_which_is_where_one_types(desk: Desk, reviewer: Visitor):
    page = reviewer.get(place(failed(desk, says="备案号不正确")))

    row = re.search(r'<tr class="is-suspect">.*?</tr>', page.text, re.DOTALL)
    assert row is not None
    assert "Registration number" in row[0] and "110396T0001" in row[0] and "备案号不正确" in row[0]
    assert 'aria-describedby="w-mch_customs_no"' in row[0]
    assert focused(page) == "mch_customs_no"


def test_where_no_field_is_named_the_page_says_so(desk: Desk, reviewer: Visitor):
    page = reviewer.get(place(failed(desk, says="请更正后重新申报")))

    assert "names no field" in text_of(page)
    assert "is-suspect" not in page.text
    assert focused(page) == "reason"


def test_the_buyer_is_masked_and_never_filled_in(desk: Desk, reviewer: Visitor):
    page = reviewer.get(place(failed(desk, says="姓名不符", buyer={"name": NAME, "cert_id": CERT_ID})))

    assert NAME not in page.text and CERT_ID not in page.text
    assert "欧***" in page.text
    assert re.search(r'name="buyer_name" value=""', page.text)
    assert focused(page) == "buyer_name"


def test_a_mismatch_of_identity_is_explained(desk: Desk, reviewer: Visitor):
    declaration_id = desk.declare(buyer={"name": NAME, "cert_id": CERT_ID})
    desk.end(declaration_id, "SUCCESS", cert_check_result="DIFFERENT")

    page = reviewer.get(place(declaration_id))

    assert "somebody else paid" in text_of(page)
    assert focused(page) == "buyer_name"


def test_what_came_back_is_there_masked(desk: Desk, reviewer: Visitor):
    declaration_id = desk.declare(buyer={"name": NAME, "cert_id": CERT_ID})
    raw = make.exchange(reply=f'{{"message": "{NAME} {CERT_ID}"}}', params={"out_order_no": "O1", "name": NAME})
    desk.work(lambda _: Refused("no", exchange=raw, status=400))

    page = reviewer.get(place(declaration_id))

    assert "The answer to what was sent" in text_of(page)
    assert NAME not in page.text and CERT_ID not in page.text


def test_what_never_changes_cannot_be_corrected_and_the_page_says_what_to_do(desk: Desk, reviewer: Visitor):
    declaration_id = desk.declare()
    desk.work(lambda _: Refused("订单不存在", exchange=make.exchange(), status=555))

    page = reviewer.get(place(declaration_id))

    assert "close the case and hand the order in again" in text_of(page)
    assert "Push it again" in text_of(page)


def test_a_split_order_shows_the_part_that_failed(desk: Desk, reviewer: Visitor):
    declaration_id = desk.declare(parts=2)
    wrong = desk.declaration(declaration_id).sub_orders[1].sub_order_no

    def say(task: Task) -> DeclarationReply:

        fails = task.filing.sub_order_no == wrong
        return make.reply("FAIL" if fails else "SUCCESS", desk.now, explanation="金额不符")

    desk.work(say)

    page = reviewer.get(place(declaration_id))

    assert set(re.findall(r'name="amount:(\w+)"', page.text)) == {wrong}
    assert focused(page) == f"amount:{wrong}"
    assert "All pushes of this declaration" in text_of(page)


def test_a_declaration_without_a_case_says_so(desk: Desk, reviewer: Visitor):
    page = reviewer.get(place(desk.declare()))

    assert page.status_code == 200
    assert "No case is open here" in text_of(page)


@pytest.mark.parametrize("state", ["FAIL", "EXCEPT"])
@pytest.mark.parametrize("channel", ["wechatpay", "alipay"])
@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("role", ["clerk", "reviewer", "admin", "developer"])
def test_every_role_reads_it_in_both_languages(
    desk: Desk, people: People, role: str, language: str, channel: str, state: str
):
    declaration_id = failed(desk, channel, state=state)

    page = people.signed_in(role, language=language).get(place(declaration_id))

    assert page.status_code == 200
    assert re.search(r'\bid="([^"]+)"(?=.*\bid="\1")', page.text, re.DOTALL) is None


def test_another_merchants_case_is_not_there(desk: Desk, people: People):
    declaration_id = failed(desk, buyer={"name": NAME, "cert_id": CERT_ID})
    other = people.signed_in("reviewer", ["M999"])

    assert other.get(place(declaration_id)).status_code == 404
    for action in ("correct", "redeclare", "dismiss", "contact", "comment", "reveal"):
        form = {"reason": "because it is", "text": "x", "mch_customs_no": "y", "whom": "buyer"}
        assert other.post(f"{place(declaration_id)}/{action}", **form).status_code == 404


def test_a_clerk_sees_why_they_may_not_close_or_reveal(desk: Desk, clerk: Visitor):
    declaration_id = failed(desk, buyer={"name": NAME, "cert_id": CERT_ID})

    page = text_of(clerk.get(place(declaration_id)))

    assert "Only a reviewer closes a case" in page
    assert "Only a reviewer sees names and ID numbers" in page
    for action in ("dismiss", "reveal"):
        assert clerk.post(f"{place(declaration_id)}/{action}", reason="because it is").status_code == 403
    assert clerk.post(f"{place(declaration_id)}/redeclare", reason="because", override="on").status_code == 403


# What is decided, and what comes after.


def test_a_corrected_case_is_sent_and_the_next_one_of_its_cause_comes(desk: Desk, clerk: Visitor):
    older, newer = failed(desk, says="备案号不正确"), failed(desk, says="备案号不正确")
    cause = cause_of(desk, newer)

    answer = clerk.post(f"{place(newer)}/correct", cause=cause, mch_customs_no="110396T0002", reason="typed wrongly")

    assert answer.location == f"{place(older)}?cause={cause}"
    assert "This is the next case." in text_of(clerk.follow(answer))
    assert desk.push(newer).next_action is Action.MODIFY

    last = clerk.post(f"{place(older)}/correct", cause=cause, mch_customs_no="110396T0002", reason="typed wrongly")

    assert last.location == f"/review/causes/{cause}"
    assert "That was the last case of this group." in text_of(clerk.follow(last))


def test_alipay_takes_a_correction_along_with_a_repush(desk: Desk, clerk: Visitor, services: Services):
    services.policy = type(services.policy)(0, "correct")
    declaration_id = failed(desk, "alipay")

    clerk.post(f"{place(declaration_id)}/correct", merchant_customs_name="杭州别的公司", reason="the name was wrong")

    assert desk.push(declaration_id).next_action is Action.REDECLARE


def test_a_refused_correction_shows_errors_at_its_fields_and_keeps_what_was_typed(desk: Desk, clerk: Visitor):
    declaration_id = failed(desk, says="身份证号有误", buyer={"name": NAME, "cert_id": CERT_ID})

    page = clerk.post(f"{place(declaration_id)}/correct", cert_id="110105199003070010", reason="the shop says so")

    assert page.status_code == 422
    field = re.search(r'<input[^>]*name="cert_id"[^>]*>', page.text)
    assert field is not None and 'aria-invalid="true"' in field[0]
    assert 'value="the shop says so"' in page.text
    assert desk.declaration(declaration_id).needs_review


@pytest.mark.parametrize("form", [{}, {"reason": "x"}, {"mch_customs_no": "y"}, {"mch_customs_no": "y", "reason": " "}])
def test_a_correction_needs_a_change_and_a_reason(desk: Desk, clerk: Visitor, form: dict[str, str]):
    declaration_id = failed(desk)

    page = clerk.post(f"{place(declaration_id)}/correct", **form)

    assert page.status_code == 422
    assert "alert-danger" in page.text
    assert desk.declaration(declaration_id).needs_review


def test_an_exception_is_pushed_again_by_its_reason_alone(desk: Desk, clerk: Visitor):
    declaration_id = failed(desk, state="EXCEPT")
    assert focused(clerk.get(place(declaration_id))) == "reason"

    answer = clerk.post(f"{place(declaration_id)}/redeclare", reason="their system works again")

    assert answer.location == place(declaration_id)
    assert desk.push(declaration_id).next_action is Action.REDECLARE


def test_a_fail_is_let_out_as_it_is_only_by_a_reviewer_who_answers_for_it(desk: Desk, reviewer: Visitor):
    declaration_id = failed(desk)

    refused = reviewer.post(f"{place(declaration_id)}/redeclare", reason="customs asked for it")
    assert "alert-danger" in reviewer.follow(refused).text
    reviewer.post(f"{place(declaration_id)}/redeclare", reason="customs asked for it", override="on")

    assert desk.push(declaration_id).next_action is Action.REDECLARE


def test_a_reviewer_closes_a_case(desk: Desk, reviewer: Visitor):
    declaration_id = failed(desk)

    reviewer.post(f"{place(declaration_id)}/dismiss", reason="cleared by hand")

    assert not desk.declaration(declaration_id).needs_review


@pytest.mark.parametrize("action", ["redeclare", "dismiss"])
def test_no_decision_without_a_reason(desk: Desk, reviewer: Visitor, action: str):
    declaration_id = failed(desk, state="EXCEPT")

    answer = reviewer.post(f"{place(declaration_id)}/{action}", reason=" ", cause=cause_of(desk, declaration_id))

    assert answer.location == f"{place(declaration_id)}?cause={cause_of(desk, declaration_id)}"
    assert desk.declaration(declaration_id).needs_review


def test_a_contact_and_a_comment_are_read_by_the_next_one(desk: Desk, clerk: Visitor, reviewer: Visitor):
    declaration_id = failed(desk)

    clerk.post(f"{place(declaration_id)}/contact", whom="merchant", reason="they look for the right number")
    clerk.post(f"{place(declaration_id)}/comment", text="wait until Monday")

    page = text_of(reviewer.get(place(declaration_id)))
    assert "Noted a contact" in page
    assert "Asked: the merchant" in page
    assert "they look for the right number" in page
    assert "wait until Monday" in page
    assert desk.declaration(declaration_id).needs_review


@pytest.mark.parametrize("form", [{"whom": "nobody", "reason": "x"}, {"whom": "buyer", "reason": ""}])
def test_a_contact_says_with_whom_and_what(desk: Desk, clerk: Visitor, form: dict[str, str]):
    declaration_id = failed(desk)

    page = clerk.follow(clerk.post(f"{place(declaration_id)}/contact", **form))

    assert "alert-danger" in page.text
    assert [one.detail["action"] for one in desk.events(declaration_id) if one.kind == "action"] == []


def test_one_goes_from_case_to_case_and_around(desk: Desk, reviewer: Visitor):
    ids = [failed(desk) for _ in range(3)]

    pages = {one: reviewer.get(place(one)).text for one in ids}

    ways = {
        one: (
            re.search(r'href="/review/cases/(\w+)[^>]*rel="prev"', page)[1],
            re.search(r'href="/review/cases/(\w+)[^>]*rel="next"', page)[1],
        )  # type: ignore[index]
        for one, page in pages.items()
    }
    first, second, third = ids
    # The newest comes first.
    assert ways == {third: (first, second), second: (third, first), first: (second, third)}


def test_the_cause_one_comes_with_cannot_lead_elsewhere(desk: Desk, reviewer: Visitor):
    declaration_id = failed(desk, state="EXCEPT")

    answer = reviewer.post(f"{place(declaration_id)}/redeclare", cause="../../evil?x=//", reason="because")

    assert answer.location == "/review/causes/..%2F..%2Fevil%3Fx%3D%2F%2F"
