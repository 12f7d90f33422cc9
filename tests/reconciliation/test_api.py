"""The API of bills: one door that answers with counts, entries page by page, and who paid masked."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from customs.auth.principal import Scope
from customs.container import Services
from customs.payments.models import Payment
from tests.api.conftest import Erp, is_problem
from tests.gateway.loopback import Loopback, answer, reset
from tests.reconciliation.bill_books import TODAY, YESTERDAY, bill, gateway_that, keep, line_of, payment, refund, sends
from tests.reconciliation.test_bills import NO

DAYS = {"start": YESTERDAY.isoformat(), "end": TODAY.isoformat()}
OPENID = "oQx43wJiwtsjv8C0lT5Lj7Mw1QZ4"
CERT_ID = "11010519491231002X"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is asked of the database is tested on both where bills are reconciled."""
    return sqlite_url


@pytest.fixture
def gateway(services: Services) -> Iterator[Loopback]:
    with gateway_that(sends(bill([])), services) as loopback:
        yield loopback


def test_a_bill_as_it_is_answered(erp: Erp, services: Services, gateway: Loopback) -> None:
    one, missing = payment(), payment()
    back = refund(one)
    keep(services, one, missing, back)
    gateway.respond = sends(bill([line_of(one, amount="88.10"), line_of(back), line_of(one, amount="?")]))

    answered = erp.get("/bills", **DAYS).json

    assert (answered["start"], answered["end"]) == (DAYS["start"], DAYS["end"])
    assert answered["fetched_age_seconds"] in (0, 1)
    assert answered["unknown_columns"] == ["buyer"]
    assert answered["columns"][:2] == ["merchant_no", "payment_no"]
    assert answered["counts"] == {
        "matched": 1,
        "only_ours": 1,
        "only_theirs": 0,
        "differing": 1,
        "paid_not_declared": 2,
        "refunded_after_declaration": 0,
        "unreadable": 1,
    }
    assert [(entry["verdict"], entry["our_id"]) for entry in answered["data"]] == [
        ("differing", one.id),
        ("only_ours", missing.id),
        ("matched", back.id),
    ]
    assert answered["data"][0] == {
        "verdict": "differing",
        "kind": "payment",
        "line": 2,
        "our_id": one.id,
        "payment_no": one.payment_no,
        "out_order_no": one.out_order_no,
        "refund_no": None,
        "outer_refund_no": None,
        "merchant_no": "M100",
        "currency": "CNY",
        "amount": "88.10",
        "status": "PAID",
        "time": None,
        "differences": [{"field": "amount", "theirs": "88.10", "ours": "88.00"}],
        "concerns": ["paid_not_declared"],
        "others": {"buyer": "oQ****Z4"},
    }
    assert answered["unreadable"] == [{"line": 4, "why": "amount: this is no amount"}]
    assert (answered["has_more"], answered["next_cursor"]) == (False, None)


def test_who_paid_is_never_shown(erp: Erp, gateway: Loopback) -> None:
    header = "payment_no,amount,买家账号,openid,付款人姓名,buyer_email,remark"
    gateway.respond = sends(bill([f"P1,1.00,{OPENID},{OPENID},李雷雷雷雷雷,li.lei@example.com,{CERT_ID}"], header))

    answered = erp.get("/bills", **DAYS)

    assert answered.status_code == 200
    assert not [word for word in (OPENID, "李雷", "li.lei@", CERT_ID) if word in answered.text]


def test_pages_come_from_one_kept_bill(erp: Erp, services: Services, gateway: Loopback) -> None:
    own = [payment() for _ in range(5)]
    keep(services, *own)
    gateway.respond = sends(bill(map(line_of, own)))
    pages = [erp.get("/bills", limit=2, **DAYS).json]
    gateway.respond = sends(bill([]))
    erp.get("/bills", refresh="true", **DAYS)

    while pages[-1]["has_more"]:
        pages.append(erp.get("/bills", limit=2, cursor=pages[-1]["next_cursor"], **DAYS).json)

    assert [len(page["data"]) for page in pages] == [2, 2, 1]
    assert [entry["our_id"] for page in pages for entry in page["data"]] == [one.id for one in own]
    assert {page["id"] for page in pages} == {pages[0]["id"]}
    assert len(gateway.received) == 2


@pytest.mark.parametrize("cursor", ["1", "bill_1.2", f"bill_{'0' * 32}.2", "bill_" + "0" * 32, "x" * 64])
def test_a_cursor_of_nothing_is_refused(erp: Erp, gateway: Loopback, cursor: str) -> None:
    answered = erp.get("/bills", cursor=cursor, **DAYS)

    assert answered.status_code in (404, 422)
    assert is_problem(answered)


def test_a_cursor_of_other_days_is_refused(erp: Erp, gateway: Loopback, services: Services) -> None:
    keep(services, payment(), payment())
    cursor = erp.get("/bills", limit=1, **DAYS).json["next_cursor"]

    answered = erp.get("/bills", cursor=cursor, start=DAYS["start"], end=DAYS["start"])

    assert answered.status_code == 422


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"start": DAYS["start"]},
        {"end": DAYS["end"]},
        {"start": DAYS["end"], "end": DAYS["start"]},
        {"start": DAYS["start"], "end": (TODAY + timedelta(days=1)).isoformat()},
        {"start": (TODAY - timedelta(days=93)).isoformat(), "end": DAYS["end"]},
        {"start": "2026-13-01", "end": DAYS["end"]},
        {"start": "20261101", "end": DAYS["end"]},
        {"start": "２０２６-11-01", "end": DAYS["end"]},
        {"start": "2026-11-01\x00", "end": DAYS["end"]},
        DAYS | {"refresh": "yes"},
        DAYS | {"limit": "0"},
        DAYS | {"merchant_no": "M100"},
    ],
    ids=str,
)
def test_days_that_cannot_be_are_refused_before_the_gateway_hears_of_them(
    erp: Erp, gateway: Loopback, query: dict[str, str]
) -> None:
    answered = erp.get("/bills", **query)

    assert answered.status_code == 422
    assert is_problem(answered)
    assert answered.json["errors"][0]["pointer"].startswith("?")
    assert gateway.received == []


@pytest.mark.parametrize(
    ("action", "status", "code"),
    [(answer(NO), 422, "validation_failed"), (reset, 503, "gateway_unavailable")],
    ids=["no", "away"],
)
def test_a_gateway_without_a_bill(erp: Erp, gateway: Loopback, action: Any, status: int, code: str) -> None:
    gateway.respond = action

    answered = erp.get("/bills", **DAYS)

    assert (answered.status_code, answered.json["code"]) == (status, code)


def test_a_bill_that_cannot_be_read_is_kept_and_told(erp: Erp, gateway: Loopback, services: Services) -> None:
    keep(services, payment())
    gateway.respond = sends(b"nothing that anybody knows\r\n")

    answered = erp.get("/bills", **DAYS).json

    assert (answered["counts"]["unreadable"], answered["data"]) == (1, [])
    assert answered["unreadable"][0]["why"].startswith("no line names the number")


def test_a_key_without_the_scope_gets_nothing(limited: Any, gateway: Loopback) -> None:
    answered = limited(Scope.PAYMENTS_WRITE).get("/bills", **DAYS)

    assert answered.status_code == 403
    assert gateway.received == []


def test_another_merchants_key_sees_none_of_it(stranger: Erp, services: Services, gateway: Loopback) -> None:
    theirs: list[Payment] = [payment(), payment()]
    keep(services, *theirs)
    gateway.respond = sends(bill([*map(line_of, theirs), line_of(theirs[0], amount="?")]))

    answered = stranger.get("/bills", **DAYS)

    assert answered.status_code == 200
    assert set(answered.json["counts"].values()) == {0}
    assert (answered.json["data"], answered.json["unreadable"]) == ([], [])
    assert not any(one.out_order_no in answered.text for one in theirs)
