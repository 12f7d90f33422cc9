"""What each channel puts on the wire for each operation, and that no query of ours could be replayed as a operation."""

import json
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest

from customs.gateway import (
    ENDPOINTS,
    Buyer,
    Channel,
    Filing,
    Misuse,
    SubOrderPart,
    channels,
    check,
)

from .loopback import answer, listening

PLAIN = Filing("O1", "P1", "SHENZHEN", "M1", merchant_customs_name="Shop")
SPLIT = Filing(
    "O1",
    "P1",
    "SHENZHEN",
    "M1",
    merchant_customs_name="Shop",
    duty=88,
    sub_order=SubOrderPart("S1", Decimal("46.44"), Decimal("23.2"), Decimal("23.24")),
    buyer=Buyer("欧阳·娜", "510921199308772318"),
)
NUMBERS = {"out_order_no": "O1", "payment_no": "P1", "customs": "SHENZHEN"}
REGISTERED = NUMBERS | {"mch_customs_no": "M1"}
NAMED = {"merchant_customs_name": "Shop"}
IDENTITY = {"cert_id": "510921199308772318", "name": "欧阳·娜"}
PART = {"sub_order_no": "S1", "sub_order_amount": "46.44"}
PARTS = PART | {"transport_amount": "23.20", "product_amount": "23.24"}
AT_OFFICE = {"customs": "SHENZHEN", "mch_customs_no": "M1"}
WECHATPAY, ALIPAY = Channel.WECHATPAY, Channel.ALIPAY

ON_THE_WIRE = [
    (WECHATPAY, "declare", PLAIN, "POST /wechatpay/declaration", REGISTERED | {"action_type": "ADD"}),
    (
        WECHATPAY,
        "declare",
        SPLIT,
        "POST /wechatpay/declaration",
        REGISTERED | {"action_type": "ADD", "duty": "88"} | PARTS | IDENTITY,
    ),
    (
        WECHATPAY,
        "modify",
        SPLIT,
        "POST /wechatpay/declaration",
        REGISTERED | {"action_type": "MODIFY", "duty": "88"} | PARTS | IDENTITY,
    ),
    (WECHATPAY, "redeclare", PLAIN, "POST /wechatpay/redeclaration", AT_OFFICE | {"payment_no": "P1"}),
    (WECHATPAY, "redeclare", SPLIT, "POST /wechatpay/redeclaration", AT_OFFICE | {"sub_order_no": "S1"}),
    (
        WECHATPAY,
        "query",
        PLAIN,
        "GET /wechatpay/declaration",
        {"customs": "SHENZHEN", "out_order_no": "O1"},
    ),
    (WECHATPAY, "query", SPLIT, "GET /wechatpay/declaration", {"customs": "SHENZHEN", "sub_order_no": "S1"}),
    (ALIPAY, "declare", PLAIN, "POST /alipay/declaration", REGISTERED | NAMED),
    (ALIPAY, "declare", SPLIT, "POST /alipay/declaration", REGISTERED | NAMED | PART | IDENTITY),
    (ALIPAY, "redeclare", PLAIN, "POST /alipay/redeclaration", AT_OFFICE | NAMED | {"payment_no": "P1"}),
    (ALIPAY, "redeclare", SPLIT, "POST /alipay/redeclaration", AT_OFFICE | NAMED | PART | IDENTITY),
    (ALIPAY, "query", PLAIN, "GET /alipay/declaration", {"out_order_no": "O1"}),
    (ALIPAY, "query", SPLIT, "GET /alipay/declaration", PART),
]


def echoing(filing: Filing) -> str:
    record = NUMBERS | {"state": "UNDECLARED", "sub_order_no": filing.sub_order_no}
    return json.dumps({"meta": {"status_code": 200, "success": True}, "data": record})


@pytest.mark.parametrize(("channel", "operation", "filing", "request_line", "params"), ON_THE_WIRE)
def test_each_operation_sends_what_the_document_lists(channel, operation, filing, request_line, params, signer):
    with listening(answer(echoing(filing))) as loopback:
        channel_in_use = channels(loopback.gateway(signer))[channel]

        parsed = getattr(channel_in_use, operation)(filing)

    sent = loopback.received[0]
    path, _, query = sent.target.partition("?")
    assert f"{sent.verb} {path}" == request_line
    assert dict(parse_qsl(query or sent.body, keep_blank_values=True)) == params
    assert parsed.state == "UNDECLARED"


@pytest.mark.parametrize("query", [row for row in ON_THE_WIRE if row[3].startswith("GET")])
@pytest.mark.parametrize("action", [e for e in ENDPOINTS if e.method == "POST"], ids=lambda e: e.name)
def test_no_query_of_ours_verifies_as_an_action(query, action):
    assert check(action, query[4]) != []


@pytest.mark.parametrize("query", [row for row in ON_THE_WIRE if row[3].startswith("GET")])
def test_no_query_names_a_person(query):
    assert not query[4].keys() & {"cert_id", "name"}


@pytest.mark.parametrize(
    "filing",
    [
        Filing("O1", "P1", "SHENZHEN", "M1"),
        Filing("O1", "P1", "SHENZHEN", "M1", merchant_customs_name="", buyer=None),
        Filing("O1", "P1", "SHENZHEN", "M1", merchant_customs_name="Shop", buyer=Buyer("", "510921199308772318")),
        Filing("", "P1", "SHENZHEN", "M1", merchant_customs_name="Shop"),
    ],
    ids=["no name of the shop", "an empty one", "half an identity", "no number"],
)
def test_an_incomplete_filing_is_never_sent(filing, signer):
    with listening(answer("")) as loopback, pytest.raises(Misuse):
        channels(loopback.gateway(signer))[ALIPAY].declare(filing)

    assert loopback.received == []


def test_half_a_wechat_split_is_never_sent(signer):
    filing = Filing("O1", "P1", "SHENZHEN", "M1", sub_order=SubOrderPart("S1", Decimal("1.00")))
    with listening(answer("")) as loopback, pytest.raises(Misuse):
        channels(loopback.gateway(signer))[WECHATPAY].declare(filing)

    assert loopback.received == []


def test_alipay_says_that_it_knows_no_modify(signer):
    with listening(answer("")) as loopback, pytest.raises(Misuse, match="re-push"):
        channels(loopback.gateway(signer))[ALIPAY].modify(PLAIN)


def test_a_buyer_does_not_show():
    assert "510921199308772318" not in repr(SPLIT)
    assert "欧阳" not in repr(SPLIT)
