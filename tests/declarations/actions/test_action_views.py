"""Deciding on the page of one declaration: push again, correct, cancel, close the case, and who may do which."""

import pytest

from customs.container import Services
from customs.declarations.states import Action, State
from tests import make
from tests.product import Desk
from tests.web.visiting import People, Visitor, text_of


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
def reviewer(people: People) -> Visitor:
    return people.signed_in("reviewer", [make.MERCHANT])


def reasons_given(desk: Desk, declared: str) -> list[tuple[str, str]]:
    return [
        (event.detail["action"], event.detail["reason"]) for event in desk.events(declared) if event.kind == "action"
    ]


def test_a_clerk_pushes_again_what_customs_lost(clerk: Visitor, desk: Desk):
    declared = desk.declare()
    desk.end(declared, "EXCEPT")

    answer = clerk.post(f"/declarations/{declared}/redeclare", reason="customs lost it")

    assert answer.location == f"/declarations/{declared}"
    assert "It is pushed again." in clerk.follow(answer).text
    assert desk.push(declared).next_action is Action.REDECLARE
    assert reasons_given(desk, declared) == [("redeclare", "customs lost it")]


@pytest.mark.parametrize("action", ["redeclare", "cancel"])
def test_a_decision_without_a_reason_is_refused(clerk: Visitor, desk: Desk, action: str):
    declared = desk.declare()

    answer = clerk.post(f"/declarations/{declared}/{action}", reason=" ")

    assert "alert-danger" in clerk.follow(answer).text
    assert reasons_given(desk, declared) == []


def test_what_is_not_allowed_says_why_and_is_refused(clerk: Visitor, desk: Desk):
    declared = desk.declare()
    desk.end(declared, "FAIL")

    page = text_of(clerk.get(f"/declarations/{declared}"))
    refused = clerk.follow(clerk.post(f"/declarations/{declared}/redeclare", reason="once more"))

    assert "A FAIL comes back as FAIL when nothing is corrected." in page
    assert "Something was sent to the gateway already, so it cannot be taken back." in page
    assert "A FAIL is corrected with modify first" in refused.text
    assert desk.push(declared).state is State.FAIL


def test_it_says_from_when_alipay_takes_a_repush(clerk: Visitor, desk: Desk):
    declared = desk.declare("alipay")
    desk.end(declared, "EXCEPT")

    page = text_of(clerk.get(f"/declarations/{declared}"))

    assert "Alipay ignores a re-push so soon after the last one. Possible from" in page
    assert "Alipay takes a re-push from" in page


def test_a_reviewer_lets_a_fail_out_as_it_is(clerk: Visitor, reviewer: Visitor, desk: Desk):
    declared = desk.declare()
    desk.end(declared, "FAIL")
    asked = {"reason": "the office mended it", "override": "on"}

    forbidden = clerk.post(f"/declarations/{declared}/redeclare", **asked)
    done = reviewer.post(f"/declarations/{declared}/redeclare", **asked)

    assert 'name="override"' not in clerk.get(f"/declarations/{declared}").text
    assert (forbidden.status_code, done.status_code) == (403, 303)
    assert desk.push(declared).next_action is Action.REDECLARE


def test_a_correction_is_sent(clerk: Visitor, desk: Desk):
    declared = desk.declare(parts=2)
    desk.end(declared, "FAIL")
    first, second = desk.declaration(declared).sub_orders

    answer = clerk.post(
        f"/declarations/{declared}/modify",
        **{f"amount:{first.sub_order_no}": "11.00", f"product_amount:{first.sub_order_no}": "10.00"},
        **{f"amount:{second.sub_order_no}": "10.00"},
        reason="the price was wrong",
    )

    assert "The correction is on its way." in clerk.follow(answer).text
    amounts = [part.amount for part in desk.declaration(declared).sub_orders]
    assert [f"{amount:.2f}" for amount in amounts] == ["11.00", "10.00"]
    assert [push.next_action for push in desk.declaration(declared).pushes] == [Action.MODIFY, None]


def test_a_refused_correction_comes_back_with_what_was_typed(clerk: Visitor, desk: Desk):
    declared = desk.declare()
    desk.end(declared, "FAIL")

    answer = clerk.post(f"/declarations/{declared}/modify", duty="ten", mch_customs_no="X9", reason="a duty is due")

    assert answer.status_code == 422
    assert "A duty is a whole number, such as 88." in answer.text
    assert 'value="ten"' in answer.text
    assert 'value="a duty is due"' in answer.text
    assert 'id="decide-modify" open' in answer.text
    assert desk.declaration(declared).mch_customs_no != "X9"


def test_a_correction_that_changes_nothing_is_refused_with_a_message(clerk: Visitor, desk: Desk):
    declared = desk.declare()
    desk.end(declared, "FAIL")
    kept = desk.declaration(declared).mch_customs_no

    answer = clerk.post(f"/declarations/{declared}/modify", mch_customs_no=kept, reason="nothing in mind")

    assert answer.status_code == 422
    assert "Nothing differs from the declaration." in answer.text


def test_the_buyer_is_corrected_without_being_shown(clerk: Visitor, desk: Desk):
    buyer, payer = make.buyer_row(), make.buyer_row(name="韩梅梅", cert_id=make.cert_id(7))
    declared = desk.declare(buyer=buyer)
    desk.end(declared, cert_check_result="DIFFERENT")
    form = clerk.get(f"/declarations/{declared}").text

    answer = clerk.post(
        f"/declarations/{declared}/modify", buyer_name=payer["name"], cert_id=payer["cert_id"], reason="asked"
    )
    page = clerk.follow(answer).text

    assert buyer["cert_id"] not in form
    assert "韩**" in page
    assert payer["cert_id"] not in page


def test_what_was_never_sent_is_taken_back(clerk: Visitor, desk: Desk):
    declared = desk.declare()

    page = clerk.follow(clerk.post(f"/declarations/{declared}/cancel", reason="ordered twice"))

    assert "It was cancelled, and its numbers are free again." in page.text
    assert desk.declaration(declared).cancelled


def test_only_a_reviewer_closes_a_case(clerk: Visitor, reviewer: Visitor, desk: Desk):
    declared = desk.declare()
    desk.end(declared, "FAIL")

    forbidden = clerk.post(f"/declarations/{declared}/dismiss", reason="enough")
    done = reviewer.post(f"/declarations/{declared}/dismiss", reason="the parcel went back")

    assert "Only a reviewer closes a case" in text_of(clerk.get(f"/declarations/{declared}"))
    assert (forbidden.status_code, done.status_code) == (403, 303)
    assert not desk.declaration(declared).needs_review


@pytest.mark.parametrize("action", ["redeclare", "modify", "cancel", "dismiss"])
def test_nothing_is_decided_on_what_is_anothers(people: People, desk: Desk, action: str):
    declared = desk.declare(merchant_no="M999")
    reviewer = people.signed_in("reviewer", [make.MERCHANT])

    answer = reviewer.post(f"/declarations/{declared}/{action}", reason="mine", mch_customs_no="X9")

    assert answer.status_code == 404
    assert reasons_given(desk, declared) == []
