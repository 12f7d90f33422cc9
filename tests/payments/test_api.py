"""The API of payments and refunds as a shop sees it, before a gateway that answers over real HTTP."""

import threading
from typing import Any

import pytest

from customs.access.callers import Scope
from tests import make
from tests.api.conftest import Erp, is_problem
from tests.gateway.loopback import answer, reset
from tests.payments.shop import OPENID, Counter
from tests.payments.till import Till, payment_row

SCAN = {"method": "scan_pay", "auth_code": "135605691981176449"}
MINI = {"method": "mini_program_pay", "appid": "wx247c9d9d6191b108", "code": "081abc"}
NOWHERE = "pay_00000000000000000000000000000000"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def pay(erp: Erp, headers: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    answered = erp.post("/payments", payment_row(**changes), **headers or {})
    assert answered.status_code == 201, answered.text
    return answered.json


def refund(erp: Erp, payment_id: str, **changes: Any):
    return erp.post(f"/payments/{payment_id}/refunds", {"reason": "sold out"} | changes)


# Paying.


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

    assert (refused.status_code, refused.json["code"]) == (409, "action_refused")
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

    assert (refused.status_code, refused.json["code"], refused.headers["Retry-After"]) == (503, "gateway_away", "5")


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


# Who may.


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

    assert (refused.status_code, refused.json["code"]) == (403, "scope_missing")


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

    assert (refused.status_code, refused.json["code"]) == (422, "key_reused")


# Lists.


def test_pages_follow_each_other(erp: Erp, counter: Counter):
    made = [pay(erp)["id"] for _ in range(5)]

    first = erp.get("/payments", limit=3).json
    second = erp.get("/payments", limit=3, cursor=first["next_cursor"]).json

    assert [one["id"] for one in first["data"] + second["data"]] == made[::-1]
    assert (first["has_more"], second["has_more"], second["next_cursor"]) == (True, False, None)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, 2),
        ({"status": "PAID"}, 1),
        ({"status": "EXPIRED"}, 0),
        ({"channel": "alipay"}, 0),
        ({"method": "scan_pay"}, 1),
        ({"refund_status": "PART"}, 1),
        ({"merchant_no": make.MERCHANT}, 2),
        ({"merchant_no": "M200"}, 0),
        ({"out_order_no": "SHOP-1"}, 1),
        ({"payment_no": "2017062200000001"}, 1),
        ({"since": "2999-01-01T00:00:00Z"}, 0),
        ({"until": "2999-01-01T00:00:00Z"}, 2),
    ],
    ids=str,
)
def test_payments_are_found_by(erp: Erp, counter: Counter, query: dict[str, str], found: int):
    pay(erp, out_order_no="SHOP-1")
    refund(erp, pay(erp, **SCAN)["id"], amount="1.00")

    assert len(erp.get("/payments", **query).json["data"]) == found


@pytest.mark.parametrize("name", ["payment_id", "payment_no", "outer_refund_no", "refund_no", "merchant_no", "status"])
def test_refunds_are_found_by(erp: Erp, counter: Counter, name: str):
    payment = pay(erp, **SCAN)
    made = refund(erp, payment["id"], amount="1.00").json

    found = erp.get("/refunds", **{name: made[name]}).json["data"]
    missed = erp.get("/refunds", **{name: "FAIL" if name == "status" else "another"}).json["data"]

    assert ([one["id"] for one in found], missed) == ([made["id"]], [])


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "201"},
        {"status": "DONE"},
        {"channel": "cash"},
        {"since": "today"},
        {"stauts": "PAID"},
        {"cursor": "\x00"},
        {"payment_no": "\x00"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/payments", "/refunds"])
def test_a_query_that_cannot_be_meant_is_refused(erp: Erp, counter: Counter, path: str, query: dict[str, str]):
    assert erp.get(path, **query).status_code == 422


def test_the_timeline_tells_all_in_order(erp: Erp, counter: Counter):
    payment = pay(erp, **SCAN)
    refund(erp, payment["id"])

    first = erp.get(f"/payments/{payment['id']}/events", limit=3).json
    rest = erp.get(f"/payments/{payment['id']}/events", limit=3, cursor=first["next_cursor"]).json

    actions = [event["detail"]["action"] for event in first["data"] + rest["data"]]
    assert actions == ["pay", "payments SEND", "refund", "refunds SEND"]


# Bad bodies.


BAD = [
    {"amount": amount}
    for amount in [
        "-1",
        "0.001",
        "1e2",
        "NaN",
        "Infinity",
        "０.１",
        "1,000.00",
        "+1",
        " 1",
        "1_000",
        "0x10",
        "",
        100,
        1.5,
        None,
        True,
        [],
        {},
    ]
] + [
    {"channel": "cash"},
    {"channel": None},
    {"currency": "XXX"},
    {"currency": "cny"},
    {"method": ""},
    {"method": "x" * 33},
    {"merchant_no": ""},
    {"merchant_no": "x" * 65},
    {"subject": ""},
    {"subject": "x" * 201},
    {"subject": "a\x00b"},
    {"subject": "a\u200bb"},
    {"out_order_no": "../"},
    {"out_order_no": 7},
    {"surprise": 1},
    {"ip": "x" * 65},
    {"return_url": "x" * 1001},
    {"extra": []},
    {"extra": {"a": 1}},
    {"extra": {"a": "x" * 5000}},
    {"extra": {str(n): "x" for n in range(21)}},
]


@pytest.mark.parametrize("change", BAD, ids=lambda change: repr(change)[:40])
def test_a_bad_payment_is_refused_with_its_place(erp: Erp, counter: Counter, change: dict[str, Any]):
    refused = erp.post("/payments", payment_row() | change)

    assert refused.status_code == 422
    (name,) = change
    assert {fault["pointer"].split("/")[1] for fault in refused.json["errors"]} >= {name}
    assert counter.paths == []


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 1},
        {"amount": "0"},
        {"amount": "-1"},
        {"amount": "0.001"},
        {"amount": None},
        {"reason": ""},
        {"reason": None},
        {"reason": "x" * 501},
        {"surprise": 1},
    ],
    ids=str,
)
def test_a_bad_refund_is_refused_with_its_place(erp: Erp, counter: Counter, change: dict[str, Any]):
    payment = pay(erp, **SCAN)

    refused = refund(erp, payment["id"], **change)

    assert refused.status_code == 422
    assert [fault["pointer"] for fault in refused.json["errors"]] == [f"/{name}" for name in change]
    assert counter.refunds == {}


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"\xff", b'{"a": 1, "a": 2}', b"[" * 100_000, b'"\\ud800"'])
@pytest.mark.parametrize("path", ["/payments", f"/payments/{NOWHERE}/refunds"])
def test_what_is_no_body_is_no_crash(erp: Erp, counter: Counter, path: str, body: bytes):
    refused = erp.call("POST", path, data=body, content_type="application/json")

    assert refused.status_code in (400, 422)


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
