"""Bad bodies about payments and refunds: refused with their place, and no call leaves."""

from typing import Any

import pytest

from tests.api.conftest import Erp
from tests.payments.shop import NOWHERE, SCAN, Counter, pay, refund
from tests.payments.till import payment_row


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


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
    assert {error["pointer"].split("/")[1] for error in refused.json["errors"]} >= {name}
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
    assert [error["pointer"] for error in refused.json["errors"]] == [f"/{name}" for name in change]
    assert counter.refunds == {}


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"\xff", b'{"a": 1, "a": 2}', b"[" * 100_000, b'"\\ud800"'])
@pytest.mark.parametrize("path", ["/payments", f"/payments/{NOWHERE}/refunds"])
def test_what_is_no_body_is_no_crash(erp: Erp, counter: Counter, path: str, body: bytes):
    refused = erp.call("POST", path, data=body, content_type="application/json")

    assert refused.status_code in (400, 422)
