"""Whose records an answer holds: of somebody else's not a byte is kept, of ours everything."""

import json
from typing import Any

import pytest

from customs.gateway import DeclarationReply, OtherRecord, Refused, Unknown, holds_others, without_others
from tests import make

OWN = {
    "merchant_no": "M100",
    "our_no": "O1",
    "payment_no": "P1",
    "sub_order_no": "S1",
    "outer_refund_no": "R1",
}
RECORD = {"out_order_no": "O1", "payment_no": "P1", "state": "SUCCESS"}
THEIRS = RECORD | {"payment_no": "P9"}


def body_of(data: Any) -> str:
    return json.dumps({"meta": {"success": True}, "data": data})


KEPT = {
    "a record of ours": body_of(RECORD),
    "another code of our payment": body_of(RECORD | {"customs": "XIAN", "sub_order_no": "S2"}),
    "our payment's refunds": body_of(
        {"order": RECORD, "refunds": [{"no": "G2", "order_no": "P1", "outer_refund_no": "R2"}]}
    ),
    "our merchant": body_of({"merchant_no": "M100", "no": "P1", "agent_order_id": "O1"}),
    "no number": body_of({"state": "SUCCESS"}),
    "a number as JSON's": body_of({"out_order_no": "O1", "payment_no": "P1", "amount": 1}),
    "a page": "<html><h1>Bad Gateway</h1></html>",
    "cut off": body_of(RECORD)[:-3],
    "cut off amid our number": '{"data": {"payment_no": "P',
    "nothing": "",
}
WITHHELD = {
    "another payment": body_of(THEIRS),
    "another order": body_of(RECORD | {"out_order_no": "O9"}),
    "another merchant": body_of(RECORD | {"merchant_no": "M900"}),
    "another merchant alone": body_of({"merchant_no": "M900", "amount": "1"}),
    "another sub-order alone": body_of({"sub_order_no": "S9", "state": "FAIL"}),
    "another refund alone": body_of({"outer_refund_no": "R9", "refund_amount": "1"}),
    "another payment's refund": body_of({"no": "G1", "order_no": "P9", "outer_refund_no": "R1"}),
    "two spellings of an order": body_of(RECORD | {"agent_order_id": "O9"}),
    "beside ours": body_of([RECORD, THEIRS]),
    "deep": body_of({"a": [{"b": {"c": [{"d": [THEIRS]}]}}]}),
    "JSON within JSON": json.dumps({"meta": {"message": json.dumps({"info": THEIRS})}}),
    "beside a refusal": json.dumps({"meta": {"success": False}, "data": THEIRS}),
    "a number as JSON's": body_of({"payment_no": 9}),
    "cut off": body_of(THEIRS)[:-3],
    "cut off amid their number": '{"data": {"payment_no": "P9',
    "written otherwise": body_of(THEIRS).replace("payment_no", "payment\\u005fno"),
}


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_what_is_ours_is_kept(text: str):
    assert not holds_others(text, OWN)


@pytest.mark.parametrize("text", WITHHELD.values(), ids=WITHHELD)
def test_what_is_somebody_elses_is_reported(text: str):
    assert holds_others(text, OWN)


def test_a_number_we_do_not_know_yet_may_be_ours():
    assert not holds_others(body_of({"agent_order_id": "O1", "no": "P7"}), OWN | {"payment_no": None})


def test_any_part_alone_is_another_orders_where_ours_is_not_split():
    assert holds_others(body_of({"sub_order_no": "S1", "state": "FAIL"}), OWN | {"sub_order_no": None})


def test_of_somebody_elses_answer_nothing_is_kept():
    exchange = make.exchange(reply=body_of([RECORD, THEIRS]))
    answered: DeclarationReply = make.reply(exchange=exchange)
    errors = [Unknown("P9", exchange=exchange), Refused("P9", exchange=exchange, status=400), OtherRecord("another's")]
    errors[2].exchange = exchange

    kept = [without_others(outcome, OWN) for outcome in (answered, *errors)]

    assert all("P9" not in f"{one.exchange.reply} {getattr(one, 'message', '')}" for one in kept)
    assert (kept[0].state, kept[3].message) == (answered.state, "another's")
