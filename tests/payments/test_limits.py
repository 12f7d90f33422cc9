"""What does not fit into the database, from the gateway or from a caller, stops nobody: on both databases."""

from decimal import Decimal
from typing import Any

import pytest

from customs.gateway import Notification
from customs.payments.collect import notifications
from customs.payments.states import Status
from tests.payments.till import Till, refund_reply, sale_reply

STRANGE = {
    "a word longer than any": {"pay_currency": "RENMINBI YUAN", "trade_type": "T" * 200, "wallet": "W" * 500},
    "a number longer than any": {"payment_no": "9" * 200},
    "more money than there is": {"pay_amount": Decimal("9" * 18), "refundable_amount": Decimal("9" * 18)},
    "a rate of too many places": {"exchange_rate": Decimal("123456789012345678.123456789012345678")},
    "a tiny rate": {"exchange_rate": Decimal("0.000000000000000001")},
}


@pytest.mark.parametrize("shown", STRANGE.values(), ids=STRANGE)
def test_an_answer_that_does_not_fit_is_recorded_as_far_as_it_does(till: Till, shown: dict[str, Any]):
    payment_id = till.pay()

    till.do(payment_id, sale_reply("PAID", **{"payment_no": "P1"} | shown))

    assert till.payment(payment_id).status is Status.PAID


def test_half_a_number_is_not_kept(till: Till):
    payment_id = till.pay()

    till.do(payment_id, sale_reply("INIT", payment_no="9" * 65))

    assert till.payment(payment_id).payment_no is None


def test_a_refunds_number_that_does_not_fit_is_left_out(till: Till):
    refund_id = till.refund(till.paid())

    till.do(refund_id, refund_reply("SUCCESS", refund_no="9" * 200))

    refund = till.refund_of(refund_id)
    assert (refund.status, refund.refund_no) == ("SUCCESS", None)


@pytest.mark.parametrize("numbers", [("9" * 65, None), ("P1", "9" * 65)])
def test_a_notification_about_a_number_longer_than_any_is_about_nothing(till: Till, numbers: tuple[str, str | None]):
    rest = dict.fromkeys(("currency", "amount", "pay_amount", "exchange_rate", "trade_time"))
    message = Notification(payment_no=numbers[0], our_no=numbers[1], status="PAID", personal={}, **rest)

    with till.services.transaction() as db:
        assert not notifications.take(db, message, till.now)


def test_the_largest_amounts_are_exact(till: Till):
    payment_id = till.paid(amount="9999999999.99")
    till.refund(payment_id, "9999999999.98")

    refund_id = till.refund(payment_id)

    assert till.refund_of(refund_id).amount == Decimal("0.01")
