"""The table of endpoints against an independent copy, typed from the document."""

import pytest

from customs.gateway import BY_NAME, ENDPOINTS, check

SALE = "merchant_no currency amount product_info"
ALI_SALE = "merchant_no currency amount subject"

# section, verb, path, required, everything else that the document lists there
TYPED = [
    ("4.1", "POST", "/mp_pay", SALE + " openid", "agent_order_id notify_url"),
    (
        "4.2",
        "POST",
        "/order/scan_pay",
        SALE + " auth_code",
        "ip agent_order_id product_id device_info notify_url",
    ),
    ("4.3", "POST", "/order/scanned_pay", SALE, "ip notify_url agent_order_id product_id device_info"),
    ("4.4", "GET", "/wx_openid", "code merchant_no", ""),
    ("4.4", "POST", "/mini_program_pay", SALE + " openid appid", "agent_order_id notify_url"),
    ("4.5.3", "POST", "/order/app_pay", SALE + " appid", "agent_order_id notify_url"),
    ("4.6.2", "GET", "/wechatpay/cashier_desk", SALE + " return_url", "agent_order_id notify_url"),
    ("4.7.2", "GET", "/wechatpay/mp_cashier_desk", SALE + " return_url", "agent_order_id notify_url"),
    ("4.8", "POST", "/refund", "order_no", "refund_amount outer_refund_no"),
    ("4.9", "GET", "/order", "", "order_no agent_order_id"),
    ("4.10", "GET", "/refund", "", "refund_no order_no agent_order_id outer_refund_no"),
    ("4.11", "GET", "/rate", "merchant_no currency", ""),
    ("6.1", "POST", "/alipay/scanned_pay", ALI_SALE, "notify_url out_order_no"),
    ("6.2.1", "POST", "/alipay/app_pay", ALI_SALE, "notify_url out_order_no"),
    ("6.3", "POST", "/alipay/wap_pay", ALI_SALE + " return_url", "notify_url out_order_no"),
    ("6.4.2", "GET", "/alipay/cashier_desk", ALI_SALE + " return_url", "out_order_no notify_url"),
    ("6.5", "GET", "/alipay/order", "", "payment_no out_order_no"),
    ("6.6", "POST", "/alipay/refund", "payment_no", "outer_refund_no refund_amount"),
    ("6.7", "GET", "/alipay/refund", "", "refund_no payment_no outer_order_no outer_refund_no"),
    ("6.8", "GET", "/alipay/rate", "currency", ""),
    ("7.1", "POST", "/alipay/qrcode_pay", ALI_SALE, "notify_url out_order_no"),
    ("7.2", "POST", "/alipay/scan_pay", ALI_SALE + " auth_code", "notify_url out_order_no"),
    ("8", "GET", "/download_bill", "agent_no start_date end_date", ""),
    (
        "9.1",
        "POST",
        "/wechatpay/declaration",
        "out_order_no payment_no customs mch_customs_no",
        "duty action_type sub_order_no sub_order_amount transport_amount product_amount cert_id name",
    ),
    (
        "9.2",
        "POST",
        "/wechatpay/redeclaration",
        "customs mch_customs_no",
        "payment_no out_order_no sub_order_no",
    ),
    ("9.3", "GET", "/wechatpay/declaration", "customs", "payment_no out_order_no sub_order_no"),
    (
        "9.4",
        "POST",
        "/alipay/declaration",
        "out_order_no payment_no customs mch_customs_no merchant_customs_name",
        "sub_order_no sub_order_amount cert_id name",
    ),
    (
        "9.5",
        "POST",
        "/alipay/redeclaration",
        "customs mch_customs_no merchant_customs_name",
        "payment_no out_order_no sub_order_no sub_order_amount cert_id name",
    ),
    (
        "9.6",
        "GET",
        "/alipay/declaration",
        "",
        "payment_no out_order_no sub_order_no sub_order_amount cert_id name",
    ),
]
FULL = {
    "out_order_no": "O1",
    "payment_no": "P1",
    "customs": "SHENZHEN",
    "mch_customs_no": "M1",
    "merchant_customs_name": "Shop",
}
IDENTITY = {"cert_id": "510921199308772318", "name": "Lisa"}


def test_the_table_is_the_documents():
    table = {(e.section, e.method, e.path, frozenset(e.required), e.known) for e in ENDPOINTS}

    typed = {
        (section, verb, path, frozenset(must.split()), frozenset((must + " " + may).split()))
        for section, verb, path, must, may in TYPED
    }

    assert table == typed
    assert len(ENDPOINTS) == len(BY_NAME) == len(TYPED) == 29


def test_only_cashier_desks_go_unsigned():
    assert {e.path for e in ENDPOINTS if not e.signed} == {
        "/wechatpay/cashier_desk",
        "/wechatpay/mp_cashier_desk",
        "/alipay/cashier_desk",
    }


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda e: e.name)
def test_what_is_required_is_enough(endpoint):
    params = dict.fromkeys((*endpoint.required, *endpoint.one_of[:1]), "1")

    assert check(endpoint, params) == []


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda e: e.name)
def test_each_required_parameter_is_missed(endpoint):
    params = dict.fromkeys((*endpoint.required, *endpoint.one_of[:1]), "1")

    for name in endpoint.required:
        assert check(endpoint, {k: v for k, v in params.items() if k != name}) == [f"{name} is missing"]


@pytest.mark.parametrize(
    ("name", "params", "error"),
    [
        ("alipay_declare", FULL | {"duty": "1"}, "duty is not documented in 9.4"),
        ("alipay_declare", FULL | {"customs": ""}, "customs is empty"),
        ("alipay_declare", FULL | {"cert_id": "1"}, "cert_id, name are sent together or not at all"),
        (
            "alipay_declare",
            FULL | {"sub_order_no": "S"},
            "sub_order_no, sub_order_amount are sent together or not at all",
        ),
        (
            "wechatpay_query_declaration",
            {"customs": "SHENZHEN"},
            "exactly one of payment_no, out_order_no, sub_order_no is sent",
        ),
        (
            "alipay_query_declaration",
            {"payment_no": "P1", "out_order_no": "O1"},
            "exactly one of payment_no, out_order_no, sub_order_no is sent",
        ),
        (
            "alipay_query_declaration",
            {"payment_no": "P1", "sub_order_amount": "1.00"},
            "sub_order_amount is sent only with sub_order_no",
        ),
    ],
)
def test_an_error_is_named(name, params, error):
    assert check(BY_NAME[name], params) == [error]


def test_a_query_documents_the_identity_that_we_never_send():
    assert check(BY_NAME["alipay_query_declaration"], {"payment_no": "P1"} | IDENTITY) == []


def test_a_cashier_desk_takes_extra_parameters():
    desk = BY_NAME["alipay_cashier_desk"]

    assert check(desk, dict.fromkeys((*desk.required, "basket"), "1")) == []
