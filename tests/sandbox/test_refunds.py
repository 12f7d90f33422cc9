"""Refunds as the document describes them (4.8, 4.10, 6.6, 6.7): shapes, repeats, and never more than was paid."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

WECHAT = ("/refund", "/order/scan_pay", "/order", "order_no", "no")
ALIPAY = ("/alipay/refund", "/alipay/scan_pay", "/alipay/order", "payment_no", "payment_no")
# Typed from the samples of 4.8, 4.10, 6.6 and 6.7.
SHAPES = {
    "/refund": {
        "made": "no order_no outer_refund_no refund_amount status",
        "asked": "no order_no outer_refund_no refund_amount status",
        "listed": "no order_no outer_refund_no refund_amount status",
    },
    "/alipay/refund": {
        "made": "refund_no payment_no outer_refund_no refund_amount status",
        "asked": "no order_no agent_order_id outer_refund_no refund_amount status",
        "listed": "no order_no refund_no agent_order_id outer_refund_no refund_amount status",
    },
}


def paid(sandbox: Any, way: tuple[str, ...], number: str = "1", **changes: str) -> dict[str, str]:
    """A paid order; by what it is named in a refund."""
    _, create, query, name, field = way
    sandbox.caller.pay(create, number, **changes)
    return {name: sandbox.caller.order(number, query)[field]}


@pytest.mark.parametrize("way", [WECHAT, ALIPAY])
def test_a_refund_is_answered_as_its_sample(sandbox: Any, way: tuple[str, ...]) -> None:
    path = way[0]
    named = paid(sandbox, way)

    _, made = sandbox.caller.refund(path, **named, refund_amount="0.1", outer_refund_no="R1")
    number = made["data"]["refund"].get("no") or made["data"]["refund"]["refund_no"]
    _, asked = sandbox.caller.send("GET", path, {"refund_no": number})
    _, by_our_number = sandbox.caller.send("GET", path, {"outer_refund_no": "R1"})
    _, listed = sandbox.caller.send("GET", path, named)

    shapes = {name: set(fields.split()) for name, fields in SHAPES[path].items()}
    one = asked["data"]["info"] if way is WECHAT else asked["refund"]
    assert made["data"]["refund"].keys() == shapes["made"]
    assert one.keys() == shapes["asked"]
    assert by_our_number == asked
    assert ("data" in listed, listed["meta"]["success"]) == (False, True)
    assert [row.keys() for row in listed["refunds"]] == [shapes["listed"]]
    assert (one["refund_amount"], one["status"]) == ("0.1", "SUCCESS")
    # The list of 4.10 has numbers, that of 6.7 text.
    assert listed["refunds"][0]["refund_amount"] == (0.1 if way is WECHAT else "0.1")


@pytest.mark.parametrize(("way", "name"), [(WECHAT, "agent_order_id"), (ALIPAY, "outer_order_no")])
def test_refunds_are_listed_by_our_order_number(sandbox: Any, way: tuple[str, ...], name: str) -> None:
    named = paid(sandbox, way)
    _, none = sandbox.caller.send("GET", way[0], {name: "1"})
    for number in range(2):
        sandbox.caller.refund(way[0], **named, refund_amount="30", outer_refund_no=f"R{number}")

    _, two = sandbox.caller.send("GET", way[0], {name: "1"})

    assert none["refunds"] == []
    assert [row["outer_refund_no"] for row in two["refunds"]] == ["R0", "R1"]


@pytest.mark.parametrize("way", [WECHAT, ALIPAY])
def test_without_an_amount_all_that_is_left_goes_back(sandbox: Any, way: tuple[str, ...]) -> None:
    named = paid(sandbox, way)
    sandbox.caller.refund(way[0], **named, refund_amount="30.50", outer_refund_no="R1")
    part = sandbox.caller.order("1", way[2])

    _, body = sandbox.caller.refund(way[0], **named)

    full = sandbox.caller.order("1", way[2])
    assert body["data"]["refund"]["refund_amount"] == "69.50"
    assert (part["refund_status"], part["refundable_amount"]) == ("PART", "69.50")
    assert (full["refund_status"], float(full["refundable_amount"])) == ("FULL", 0)
    assert sandbox.caller.refund(way[0], **named)[0] == 400


@pytest.mark.parametrize("amount", ["100.01", "0", "-1", "1.001", "1e1", "NaN", " 1", "1,0"])
def test_an_amount_that_cannot_go_back_is_refused(sandbox: Any, amount: str) -> None:
    named = paid(sandbox, WECHAT)

    status, _ = sandbox.caller.refund(**named, refund_amount=amount, outer_refund_no="R1")

    assert (status, sandbox.ledger()["refunds"]) == (400, [])


def test_yen_have_no_places(sandbox: Any) -> None:
    named = paid(sandbox, WECHAT, currency="JPY")

    statuses = [sandbox.caller.refund(**named, refund_amount=amount)[0] for amount in ("1.5", "1.0", "1")]

    assert statuses == [400, 400, 200]


@pytest.mark.parametrize("status", [None, "FAIL", "EXPIRED"])
def test_an_unpaid_order_is_not_refunded(sandbox: Any, status: str | None) -> None:
    _, body = sandbox.caller.pay("/order/scanned_pay")
    if status:
        sandbox.payer(our_no="1", status=status)

    answered, _ = sandbox.caller.refund(order_no=body["data"]["order"]["no"])

    assert answered == 400


def test_an_unknown_order_and_an_unknown_refund_are_not_found(sandbox: Any) -> None:
    statuses = [
        sandbox.caller.refund(order_no="1")[0],
        sandbox.caller.send("GET", "/refund", {"order_no": "1"})[0],
        sandbox.caller.send("GET", "/refund", {"refund_no": "1"})[0],
        sandbox.caller.send("GET", "/alipay/refund", {"outer_refund_no": "1"})[0],
    ]

    assert statuses == [404] * 4


def test_the_same_number_of_ours_is_the_same_refund(sandbox: Any) -> None:
    named = paid(sandbox, WECHAT)

    answers = [sandbox.caller.refund(**named, refund_amount="60", outer_refund_no="R1") for _ in range(2)]
    other, _ = sandbox.caller.refund(**named, refund_amount="20", outer_refund_no="R1")

    assert answers[0] == answers[1]
    assert (other, len(sandbox.ledger()["refunds"])) == (400, 1)


def test_a_non_idempotent_gateway_refunds_again_and_the_ledger_shows_it(make_sandbox: Any) -> None:
    sandbox = make_sandbox(non_idempotent=True)
    named = paid(sandbox, WECHAT)

    statuses = [sandbox.caller.refund(**named, refund_amount="40", outer_refund_no="R1")[0] for _ in range(3)]

    (row,) = sandbox.client.get("/ledger/refunded").json
    assert statuses == [200, 200, 400]
    assert (row["paid"], row["refunds"], row["refunded"], row["left"]) == ("100", 2, "80", "20")


def test_many_at_once_never_get_back_more_than_was_paid(served: Any) -> None:
    _, body = served.caller.pay("/order/scan_pay", "64")
    number = body["data"]["order"]["no"]

    def refund(n: int) -> int:
        return int(served.caller.refund(order_no=number, refund_amount="3", outer_refund_no=f"M{n}")[0])

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(refund, range(64)))

    rows = requests.get(f"{served.url}/ledger/refunded", timeout=5).json()
    (row,) = [row for row in rows if row["payment_no"] == number]
    assert (statuses.count(200), statuses.count(400)) == (33, 31)
    assert (row["refunded"], row["left"]) == ("99", "1")
