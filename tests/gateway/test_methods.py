"""What each way to pay puts on the wire, and what it hands on to the payer out of the document's own replies."""

import json
from decimal import Decimal

import pytest

from customs.gateway import METHODS, Channel, Misuse, PayerData, PayerKind, Sale, Unknown, method_of, wallets

from . import golden
from .loopback import answer, listening, sent

WECHATPAY, ALIPAY = Channel.WECHATPAY, Channel.ALIPAY
COMMON = {"merchant_no": "xxx", "currency": "HKD", "amount": "100.00"}
WECHAT = COMMON | {"product_info": "商品", "agent_order_id": "xxxx"}
ALI = COMMON | {"subject": "商品", "out_order_no": "xxxx"}
TERMINAL = {"ip": "102.142.32.12", "product_id": "7", "device_info": "till 3"}
WECHAT_NO, ALIPAY_NO = "2017062312381442716795237", "2017062312381442716795237"
QR, URL, PARAMETERS, NOTHING = PayerKind


def sale(extra=None, **changes) -> Sale:
    fields = {"merchant_no": "xxx", "currency": "HKD", "amount": Decimal(100), "subject": "商品", "our_no": "xxxx"}
    return Sale(**fields | {"extra": extra or {}} | changes)


def linked(kind, url) -> PayerData:
    return PayerData(kind, url)


def handed(**parameters) -> PayerData:
    return PayerData(PARAMETERS, parameters=parameters)


# channel, method, its own inputs, the line, all that is sent, the document's reply, number and status, the payer's need
CREATED = [
    (
        WECHATPAY,
        "mp_pay",
        {"openid": "o1"},
        "POST /mp_pay",
        WECHAT | {"openid": "o1"},
        golden.MP_PAY_4_1,
        (None, None),
        handed(
            appId="wx247c9d9d6191b108",
            timeStamp="1509692687",
            nonceStr="casd135Defg",
            package="prepay_id=wc1312341312312",
            signType="MD5",
            paySign="55511808baf7f301b5270d7334a4cec0",
        ),
    ),
    (
        WECHATPAY,
        "scan_pay",
        {"auth_code": "135605691981176449"} | TERMINAL,
        "POST /order/scan_pay",
        WECHAT | {"auth_code": "135605691981176449"} | TERMINAL,
        golden.SCAN_PAY_4_2,
        ("2017062313070231980966651", "PAID"),
        PayerData(NOTHING),
    ),
    (
        WECHATPAY,
        "scanned_pay",
        TERMINAL,
        "POST /order/scanned_pay",
        WECHAT | TERMINAL,
        golden.SCANNED_PAY_4_3,
        (WECHAT_NO, "INIT"),
        linked(QR, "weixin://wxpay/bizpayurl?pr=3CaDEKX"),
    ),
    (
        WECHATPAY,
        "mini_program_pay",
        {"openid": "o1", "appid": "wx1"},
        "POST /mini_program_pay",
        WECHAT | {"openid": "o1", "appid": "wx1"},
        golden.MINI_PROGRAM_PAY_4_4,
        ("2017062317201074212938080", None),
        handed(
            timeStamp="1509692687",
            nonceStr="casd135Defg",
            package="prepay_id=wc1312341312312",
            signType="MD5",
            paySign="55511808baf7f301b5270d7334a4cec0",
        ),
    ),
    (
        WECHATPAY,
        "app_pay",
        {"appid": "wx1"},
        "POST /order/app_pay",
        WECHAT | {"appid": "wx1"},
        golden.APP_PAY_4_5,
        ("2018061311325825321166783", None),
        handed(
            appid="wx247c9d9d6191b108",
            nonceStr="718493141562",
            packageValue="Sign=WXPay",
            partnerId="41391056",
            prepayId="wx131132587279817e5df5a42a2456209955",
            sign="46150629E5B2AC8EB4CDB160D38DAA6C",
            timeStamp="1528860778",
        ),
    ),
    (
        ALIPAY,
        "scanned_pay",
        {},
        "POST /alipay/scanned_pay",
        ALI,
        golden.ALIPAY_SCANNED_PAY_6_1,
        (ALIPAY_NO, "INIT"),
        linked(QR, golden.ALIPAY_URL),
    ),
    (
        ALIPAY,
        "app_pay",
        {},
        "POST /alipay/app_pay",
        ALI,
        golden.ALIPAY_APP_PAY_6_2,
        (ALIPAY_NO, "INIT"),
        handed(prepay_string=golden.PREPAY_STRING),
    ),
    (
        ALIPAY,
        "wap_pay",
        {"return_url": "https://shop.example/?a=1&b=~"},
        "POST /alipay/wap_pay",
        ALI | {"return_url": "https://shop.example/?a=1&b=~"},
        golden.ALIPAY_WAP_PAY_6_3,
        (ALIPAY_NO, "INIT"),
        linked(URL, golden.ALIPAY_URL),
    ),
    (
        ALIPAY,
        "qrcode_pay",
        {},
        "POST /alipay/qrcode_pay",
        ALI,
        golden.ALIPAY_QRCODE_PAY_7_1,
        (ALIPAY_NO, "INIT"),
        linked(QR, "https://qr.alipay.com/bax04448a1pogrhduko280d3"),
    ),
    (
        ALIPAY,
        "scan_pay",
        {"auth_code": "123456"},
        "POST /alipay/scan_pay",
        ALI | {"auth_code": "123456"},
        golden.ALIPAY_SCAN_PAY_7_2,
        (ALIPAY_NO, "INIT"),
        PayerData(NOTHING),
    ),
]


@pytest.mark.parametrize(
    ("channel", "name", "extra", "line", "params", "answered", "stated", "payer"),
    CREATED,
    ids=[row[3] for row in CREATED],
)
def test_each_method_sends_what_the_document_lists_and_hands_on_what_the_payer_needs(
    channel, name, extra, line, params, answered, stated, payer, signer
):
    method = method_of(channel, name)
    with listening(answer(answered)) as loopback:
        created = wallets(loopback.gateway(signer))[channel].create(method, sale(extra, notify_url="https://a.b/c"))

    assert sent(loopback) == (line, params | {"notify_url": "https://a.b/c"})
    assert (created.payment_no, created.status) == stated
    assert created.payer == payer
    assert (created.order is None) == (stated[1] is None)
    assert created.exchange.reply == answered


def test_every_method_but_the_cashier_desks_is_among_these():
    assert {row[:2] for row in CREATED} == {(m.channel, m.name) for m in METHODS if not m.is_cashier_desk}


def test_a_method_is_found_by_the_last_part_of_its_path_and_the_others_are_named():
    with pytest.raises(Misuse) as caught:
        method_of(ALIPAY, "mp_pay")

    assert "scanned_pay, app_pay, wap_pay, cashier_desk, qrcode_pay, scan_pay" in caught.value.message
    assert method_of(WECHATPAY, "scan_pay").endpoint.path == "/order/scan_pay"


# What each takes beyond what every sale has; * marks what it needs.
INPUTS = {
    (WECHATPAY, "mp_pay"): "openid*",
    (WECHATPAY, "scan_pay"): "auth_code* ip product_id device_info",
    (WECHATPAY, "scanned_pay"): "ip product_id device_info",
    (WECHATPAY, "mini_program_pay"): "openid* appid*",
    (WECHATPAY, "app_pay"): "appid*",
    (WECHATPAY, "cashier_desk"): "return_url*",
    (WECHATPAY, "mp_cashier_desk"): "return_url*",
    (ALIPAY, "scanned_pay"): "",
    (ALIPAY, "app_pay"): "",
    (ALIPAY, "wap_pay"): "return_url*",
    (ALIPAY, "cashier_desk"): "return_url*",
    (ALIPAY, "qrcode_pay"): "",
    (ALIPAY, "scan_pay"): "auth_code*",
}


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.endpoint.path)
def test_each_method_knows_its_own_inputs_and_which_may_be_sent_once_only(method):
    own = " ".join([*(f"{name}*" for name in method.required_inputs), *method.optional_inputs])

    assert own == INPUTS[method.channel, method.name]
    assert method.is_repeatable is ("auth_code" not in own)
    assert method.one_time in (None, "auth_code")


def create(channel, name, sold, answered, signer):
    with listening(answer(answered)) as loopback:
        return wallets(loopback.gateway(signer))[channel].create(method_of(channel, name), sold)


CONTRADICTIONS = [
    {"our_no": "another"},
    {"merchant_no": "another"},
    {"currency": "USD"},
    {"amount": Decimal("100.01")},
]


@pytest.mark.parametrize("changes", CONTRADICTIONS, ids=lambda one: next(iter(one)))
@pytest.mark.parametrize("name", ["scanned_pay", "scan_pay"])
def test_a_create_answered_about_another_sale_is_unknown(changes, name, signer):
    extra, answered = next((row[2], row[5]) for row in CREATED if row[:2] == (ALIPAY, name))

    with pytest.raises(Unknown):
        create(ALIPAY, name, sale(extra, **changes), answered, signer)


@pytest.mark.parametrize(
    ("name", "answered"),
    [
        ("scan_pay", golden.SCAN_PAY_4_2.replace('"agent_order_id": "xxxx",', "")),
        ("scan_pay", golden.REFUND_4_8),
        ("scanned_pay", golden.SCAN_PAY_4_2),
        ("app_pay", golden.MINI_PROGRAM_PAY_4_4),
        ("mini_program_pay", golden.APP_PAY_4_5),
        ("mini_program_pay", golden.MINI_PROGRAM_PAY_4_4.replace('"paySign"', '"sign"')),
        ("mp_pay", golden.MP_PAY_4_1.replace(golden.JS_PARAM, '"no JSON"')),
        ("mp_pay", golden.MP_PAY_4_1.replace(golden.JS_PARAM, "{}")),
        ("mp_pay", golden.MP_PAY_4_1.replace('"MD5"', '["MD5"]')),
    ],
    ids=["no number", "a refund", "no code", "a page's", "an app's", "no sign", "no JSON", "nothing", "nested"],
)
def test_a_create_with_which_nobody_could_pay_is_unknown(name, answered, signer):
    extra = next(row[2] for row in CREATED if row[:2] == (WECHATPAY, name))

    with pytest.raises(Unknown):
        create(WECHATPAY, name, sale(extra), answered, signer)


def test_the_pages_parameters_may_come_as_json_in_a_text(signer):
    answered = golden.beside_meta(f'"data": {{"js_param": {json.dumps(golden.JS_PARAM)}}}')

    created = create(WECHATPAY, "mp_pay", sale({"openid": "o"}), answered, signer)

    assert created.payer == next(row[-1] for row in CREATED if row[:2] == (WECHATPAY, "mp_pay"))


NEVER_SENT = [
    (WECHATPAY, "mp_pay", sale(), "openid is missing"),
    (WECHATPAY, "mp_pay", sale({"openid": ""}), "openid is missing"),
    (WECHATPAY, "scanned_pay", sale({"openid": "o"}), "takes no openid"),
    (WECHATPAY, "scanned_pay", sale({"amount": "1"}), "takes no amount"),
    (WECHATPAY, "scanned_pay", sale(our_no=""), "our own number"),
    (WECHATPAY, "scanned_pay", sale(subject=""), "product_info is missing"),
    (WECHATPAY, "scanned_pay", sale(currency="XXX"), "not a currency"),
    (WECHATPAY, "scanned_pay", sale(amount=Decimal(0)), "above zero"),
    (WECHATPAY, "scanned_pay", sale(currency="KRW", amount=Decimal("0.5")), "0 decimal places"),
    (WECHATPAY, "cashier_desk", sale({"return_url": "https://a.b"}), "opened by the payer's browser"),
    (ALIPAY, "cashier_desk", sale({"return_url": "https://a.b"}), "opened by the payer's browser"),
    (ALIPAY, "wap_pay", sale(), "return_url is missing"),
]


@pytest.mark.parametrize(("channel", "name", "sold", "why"), NEVER_SENT, ids=[row[3] for row in NEVER_SENT])
def test_what_the_document_does_not_allow_is_never_sent(channel, name, sold, why, signer):
    with listening(answer("")) as loopback, pytest.raises(Misuse) as caught:
        wallets(loopback.gateway(signer))[channel].create(method_of(channel, name), sold)

    assert why in caught.value.message
    assert loopback.received == []


def test_a_wallet_refuses_the_other_ones_methods(signer):
    with listening(answer("")) as loopback, pytest.raises(Misuse):
        wallets(loopback.gateway(signer))[WECHATPAY].create(method_of(ALIPAY, "scanned_pay"), sale())

    assert loopback.received == []


def test_nothing_that_pays_or_names_a_person_shows():
    shown = (
        repr(sale({"auth_code": "135605691981176449"}))
        + repr(handed(paySign="55511808baf7"))
        + repr(linked(QR, "wx:p"))
    )

    assert not [secret for secret in ("135605691981176449", "55511808baf7", "wx:p") if secret in shown]
