"""Pay: what is taken, under which number, and what is refused with the place that is wrong."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from customs.errors import ActionNotAllowed, ValidationFailed
from customs.gateway import METHODS, Channel, Method
from customs.payments.collect.create import PaymentService
from customs.payments.redaction import inputs_place
from customs.payments.schemas import PaymentIn
from customs.payments.tasks.task import TaskAction
from tests import make
from tests.payments.till import Till, payment_row

INPUTS = {
    "openid": "oQx43wJiwtsjv8C0lT5Lj7Mw1QZ4",
    "auth_code": "135605691981176449",
    "appid": "wx247c9d9d6191b108",
    "return_url": "https://shop.test/back",
    "ip": "10.1.2.3",
    "product_id": "tea-1",
    "device_info": "till-7",
}
METHOD_IDS = [f"{method.channel}-{method.name}" for method in METHODS]
DESKS = [method for method in METHODS if method.is_cashier_desk]
NUMBER = "SHOP-2026|11*23@1"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def row_for(method: Method, **changes: Any) -> dict[str, Any]:
    """A payment with all that a method needs."""
    needed = {name: INPUTS[name] for name in method.required_inputs}
    return payment_row(channel=method.channel.value, method=method.name, **needed | changes)


def errors(till: Till, caller=None, **row: Any) -> list[tuple[str, str]]:
    # Of a gateway far away nobody knows how it reaches us, so there is no page of ours to return to.
    far_away = replace(till.services.settings, base_url="https://gateway.test")
    paying = PaymentService({}, till.services.vault, far_away, caller or make.caller(), till.services.audit)
    with pytest.raises(ValidationFailed) as refused:
        paying.checked(PaymentIn().load(row))
    return [(error.pointer, error.code) for error in refused.value.errors]


def taken(till: Till, row: dict[str, Any]):
    return till.payment(till.pay(**dict.fromkeys(payment_row()) | row))


# Methods and what they need of the payer.


@pytest.mark.parametrize("method", METHODS, ids=METHOD_IDS)
def test_every_method_is_taken_with_what_it_needs(method: Method, till: Till):
    payment = taken(till, row_for(method))

    assert (payment.channel, payment.method, payment.status) == (method.channel, method.name, "INIT")
    assert payment.next_action is (TaskAction.QUERY if method.is_cashier_desk else TaskAction.SEND)


@pytest.mark.parametrize("method", METHODS, ids=METHOD_IDS)
def test_every_optional_input_is_taken(method: Method, till: Till):
    more = {name: INPUTS[name] for name in method.optional_inputs}

    payment = taken(till, row_for(method, **more))

    opened = till.services.vault.open(payment.inputs, inputs_place(payment.id)) if payment.inputs else "{}"
    assert json.loads(opened).items() >= more.items()


@pytest.mark.parametrize(
    ("method", "missing"),
    [(method, name) for method in METHODS for name in method.required_inputs],
    ids=lambda value: value if isinstance(value, str) else f"{value.channel}-{value.name}",
)
def test_an_input_that_is_missing_is_named(method: Method, missing: str, till: Till):
    assert errors(till, **row_for(method, **{missing: None})) == [(f"/{missing}", "required")]


@pytest.mark.parametrize("method", METHODS, ids=METHOD_IDS)
def test_inputs_that_a_method_does_not_take_are_named(method: Method, till: Till):
    strangers = INPUTS.keys() - {*method.required_inputs, *method.optional_inputs}

    named = errors(till, **row_for(method) | INPUTS)

    assert named == [(f"/{name}", "input_unused") for name in sorted(strangers)]


def test_a_method_of_the_other_channel_is_refused(till: Till):
    assert errors(till, **payment_row(channel="alipay", method="mp_pay")) == [("/method", "choice")]


def test_a_login_code_stands_for_the_openid(till: Till):
    row = payment_row(method="mini_program_pay", appid=INPUTS["appid"], code="081abc")

    paying = PaymentService({}, till.services.vault, till.services.settings, make.caller(), till.services.audit)

    assert paying.checked(PaymentIn().load(row)).inputs["code"] == "081abc"


def test_a_login_code_is_only_for_mini_programs(till: Till):
    row = payment_row(method="mp_pay", openid=INPUTS["openid"], code="081abc")

    assert errors(till, **row) == [("/code", "input_unused")]


# Money.


@pytest.mark.parametrize("currency", ["JPY", "KRW"])
def test_yen_and_won_have_no_places(currency: str, till: Till):
    assert errors(till, **payment_row(currency=currency, amount="100.50")) == [("/amount", "amount_places")]


@pytest.mark.parametrize("currency", ["JPY", "KRW"])
@pytest.mark.parametrize("amount", ["100", "100.00"])
def test_whole_yen_and_won_are_taken_exactly(currency: str, amount: str, till: Till):
    assert taken(till, payment_row(currency=currency, amount=amount)).amount == 100


def test_the_largest_amount_is_kept_to_the_cent(till: Till):
    assert str(taken(till, payment_row(amount="9999999999.99")).amount) == "9999999999.99"


@pytest.mark.parametrize("amount", ["0", "0.00"])
def test_nobody_pays_nothing(amount: str, till: Till):
    assert errors(till, **payment_row(amount=amount)) == [("/amount", "amount_zero")]


def test_another_merchant_is_unknown(till: Till):
    assert errors(till, make.caller("M999"), **payment_row()) == [("/merchant_no", "merchant_unknown")]


# Numbers.


def test_our_own_number_is_of_the_gateways_form_and_new_each_time(till: Till):
    numbers = [taken(till, payment_row()).out_order_no for _ in range(3)]

    assert all(number.isalnum() and len(number) == 32 for number in numbers)
    assert len(set(numbers)) == 3


def test_the_same_again_is_the_same_payment(till: Till):
    first = till.pay(out_order_no=NUMBER, ip="10.1.2.3")

    assert till.pay(out_order_no=NUMBER, ip="10.1.2.3", amount="100.0") == first


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "100.01"},
        {"currency": "HKD"},
        {"subject": "两盒茶"},
        {"method": "app_pay", "appid": INPUTS["appid"], "ip": None},
        {"ip": "10.9.9.9"},
        {"device_info": "till-8"},
        {"merchant_no": "M200"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_number_does_not_stand_for_two_payments(change: dict[str, Any], till: Till):
    till.pay(out_order_no=NUMBER, ip="10.1.2.3")

    with pytest.raises(ActionNotAllowed) as refused:
        till.pay(**{"out_order_no": NUMBER, "ip": "10.1.2.3"} | change)

    assert [error.code for error in refused.value.errors] == ["number_taken"]


def test_the_other_channel_has_its_own_numbers(till: Till):
    first = till.pay(out_order_no=NUMBER)

    assert till.pay(out_order_no=NUMBER, channel="alipay", method="scanned_pay") != first


def test_a_number_of_another_merchant_says_nothing_about_its_payment(till: Till):
    foreign = till.pay(make.caller("M777"), out_order_no=NUMBER, merchant_no="M777", subject="a secret")

    with pytest.raises(ActionNotAllowed) as refused:
        till.pay(make.caller(make.MERCHANT), out_order_no=NUMBER)

    shown = repr((refused.value.detail, refused.value.errors))
    assert not [word for word in (foreign, "M777", "a secret") if word in shown]


@pytest.mark.parametrize("number", ["a" * 33, "a b", "a/b", "a&b", "a=b", "é", "a~b"])
def test_a_number_of_another_form_is_refused(number: str, till: Till):
    assert errors(till, **payment_row(out_order_no=number)) == [("/out_order_no", "number_invalid")]


# Cashier desks: links for the payer's browser.


@pytest.mark.parametrize("method", DESKS, ids=lambda method: f"{method.channel}-{method.name}")
def test_a_cashier_desk_is_a_link_with_the_documents_parameters_only(method: Method, till: Till):
    payment = taken(till, row_for(method, extra={"basket": "7 & 8"}))

    link = urlsplit(payment.payer["url"])
    sent = {name: value for name, (value,) in parse_qs(link.query, strict_parsing=True).items()}
    own = "out_order_no" if method.channel is Channel.ALIPAY else "agent_order_id"
    goods = "subject" if method.channel is Channel.ALIPAY else "product_info"
    assert link.path == method.endpoint.path
    assert sent == {
        "merchant_no": make.MERCHANT,
        "currency": "CNY",
        "amount": "100.00",
        goods: "一盒茶",
        own: payment.out_order_no,
        "return_url": INPUTS["return_url"],
        "notify_url": f"{till.services.settings.public_address}/notify/wisecashier",
        "basket": "7 & 8",
    } | ({"notify_url": payment.notify_url} if payment.notify_url else {})


@pytest.mark.parametrize("name", ["amount", "status", "tarde_type", "notify_url", "merchant_no", "no", ""])
def test_an_extra_parameter_of_the_documents_own_name_is_refused(name: str, till: Till):
    row = row_for(DESKS[0], extra={name: "1"})

    with pytest.raises(ValidationFailed) as refused:
        till.pay(**dict.fromkeys(payment_row()) | row)

    assert [error.code for error in refused.value.errors] == ["extra_taken"]
    with till.services.reading() as db:
        assert db.connection().exec_driver_sql("SELECT count(*) FROM payments").scalar() == 0


def test_only_a_cashier_desk_hands_extra_parameters_back(till: Till):
    assert errors(till, **payment_row(extra={"basket": "7"})) == [("/extra", "input_unused")]


def test_other_extra_parameters_are_another_payment(till: Till):
    row = row_for(DESKS[0], out_order_no=NUMBER)
    taken(till, row | {"extra": {"basket": "7"}})

    with pytest.raises(ActionNotAllowed):
        taken(till, row | {"extra": {"basket": "8"}})


def test_the_same_cashier_desk_again_is_the_same_payment(till: Till):
    row = row_for(DESKS[0], out_order_no=NUMBER, extra={"basket": "7"})

    assert taken(till, row).id == taken(till, row).id


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "//evil.test", "http://", "http://a b", "ftp://x.test", "https://shop.test@evil.test/"],
)
def test_a_payer_is_sent_back_to_a_page_of_the_web_only(till: Till, url: str):
    row = payment_row(channel="alipay", method="wap_pay", return_url=url)

    assert errors(till, **row) == [("/return_url", "url_invalid")]
