"""The page that collects a payment: thirteen ways, what each needs, and forms that lose nothing."""

import re

import pytest

from customs.container import Services
from customs.gateway import METHODS
from customs.payments.collect.create import inputs_asked
from customs.payments.labels import BY_CODE, OUTCOMES
from customs.payments.labels import INPUTS as IN_WORDS
from customs.payments.schemas import INPUTS
from customs.payments.tasks.outcomes import OUTCOME_HANDLERS
from tests.gateway.loopback import answer, reset
from tests.payments.shop import OPENID, Counter
from tests.payments.till import Till
from tests.web.visiting import People, Visitor, markup_of, text_of

NEW = "/payments/new"
ORDER = {"merchant_no": "M100", "amount": "100.00", "currency": "CNY", "subject": "一盒茶"}
QR = {"method": "wechatpay.scanned_pay", **ORDER}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def people(services: Services) -> People:
    return People(services)


@pytest.fixture
def clerk(people: People) -> Visitor:
    return people.signed_in("clerk")


def fields_of(page) -> set[str]:
    """The names of the fields of the form that collects."""
    form = page.text.partition('<form id="order"')[2].partition("</form>")[0]
    return set(re.findall(r'name="(\w+)"', form)) - {"once", "method"}


def payment_of(till: Till, place: str):
    return till.payment(place.rpartition("/")[2])


# The form.


def test_every_method_has_words_and_so_has_every_input():
    assert {f"{method.channel}.{method.name}" for method in METHODS} == BY_CODE.keys()
    assert {*INPUTS} == IN_WORDS.keys()


def test_every_outcome_of_a_call_has_words():
    assert {word for _, word, _, _ in OUTCOME_HANDLERS} | {"answered"} == OUTCOMES.keys()


@pytest.mark.parametrize("method", METHODS, ids=lambda method: f"{method.channel}-{method.name}")
def test_a_way_asks_for_exactly_what_it_needs(clerk: Visitor, services: Services, method):
    page = clerk.get(f"{NEW}?method={method.channel}.{method.name}")

    extra = {*method.required_inputs, *method.optional_inputs}
    extra |= {"code"} if method.name == "mini_program_pay" else set()
    assert fields_of(page) == {*ORDER, "out_order_no"} | extra
    assert inputs_asked(method, services.settings).keys() == extra


def test_the_usual_way_comes_first_and_yuan_are_the_usual_currency(clerk: Visitor):
    page = clerk.get(f"{NEW}?method=wechatpay.nothing")

    assert 'name="method" value="wechatpay.scanned_pay"' in page.text
    assert '<option value="CNY" selected>' in page.text


def test_another_way_keeps_what_was_typed(clerk: Visitor):
    page = clerk.get(NEW, query_string={"method": "wechatpay.mp_pay", "openid": OPENID} | ORDER)

    assert 'name="subject" type="text" value="一盒茶"' in markup_of(page)
    assert "method=alipay.scan_pay&amp;merchant_no=M100&amp;amount=100.00&amp;currency=CNY" in page.text
    # Who pays does not belong in an address, and is not taken from one.
    assert f'value="{OPENID}"' not in page.text


def test_somebodys_own_merchants_are_a_list(people: People):
    page = people.signed_in("clerk", ["M200", "M100"]).get(NEW)

    assert page.text.index('<option value="M100"') < page.text.index('<option value="M200"')
    assert 'name="merchant_no" type="text"' not in page.text


# Collecting.


def test_a_code_is_made_for_the_payer(clerk: Visitor, till: Till, counter: Counter):
    made = clerk.post(NEW, **QR, out_order_no="SHOP-1", once="once_1")

    payment = payment_of(till, made.location)
    assert (payment.out_order_no, str(payment.amount), payment.sender) == ("SHOP-1", "100.00", "a clerk")
    assert "weixin://wxpay/bizpayurl?pr=abc" in clerk.follow(made).text


def test_a_payer_who_is_scanned_has_paid_at_once(clerk: Visitor, counter: Counter):
    made = clerk.post(NEW, **ORDER, method="wechatpay.scan_pay", auth_code=" 135605691981176449 ")

    page = clerk.follow(made)
    assert "paying-paid" in page.text
    assert "135605691981176449" not in page.text


def test_a_login_code_is_exchanged(clerk: Visitor, counter: Counter):
    mini = {"method": "wechatpay.mini_program_pay", "appid": "wx1", "code": "081abc"}

    page = clerk.follow(clerk.post(NEW, **ORDER, **mini))

    assert "prepay_id=wx1" in page.text
    assert counter.paths == ["GET /wx_openid", "POST /mini_program_pay"]


def test_pressing_twice_collects_once(clerk: Visitor, counter: Counter):
    first, second = (clerk.post(NEW, **QR, once="once_1") for _ in range(2))

    assert first.location == second.location
    assert counter.paths.count("POST /order/scanned_pay") == 1


def test_while_the_gateway_is_away_the_payment_is_kept(clerk: Visitor, counter: Counter):
    counter.instead = lambda verb: answer("{}", 503, Retry_After="1")

    page = clerk.follow(clerk.post(NEW, **QR))

    assert "The gateway could not be asked yet" in text_of(page)


def test_a_lost_answer_is_asked_for_before_anything_is_repeated(clerk: Visitor, counter: Counter):
    counter.instead = lambda verb: reset

    page = clerk.follow(clerk.post(NEW, **QR))

    assert "The gateway's answer was lost." in text_of(page)


# Refused.


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"amount": "1,000"}, "Write an amount such as 46.44"),
        ({"amount": ""}, "This is needed."),
        ({"amount": "0"}, "An amount is more than 0."),
        ({"amount": "10.50", "currency": "JPY"}, "Yen and won have no decimal places"),
        ({"currency": "XYZ"}, "Choose one of the list."),
        ({"subject": ""}, "This is needed."),
        ({"subject": "x" * 201}, "This is too short or too long."),
        ({"subject": "a\u200bb"}, "This holds a character that nobody can see"),
        ({"out_order_no": "no such number!"}, "A number has 1 to 32 characters"),
        ({"method": "wechatpay.mp_pay"}, "This is needed."),
        ({"method": "alipay.wap_pay", "return_url": "javascript:alert(1)"}, "Write an address such as"),
    ],
)
def test_bad_input_comes_back_with_a_sentence_at_its_field(
    clerk: Visitor, till: Till, change: dict[str, str], sentence: str
):
    page = clerk.post(NEW, **QR | change, once="once_1")

    assert page.status_code == 422
    assert f'<div id="h-{next(reversed(change))}"' in page.text or change.get("method") or "currency" in change
    assert sentence in text_of(page)
    assert 'aria-invalid="true"' in page.text
    assert f'value="{(QR | change)["amount"]}"' in page.text
    assert 'name="once" value="once_1"' in page.text
    assert till.claim() == []


def test_every_fault_is_reported_at_once(clerk: Visitor):
    page = clerk.post(NEW, method="wechatpay.scanned_pay", currency="CNY")

    assert page.text.count('class="invalid-feedback"') == 3


def test_a_way_that_is_none_collects_nothing(clerk: Visitor, till: Till):
    page = clerk.post(NEW, **QR | {"method": "wechatpay.cash"})

    assert page.status_code == 422
    assert 'role="alert"' in page.text
    assert till.claim() == []


def test_a_number_that_is_taken_is_reported_at_its_field(clerk: Visitor, counter: Counter):
    clerk.post(NEW, **QR, out_order_no="SHOP-1")

    page = clerk.post(NEW, **QR | {"amount": "1.00"}, out_order_no="SHOP-1")

    assert page.status_code == 409
    assert "This number already stands for another payment" in text_of(page)


def test_a_refused_login_code_is_reported_at_its_field(clerk: Visitor, counter: Counter):
    counter.spent_codes.add("081abc")
    mini = {"method": "wechatpay.mini_program_pay", "appid": "wx1", "code": "081abc"}

    page = clerk.post(NEW, **ORDER, **mini)

    assert page.status_code == 422
    assert "The gateway refused this login code" in text_of(page)


def test_a_login_code_while_the_gateway_is_away_is_not_spent(clerk: Visitor, counter: Counter, till: Till):
    counter.instead = lambda verb: answer("{}", 503)
    mini = {"method": "wechatpay.mini_program_pay", "appid": "wx1", "code": "081abc"}

    page = clerk.post(NEW, **ORDER, **mini)

    assert page.status_code == 503
    assert "The gateway did not answer, and nothing was done." in text_of(page)


def test_another_merchant_is_not_collected_for(people: People, till: Till):
    page = people.signed_in("clerk", ["M999"]).post(NEW, **QR)

    assert page.status_code == 422
    assert "This merchant is not one of yours." in text_of(page)
    assert till.claim() == []


def test_a_reviewer_collects_nothing(people: People, till: Till):
    reviewer = people.signed_in("reviewer")

    assert reviewer.get(NEW).status_code == 403
    assert reviewer.post(NEW, **QR).status_code == 403
    assert till.claim() == []


def test_another_site_collects_nothing(clerk: Visitor, till: Till):
    assert clerk.post(NEW, headers={"Origin": "https://evil.example"}, **QR).status_code == 403
    assert till.claim() == []
