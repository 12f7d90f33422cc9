"""The links to the gateway's cashier desks: the document's parameters, and the caller's own beside them."""

from decimal import Decimal
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customs.gateway import METHODS, Channel, Misuse, Sale, cashier_url, method_of

BASE = "https://api.wisecashier.com"
RETURN = "https://shop.example/back?a=1&b=~ ·"
DESKS = {method.endpoint.path: method for method in METHODS if method.is_cashier_desk}
COMMON = {"merchant_no": "WC58", "currency": "HKD", "amount": "100.00", "return_url": RETURN}
SENT = {
    "/wechatpay/cashier_desk": COMMON | {"product_info": "演示订单", "agent_order_id": "XCY1"},
    "/wechatpay/mp_cashier_desk": COMMON | {"product_info": "演示订单", "agent_order_id": "XCY1"},
    "/alipay/cashier_desk": COMMON | {"subject": "演示订单", "out_order_no": "XCY1"},
}
# Typed from the tables of 4.6.2, 4.6.3, 6.4.2 and 6.4.3.
DOCUMENTED = (
    "merchant_no currency amount return_url notify_url no exchange_rate tarde_type trade_type product_info subject "
    "trade_time status agent_order_id out_order_no"
)


def sale(return_url=RETURN, **changes) -> Sale:
    fields = {"merchant_no": "WC58", "currency": "HKD", "amount": Decimal(100), "subject": "演示订单", "our_no": "XCY1"}
    return Sale(**fields | {"extra": {"return_url": return_url}} | changes)


def parameters(url: str) -> dict[str, str]:
    return dict(parse_qsl(url.partition("?")[2], keep_blank_values=True, strict_parsing=True))


@pytest.mark.parametrize("path", SENT)
def test_a_link_has_the_documents_parameters_and_nothing_else(path):
    url = cashier_url(BASE + "/", DESKS[path], sale())

    assert url.partition("?")[0] == BASE + path
    assert parameters(url) == SENT[path]


@pytest.mark.parametrize("path", SENT)
def test_extra_parameters_go_along_and_empty_ones_do_not(path):
    url = cashier_url(BASE, DESKS[path], sale(notify_url="https://a.b/c"), {"basket": "7 & 8", "empty": ""})

    assert parameters(url) == SENT[path] | {"notify_url": "https://a.b/c", "basket": "7 & 8"}


def test_a_link_is_encoded_as_a_signature_would_be():
    url = cashier_url(BASE, DESKS["/alipay/cashier_desk"], sale("https://a.b/?x=~ 1"), {"z": "é~"})

    assert "return_url=https%3A%2F%2Fa.b%2F%3Fx%3D%7E%201" in url
    assert url.endswith("&z=%C3%A9%7E")


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.text("~ &=é😀+%", min_size=1), max_size=4))
def test_whatever_goes_along_arrives_as_it_was(extra):
    path = "/wechatpay/cashier_desk"
    taken = extra.keys() & {*DOCUMENTED.split(), ""}

    if taken:
        with pytest.raises(Misuse):
            cashier_url(BASE, DESKS[path], sale(), extra)
    else:
        assert parameters(cashier_url(BASE, DESKS[path], sale(), extra)) == SENT[path] | extra


@pytest.mark.parametrize("name", ["", *DOCUMENTED.split()])
@pytest.mark.parametrize("path", SENT)
def test_a_name_of_the_documents_is_refused_and_named(path, name):
    with pytest.raises(Misuse) as caught:
        cashier_url(BASE, DESKS[path], sale(), {"basket": "7", name: "secret"})

    assert caught.value.message == f"names of the document itself: {name}"


@pytest.mark.parametrize(
    ("method", "sold", "why"),
    [
        (method_of(Channel.ALIPAY, "wap_pay"), sale(), "no cashier desk"),
        (method_of(Channel.ALIPAY, "cashier_desk"), sale(""), "return_url is missing"),
        (method_of(Channel.ALIPAY, "cashier_desk"), sale(subject=""), "subject is missing"),
        (method_of(Channel.ALIPAY, "cashier_desk"), sale(amount=Decimal("0.001")), "not an amount"),
        (method_of(Channel.ALIPAY, "cashier_desk"), sale("\ud800"), "not valid Unicode"),
    ],
    ids=["no desk", "nowhere to return to", "nothing sold", "no amount", "no text"],
)
def test_what_the_document_does_not_allow_makes_no_link(method, sold, why):
    with pytest.raises(Misuse) as caught:
        cashier_url(BASE, method, sold)

    assert why in caught.value.message
