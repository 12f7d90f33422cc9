"""Orders and refunds in every spelling, envelope and mishap that the document's own samples do not show."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customs.gateway import Exchange, Reply, Unknown
from customs.gateway.messages import order_reply, refund_replies, refund_reply

META = {"status_code": 200, "message": "请求成功", "success": True}
ORDER = {"no": "P1", "agent_order_id": "A1", "status": "PAID", "amount": "100"}
REFUND = {"no": "R1", "order_no": "P1", "outer_refund_no": "O1", "refund_amount": "1", "status": "SUCCESS"}


def reply(body):
    return Reply({"meta": META} | body, Exchange("GET", "/order", {}, 200, "", 1))


def order(**changes):
    return order_reply(reply({"data": {"order": ORDER | changes}}), "A1")


SHAPES = [
    lambda record: {"data": record},
    lambda record: {"data": {"order": record}},
    lambda record: {"data": [record]},
    lambda record: {"order": record},
    lambda record: record,
    lambda record: {"data": {"count": 2, "orders": [record, record | {"no": "P2", "agent_order_id": "A2"}]}},
]


@pytest.mark.parametrize("shape", SHAPES)
def test_an_order_is_found_wherever_it_stands(shape):
    parsed = order_reply(reply(shape(ORDER)), "A1")

    assert (parsed.payment_no, parsed.our_no, parsed.status, parsed.amount) == ("P1", "A1", "PAID", Decimal(100))


@pytest.mark.parametrize("own", ["agent_order_id", "out_order_no", "outer_order_no"])
@pytest.mark.parametrize("theirs", ["no", "order_no", "payment_no"])
def test_numbers_are_read_in_every_spelling(own, theirs):
    parsed = order_reply(reply({"data": {theirs: 20180516, own: "A1", "status": " paid "}}), "A1", "20180516")

    assert (parsed.payment_no, parsed.our_no, parsed.status) == ("20180516", "A1", "PAID")


@pytest.mark.parametrize(
    ("word", "read"),
    [
        ("None", "NONE"),
        ("NONE", "NONE"),
        ("none ", "NONE"),
        ("PART", "PART"),
        ("Full", "FULL"),
        ("", None),
        (None, None),
        ("null", None),
    ],
)
def test_not_refunded_is_a_word_and_no_absence(word, read):
    assert order(refund_status=word).refund_status == read


def test_what_is_left_out_is_none():
    parsed = order_reply(reply({"data": {"agent_order_id": "A1", "status": "INIT"}}), "A1")

    assert parsed.payment_no is parsed.amount is parsed.refund_status is parsed.trade_time is parsed.pay_method is None
    assert (parsed.personal, parsed.refunds) == ({}, ())


@pytest.mark.parametrize(
    "amount",
    ["", "x", "-1", "1,000.00", "１", "1e2", "NaN", "Infinity", "0x10", "1_0", " + 1", True, [1], {"a": 1}, None],
)
def test_what_is_no_plain_number_is_not_read_as_an_amount(amount):
    parsed = order(amount=amount, pay_amount=amount, refundable_amount=amount, exchange_rate=amount)

    assert parsed.amount is parsed.pay_amount is parsed.refundable_amount is parsed.exchange_rate is None


# Amounts as Version 2.0 writes them, with their currency, and what was meant.
MEANT = [
    (66.69999999999999, "CNY", "66.70"),
    (0.1 + 0.2, "CNY", "0.30"),
    (100.00000000000001, None, "100.00"),
    (1.4210854715202004e-14, "HKD", "0.00"),
    (-7.105427357601002e-15, "HKD", "0.00"),
    ("33.300000000000004", "USD", "33.30"),
    (99.99999999999999, "JPY", "100"),
    (1.9999999999999998, "KRW", "2"),
    (0.125, "CNY", "0.12"),
    (-0.01, "CNY", None),
]


@pytest.mark.parametrize(("written", "currency", "meant"), MEANT)
def test_an_amount_is_brought_to_its_currency_s_places(written, currency, meant):
    parsed = order(currency=currency, amount=written, refundable_amount=written)
    beside = [REFUND | {"refund_amount": written}]
    refund = order_reply(reply({"data": {"order": ORDER, "refunds": beside}}), "A1").refunds[0]

    assert (str(parsed.amount), str(parsed.refundable_amount)) == (str(meant), str(meant))
    assert str(refund.amount) == str(None if meant is None else Decimal(meant).quantize(Decimal("0.01")))


@pytest.mark.parametrize(
    ("rate", "meant"), [(0.8699999999999999, "0.87"), ("0.8777", "0.8777"), (1, "1"), (1e-05, "0.00001")]
)
def test_a_rate_is_the_one_that_was_meant(rate, meant):
    parsed = order(exchange_rate=rate, pay_amount=rate)

    assert f"{parsed.exchange_rate:f}" == f"{parsed.pay_amount:f}" == meant


@given(st.decimals(0, 10**12, places=2))
def test_an_amount_is_the_same_as_text_and_as_a_number(amount):
    assert order(amount=f"{amount:f}").amount == order(amount=amount).amount == amount


@pytest.mark.parametrize("name", ["trade_type", "tarde_type"])
def test_the_kind_of_trade_is_read_as_it_is_spelled(name):
    assert order(**{name: "PC_DESK"}).trade_type == "PC_DESK"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2017-06-22 21:29:47", datetime(2017, 6, 22, 13, 29, 47, tzinfo=UTC)),
        ("20170622212947", datetime(2017, 6, 22, 13, 29, 47, tzinfo=UTC)),
        ("xxxxx", None),
    ],
)
def test_the_time_of_trade_is_shanghais(text, read):
    assert order(trade_time=text).trade_time == read


def test_an_unknown_status_is_handed_on():
    assert order(status="Paying\ud800").status == "PAYING?"


OTHER_ORDERS = {
    "another order": ORDER | {"agent_order_id": "A2"},
    "another payment": ORDER | {"no": "P2"},
    "numbers swapped": ORDER | {"no": "A1", "agent_order_id": "P1"},
    "no number": {"status": "PAID"},
    "no status": ORDER | {"status": ""},
    "a refund": REFUND | {"agent_order_id": "A1"},
    "two that fit": [ORDER, ORDER | {"status": "INIT"}],
}


@pytest.mark.parametrize("data", OTHER_ORDERS.values(), ids=OTHER_ORDERS.keys())
def test_what_is_not_surely_our_order_is_unknown(data):
    with pytest.raises(Unknown):
        order_reply(reply({"data": data}), "A1", "P1")


def test_an_order_that_does_not_repeat_our_number_needs_its_own():
    unnamed = reply({"data": {"no": "P1", "status": "PAID"}})

    assert order_reply(unnamed, "A1", "P1").status == "PAID"
    with pytest.raises(Unknown):
        order_reply(unnamed, "A1")


def test_until_its_number_is_known_an_unnamed_order_has_to_agree_in_all_that_we_asked_for():
    like = {"merchant_no": "M1", "currency": "HKD", "amount": Decimal("100.00")}
    own = {"no": "P1", "status": "PAID", "merchant_no": "M1", "currency": "HKD", "amount": "100"}

    assert order_reply(reply({"data": {"order": own}}), "A1", like=like).payment_no == "P1"
    for other in ({"merchant_no": "M2"}, {"currency": "USD"}, {"amount": "100.01"}, {"agent_order_id": "A2"}):
        with pytest.raises(Unknown):
            order_reply(reply({"data": {"order": own | other}}), "A1", like=like)
    with pytest.raises(Unknown):
        order_reply(reply({"data": {"order": own}}), "A1", "P2", like)


def test_refunds_of_another_order_do_not_stand_beside_this_one():
    refunds = [REFUND, REFUND | {"no": "R2", "order_no": "P2"}, REFUND | {"no": "R3", "status": ""}]

    parsed = order_reply(reply({"data": {"order": ORDER, "refunds": refunds}}), "A1")

    assert [one.refund_no for one in parsed.refunds] == ["R1"]


@pytest.mark.parametrize("key", ["refund", "info", "refunds"])
@pytest.mark.parametrize("theirs", ["no", "refund_no"])
@pytest.mark.parametrize("payment", ["order_no", "payment_no"])
def test_a_refund_is_read_in_every_spelling(key, theirs, payment):
    record = {theirs: "R1", payment: "P1", "outer_refund_no": "O1", "refund_amount": 1, "status": "success"}
    for body in ({"data": {key: [record]}}, {key: record}):
        parsed = refund_reply(reply(body), "O1", "P1")

        assert (parsed.refund_no, parsed.payment_no, parsed.outer_refund_no) == ("R1", "P1", "O1")
        assert (parsed.amount, parsed.status) == (Decimal(1), "SUCCESS")


OTHER_REFUNDS = {
    "another refund": REFUND | {"outer_refund_no": "O2"},
    "another payment": REFUND | {"order_no": "P2"},
    "our number left out": REFUND | {"outer_refund_no": ""},
    "no status": REFUND | {"status": None},
    "two that fit": [REFUND, REFUND],
    "an order": ORDER,
}


@pytest.mark.parametrize("data", OTHER_REFUNDS.values(), ids=OTHER_REFUNDS.keys())
def test_what_is_not_surely_our_refund_is_unknown(data):
    with pytest.raises(Unknown):
        refund_reply(reply({"data": data}), "O1", "P1")


@pytest.mark.parametrize("body", [{"refunds": []}, {"data": {"refunds": []}}])
def test_an_order_without_refunds_has_none(body):
    assert refund_replies(reply(body), "A1", "P1") == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": {}},
        {"data": None},
        {"refunds": None},
        {"refunds": [REFUND, REFUND | {"order_no": "P2"}]},
        {"refunds": [REFUND | {"order_no": ""}]},
        {"refunds": [REFUND | {"status": ""}]},
    ],
)
def test_a_list_that_is_not_surely_of_our_order_is_unknown(body):
    with pytest.raises(Unknown):
        refund_replies(reply(body), "A1", "P1")
