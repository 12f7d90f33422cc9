"""The API of payments and refunds as a shop sees it, before a gateway that answers over real HTTP."""

import threading

import pytest

from tests.api.conftest import Erp, is_problem
from tests.gateway.loopback import answer, reset
from tests.payments.shop import MINI, OPENID, SCAN, Counter, pay, refund
from tests.payments.till import Till, payment_row


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


# PaymentService.


def test_a_payment_comes_back_with_what_the_payer_needs(erp: Erp, counter: Counter):
    payment = pay(erp)

    payer = payment["payer"]
    assert (payer["kind"], payer["url"]) == ("qr", "weixin://wxpay/bizpayurl?pr=abc")
    assert payer["qr_svg"].startswith("<svg")
    assert (payment["status"], payment["payment_no"]) == ("INIT", "2017062200000000")


def test_a_code_that_was_shown_is_paid_at_once(erp: Erp, counter: Counter):
    payment = pay(erp, **SCAN)

    assert (payment["status"], payment["payer"], payment["refundable_amount"]) == ("PAID", None, "100.00")


def test_while_the_gateway_is_away_the_payment_is_kept_and_due(erp: Erp, counter: Counter):
    counter.instead = lambda verb: answer("{}", 503, Retry_After="1")

    payment = pay(erp)

    assert (payment["status"], payment["next_action"], payment["outcome_unknown"]) == ("INIT", "SEND", False)


def test_a_lost_reply_leaves_the_outcome_unknown(erp: Erp, counter: Counter):
    counter.instead = lambda verb: reset

    payment = pay(erp)

    assert (payment["next_action"], payment["outcome_unknown"]) == ("QUERY", True)


def test_the_same_number_again_asks_the_gateway_for_nothing_new(erp: Erp, counter: Counter):
    first = pay(erp, out_order_no="SHOP-1")

    second = pay(erp, out_order_no="SHOP-1")

    assert second["id"] == first["id"]
    assert counter.paths.count("POST /order/scanned_pay") == 1


def test_a_number_that_is_taken_is_a_conflict(erp: Erp, counter: Counter):
    pay(erp, out_order_no="SHOP-1")

    refused = erp.post("/payments", payment_row(out_order_no="SHOP-1", amount="1.00"))

    assert (refused.status_code, refused.json["code"]) == (409, "action_not_allowed")
    assert is_problem(refused)


# A mini program's login code is good for one exchange.


def test_a_login_code_is_exchanged_and_the_openid_sent(erp: Erp, counter: Counter):
    payment = pay(erp, **MINI)

    assert counter.paths == ["GET /wx_openid", "POST /mini_program_pay"]
    assert payment["payer"]["parameters"]["package"] == "prepay_id=wx1"


def test_a_repeat_with_its_number_does_not_exchange_the_code_again(erp: Erp, counter: Counter):
    first = pay(erp, out_order_no="SHOP-1", **MINI)

    assert pay(erp, out_order_no="SHOP-1", **MINI)["id"] == first["id"]
    assert counter.paths.count("GET /wx_openid") == 1


def test_a_repeat_under_an_idempotency_key_does_not_exchange_the_code_again(erp: Erp, counter: Counter):
    first = pay(erp, {"Idempotency_Key": "one"}, **MINI)

    assert pay(erp, {"Idempotency_Key": "one"}, **MINI)["id"] == first["id"]
    assert counter.paths.count("GET /wx_openid") == 1


def test_a_spent_code_has_the_payer_log_in_again(erp: Erp, counter: Counter):
    counter.spent_codes.add(MINI["code"])

    refused = erp.post("/payments", payment_row(**MINI))

    assert (refused.status_code, refused.json["errors"][0]["code"]) == (422, "code_refused")
    assert erp.get("/payments").json["data"] == []


def test_a_gateway_that_is_away_cannot_exchange_a_code(erp: Erp, counter: Counter):
    counter.instead = lambda verb: answer("{}", 503)

    refused = erp.post("/payments", payment_row(**MINI))

    assert (refused.status_code, refused.json["code"], refused.headers["Retry-After"]) == (
        503,
        "gateway_unavailable",
        "5",
    )


# Refunding.


def test_a_refund_without_an_amount_is_all_that_is_left(erp: Erp, counter: Counter):
    payment = pay(erp, **SCAN)
    refund(erp, payment["id"], amount="30.00")

    made = refund(erp, payment["id"])

    assert (made.status_code, made.json["amount"], made.json["status"]) == (201, "70.00", "SUCCESS")
    shown = erp.get(f"/payments/{payment['id']}").json
    assert (shown["refund_status"], shown["refundable_amount"], len(shown["refunds"])) == ("FULL", "0.00", 2)


def test_a_refund_over_what_is_left_names_what_is_left(erp: Erp, counter: Counter):
    payment = pay(erp, **SCAN)

    refused = refund(erp, payment["id"], amount="100.01")

    assert refused.status_code == 409
    assert refused.json["errors"] == [
        {"pointer": "/amount", "code": "over_refundable", "detail": "100.00 CNY is left to refund"}
    ]
    assert counter.refunds == {}


def test_an_unpaid_payment_is_not_refunded(erp: Erp, counter: Counter):
    refused = refund(erp, pay(erp)["id"])

    assert (refused.status_code, refused.json["errors"][0]["code"]) == (409, "not_paid")


def test_a_lost_reply_of_a_refund_leads_to_exactly_one(erp: Erp, counter: Counter, till: Till):
    payment = pay(erp, **SCAN)
    counter.instead = lambda verb: reset if verb == "POST /refund" else None

    made = refund(erp, payment["id"], amount="40.00").json

    assert made["outcome_unknown"]
    assert refund(erp, payment["id"], amount="60.01").status_code == 409


@pytest.mark.parametrize("callers", [64])
def test_many_callers_at_once_never_refund_more_than_was_paid(erp: Erp, counter: Counter, callers: int):
    payment = pay(erp, **SCAN)
    start = threading.Barrier(callers)
    statuses: list[int] = []

    def ask() -> None:
        start.wait()
        statuses.append(refund(erp, payment["id"], amount="3.00").status_code)

    threads = [threading.Thread(target=ask) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (statuses.count(201), statuses.count(409)) == (33, callers - 33)
    assert counter.refunded == 99


# Who paid.


def test_who_paid_is_shown_masked(erp: Erp, counter: Counter):
    payment = pay(erp, **SCAN)

    assert payment["paid_by"] == {"openid": "oQ****Z4"}
    everything = erp.get(f"/payments/{payment['id']}").text + erp.get(f"/payments/{payment['id']}/events").text
    assert OPENID not in everything
    assert SCAN["auth_code"] not in everything


def test_the_payers_return_proves_nothing(erp: Erp, counter: Counter, client):
    payment = pay(erp)

    page = client.get(f"/payments/{payment['id']}/return?status=PAID&no=1")

    assert page.status_code == 200
    assert erp.get(f"/payments/{payment['id']}").json["status"] == "INIT"
