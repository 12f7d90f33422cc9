"""What declarations are told of payments made here: paid, how much in yuan, whose wallet."""

from decimal import Decimal
from typing import Any

import pytest

from customs.gateway import Channel
from customs.payments_port import PaymentFacts, PaymentKey
from tests import make
from tests.payments.till import Till, refund_reply, sale_reply
from tests.product import Desk


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def facts(till: Till, payment_id: str) -> PaymentFacts | None:
    payment = till.payment(payment_id)
    key = PaymentKey(payment.merchant_no, Channel(payment.channel), payment.payment_no or "")
    with till.services.reading() as db:
        return till.services.payments.facts(db, {key}).get(key)


def paid(till: Till, **changes: Any) -> str:
    """A payment of 100 Hong Kong dollars."""
    return till.paid(**{"currency": "HKD"} | changes)


# Yuan: the gateway's own amount before a rate, and cut off, not rounded.


@pytest.mark.parametrize(
    ("shown", "net"),
    [
        ({"pay_amount": Decimal("85.99"), "pay_currency": "CNY", "exchange_rate": Decimal("0.9")}, "85.99"),
        ({"pay_amount": Decimal("85.999"), "pay_currency": "CNY"}, "85.99"),
        ({"pay_amount": Decimal("85.99")}, "85.99"),
        ({"exchange_rate": Decimal("0.859999")}, "85.99"),
        ({"pay_amount": Decimal("100.00"), "pay_currency": "HKD", "exchange_rate": Decimal("0.859999")}, "85.99"),
        ({"pay_amount": Decimal("100.00"), "pay_currency": "HKD"}, None),
        ({}, None),
    ],
)
def test_the_net_amount_in_yuan(till: Till, shown: dict[str, Any], net: str | None):
    known = facts(till, paid(till, **shown))

    assert known is not None
    assert known.net_cny == (None if net is None else Decimal(net))


def test_an_amount_in_yuan_is_its_own(till: Till):
    known = facts(till, till.paid(pay_amount=Decimal("1.00"), exchange_rate=Decimal("7")))

    assert known is not None
    assert known.net_cny == Decimal("100.00")


@pytest.mark.parametrize(
    ("shown", "net"),
    [
        ({"pay_amount": Decimal("85.99"), "pay_currency": "CNY"}, "57.32"),
        ({"exchange_rate": Decimal("0.8599")}, "57.32"),
    ],
)
def test_what_was_refunded_counts_in_proportion_and_is_cut_off(till: Till, shown: dict[str, Any], net: str):
    payment_id = paid(till, **shown)
    till.do(till.refund(payment_id, "33.33"), refund_reply("SUCCESS"))

    known = facts(till, payment_id)

    assert known is not None
    assert (known.net_cny, known.refund_status, known.refunding) == (Decimal(net), "PART", False)


def test_a_refund_under_way_counts_already(till: Till):
    payment_id = till.paid()
    till.refund(payment_id, "40.00")

    known = facts(till, payment_id)

    assert known is not None
    assert (known.net_cny, known.refunding) == (Decimal("60.00"), True)


def test_a_refund_made_elsewhere_counts(till: Till):
    known = facts(till, till.paid(refundable_amount=Decimal("25.00")))

    assert known is not None
    assert known.net_cny == Decimal("25.00")


@pytest.mark.parametrize(("currency", "net"), [("CNY", "100.00"), ("HKD", None)])
def test_before_it_is_paid_only_yuan_are_known(till: Till, currency: str, net: str | None):
    payment_id = till.pay(currency=currency)
    till.do(payment_id, sale_reply("INIT", payment_no="P1"))

    known = facts(till, payment_id)

    assert known is not None
    assert (known.status, known.net_cny) == ("INIT", None if net is None else Decimal(net))


# Wallets.


@pytest.mark.parametrize(
    ("shown", "mainland"),
    [
        ({}, True),
        ({"wallet": "WECHATPAYCN", "pay_currency": "CNY"}, True),
        ({"wallet": "ALIPAYHK", "pay_currency": "HKD"}, False),
        ({"wallet": "WECHATPAYHK"}, False),
        ({"pay_currency": "HKD"}, False),
    ],
)
def test_a_hong_kong_wallet_is_distinguished(till: Till, shown: dict[str, Any], mainland: bool):
    known = facts(till, paid(till, **shown))

    assert known is not None
    assert known.mainland is mainland


# Whose payment.


def test_another_merchants_payment_of_the_same_number_is_not_told(till: Till):
    till.paid("P1", merchant_no="M200")

    key = PaymentKey(make.MERCHANT, Channel.WECHATPAY, "P1")
    with till.services.reading() as db:
        assert till.services.payments.facts(db, {key}) == {}


def test_many_are_reported_at_once(till: Till):
    numbers = [till.payment(till.paid()).payment_no or "" for _ in range(5)]
    keys = {PaymentKey(make.MERCHANT, Channel.WECHATPAY, number) for number in [*numbers, "unknown"]}

    with till.services.reading() as db:
        known = till.services.payments.facts(db, keys)

    assert {key.payment_no for key in known} == set(numbers)


def test_the_numbers_that_payments_made_here_bear_are_reported_with_their_merchant(till: Till):
    till.paid("P1", out_order_no="SHOP-1")
    till.pay(out_order_no="SHOP-2")

    with till.services.reading() as db:
        borne = till.services.payments.borne(db, {make.MERCHANT, "M200"}, {"P1", "SHOP-1", "SHOP-2", "P9", ""})

    assert borne == {(make.MERCHANT, number) for number in ("P1", "SHOP-1", "SHOP-2")}


# The other order's numbers, beside a collection for the order SHOP-1 that nobody has paid.
NUMBERS_OF_ANOTHER = {
    "nothing of ours": ({}, []),
    "our order's number": ({"out_order_no": "SHOP-1"}, ["payment_unknown"]),
    "our number as the payment's": ({"payment_no": "SHOP-1"}, ["payment_unknown"]),
    "our payment through the other wallet": ({"channel": "alipay", "payment_no": "P1"}, ["payment_unknown"]),
    "another merchant's": ({"merchant_no": "M200", "out_order_no": "SHOP-1"}, []),
}


@pytest.mark.parametrize(("numbers", "codes"), NUMBERS_OF_ANOTHER.values(), ids=NUMBERS_OF_ANOTHER)
def test_an_unpaid_collection_is_only_held_against_orders_that_look_like_it(till: Till, desk: Desk, numbers, codes):
    till.do(till.pay(out_order_no="SHOP-1"), sale_reply("INIT", payment_no="P1"))

    row = make.declaration_row(numbers.get("channel", "wechatpay")) | numbers
    batch = desk.take_in(row)

    assert [finding["code"] for finding in batch.findings] == codes
