"""Who may pay, read and refund: scopes, merchants, and the same Idempotency-Key twice."""

from typing import Any

import pytest

from customs.auth.principal import Scope
from tests import make
from tests.api.conftest import Erp
from tests.payments.shop import NOWHERE, SCAN, Counter, pay, refund
from tests.payments.till import payment_row


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


ROUTES = {
    "pay": ("POST", "/payments", payment_row(), Scope.PAYMENTS_WRITE),
    "list": ("GET", "/payments", None, Scope.PAYMENTS_READ),
    "read": ("GET", "/payments/{payment}", None, Scope.PAYMENTS_READ),
    "timeline": ("GET", "/payments/{payment}/events", None, Scope.PAYMENTS_READ),
    "refund": ("POST", "/payments/{payment}/refunds", {"reason": "sold out"}, Scope.REFUNDS_WRITE),
    "refunds": ("GET", "/refunds", None, Scope.PAYMENTS_READ),
    "read refund": ("GET", "/refunds/{refund}", None, Scope.PAYMENTS_READ),
    "rate": ("GET", f"/rates?channel=wechatpay&currency=HKD&merchant_no={make.MERCHANT}", None, Scope.PAYMENTS_READ),
}


def knock(erp: Erp, route: tuple[str, str, Any, Scope], **ids: str):
    method, path, body, _ = route
    options = {} if body is None else {"json": body}
    return erp.call(method, path.format(**{"payment": NOWHERE, "refund": NOWHERE} | ids), **options)


@pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)
def test_a_key_without_the_scope_is_refused(limited, counter: Counter, route):
    others = set(Scope) - {route[3], Scope.ADMIN}

    refused = knock(limited(*others), route)

    assert (refused.status_code, refused.json["code"]) == (403, "insufficient_scope")


@pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)
def test_a_key_with_the_scope_comes_in(limited, counter: Counter, route):
    assert knock(limited(route[3]), route).status_code in (200, 201, 404)


@pytest.mark.parametrize("name", ["read", "timeline", "refund", "read refund"])
def test_what_is_another_merchants_is_not_there(erp: Erp, stranger: Erp, counter: Counter, name: str):
    payment = pay(erp, **SCAN)
    made = refund(erp, payment["id"], amount="1.00").json

    refused = knock(stranger, ROUTES[name], payment=payment["id"], refund=made["id"])

    assert (refused.status_code, refused.json["code"]) == (404, "not_found")
    assert counter.refunded == 1


@pytest.mark.parametrize("name", ["list", "refunds"])
def test_lists_hold_nothing_of_another_merchants(erp: Erp, stranger: Erp, counter: Counter, name: str):
    refund(erp, pay(erp, **SCAN)["id"])

    assert knock(stranger, ROUTES[name]).json["data"] == []


def test_a_stranger_can_neither_pay_for_another_merchant_nor_ask_its_rate(stranger: Erp, counter: Counter):
    answers = knock(stranger, ROUTES["pay"]), knock(stranger, ROUTES["rate"])

    assert [one.status_code for one in answers] == [422, 422]
    assert counter.paths == []


# Idempotency-Key.


@pytest.mark.parametrize("what", ["pay", "refund"])
def test_the_same_key_and_body_bring_the_same_answer(erp: Erp, counter: Counter, what: str):
    payment = pay(erp, **SCAN)
    path, body = (
        ("/payments", payment_row())
        if what == "pay"
        else (f"/payments/{payment['id']}/refunds", {"reason": "x", "amount": "1.00"})
    )

    answers = [erp.post(path, body, Idempotency_Key="one") for _ in range(2)]

    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].json["id"] == answers[1].json["id"]


def test_the_same_key_with_another_body_is_refused(erp: Erp, counter: Counter):
    pay(erp, {"Idempotency_Key": "one"})

    refused = erp.post("/payments", payment_row(amount="1.00"), Idempotency_Key="one")

    assert (refused.status_code, refused.json["code"]) == (422, "idempotency_key_reused")
