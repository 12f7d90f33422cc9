"""Lists, filters, pages and the timeline of payments and refunds."""

import pytest

from tests import make
from tests.api.conftest import Erp
from tests.payments.shop import SCAN, Counter, pay, refund


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


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
