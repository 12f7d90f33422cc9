"""The tables of payments, wallets and refunds, walked: what a poller sees of each word, and how each ends."""

from typing import Any

import pytest

from customs.sandbox.payment_scenarios import NOTIFICATION_SCENARIOS, PAYMENT_SCENARIOS, REFUND_SCENARIOS, WALLETS

# What a poller sees after the create, asking after every step, of a QR code that nobody scans and of a payment code.
SCANNED = {
    "": ["INIT"],
    "PAY-AUTO": ["INIT", "PAID"],
    "PAY-SLOW": ["INIT", "PAID"],
    "PAY-BUTTON": ["INIT"],
    "PAY-FAIL": ["INIT", "FAIL"],
    "PAY-EXPIRE": ["INIT", "EXPIRED"],
    "PAY-STRANGE": ["INIT", "USERPAYING", "PAID"],
    "PAY-HIDDEN": [404, "INIT"],
    "PAY-REFUSE": [404],
    "PAY-BIZ555": [404],
}
SCAN = SCANNED | {"": ["PAID"], "PAY-HIDDEN": [404, "PAID"]}
WAYS = [("/order/scanned_pay", SCANNED), ("/order/scan_pay", SCAN), ("/alipay/qrcode_pay", SCANNED)]
REFUNDS = {
    "": ["SUCCESS"],
    "REFUND-WAIT": ["PROCESSING", "SUCCESS"],
    "REFUND-BOUNCE": ["PROCESSING", "FAIL"],
    "REFUND-DENY": [400],
    "REFUND-POOR": [555],
}


def test_every_fate_is_walked() -> None:
    assert {scenario.word for scenario in PAYMENT_SCENARIOS} == SCANNED.keys()
    assert {scenario.word for scenario in REFUND_SCENARIOS} == REFUNDS.keys()
    assert {wallet.word for wallet in WALLETS} == {"", "WALLET-HK"}
    words = [row.word for row in (*PAYMENT_SCENARIOS, *REFUND_SCENARIOS, *WALLETS, *NOTIFICATION_SCENARIOS) if row.word]
    assert len(words) == len(set(words))


def asking(sandbox: Any, path: str, number: str) -> list[Any]:
    query = "/alipay/order" if path.startswith("/alipay/") else "/order"
    seen: list[Any] = []
    for _ in range(25):
        shown = sandbox.caller.order(number, query)
        state = shown if isinstance(shown, int) else shown["status"]
        if seen[-1:] != [state]:
            seen.append(state)
        sandbox.clock.pass_by(1)
    return seen


@pytest.mark.parametrize(
    ("path", "word", "states"),
    [(path, word, states) for path, courses in WAYS for word, states in courses.items()],
)
def test_a_word_decides_what_a_poller_sees(sandbox: Any, path: str, word: str, states: list[Any]) -> None:
    sandbox.caller.pay(path, f"D1-{word}-1")

    assert asking(sandbox, path, f"D1-{word}-1") == states


@pytest.mark.parametrize(("word", "status"), [("PAY-REFUSE", 400), ("PAY-BIZ555", 555)])
def test_a_create_is_refused_by_a_word(sandbox: Any, word: str, status: int) -> None:
    answered, body = sandbox.caller.pay("/order/scan_pay", f"{word}-1")

    assert (answered, sandbox.ledger()["payments"]) == (status, [])
    assert ('"wx_code": "AUTH_CODE_INVALID"' in body["meta"]["message"]) is (status == 555)


@pytest.mark.parametrize("number", ["FAIL-1", "EXCEPT-1", "D20261123REFUSE1"])
def test_a_word_of_declarations_means_nothing_to_a_payment(sandbox: Any, number: str) -> None:
    sandbox.caller.pay("/order/scan_pay", number)

    assert sandbox.caller.order(number)["status"] == "PAID"


@pytest.mark.parametrize("status", ["PAID", "FAIL", "EXPIRED"])
def test_the_payer_ends_an_order_once(sandbox: Any, status: str) -> None:
    sandbox.caller.pay("/order/scanned_pay")

    answers = [sandbox.payer(our_no="1", status=status), sandbox.payer(our_no="1", status=status)]
    other = sandbox.payer(our_no="1", status="FAIL" if status == "PAID" else "PAID")

    assert (answers, other, sandbox.caller.order()["status"]) == ([200, 200], 409, status)


def test_an_order_nobody_pays_expires_after_two_hours(sandbox: Any) -> None:
    sandbox.caller.pay("/alipay/scanned_pay")
    sandbox.clock.pass_by(7199)
    before = sandbox.caller.order(path="/alipay/order")["status"]

    sandbox.clock.pass_by(1)

    assert (before, sandbox.caller.order(path="/alipay/order")["status"]) == ("INIT", "EXPIRED")
    assert sandbox.payer(our_no="1") == 409


def test_a_hong_kong_wallet_pays_in_its_own_currency(sandbox: Any) -> None:
    sandbox.caller.pay("/order/scan_pay", "WALLET-HK-1")
    sandbox.caller.pay("/alipay/scan_pay", "WALLET-HK-2")

    wechat = sandbox.caller.order("WALLET-HK-1")
    alipay = sandbox.caller.order("WALLET-HK-2", "/alipay/order")

    assert (wechat["pay_method"], wechat["pay_currency"], wechat["pay_amount"]) == ("WECHATPAYHK", "HKD", "100.00")
    assert (alipay["channel"], alipay["pay_currency"]) == ("ALIPAYHK", "HKD")


@pytest.mark.parametrize("in_order_number", [True, False])
@pytest.mark.parametrize(("word", "states"), REFUNDS.items())
def test_a_word_decides_what_becomes_of_a_refund(
    sandbox: Any, word: str, states: list[Any], in_order_number: bool
) -> None:
    our_no, refund_no = (f"{word}-1", "R1") if in_order_number else ("1", f"{word}-R1")
    sandbox.caller.pay("/order/scan_pay", our_no)

    status, body = sandbox.caller.refund(order_no=sandbox.caller.order(our_no)["no"], outer_refund_no=refund_no)
    seen = [body["data"]["refund"]["status"] if status == 200 else status]
    for _ in range(4 if status == 200 else 0):
        sandbox.clock.pass_by(1)
        _, body = sandbox.caller.send("GET", "/refund", {"outer_refund_no": refund_no})
        if body["data"]["info"]["status"] != seen[-1]:
            seen.append(body["data"]["info"]["status"])

    assert seen == states


@pytest.mark.parametrize(("word", "left"), [("REFUND-WAIT", "60"), ("REFUND-BOUNCE", "100")])
def test_a_refund_on_its_way_holds_its_amount_until_it_fails(sandbox: Any, word: str, left: str) -> None:
    sandbox.caller.pay("/alipay/scan_pay", f"{word}-1")
    number = sandbox.caller.order(f"{word}-1", "/alipay/order")["payment_no"]
    sandbox.caller.refund("/alipay/refund", payment_no=number, refund_amount="40", outer_refund_no="R1")
    during = sandbox.caller.order(f"{word}-1", "/alipay/order")

    sandbox.clock.pass_by(3)

    after = sandbox.caller.order(f"{word}-1", "/alipay/order")
    assert (during["refundable_amount"], during["refund_status"]) == ("60", "None")
    assert (after["refundable_amount"], after["refund_status"]) == (left, "PART" if left == "60" else "None")
