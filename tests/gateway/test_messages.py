"""Replies in every shape and spelling the document shows, and the rule that only our own numbers are applied."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from customs.gateway import (
    Exchange,
    Filing,
    NotFound,
    OtherRecord,
    Reply,
    SubOrderPart,
    Unknown,
    declaration_reply,
    find_records,
)
from customs.gateway.messages import order_reply, refund_reply

META = {"status_code": 200, "message": "请求成功", "success": True}
FILING = Filing("18051893975650968", "2018051816320384498567689", "SHENZHEN", "123456789BTW")
SPLIT = Filing(
    "18051893975650968",
    "2018051816320384498567689",
    "SHENZHEN",
    "123456789BTW",
    sub_order=SubOrderPart("2018051716124", Decimal("46.44")),
)
RECORD = {
    "out_order_no": "18051893975650968",
    "payment_no": "2018051816320384498567689",
    "customs": "SHENZHEN",
    "wechatpay_no": "4200000101201805",
    "state": "PROCESSING",
    "modify_time": "2017-06-22 21:29:47",
}
BY_ORDER = {"out_order_no": FILING.out_order_no}


def get(body, asked=BY_ORDER):
    return Reply({"meta": META} | body, Exchange("GET", "/alipay/declaration", asked, 200, "", 1))


def post(body):
    return Reply({"meta": META} | body, Exchange("POST", "/alipay/declaration", {}, 200, "", 1))


SHAPES = {
    "in data": {"data": RECORD},
    "in an object of data": {"data": {"declaration": RECORD}},
    "in a list of data": {"data": {"declarations": [RECORD]}},
    "data a list": {"data": [RECORD]},
    "beside meta": RECORD,
    "an object beside meta": {"info": RECORD},
    "a list beside meta": {"refunds": [RECORD]},
    "with strangers around": {"data": {"count": 2, "list": [RECORD, RECORD | {"customs": "XIAN"}, {"x": 1}, 7]}},
}


@pytest.mark.parametrize("body", SHAPES.values(), ids=SHAPES.keys())
def test_the_record_is_found_wherever_it_stands(body):
    parsed = declaration_reply(post(body), FILING)

    assert (parsed.out_order_no, parsed.payment_no, parsed.customs) == (
        "18051893975650968",
        "2018051816320384498567689",
        "SHENZHEN",
    )
    assert parsed.state == "PROCESSING"
    assert parsed.modify_time == datetime(2017, 6, 22, 13, 29, 47, tzinfo=UTC)
    assert parsed.gateway_no == "4200000101201805"
    assert parsed.sub_order_no is parsed.explanation is parsed.cert_check_result is None


def test_the_documents_payment_replies_are_found_too():
    refunds = [{"no": "R1", "refund_amount": 50}, {"no": "R2", "refund_amount": 50}]

    assert find_records({"meta": META, "data": {"code_url": "weixin://", "order": {"no": "1"}}}) == [
        {"code_url": "weixin://", "order": {"no": "1"}},
        {"no": "1"},
    ]
    assert find_records({"meta": META, "refunds": refunds}) == refunds
    assert find_records({"meta": META, "rate": {"currency": "HKD", "rate": "0.86"}}) == [
        {"currency": "HKD", "rate": "0.86"}
    ]
    assert find_records({"meta": META, "data": None}) == [{"data": None}]


@pytest.mark.parametrize("order", ["out_order_no", "agent_order_id", "outer_order_no"])
@pytest.mark.parametrize("payment", ["payment_no", "order_no", "no"])
def test_numbers_are_read_in_every_spelling_and_as_numbers(order, payment):
    record = {order: 18051893975650968, payment: 2018051816320384498567689, "state": " success "}

    parsed = declaration_reply(post({"data": record}), FILING)

    assert (parsed.out_order_no, parsed.payment_no, parsed.state) == (
        FILING.out_order_no,
        FILING.payment_no,
        "SUCCESS",
    )


def test_what_a_split_and_checked_reply_adds_is_read():
    record = RECORD | {
        "sub_order_no": "2018051716124",
        "cert_check_result": "DIFFERENT",
        "explanation": "不存在",
        "alipay_no": "2018",
        "wechatpay_no": None,
    }

    parsed = declaration_reply(post({"data": record}), SPLIT)

    assert (parsed.sub_order_no, parsed.cert_check_result, parsed.explanation, parsed.gateway_no) == (
        "2018051716124",
        "DIFFERENT",
        "不存在",
        "2018",
    )


@pytest.mark.parametrize("absent", [None, "", " ", "None", "null"])
def test_empty_words_mean_absent(absent):
    parsed = declaration_reply(post({"data": RECORD | {"explanation": absent, "customs": absent}}), FILING)

    assert parsed.explanation is parsed.customs is None


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2017-06-22 21:29:47", datetime(2017, 6, 22, 13, 29, 47, tzinfo=UTC)),
        ("20170622212947", datetime(2017, 6, 22, 13, 29, 47, tzinfo=UTC)),
        (20170622212947, datetime(2017, 6, 22, 13, 29, 47, tzinfo=UTC)),
        ("2017/06/22 21:29:47", datetime(2017, 6, 22, 13, 29, 47, tzinfo=UTC)),
        ("2017-06-22T21:29:47Z", datetime(2017, 6, 22, 21, 29, 47, tzinfo=UTC)),
        ("2017-06-22T21:29:47.5+08:00", datetime(2017, 6, 22, 13, 29, 47, 500000, tzinfo=UTC)),
        ("0001-01-01 00:00:00", None),
        ("99999999999999", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_the_gateways_times_are_read_as_shanghais(text, read):
    assert declaration_reply(post({"data": RECORD | {"modify_time": text}}), FILING).modify_time == read


STRANGERS = {
    "another order": {"out_order_no": "X"},
    "another payment": {"payment_no": "X"},
    "another code": {"customs": "ZONGSHU"},
    "another sub-order": {"sub_order_no": "X"},
    "numbers swapped": {"out_order_no": FILING.payment_no, "payment_no": FILING.out_order_no},
    "no number of the payment": {"out_order_no": None, "payment_no": None},
}


@pytest.mark.parametrize("change", STRANGERS.values(), ids=STRANGERS.keys())
def test_an_action_answered_with_other_numbers_is_unknown(change):
    with pytest.raises(Unknown):
        declaration_reply(post({"data": RECORD | change}), FILING)


@pytest.mark.parametrize("name", ["another code", "another sub-order"])
def test_a_query_answered_about_another_push_says_that_ours_is_not_known(name):
    with pytest.raises(NotFound):
        declaration_reply(get({"data": RECORD | STRANGERS[name]}), FILING)


@pytest.mark.parametrize("reply", [get, post])
@pytest.mark.parametrize("name", ["another order", "another payment", "numbers swapped"])
def test_an_answer_about_another_payment_is_reported_from_one_that_says_nothing(name, reply):
    with pytest.raises(OtherRecord):
        declaration_reply(reply({"data": RECORD | STRANGERS[name]}), FILING)


@pytest.mark.parametrize("filing", [FILING, replace(FILING, sub_order=None)], ids=["split", "not split"])
def test_an_answer_that_names_another_part_alone_is_about_another_payment(filing):
    with pytest.raises(OtherRecord):
        declaration_reply(get({"data": {"sub_order_no": "SOMEBODYS", "state": "SUCCESS"}}), filing)


def test_a_query_answered_without_numbers_is_unknown():
    with pytest.raises(Unknown) as caught:
        declaration_reply(get({"data": RECORD | STRANGERS["no number of the payment"]}), FILING)

    assert type(caught.value) is Unknown


def test_a_query_that_named_the_code_and_is_answered_about_another_is_unknown():
    asked = BY_ORDER | {"customs": "SHENZHEN"}

    with pytest.raises(Unknown):
        declaration_reply(get({"data": RECORD | {"customs": "XIAN"}}, asked), FILING)


@pytest.mark.parametrize("body", [{}, {"data": "SUCCESS"}, {"data": {"a": 1}}])
@pytest.mark.parametrize("reply", [get, post])
def test_no_record_at_all_is_unknown(body, reply):
    with pytest.raises(Unknown):
        declaration_reply(reply(body), FILING)


EMPTY = [
    {"data": {"info": {}}},
    {"data": {"info": None}},
    {"data": {"info": {"out_order_no": "", "state": None}}},
    {"data": {"refunds": []}},
    {"refunds": []},
    {"info": []},
    {"data": {}},
    {"data": None},
]


@pytest.mark.parametrize("body", EMPTY, ids=str)
def test_a_place_for_a_record_that_is_empty_is_not_found_to_a_query_and_unknown_to_a_send(body):
    with pytest.raises(NotFound):
        declaration_reply(get(body), FILING)
    with pytest.raises(NotFound):
        order_reply(get(body), "A1", "P1")
    with pytest.raises(NotFound):
        refund_reply(get(body), "O1", "P1")
    with pytest.raises(Unknown):
        declaration_reply(post(body), FILING)
    with pytest.raises(Unknown):
        refund_reply(post(body), "O1", "P1")


@pytest.mark.parametrize("reply", [get, post])
def test_a_record_without_a_state_is_unknown(reply):
    with pytest.raises(Unknown):
        declaration_reply(reply({"data": RECORD | {"state": ""}}), FILING)


def test_two_records_that_fit_are_unknown():
    with pytest.raises(Unknown):
        declaration_reply(get({"data": [RECORD, RECORD | {"state": "FAIL"}]}), FILING)


def test_among_the_parts_of_a_split_order_ours_is_taken():
    parts = [
        RECORD | {"sub_order_no": no, "state": state} for no, state in [("1", "FAIL"), ("2018051716124", "SUCCESS")]
    ]

    parsed = declaration_reply(get({"data": parts}, {"sub_order_no": "2018051716124"}), SPLIT)

    assert parsed.state == "SUCCESS"


def test_an_unknown_state_word_is_handed_on():
    assert declaration_reply(post({"data": RECORD | {"state": "WAITING_\ud800"}}), FILING).state == "WAITING_?"
