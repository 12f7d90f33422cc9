"""Orders as the document describes them (4.1 to 4.5, 4.9, 6.1 to 6.5, 7), each reply beside its sample."""

import json
from typing import Any

import pytest

from .caller import ALIPAY, SCANS, WAYS, WECHAT, order, sale

# The fields of `data` and of `data.order`, typed from the samples; 4.1 shows only `js_param`, in its script.
ALIPAY_ORDER = """status trade_type payment_no currency amount merchant_no outer_order_no trade_time subject
exchange_rate"""
CREATED = {
    "/mp_pay": ("js_param", None),
    "/order/scan_pay": (
        "order",
        """agent_order_id amount currency exchange_rate ip merchant_no no product_info pay_amount status settle_rate
        trade_type""",
    ),
    "/order/scanned_pay": (
        "code_url order",
        """status trade_type no ip currency amount merchant_no agent_order_id pay_amount settle_rate trade_time
        product_info exchange_rate""",
    ),
    "/mini_program_pay": ("timeStamp prepay_id nonceStr paySign order_no", None),
    "/order/app_pay": ("appid nonceStr order_no packageValue partnerId prepayId sign timeStamp", None),
    "/alipay/scanned_pay": ("url order", ALIPAY_ORDER),
    "/alipay/app_pay": ("prepay_string order", ALIPAY_ORDER),
    "/alipay/wap_pay": ("url order", ALIPAY_ORDER),
    "/alipay/qrcode_pay": ("qrcode order", ALIPAY_ORDER),
    "/alipay/scan_pay": ("order", ALIPAY_ORDER),
}
TRADE_TYPES = {"/order/scan_pay": "MICRO"}
# 4.9 and 6.5; the first is a sample of Version 1.0 with what 11.1 adds.
WECHAT_ASKED = """status openid trade_type exchange_rate ip no device_info currency amount trade_time merchant_no
pay_currency product_info settle_rate pay_amount refund_status refundable_amount agent_order_id pay_method product_id"""
ALIPAY_ASKED = """amount buyer_email channel charge_amount currency exchange_rate merchant_no payment_no buyer_id
pay_amount pay_currency product_info refund_status refundable_amount status subject trade_time trade_type
out_order_no"""
TERMINAL = {"ip": "102.142.32.12", "product_id": "G1", "device_info": "D1"}


def test_every_way_to_pay_is_walked() -> None:
    assert CREATED.keys() == WAYS.keys()


@pytest.mark.parametrize(("path", "fields"), CREATED.items())
def test_a_create_is_answered_as_its_sample(sandbox: Any, path: str, fields: tuple[str, str | None]) -> None:
    more = TERMINAL if path in ("/order/scan_pay", "/order/scanned_pay") else {}

    status, body = sandbox.caller.pay(path, **more)

    names, order_names = fields
    assert status == 200
    assert body["data"].keys() == set(names.split())
    if order_names:
        shown = body["data"]["order"]
        assert shown.keys() == set(order_names.split())
        assert all(isinstance(value, str) for value in shown.values())
        assert shown["status"] == ("PAID" if path in SCANS else "INIT")
        assert shown["trade_type"] == TRADE_TYPES.get(path, "NATIVE")


@pytest.mark.parametrize("path", [path for path in WAYS if "url" in CREATED[path][0] or "qrcode" in CREATED[path][0]])
def test_what_the_payer_scans_or_opens_is_a_page_here(sandbox: Any, path: str) -> None:
    _, body = sandbox.caller.pay(path)

    (url,) = [value for name, value in body["data"].items() if name != "order"]
    page = sandbox.client.get(url.removeprefix("http://localhost"))
    assert page.status_code == 200
    assert "HKD 100" in page.text


@pytest.mark.parametrize("path", WAYS)
def test_a_create_repeated_with_the_same_content_is_the_same_order(sandbox: Any, path: str) -> None:
    first = sandbox.caller.pay(path)

    again = sandbox.caller.pay(path)

    assert again == first
    assert [row["creates"] for row in sandbox.ledger()["payments"]] == [1]


@pytest.mark.parametrize("path", WAYS)
def test_our_number_with_other_content_is_refused(sandbox: Any, path: str) -> None:
    sandbox.caller.pay(path)

    status, _ = sandbox.caller.pay(path, amount="101")

    assert status == 400


def test_a_non_idempotent_gateway_counts_a_repeated_create(make_sandbox: Any) -> None:
    sandbox = make_sandbox(non_idempotent=True)

    sandbox.caller.pay("/order/scanned_pay")
    sandbox.caller.pay("/order/scanned_pay")

    assert [row["creates"] for row in sandbox.ledger()["payments"]] == [2]


def test_without_a_number_of_ours_every_create_is_an_order(sandbox: Any) -> None:
    numbers = {sandbox.caller.pay("/order/scan_pay", "")[1]["data"]["order"]["no"] for _ in range(3)}

    assert len(numbers) == len(sandbox.ledger()["payments"]) == 3


def test_a_wechat_order_is_shown_as_the_sample_of_version_1(sandbox: Any) -> None:
    sandbox.caller.pay("/order/scan_pay", **TERMINAL)

    shown = sandbox.caller.order()

    assert shown.keys() == set(WECHAT_ASKED.split())
    assert all(isinstance(value, str) for value in shown.values())
    assert (shown["amount"], shown["pay_currency"], shown["pay_amount"]) == ("100", "CNY", "87.89")
    assert (shown["refund_status"], shown["refundable_amount"]) == ("None", "100")


def test_a_wechat_order_is_shown_with_numbers_as_the_sample_of_version_2(sandbox: Any) -> None:
    sandbox.caller.pay("/order/scan_pay", **TERMINAL)
    sandbox.caller.refund(order_no=sandbox.caller.order()["no"], refund_amount="50")

    _, body = sandbox.caller.send("GET", "/order", {"agent_order_id": "1"}, Version="2.0")

    shown, (back,) = body["data"]["order"], body["data"]["refunds"]
    version_1_only = {"settle_rate", "refund_status", "refundable_amount"}
    assert shown.keys() == set(WECHAT_ASKED.split()) - version_1_only
    assert (shown["amount"], shown["exchange_rate"], shown["pay_amount"]) == (100, 0.8789, 87.89)
    assert back.keys() == {"no", "order_no", "refund_amount", "status"}
    assert (back["refund_amount"], back["status"]) == (50, "SUCCESS")


def test_an_alipay_order_is_shown_as_its_sample(sandbox: Any) -> None:
    sandbox.caller.pay("/alipay/scan_pay")

    shown = sandbox.caller.order(path="/alipay/order")

    assert shown.keys() == set(ALIPAY_ASKED.split())
    assert (shown["channel"], shown["exchange_rate"], shown["refund_status"]) == ("ALIPAYCN", "0.878900", "None")


@pytest.mark.parametrize(("path", "name"), [("/order", "order_no"), ("/alipay/order", "payment_no")])
def test_an_order_is_known_by_the_gateways_number_in_its_own_channel_only(sandbox: Any, path: str, name: str) -> None:
    _, wechat = sandbox.caller.pay("/order/scanned_pay")
    _, alipay = sandbox.caller.pay("/alipay/scanned_pay")
    numbers = (wechat["data"]["order"]["no"], alipay["data"]["order"]["payment_no"])

    found = [sandbox.caller.send("GET", path, {name: number})[0] for number in numbers]

    assert found == ([200, 404] if path == "/order" else [404, 200])


def test_the_same_code_is_the_same_person(sandbox: Any) -> None:
    def openid(code: str) -> str:
        _, body = sandbox.caller.send("GET", "/wx_openid", {"code": code, "merchant_no": "M1"})
        return str(body["data"]["openid"])

    assert openid("a") == openid("a") != openid("b")


CURRENCIES = "CNY GBP HKD USD JPY CAD AUD EUR NZD KRW THB"


@pytest.mark.parametrize("currency", CURRENCIES.split())
def test_a_rate_stands_in_data_for_wechat_and_beside_meta_for_alipay(sandbox: Any, currency: str) -> None:
    _, wechat = sandbox.caller.send("GET", "/rate", {"merchant_no": "M1", "currency": currency})
    _, alipay = sandbox.caller.send("GET", "/alipay/rate", {"currency": currency})
    _, numbers = sandbox.caller.send("GET", "/alipay/rate", {"currency": currency}, Version="2.0")

    assert wechat["data"].keys() == alipay["rate"].keys() == {"currency", "rate"}
    assert float(wechat["data"]["rate"]) == float(alipay["rate"]["rate"]) == numbers["rate"]["rate"]
    assert (wechat["data"]["rate"] == "1") is (currency == "CNY")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        *[({"amount": text}, "amount") for text in ("0", "0.00", "-1", "1e2", "NaN", "1.001", "1,000", " 1", "０.１")],
        *[({"amount": "100.5", "currency": currency}, "amount") for currency in ("JPY", "KRW")],
        ({"currency": "XXX"}, "currency"),
        ({"currency": "hkd"}, "currency"),
        ({"agent_order_id": "x" * 33}, "agent_order_id"),
        ({"agent_order_id": "a b"}, "agent_order_id"),
        ({"merchant_no": "a/b"}, "merchant_no"),
        ({"product_info": "x" * 129}, "product_info"),
        ({"product_info": "a\nb"}, "product_info"),
        ({"notify_url": "ftp://127.0.0.1/"}, "notify_url"),
        ({"notify_url": "http://a@127.0.0.1/"}, "notify_url"),
        ({"ip": "1.2.3"}, "ip"),
        ({"auth_code": "abc"}, "auth_code"),
        ({"openid": "x"}, "openid"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(sandbox: Any, changes: dict[str, str], named: str) -> None:
    status, body = sandbox.caller.pay("/order/scan_pay", **changes)

    assert (status, sandbox.ledger()["payments"]) == (400, [])
    assert named in body["meta"]["message"]


def test_amounts_without_places_are_taken(sandbox: Any) -> None:
    sandbox.caller.pay("/order/scan_pay", amount="1000", currency="JPY")

    assert sandbox.caller.order()["pay_amount"] == "62.10"


@pytest.mark.parametrize(
    ("number", "pressed", "status"),
    [("1", "PAID", 200), ("1", "FAIL", 400), ("1", "EXPIRED", 400), ("1", None, 400)],
)
def test_a_payment_known_here_is_declared_only_when_it_is_paid(
    sandbox: Any, number: str, pressed: str | None, status: int
) -> None:
    _, body = sandbox.caller.pay("/order/scanned_pay", number)
    if pressed:
        sandbox.payer(our_no=number, status=pressed)

    answered, _ = sandbox.caller.declare(WECHAT, **order(number=number, payment_no=body["data"]["order"]["no"]))

    assert answered == status


def test_a_payment_made_elsewhere_is_declared_as_ever(sandbox: Any) -> None:
    assert sandbox.caller.declare(ALIPAY, **order(ALIPAY))[0] == 200


def test_the_ledger_shows_no_payment_code(sandbox: Any) -> None:
    sandbox.caller.pay("/order/scan_pay", auth_code="135605691981176449")

    (row,) = sandbox.ledger()["payments"]
    shown = sandbox.ledger(payment_no=row["payment_no"])
    assert "135605691981176449" not in json.dumps(shown)
    assert [call["endpoint"] for call in shown["log"]] == ["scan_pay"]
    assert sale("/order/scan_pay")["amount"] == row["amount"]
