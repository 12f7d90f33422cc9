"""Declare when paid: an order may be handed in before its payment is PAID; it goes out with it, and ends with it."""

from decimal import Decimal
from typing import Any

import pytest

from customs.declarations.actions.action_rules import Request
from customs.declarations.reading.dashboard import count_running
from customs.declarations.reading.queries import BatchState, progress_of
from customs.declarations.serializers import declaration_json
from customs.declarations.states import Action, State
from customs.errors import ActionNotAllowed, ValidationFailed
from customs.gateway import NotFound
from tests import make
from tests.payments.till import Till, order_reply, sale_reply
from tests.product import Desk


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def opened(till: Till, **changes: Any) -> str:
    """A payment that waits for its payer; returns its id."""
    payment_id = till.pay(**changes)
    till.do(payment_id, sale_reply("INIT", payment_no=make.number("P")))
    return payment_id


def hand_in(till: Till, payment_id: str, channel: str = "wechatpay", **changes: Any) -> str:
    payment = till.payment(payment_id)
    numbers = {"payment_no": payment.payment_no, "out_order_no": payment.out_order_no}
    return till.desk.declare(channel, **{"submit": "when_paid"} | numbers | changes)


def learn(till: Till, payment_id: str, status: str, **printed: Any) -> None:
    till.do(payment_id, order_reply(status, payment_no=till.payment(payment_id).payment_no, **printed), after=200)


def findings(refused: pytest.ExceptionInfo[ValidationFailed]) -> list[str]:
    return [error.code for error in refused.value.errors]


def test_it_waits_visibly(till: Till, desk: Desk):
    declared = hand_in(till, opened(till))

    desk.wait(days=1)

    declaration = desk.declaration(declared)
    assert (declaration.waiting_for, declaration.state) == ("payment", State.UNDECLARED)
    assert (desk.push(declared).next_action, desk.push(declared).due_at) == (Action.SUBMIT, None)
    assert desk.claim() == []
    with desk.services.reading() as db:
        assert progress_of(db, declaration.batch_id).state is BatchState.RUNNING
        assert count_running(db, declaration.batch_id) == 1


def test_it_goes_out_when_the_payment_is_paid(till: Till, desk: Desk):
    payment_id = opened(till)
    declared = hand_in(till, payment_id)

    learn(till, payment_id, "PAID")

    assert desk.declaration(declared).waiting_for is None
    desk.end(declared)
    assert desk.declaration(declared).state is State.SUCCESS


@pytest.mark.parametrize(("paid", "is_let_out"), [("43.95", True), ("43.94", False)])
def test_what_declares_more_yuan_than_were_paid_goes_before_a_reviewer(till: Till, desk: Desk, paid, is_let_out):
    payment_id = opened(till, currency="HKD", amount="50.00")
    declared = hand_in(till, payment_id, sub_orders=[make.sub_order_row(product="33.95", transport="10.00")])

    printed = {"currency": "HKD", "amount": Decimal(50), "pay_amount": Decimal(paid), "pay_currency": "CNY"}
    learn(till, payment_id, "PAID", **printed)

    declaration = desk.declaration(declared)
    assert (declaration.waiting_for, declaration.needs_review) == (None, not is_let_out)
    assert len(desk.claim()) == is_let_out
    assert is_let_out or declaration.case_reason == "the sub-orders at HANGZHOU_ZS come to 43.95, and 43.94 was paid"


def test_ordered_codes_go_out_one_after_the_other(till: Till, desk: Desk):
    payment_id = opened(till, channel="alipay", method="scanned_pay")
    declared = hand_in(till, payment_id, "alipay", office="SHENZHEN")

    learn(till, payment_id, "PAID")

    first = [task.filing.customs for task in desk.work(lambda _: make.reply("SUCCESS"))]
    second = [task.filing.customs for task in desk.work(lambda _: make.reply("SUCCESS"))]
    assert (first, second) == (["SHENZHEN_ZS"], ["ZONGSHU"])
    assert desk.declaration(declared).state is State.SUCCESS


def test_every_part_of_a_split_order_goes_out(till: Till, desk: Desk):
    payment_id = opened(till)
    hand_in(till, payment_id, parts=3, office="GUANGZHOU_HUANGPU")

    learn(till, payment_id, "PAID")

    assert len(desk.claim()) == 6


@pytest.mark.parametrize("status", ["FAIL", "EXPIRED"])
def test_it_is_cancelled_with_a_case_when_the_payment_ends_unpaid(till: Till, desk: Desk, status: str):
    payment_id = opened(till)
    declared = hand_in(till, payment_id)

    learn(till, payment_id, status)

    declaration = desk.declaration(declared)
    assert (declaration.cancelled, declaration.needs_review) == (True, True)
    assert (declaration.case_reason, declaration.waiting_for) == (f"its payment is {status}", None)
    assert desk.claim() == []


def test_it_does_not_wait_for_ever_for_a_payment_nobody_asks_for_any_more(till: Till, desk: Desk):
    payment_id = opened(till)
    declared = hand_in(till, payment_id)
    till.wait(hours=25)

    learn(till, payment_id, "INIT")

    assert till.payment(payment_id).next_action is None
    assert desk.declaration(declared).needs_review


def test_the_numbers_of_what_was_cancelled_are_free_again(till: Till, desk: Desk):
    payment_id = opened(till)
    first = hand_in(till, payment_id)
    learn(till, payment_id, "EXPIRED")
    till.ask_again(payment_id)
    learn(till, payment_id, "PAID")

    second = hand_in(till, payment_id)

    assert second != first
    assert [task.declaration_id for task in desk.claim()] == [second]


def test_a_case_of_what_was_cancelled_can_be_dismissed(till: Till, desk: Desk):
    payment_id = opened(till)
    declared = hand_in(till, payment_id)
    learn(till, payment_id, "EXPIRED")

    desk.decide("dismiss", declared)

    assert desk.declaration(declared).needs_review is False
    assert desk.claim() == []


def test_handed_in_when_already_paid_it_goes_out_at_once(till: Till, desk: Desk):
    declared = hand_in(till, till.paid())

    assert desk.declaration(declared).waiting_for is None
    assert [task.declaration_id for task in desk.claim()] == [declared]


def test_the_same_again_is_a_replay(till: Till, desk: Desk):
    payment_id = opened(till)
    declared = hand_in(till, payment_id)
    row = {"submit": "when_paid", "payment_no": till.payment(payment_id).payment_no}
    row |= {"out_order_no": till.payment(payment_id).out_order_no}

    batch = desk.take_in(make.declaration_row(**row))

    assert desk.declaration(declared).waiting_for == "payment"
    assert batch.id != desk.declaration(declared).batch_id


def test_what_waits_may_be_cancelled(till: Till, desk: Desk):
    payment_id = opened(till)
    declared = hand_in(till, payment_id)

    desk.decide("cancel", declared)
    learn(till, payment_id, "PAID")

    declaration = desk.declaration(declared)
    assert (declaration.cancelled, declaration.waiting_for) == (True, None)
    assert desk.claim() == []


def test_what_waits_may_be_corrected_and_goes_on_waiting(till: Till, desk: Desk):
    payment_id = opened(till)
    declared = hand_in(till, payment_id, duty=10)

    desk.modify(declared, duty=5)

    assert desk.claim() == []
    learn(till, payment_id, "PAID")
    assert [task.filing.duty for task in desk.claim()] == [5]


def test_what_waits_cannot_be_pushed(till: Till, desk: Desk):
    declared = hand_in(till, opened(till))

    with pytest.raises(ActionNotAllowed):
        desk.decide("redeclare", declared, override=True)


def test_the_api_shows_what_it_waits_for(till: Till, desk: Desk):
    services = till.services
    declared = hand_in(till, opened(till))

    declaration = desk.declaration(declared)
    request = Request.about(declaration, None, desk.now, services.policy)
    shown = declaration_json(declaration, services.vault, request)

    assert shown["waiting_for"] == "payment"


# R4 holds for what waits, too.


@pytest.mark.parametrize("currency", ["CNY"])
def test_what_waits_does_not_declare_more_than_was_asked(till: Till, currency: str):
    payment_id = opened(till, currency=currency, amount="20.00")

    with pytest.raises(ValidationFailed) as refused:
        hand_in(till, payment_id, sub_orders=[make.sub_order_row("20.00", "0.01")])

    assert findings(refused) == ["over_payment"]


def test_two_that_wait_together_do_not_declare_more_than_was_asked(till: Till, desk: Desk):
    payment = till.payment(opened(till, amount="20.00"))
    numbers = {"payment_no": payment.payment_no, "out_order_no": payment.out_order_no, "submit": "when_paid"}
    rows = [
        make.declaration_row("wechatpay", office=office, sub_orders=[make.sub_order_row("14.00", "1.00")], **numbers)
        for office in ("GUANGZHOU", "GUANGZHOU_NANSHA")
    ]

    with pytest.raises(ValidationFailed) as refused:
        desk.take_in(*rows)

    assert "over_payment" in findings(refused)


# A race between the payment and the intake.


def test_an_order_the_gateway_never_heard_of_leaves_nobody_waiting(till: Till, desk: Desk):
    payment_id = opened(till)
    declared = hand_in(till, payment_id)
    till.wait(hours=25)

    till.do(payment_id, NotFound("no such order", exchange=None, status=404))

    assert desk.declaration(declared).cancelled
