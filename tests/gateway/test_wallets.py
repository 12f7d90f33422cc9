"""What each operation of a wallet but creating puts on the wire and reads out of the document's own replies."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from customs.gateway import ENDPOINTS, Channel, Misuse, NotFound, Unknown, check, wallets

from . import golden
from .loopback import answer, listening, sent

WECHATPAY, ALIPAY = Channel.WECHATPAY, Channel.ALIPAY


def refund(wallet):
    return wallet.refund("2017062313070231980966651", Decimal("0.1"), "HKD", "2017062313070231980966651")


# channel, operation, the line, everything sent, the document's reply
ASKED = [
    (
        WECHATPAY,
        lambda wallet: wallet.query("A1", "xxxx"),
        "GET /order",
        {"agent_order_id": "A1"},
        golden.ORDER_4_9_VERSION_1,
    ),
    (
        ALIPAY,
        lambda wallet: wallet.query("2018020721001003750533954072"),
        "GET /alipay/order",
        {"out_order_no": "2018020721001003750533954072"},
        golden.ALIPAY_ORDER_6_5,
    ),
    (
        WECHATPAY,
        lambda wallet: wallet.query_refund("20170731xxxx"),
        "GET /refund",
        {"outer_refund_no": "20170731xxxx"},
        golden.REFUND_4_10,
    ),
    (
        ALIPAY,
        lambda wallet: wallet.query_refund("20170731xxxx"),
        "GET /alipay/refund",
        {"outer_refund_no": "20170731xxxx"},
        golden.ALIPAY_REFUND_6_7,
    ),
    (
        WECHATPAY,
        lambda wallet: wallet.refunds_of("A1", "20170731xxxx"),
        "GET /refund",
        {"agent_order_id": "A1"},
        golden.REFUNDS_4_10,
    ),
    (
        ALIPAY,
        lambda wallet: wallet.refunds_of("20170731xxxx", "20170731xxxx"),
        "GET /alipay/refund",
        {"outer_order_no": "20170731xxxx"},
        golden.ALIPAY_REFUNDS_6_7,
    ),
    (
        WECHATPAY,
        lambda wallet: wallet.rate("xxx", "USD"),
        "GET /rate",
        {"merchant_no": "xxx", "currency": "USD"},
        golden.RATE_4_11,
    ),
    (
        ALIPAY,
        lambda wallet: wallet.rate("xxx", "HKD"),
        "GET /alipay/rate",
        {"currency": "HKD"},
        golden.ALIPAY_RATE_6_8,
    ),
    (
        WECHATPAY,
        lambda wallet: wallet.openid("the code", "xxx"),
        "GET /wx_openid",
        {"code": "the code", "merchant_no": "xxx"},
        golden.OPENID_4_4,
    ),
]
REFUNDED = {
    "refund_amount": "0.10",
    "outer_refund_no": "2017062313070231980966651",
}
GIVEN_BACK = [
    (WECHATPAY, refund, "POST /refund", REFUNDED | {"order_no": "2017062313070231980966651"}, golden.REFUND_4_8),
    (
        ALIPAY,
        refund,
        "POST /alipay/refund",
        REFUNDED | {"payment_no": "2017062313070231980966651"},
        golden.ALIPAY_REFUND_6_6,
    ),
]


@pytest.mark.parametrize(
    ("channel", "operation", "line", "params", "answered"),
    ASKED + GIVEN_BACK,
    ids=[row[2] for row in ASKED + GIVEN_BACK],
)
def test_each_other_operation_sends_what_the_document_lists_and_nothing_else(
    channel, operation, line, params, answered, signer
):
    with listening(answer(answered)) as loopback:
        operation(wallets(loopback.gateway(signer))[channel])

    assert sent(loopback) == (line, params)


@pytest.mark.parametrize("action", [e for e in ENDPOINTS if e.method == "POST"], ids=lambda e: e.name)
@pytest.mark.parametrize("query", ASKED, ids=[row[2] for row in ASKED])
def test_no_query_of_ours_verifies_as_an_action(query, action):
    """Even at a gateway that overlooks what it does not know: a signature covers neither verb nor path."""
    params = query[3]

    assert check(action, params) != []
    assert check(action, {name: value for name, value in params.items() if name in action.known}) != []


def ask(channel, operation, answered, signer):
    with listening(answer(answered)) as loopback:
        return operation(wallets(loopback.gateway(signer))[channel])


def test_an_order_of_version_1_is_read(signer):
    order = ask(WECHATPAY, lambda wallet: wallet.query("A1", "xxxx"), golden.ORDER_4_9_VERSION_1, signer)

    assert (order.payment_no, order.our_no, order.merchant_no, order.status) == ("xxxx", None, "xx", "FAIL")
    assert (order.currency, order.amount, order.pay_amount, order.pay_currency) == (
        "HKD",
        Decimal(1),
        Decimal("0.87"),
        "CNY",
    )
    assert (order.exchange_rate, order.settle_rate) == (Decimal("0.8777"), Decimal(1))
    assert (order.refund_status, order.refundable_amount) == ("NONE", Decimal(1))
    assert (order.trade_type, order.trade_time) == ("JSAPI", datetime(2017, 6, 22, 13, 29, 47, tzinfo=UTC))
    assert (order.pay_method, order.wallet, order.refunds) == (None, None, ())
    assert order.personal == {"openid": "oQx43wJiwtsjv8C0lT5Lj7Mw1QZ4"}


def test_an_order_of_version_2_is_read_with_its_refunds(signer):
    number = "2017062221294656822821341"

    order = ask(WECHATPAY, lambda wallet: wallet.query("A1", number), golden.ORDER_4_9_VERSION_2, signer)

    assert (order.payment_no, order.amount, order.pay_amount) == (number, Decimal(1), Decimal("0.877"))
    assert (order.exchange_rate, order.refund_status, order.refundable_amount) == (Decimal("0.8777"), None, None)
    assert [(one.refund_no, one.payment_no, one.amount, one.status) for one in order.refunds] == [
        ("2017073101xxxxx", number, Decimal(50), "SUCCESS"),
        ("2017073102xxxxx", number, Decimal(50), "SUCCESS"),
    ]


def test_an_alipay_order_is_read(signer):
    number = "2018020721001003750533954072"

    order = ask(ALIPAY, lambda wallet: wallet.query(number), golden.ALIPAY_ORDER_6_5, signer)

    assert (order.payment_no, order.our_no, order.status) == ("2018020716122408862056356", number, "PAID")
    assert (order.refund_status, order.refundable_amount, order.wallet) == ("NONE", Decimal("0.10"), "ALIPAYCN")
    assert order.personal == {"buyer_email": "18624@163.com", "buyer_id": "2088702631783753"}
    assert "18624@163.com" not in repr(order)


REFUND_REPLIES = [
    (WECHATPAY, refund, golden.REFUND_4_8, ("2017062313110444111557843", None, "0.1")),
    (ALIPAY, refund, golden.ALIPAY_REFUND_6_6, ("2017062313110444111557843", None, "0.1")),
    (
        WECHATPAY,
        lambda wallet: wallet.query_refund("20170731xxxx"),
        golden.REFUND_4_10,
        ("2017073101xxxxx", None, "100"),
    ),
    (
        ALIPAY,
        lambda wallet: wallet.query_refund("20170731xxxx", "20170731xxxx"),
        golden.ALIPAY_REFUND_6_7,
        ("2017073101xxxxx", "20170731xxxx", "100"),
    ),
    (
        ALIPAY,
        lambda wallet: wallet.query_refund("20170732xxxx"),
        golden.ALIPAY_REFUNDS_6_7,
        ("2017073102xxxxx", "20170731xxxx", "100"),
    ),
]


@pytest.mark.parametrize(("channel", "operation", "answered", "stated"), REFUND_REPLIES)
def test_a_refund_is_read_in_each_envelope(channel, operation, answered, stated, signer):
    reply = ask(channel, operation, answered, signer)

    assert (reply.refund_no, reply.our_no, reply.amount, reply.status) == (
        stated[0],
        stated[1],
        Decimal(stated[2]),
        "SUCCESS",
    )


@pytest.mark.parametrize(
    ("channel", "our_no", "answered", "amount"),
    [
        (WECHATPAY, "A1", golden.REFUNDS_4_10, 50),
        (ALIPAY, "20170731xxxx", golden.ALIPAY_REFUNDS_6_7, 100),
    ],
)
def test_all_refunds_of_an_order_are_read(channel, our_no, answered, amount, signer):
    replies = ask(channel, lambda wallet: wallet.refunds_of(our_no, "20170731xxxx"), answered, signer)

    assert [(one.refund_no, one.outer_refund_no, one.amount) for one in replies] == [
        ("2017073101xxxxx", "20170731xxxx", Decimal(amount)),
        ("2017073102xxxxx", "20170732xxxx", Decimal(amount)),
    ]


@pytest.mark.parametrize(
    ("channel", "currency", "answered", "rate"),
    [(WECHATPAY, "USD", golden.RATE_4_11, "6.8575"), (ALIPAY, "HKD", golden.ALIPAY_RATE_6_8, "0.860000")],
)
def test_a_rate_is_read_in_data_and_beside_meta(channel, currency, answered, rate, signer):
    reply = ask(channel, lambda wallet: wallet.rate("xxx", currency), answered, signer)

    assert (reply.currency, reply.rate) == (currency, Decimal(rate))


def test_an_openid_is_read(signer):
    assert ask(WECHATPAY, lambda wallet: wallet.openid("c", "m"), golden.OPENID_4_4, signer) == "kxc13i13J123"


def test_an_order_that_is_not_known_is_not_found(signer):
    answered = '{"meta": {"status_code": 404, "success": false, "message": "no"}}'

    with pytest.raises(NotFound):
        ask(ALIPAY, lambda wallet: wallet.query("A1"), answered, signer)


UNLIKE = [
    (WECHATPAY, lambda wallet: wallet.query("A1"), golden.ORDER_4_9_VERSION_1),
    (WECHATPAY, lambda wallet: wallet.query("A1", "another"), golden.ORDER_4_9_VERSION_1),
    (ALIPAY, lambda wallet: wallet.query("A1"), golden.ALIPAY_ORDER_6_5),
    (ALIPAY, lambda wallet: wallet.query("A1", "2018020716122408862056356"), golden.ALIPAY_ORDER_6_5),
    (ALIPAY, lambda wallet: wallet.query("2018020716122408862056356"), golden.ALIPAY_ORDER_6_5),
    (ALIPAY, lambda wallet: wallet.query("20170731xxxx"), golden.ALIPAY_REFUND_6_7),
    (
        WECHATPAY,
        lambda wallet: wallet.refund("another", Decimal(1), "HKD", "2017062313070231980966651"),
        golden.REFUND_4_8,
    ),
    (WECHATPAY, lambda wallet: wallet.refund("2017062313070231980966651", Decimal(1), "HKD", "R"), golden.REFUND_4_8),
    (WECHATPAY, lambda wallet: wallet.query_refund("R"), golden.REFUND_4_10),
    (WECHATPAY, lambda wallet: wallet.query_refund("20170731xxxx", "another"), golden.REFUND_4_10),
    (WECHATPAY, lambda wallet: wallet.refunds_of("A1", "another"), golden.REFUNDS_4_10),
    (ALIPAY, lambda wallet: wallet.refunds_of("A1", "20170731xxxx"), golden.ALIPAY_REFUNDS_6_7),
    (WECHATPAY, lambda wallet: wallet.refunds_of("A1", "20170731xxxx"), golden.OPENID_4_4),
    (WECHATPAY, lambda wallet: wallet.rate("xxx", "HKD"), golden.RATE_4_11),
    (ALIPAY, lambda wallet: wallet.rate("xxx", "HKD"), golden.ALIPAY_RATE_6_8.replace("0.860000", "0.00")),
    (ALIPAY, lambda wallet: wallet.rate("xxx", "HKD"), golden.ALIPAY_RATE_6_8.replace("0.860000", "about one")),
    (WECHATPAY, lambda wallet: wallet.openid("c", "m"), golden.RATE_4_11),
]


@pytest.mark.parametrize(("channel", "operation", "answered"), UNLIKE)
def test_an_answer_about_something_else_is_unknown(channel, operation, answered, signer):
    with pytest.raises(Unknown):
        ask(channel, operation, answered, signer)


NEVER_SENT = [
    (ALIPAY, lambda w: w.query(""), "exactly one of"),
    (ALIPAY, lambda w: w.query_refund(""), "exactly one of"),
    (ALIPAY, lambda w: w.refunds_of("", "P"), "exactly one of"),
    (ALIPAY, lambda w: w.refund("P", Decimal(1), "HKD", ""), "our own number"),
    (ALIPAY, lambda w: w.refund("", Decimal(1), "HKD", "R"), "payment_no is missing"),
    (ALIPAY, lambda w: w.refund("P", Decimal(0), "HKD", "R"), "above zero"),
    (ALIPAY, lambda w: w.refund("P", Decimal("-1"), "HKD", "R"), "not an amount"),
    (ALIPAY, lambda w: w.refund("P", Decimal("1.5"), "JPY", "R"), "not an amount"),
    (ALIPAY, lambda w: w.rate("m", ""), "currency is missing"),
    (ALIPAY, lambda w: w.openid("c", "m"), "WeChat"),
]


@pytest.mark.parametrize(("channel", "operation", "why"), NEVER_SENT, ids=[row[2] for row in NEVER_SENT])
def test_what_the_document_does_not_allow_is_never_sent(channel, operation, why, signer):
    with listening(answer("")) as loopback, pytest.raises(Misuse) as caught:
        operation(wallets(loopback.gateway(signer))[channel])

    assert why in caught.value.message
    assert loopback.received == []
