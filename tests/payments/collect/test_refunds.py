"""Refund: never more than was paid, however many ask at once; what is refused is given back."""

from decimal import Decimal
from typing import Any

import pytest

from customs.errors import ActionNotAllowed, NotFound, ValidationFailed
from customs.gateway import NotFound as NotKnown
from customs.gateway import Refused, Unknown
from customs.payments.collect.refunds import refundable
from customs.payments.states import Refunded, RefundStatus
from customs.payments.tasks.task import TaskAction
from tests import make
from tests.payments.till import Till, order_reply, refund_reply, sale_reply

NO = Refused("the balance is too low", exchange=None, status=400)
ABSENT = NotKnown("no such refund", exchange=None, status=404)
CALLERS = 64


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def left(till: Till, payment_id: str) -> str:
    return str(refundable(till.payment(payment_id)))


def refusal(till: Till, payment_id: str, amount: str | None = None, **options: Any) -> ActionNotAllowed:
    with pytest.raises(ActionNotAllowed) as refused:
        till.refund(payment_id, amount, **options)
    return refused.value


def test_without_an_amount_all_that_is_left_is_refunded(till: Till):
    payment_id = till.paid()
    till.refund(payment_id, "30.00")

    refund_id = till.refund(payment_id)

    assert till.refund_of(refund_id).amount == Decimal("70.00")
    assert till.payment(payment_id).refund_status is Refunded.FULL


def test_more_than_is_left_is_refused_with_what_is_left(till: Till):
    payment_id = till.paid()
    till.refund(payment_id, "30.00")

    error = refusal(till, payment_id, "70.01")

    assert (error.detail, error.errors[0].code) == ("70.00 CNY is left to refund", "over_refundable")
    assert left(till, payment_id) == "70.00"


def test_when_nothing_is_left_nothing_is_refunded(till: Till):
    payment_id = till.paid()
    till.refund(payment_id)

    assert refusal(till, payment_id).errors[0].code == "over_refundable"


def test_what_others_refunded_is_not_refunded_again(till: Till):
    payment_id = till.paid(refundable_amount=Decimal("30.00"))

    assert refusal(till, payment_id, "30.01").detail == "30.00 CNY is left to refund"


@pytest.mark.parametrize("status", ["INIT", "FAIL", "EXPIRED"])
def test_what_is_not_paid_is_not_refunded(till: Till, status: str):
    payment_id = till.pay()
    till.do(payment_id, sale_reply(status, payment_no="P1"))

    error = refusal(till, payment_id, "1.00")

    assert (error.errors[0].code, status in error.detail) == ("not_paid", True)


def test_a_paid_order_without_the_gateways_number_cannot_be_refunded_yet(till: Till):
    payment_id = till.pay()
    till.do(payment_id, sale_reply("PAID", payment_no=None))

    assert refusal(till, payment_id).errors[0].code == "number_unknown"


def test_another_merchants_payment_is_not_there(till: Till):
    payment_id = till.paid()

    with pytest.raises(NotFound):
        till.refund(payment_id, caller=make.caller("M999"))


@pytest.mark.parametrize(
    ("currency", "amount"), [("CNY", "0.00"), ("JPY", "0"), ("JPY", "10.50"), ("KRW", "0.01"), ("CNY", "0.001")]
)
def test_an_amount_of_other_places_is_refused(till: Till, currency: str, amount: str):
    payment_id = till.paid(currency=currency, amount="100")

    with pytest.raises(ValidationFailed) as refused:
        till.refund(payment_id, amount)

    assert refused.value.errors[0].code == "amount_invalid"


def test_our_own_refund_numbers_are_of_the_gateways_form(till: Till):
    payment_id = till.paid()
    numbers = {till.refund_of(till.refund(payment_id, "1.00")).outer_refund_no for _ in range(3)}

    assert len(numbers) == 3
    assert all(number.isalnum() and len(number) <= 32 for number in numbers)


# What becomes of it.


def test_a_refund_that_was_done_has_ended(till: Till):
    refund_id = till.refund(till.paid())

    till.do(refund_id, refund_reply("SUCCESS", refund_no="R1"))

    refund = till.refund_of(refund_id)
    assert (refund.status, refund.refund_no, refund.next_action) == (RefundStatus.SUCCESS, "R1", None)
    assert refund.ended_at is not None


def test_a_refund_under_way_is_asked_for_until_it_ends(till: Till):
    refund_id = till.refund(till.paid())
    till.do(refund_id, refund_reply("PROCESSING"))

    action = till.do(refund_id, refund_reply("SUCCESS"), after=60)

    assert action is TaskAction.QUERY
    assert till.refund_of(refund_id).status is RefundStatus.SUCCESS


@pytest.mark.parametrize(
    "outcome", [NO, refund_reply("FAIL"), refund_reply("closed")], ids=["refused", "FAIL", "closed"]
)
def test_a_refund_that_was_refused_gives_its_amount_back(till: Till, outcome):
    payment_id = till.paid()
    till.do(till.refund(payment_id, "20.00"), refund_reply("SUCCESS"))
    refund_id = till.refund(payment_id, "30.00")

    till.do(refund_id, outcome)

    refund = till.refund_of(refund_id)
    assert (refund.status, bool(refund.explanation)) == (RefundStatus.FAIL, True)
    assert (left(till, payment_id), till.payment(payment_id).refund_status) == ("80.00", Refunded.PART)


def test_an_amount_is_given_back_once(till: Till):
    payment_id = till.paid()
    refund_id = till.refund(payment_id, "30.00")
    till.wait(seconds=5)
    (task,) = till.send(till.claim())
    till.answer(task, NO)

    till.answer(task, NO)

    assert (left(till, payment_id), till.refund_of(refund_id).status) == ("100.00", RefundStatus.FAIL)


def test_a_lost_reply_leads_to_exactly_one_refund(till: Till):
    payment_id = till.paid()
    refund_id = till.refund(payment_id, "30.00")
    till.do(refund_id, Unknown("lost"))

    action = till.do(refund_id, refund_reply("SUCCESS"))

    assert (action, left(till, payment_id)) == (TaskAction.QUERY, "70.00")


def test_a_lost_request_is_sent_again_under_the_same_number_after_the_grace(till: Till):
    refund_id = till.refund(till.paid(), "30.00")
    till.do(refund_id, Unknown("lost"))
    sent_at, number = till.now, till.refund_of(refund_id).outer_refund_no

    while till.refund_of(refund_id).next_action is TaskAction.QUERY:
        till.work(lambda _: ABSENT, after=1)

    assert (till.now - sent_at).total_seconds() >= till.services.settings.unknown_grace_seconds
    assert till.refund_of(refund_id).outer_refund_no == number


def test_in_doubt_the_amount_stays_reserved(till: Till):
    payment_id = till.paid()
    till.do(till.refund(payment_id, "30.00"), Unknown("lost"))

    assert left(till, payment_id) == "70.00"


def test_a_refund_that_ended_stays_as_it_ended_when_the_payment_is_asked_for(till: Till):
    payment_id = till.paid()
    refund_id = till.refund(payment_id, "30.00")
    till.do(refund_id, refund_reply("SUCCESS"))
    till.ask_again(payment_id)

    till.do(payment_id, order_reply("PAID", refundable_amount=Decimal("70.00"), refund_status="PART"))

    assert (till.refund_of(refund_id).status, left(till, payment_id)) == (RefundStatus.SUCCESS, "70.00")


# Many at once.


def test_many_partial_refunds_that_fail_leave_what_there_was(till: Till):
    payment_id = till.paid()
    for _ in range(5):
        till.refund(payment_id, "20.00")

    till.work(lambda _: NO)

    assert left(till, payment_id) == "100.00"


def test_after_a_refused_refund_the_gateway_is_asked_what_is_left(till: Till):
    payment_id = till.paid()
    refund_id = till.refund(payment_id, "50.00")

    till.do(refund_id, NO)
    reported = {
        "refund_status": "PART",
        "refundable_amount": Decimal(30),
        "payment_no": till.payment(payment_id).payment_no,
    }
    till.do(payment_id, order_reply("PAID", **reported))

    assert left(till, payment_id) == "30.00"
