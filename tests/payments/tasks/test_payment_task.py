"""Record: what the gateway's answers make of a payment, whatever they say and in whatever order they come."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from customs.gateway import NotFound, PayerData, PayerKind, Unknown
from customs.payments.states import Refunded, Status
from customs.payments.tasks.task import TaskAction
from tests import make
from tests.payments.till import QR, Till, order_reply, payment_row, refund_reply, sale_reply

ABSENT = NotFound("no such order", exchange=None, status=404)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def opened(till: Till, **changes: Any) -> str:
    """A payment that the gateway has, waiting for the payer."""
    payment_id = till.pay(**changes)
    till.do(payment_id, sale_reply("INIT", payment_no=make.number("P")))
    return payment_id


def learn(till: Till, payment_id: str, status: str, **shown: Any) -> None:
    """The gateway is asked and says this."""
    till.ask_again(payment_id)
    till.do(payment_id, order_reply(status, payment_no=till.payment(payment_id).payment_no, **shown))


def test_a_created_payment_shows_the_payer_what_to_do_and_is_asked_for(till: Till):
    payment = till.payment(opened(till))

    assert payment.payer == {"kind": "qr", "url": QR.url, "parameters": {}}
    assert (payment.status, payment.next_action, payment.in_doubt) == (Status.INIT, TaskAction.QUERY, False)


def test_a_paid_payment_is_asked_for_no_more(till: Till):
    payment_id = opened(till)
    learn(till, payment_id, "PAID", trade_time=make.NOON)

    payment = till.payment(payment_id)
    assert (payment.status, payment.next_action, payment.due_at) == (Status.PAID, None, None)
    assert (payment.paid_at, payment.payer) == (make.NOON, None)


@pytest.mark.parametrize("status", ["FAIL", "EXPIRED"])
def test_nobody_is_asked_to_pay_an_order_that_has_ended(till: Till, status: str):
    payment_id = opened(till)
    learn(till, payment_id, status)

    payment = till.payment(payment_id)
    assert (payment.status, payment.next_action, payment.payer) == (status, None, None)


def test_an_answer_under_a_stale_fence_changes_nothing(till: Till):
    payment_id = opened(till)
    till.ask_again(payment_id)
    (frozen,) = till.send(till.claim())
    till.wait(seconds=61)
    till.send(till.claim())

    word = till.answer(frozen, order_reply("PAID", payment_no=till.payment(payment_id).payment_no))

    assert word is None
    assert till.payment(payment_id).status is Status.INIT


def test_an_answer_without_a_time_is_paid_when_it_came(till: Till):
    payment_id = till.paid()

    assert till.now - till.payment(payment_id).paid_at < timedelta(seconds=5)


@pytest.mark.parametrize("before", ["FAIL", "EXPIRED"])
def test_a_late_payer_makes_it_paid(till: Till, before: str):
    payment_id = opened(till)
    learn(till, payment_id, before)

    learn(till, payment_id, "PAID")

    assert till.payment(payment_id).status is Status.PAID


@pytest.mark.parametrize("after", ["INIT", "FAIL", "EXPIRED", "REVOKED"])
def test_paid_never_goes_back(till: Till, after: str):
    payment_id = till.paid()

    learn(till, payment_id, after)

    payment = till.payment(payment_id)
    assert (payment.status, payment.next_action) == (Status.PAID, None)


@pytest.mark.parametrize("error", [ABSENT, Unknown("lost")])
def test_paid_survives_an_error(till: Till, error):
    payment_id = till.paid()
    till.ask_again(payment_id)

    till.do(payment_id, error)

    assert till.payment(payment_id).status is Status.PAID


def test_a_word_the_document_does_not_know_is_asked_about_again(till: Till):
    payment_id = opened(till)
    learn(till, payment_id, "USERPAYING")

    payment = till.payment(payment_id)
    assert (payment.status, payment.next_action) == (Status.INIT, TaskAction.QUERY)


def test_a_payers_code_stays_while_the_gateway_says_nothing_of_it(till: Till):
    payment_id = opened(till)
    learn(till, payment_id, "INIT")

    assert till.payment(payment_id).payer["url"] == QR.url


def test_an_order_nobody_opened_expires_after_a_day(till: Till):
    payment_id = till.pay(method="cashier_desk", return_url="https://shop.test/back")
    till.wait(hours=25)

    till.do(payment_id, ABSENT)

    assert till.payment(payment_id).status is Status.EXPIRED


def test_an_order_of_our_amount_is_ours_however_it_is_written(till: Till):
    payment_id = till.pay(method="cashier_desk", return_url="https://shop.test/back", currency="JPY", amount="100")
    reported = {"amount": Decimal("100.000"), "currency": "JPY", "merchant_no": make.MERCHANT}

    till.do(payment_id, order_reply("PAID", payment_no="P1", **reported), after=10)

    assert till.payment(payment_id).status is Status.PAID


def test_an_order_for_something_else_fails_after_a_day_and_says_why(till: Till):
    payment_id = till.pay(method="cashier_desk", return_url="https://shop.test/back")
    tampered = order_reply("PAID", payment_no="P1", amount=Decimal("0.01"))
    till.do(payment_id, tampered, after=10)
    meanwhile = till.payment(payment_id).status

    till.do(payment_id, tampered, after=90_000)

    payment = till.payment(payment_id)
    assert (meanwhile, payment.status, payment.next_action) == (Status.INIT, Status.FAIL, None)
    assert "another merchant, currency or amount" in (payment.explanation or "")


# Money and parameters.


def test_half_a_fen_of_a_rate_is_cut_off(till: Till):
    payment_id = till.paid(currency="HKD", pay_amount=Decimal("85.999"), exchange_rate=Decimal("0.85999"))

    payment = till.payment(payment_id)
    assert (payment.pay_amount, payment.exchange_rate) == (Decimal("85.99"), "0.85999")


def test_parameters_for_the_payers_app_are_kept(till: Till):
    payment_id = till.pay(**payment_row(method="app_pay", appid="wx1"))
    prepaid = PayerData(PayerKind.PARAMETERS, parameters={"prepayId": "wx2017", "sign": "0A"})

    till.do(payment_id, sale_reply("INIT", prepaid, payment_no="P1"))

    assert till.payment(payment_id).payer["parameters"] == {"prepayId": "wx2017", "sign": "0A"}


# What others refunded.


def test_what_was_refunded_elsewhere_is_no_longer_refundable(till: Till):
    payment_id = till.paid(refundable_amount=Decimal("30.00"), refund_status="PART")

    payment = till.payment(payment_id)
    assert (payment.refunded_elsewhere, payment.refund_status) == (Decimal("70.00"), Refunded.PART)


def test_a_full_refund_elsewhere_leaves_nothing(till: Till):
    payment_id = till.paid(refund_status="FULL")

    payment = till.payment(payment_id)
    assert (payment.refunded_elsewhere, payment.refund_status) == (Decimal("100.00"), Refunded.FULL)


# Amount, currency, what the gateway says may still be refunded, and what was refunded elsewhere.
LEFTOVERS = [
    ("66.70", "CNY", "66.69999999999999", "0"),
    ("66.70", "CNY", "66.69", "0.01"),
    ("100", "JPY", "99.99999999999999", "0"),
    ("100", "KRW", "60.00000000000001", "40"),
]


@pytest.mark.parametrize(("amount", "currency", "left", "elsewhere"), LEFTOVERS)
def test_binary_fractions_are_no_refunds(till: Till, amount: str, currency: str, left: str, elsewhere: str):
    payment_id = till.paid(amount=amount, currency=currency, refundable_amount=Decimal(left))

    assert till.payment(payment_id).refunded_elsewhere == Decimal(elsewhere)


def test_what_was_refunded_elsewhere_shrinks_when_the_gateway_says_so(till: Till):
    payment_id = till.paid(refundable_amount=Decimal("99.99"))
    wrong = till.payment(payment_id).refunded_elsewhere

    learn(till, payment_id, "PAID", refundable_amount=Decimal("100.00"))

    assert (wrong, till.payment(payment_id).refunded_elsewhere) == (Decimal("0.01"), 0)
    assert till.payment(payment_id).refund_status is Refunded.NONE


def test_an_answer_that_may_not_count_a_refund_of_ours_yet_makes_nothing_shrink(till: Till):
    payment_id = till.paid(refundable_amount=Decimal("90.00"))
    refund_id = till.refund(payment_id, "50.00")
    learn(till, payment_id, "PAID", refundable_amount=Decimal("90.00"))
    under_way = till.payment(payment_id).refunded_elsewhere
    till.do(refund_id, refund_reply("SUCCESS"))
    learn(till, payment_id, "PAID", refundable_amount=Decimal("90.00"))
    stale = till.payment(payment_id).refunded_elsewhere

    learn(till, payment_id, "PAID", refundable_amount=Decimal("50.00"))

    assert (under_way, stale, till.payment(payment_id).refunded_elsewhere) == (10, 10, 0)


def test_our_own_refund_does_not_count_twice(till: Till):
    payment_id = till.paid()
    till.do(till.refund(payment_id, "70.00"), refund_reply("SUCCESS"))

    learn(till, payment_id, "PAID", refundable_amount=Decimal("30.00"))

    payment = till.payment(payment_id)
    assert (payment.refunded, payment.refunded_elsewhere) == (Decimal("70.00"), 0)


def test_a_refund_under_way_that_the_gateway_does_not_count_yet_changes_nothing(till: Till):
    payment_id = till.paid()
    till.refund(payment_id, "70.00")

    learn(till, payment_id, "PAID", refundable_amount=Decimal("100.00"))

    payment = till.payment(payment_id)
    assert (payment.refunded, payment.refunded_elsewhere) == (Decimal("70.00"), 0)


def test_an_order_that_is_not_paid_was_not_refunded(till: Till):
    payment_id = opened(till)

    learn(till, payment_id, "INIT", refundable_amount=Decimal("0.00"))

    assert till.payment(payment_id).refund_status is Refunded.NONE


# The timeline.


def test_every_call_stands_in_the_timeline(till: Till):
    payment_id = opened(till)
    learn(till, payment_id, "PAID")

    reported = [(event.kind, event.detail.get("action"), event.detail.get("to")) for event in till.events(payment_id)]

    assert reported == [
        ("action", "pay", None),
        ("call", "payments SEND", None),
        ("call", "payments QUERY", "PAID"),
    ]
