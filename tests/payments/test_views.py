"""The pages of payments as people see them: the list, one payment until it turns green, refunding what is left."""

import pytest

from customs.container import Services
from customs.gateway import PayerData, PayerKind
from customs.payments.models import PaymentEvent
from tests import make
from tests.payments.shop import NOWHERE, OPENID, SCAN, Counter, pay
from tests.payments.till import Till, order_reply, refund_reply, sale_reply
from tests.web.visiting import People, Visitor, markup_of, text_of

LANGUAGES = ["en", "zh_CN"]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is asked of the database is tested on both where payments are recorded."""
    return sqlite_url


@pytest.fixture
def people(services: Services) -> People:
    return People(services)


@pytest.fixture
def clerk(people: People) -> Visitor:
    return people.signed_in("clerk")


@pytest.fixture
def reviewer(people: People) -> Visitor:
    return people.signed_in("reviewer")


def once_of(page) -> str:
    return page.text.partition('name="once" value="')[2].partition('"')[0]


# The list.


def test_the_list_shows_the_newest_first(clerk: Visitor, till: Till):
    old, new = till.pay(out_order_no="SHOP-1"), till.paid("P2", amount="50.00")

    page = clerk.get("/payments")

    assert page.text.index(f"/payments/{new}") < page.text.index(f"/payments/{old}")
    shown = text_of(page)
    assert all(one in shown for one in ("SHOP-1", "P2", "CN¥50.00", "Waiting for payment", "Paid", "QR code"))


def test_an_empty_list_says_what_to_do(clerk: Visitor, reviewer: Visitor):
    assert "No payment yet" in text_of(clerk.get("/payments"))
    assert "/payments/new" in clerk.get("/payments").text
    assert "/payments/new" not in reviewer.get("/payments").text


@pytest.mark.parametrize(
    ("query", "finds"),
    [
        ("channel=wechatpay", True),
        ("channel=alipay", False),
        ("status=PAID&refund_status=PART", True),
        ("refund_status=FULL", False),
        ("merchant_no=M100", True),
        ("merchant_no=M1", False),
        ("channel=&status=&since=&until=&number=", True),
        ("since=2000-01-01", True),
        ("until=2000-01-01", False),
    ],
)
def test_filters_narrow_the_list(clerk: Visitor, till: Till, query: str, finds: bool):
    payment_id = till.paid()
    till.refund(payment_id, "1.00")

    page = clerk.get(f"/payments?{query}")

    assert (f"/payments/{payment_id}" in page.text) is finds
    assert finds or "No payment fits" in text_of(page)


@pytest.mark.parametrize("query", ["channel=cash", "status=paid", "since=yesterday", "until=0000-00-00", "number=%00"])
def test_a_filter_that_means_nothing_is_refused(clerk: Visitor, query: str):
    assert clerk.get(f"/payments?{query}").status_code == 422


def test_the_list_goes_on_page_by_page(clerk: Visitor, till: Till):
    payments = [till.pay() for _ in range(3)]

    first = clerk.get("/payments?limit=2")
    cursor = first.text.partition("cursor=")[2].partition('"')[0]
    second = clerk.get(f"/payments?limit=2&cursor={cursor}")

    assert [f"/payments/{one}" in first.text for one in payments] == [False, True, True]
    assert [f"/payments/{one}" in second.text for one in payments] == [True, False, False]


def test_any_number_leads_to_its_payment(clerk: Visitor, till: Till):
    payment_id = till.paid("P1", out_order_no="SHOP-1")
    refund = till.refund_of(till.refund(payment_id))

    for number in ("SHOP-1", "P1", " P1 ", payment_id, refund.id, refund.outer_refund_no):
        assert clerk.get("/payments", query_string={"number": number}).location == f"/payments/{payment_id}"


def test_a_number_nobody_bears_is_reported(clerk: Visitor, till: Till):
    till.pay()

    assert "No payment fits" in text_of(clerk.get("/payments?number=P9"))


# One payment.


def test_a_code_is_shown_until_somebody_pays_it(clerk: Visitor, till: Till):
    payment_id = till.pay()
    till.do(payment_id, sale_reply(payment_no="P1"))

    page = clerk.get(f"/payments/{payment_id}")

    assert "Have the payer scan this code" in text_of(page)
    assert "weixin://wxpay/bizpayurl?pr=abc" in page.text
    assert '<svg viewBox="0 0' in page.text
    assert 'hx-trigger="every 2s"' in page.text
    assert "style=" not in page.text


def test_the_page_asks_again_until_it_turns_green(clerk: Visitor, till: Till):
    payment_id = till.pay()
    till.do(payment_id, sale_reply(payment_no="P1"))
    live = clerk.get(f"/payments/{payment_id}/live")
    seen = live.text.partition("seen=")[2].partition('"')[0]

    same = clerk.get(f"/payments/{payment_id}/live?seen={seen}")
    till.do(payment_id, order_reply("PAID"), after=60)
    green = clerk.get(f"/payments/{payment_id}/live?seen={seen}")

    assert (same.status_code, same.text) == (204, "")
    assert green.status_code == 200
    assert "paying-paid" in green.text and 'role="status"' in green.text
    assert "hx-trigger" not in green.text
    assert "CN¥100.00" in text_of(green)


def test_parameters_are_shown_to_be_copied(clerk: Visitor, till: Till):
    payment_id = till.pay(method="mini_program_pay", openid=OPENID, appid="wx1")
    payer = PayerData(PayerKind.PARAMETERS, parameters={"paySign": "s<1", "signType": "MD5"})
    till.do(payment_id, sale_reply(payer=payer))

    page = clerk.get(f"/payments/{payment_id}")

    assert "&#34;paySign&#34;: &#34;s&lt;1&#34;" in page.text
    assert "data-copy=" in page.text
    assert OPENID not in page.text


def test_a_cashier_desk_is_a_link_and_a_code(clerk: Visitor, till: Till):
    payment_id = till.pay(method="cashier_desk", return_url="https://shop.example/back")

    page = clerk.get(f"/payments/{payment_id}")

    assert "Send the payer this link" in text_of(page)
    assert f'href="{till.services.settings.base_url}/wechatpay/cashier_desk?' in page.text
    assert "<svg viewBox" in page.text


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (sale_reply("PAID", payment_no="P1"), "It is paid, and can be declared to customs."),
        (sale_reply("FAIL"), "Nothing was collected."),
        (sale_reply("EXPIRED"), "It was not paid in time."),
    ],
)
def test_how_it_ended_and_what_to_do(clerk: Visitor, till: Till, reply, sentence: str):
    payment_id = till.pay()
    till.do(payment_id, reply)

    page = clerk.get(f"/payments/{payment_id}")

    assert sentence in text_of(page)
    assert "hx-trigger" not in page.text


def test_what_was_sent_and_came_back_is_shown_with_who_paid_masked(people: People, counter: Counter, erp):
    payment = pay(erp, **SCAN)

    page = people.signed_in("clerk").get(f"/payments/{payment['id']}")

    assert "What was sent" in text_of(page) and "What came back" in text_of(page)
    assert "oQ****Z4" in page.text
    assert OPENID not in page.text and SCAN["auth_code"] not in page.text


def test_what_a_stranger_wrote_stays_text(clerk: Visitor, till: Till):
    payment_id = till.paid(subject="<script>alert(1)</script>")
    with till.services.transaction() as db:
        shown = {"action": "payments QUERY", "outcome": "answered", "message": "<b>no</b>"}
        event = {"merchant_no": make.MERCHANT, "payment_id": payment_id, "at": till.now, "kind": "call"}
        db.add(PaymentEvent(**event, actor="gateway", detail=shown, reply="<img src=x>"))

    page = clerk.get(f"/payments/{payment_id}").text

    assert not [one for one in ("<script>alert", "<b>no</b>", "<img src=x>") if one in page]


def test_what_happened_is_reported_and_idle_questions_as_one(clerk: Visitor, till: Till):
    payment_id = till.pay(subject="tea")
    till.do(payment_id, sale_reply(payment_no="P1"))
    for _ in range(3):
        till.do(payment_id, order_reply("INIT"), after=60)
    till.do(payment_id, order_reply("PAID"), after=60)

    shown = text_of(clerk.get(f"/payments/{payment_id}"))

    assert "Opened the order at the gateway" in shown
    assert "Asked 3 times, with nothing new" in shown


def test_declarations_of_a_payment_are_one_click_away(clerk: Visitor, till: Till):
    payment_id = till.paid("P1")
    before = text_of(clerk.get(f"/payments/{payment_id}"))

    till.desk.end(till.desk.declare(payment_no="P1"))
    page = clerk.get(f"/payments/{payment_id}")

    assert "Not declared" in before
    assert "It is paid and declared to customs." in text_of(page)
    assert "/declarations?payment_no=P1" in page.text


# Refunding.


def test_what_is_left_is_refunded_bit_by_bit(reviewer: Visitor, till: Till, counter: Counter, erp):
    payment = pay(erp, **SCAN)
    place = f"/payments/{payment['id']}"
    form = reviewer.get(place)

    answer = reviewer.post(f"{place}/refunds", once=once_of(form), amount="50.00", reason="half of it broke")

    assert (answer.status_code, answer.location) == (303, place)
    page = reviewer.follow(answer)
    assert "CN¥50.00 was refunded." in text_of(page)
    assert "What is left: CN¥50.00" in text_of(page)
    assert 'name="amount" type="text" value="50.00"' in markup_of(page)
    assert str(counter.refunded) == "50.00"


def test_a_form_that_is_sent_twice_refunds_once(reviewer: Visitor, till: Till, counter: Counter, erp):
    payment = pay(erp, **SCAN)
    form = {"once": "once_1", "amount": "10.00", "reason": "broken"}

    for _ in range(2):
        assert reviewer.post(f"/payments/{payment['id']}/refunds", **form).status_code == 303

    assert len(till.refunds(payment["id"])) == 1


def test_the_same_form_with_something_else_in_it_is_refused(reviewer: Visitor, counter: Counter, till: Till, erp):
    payment = pay(erp, **SCAN)
    place = f"/payments/{payment['id']}/refunds"
    reviewer.post(place, once="once_1", amount="10.00", reason="broken")

    page = reviewer.post(place, once="once_1", amount="20.00", reason="broken")

    assert page.status_code == 422
    assert "This form was sent before" in text_of(page)
    assert once_of(page) != "once_1"
    assert len(till.refunds(payment["id"])) == 1


@pytest.mark.parametrize(
    ("amount", "reason", "status", "sentence"),
    [
        ("100.01", "broken", 409, "That is more than what is left to refund."),
        ("0", "broken", 422, "Write an amount such as 46.44"),
        ("", "broken", 422, "Write an amount such as 46.44"),
        ("-5", "broken", 422, "Write an amount such as 46.44"),
        ("5.00", "", 422, "This is needed."),
        ("5.00", "x" * 501, 422, "This is too short or too long."),
    ],
)
def test_a_refund_that_cannot_be_is_reported_at_its_field(
    reviewer: Visitor, till: Till, amount: str, reason: str, status: int, sentence: str
):
    payment_id = till.paid()

    page = reviewer.post(f"/payments/{payment_id}/refunds", once="once_1", amount=amount, reason=reason)

    assert page.status_code == status
    assert sentence in text_of(page)
    assert 'aria-invalid="true"' in page.text
    assert not reason or f'value="{reason}"' in page.text
    assert once_of(page) == "once_1"
    assert till.refunds(payment_id) == []


def test_what_is_not_paid_has_no_refund(reviewer: Visitor, till: Till):
    payment_id = till.pay()

    page = reviewer.get(f"/payments/{payment_id}")
    refused = reviewer.post(f"/payments/{payment_id}/refunds", amount="1.00", reason="broken")

    assert 'id="refund"' not in page.text
    assert "Only what is paid can be refunded." in text_of(page)
    assert refused.status_code == 409


def test_a_refund_under_way_is_taken_off_and_watched(reviewer: Visitor, till: Till):
    payment_id = till.paid()
    refund_id = till.refund(payment_id, "60.00")
    page = reviewer.get(f"/payments/{payment_id}")
    seen = page.text.partition("/refunds?seen=")[2].partition('"')[0]

    same = reviewer.get(f"/payments/{payment_id}/refunds?seen={seen}")
    till.do(refund_id, refund_reply())
    ended = reviewer.get(f"/payments/{payment_id}/refunds?seen={seen}")

    assert "What is left: CN¥40.00" in text_of(page)
    assert "A refund under way is already taken off." in text_of(page)
    assert same.status_code == 204
    assert "hx-trigger" not in ended.text and "Refunded" in text_of(ended)


def test_nothing_left_is_said_instead_of_a_form(reviewer: Visitor, till: Till):
    payment_id = till.paid()
    till.refund(payment_id)

    page = reviewer.get(f"/payments/{payment_id}")

    assert 'id="refund"' not in page.text
    assert "there is nothing left to send back" in text_of(page)


@pytest.mark.parametrize("role", ["clerk", "developer"])
def test_whoever_may_not_refund_sees_why(people: People, till: Till, role: str):
    payment_id, visitor = till.paid(), people.signed_in(role)

    page = visitor.get(f"/payments/{payment_id}")
    refused = visitor.post(f"/payments/{payment_id}/refunds", amount="1.00", reason="broken")

    assert "<fieldset disabled>" in page.text
    assert "Refunds are sent by reviewers and administrators" in text_of(page)
    assert refused.status_code == 403
    assert till.refunds(payment_id) == []


def test_who_refunded_is_on_the_record(people: People, till: Till, counter: Counter, erp):
    payment = pay(erp, **SCAN)
    admin = people.signed_in("admin")

    admin.post(f"/payments/{payment['id']}/refunds", amount="1.00", reason="broken")

    action = next(event for event in till.events(payment["id"]) if event.refund_id)
    assert (action.kind, action.actor, action.detail["reason"]) == ("action", "a admin", "broken")


# Whose it is.


@pytest.mark.parametrize("part", ["", "/live", "/refunds"])
def test_another_merchants_payment_is_not_there(people: People, till: Till, part: str):
    payment_id, stranger = till.paid(), people.signed_in("reviewer", ["M999"])

    assert stranger.get(f"/payments/{payment_id}{part}").status_code == 404
    assert stranger.get(f"/payments/{NOWHERE}{part}").status_code == 404
    assert payment_id not in stranger.get("/payments").text
    refused = stranger.post(f"/payments/{payment_id}/refunds", amount="1.00", reason="broken")
    assert refused.status_code == 404


@pytest.mark.parametrize("place", ["/payments", "/payments/new", "/payments/pay_1", "/rates"])
def test_nobody_looks_in_without_signing_in(people: People, place: str):
    answer = people.stranger().get(place)

    assert (answer.status_code, answer.location.partition("?")[0]) == (303, "/sign-in")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_there_in_both_languages(people: People, till: Till, language: str):
    visitor = people.signed_in("admin", language=language)
    waiting, paid = till.pay(), till.paid()

    pages = [visitor.get(f"/payments{place}") for place in ("", "/new", f"/{waiting}", f"/{paid}")]

    assert [page.status_code for page in pages] == [200] * 4
    assert all(f'<html lang="{language.replace("_", "-")}">' in page.text for page in pages)
    assert ("发起收款" in pages[0].text) is (language == "zh_CN")


def test_the_payers_page_is_the_same_for_everybody_and_in_both_languages(people: People):
    page = people.stranger().get(f"/payments/{NOWHERE}/return?status=PAID&name=%3Cb%3E")

    assert page.status_code == 200
    assert "正在确认付款" in page.text and "The payment is being checked." in page.text
    assert "/static/desk.css" in page.text
    assert not [word for word in ("<style", "style=", "PAID", "<b>") if word in page.text]
    assert "style-src 'self';" in page.headers["Content-Security-Policy"]
