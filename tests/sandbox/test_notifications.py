"""Notifications of a paid order (10): content, signature, retries, and the table of words, walked."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from customs.sandbox.payment_scenarios import NOTIFICATION_SCENARIOS

from .receiver import Receiver, listening

# Typed from 10.2.
FIELDS = """status openid trade_type exchange_rate no currency amount trade_time pay_currency pay_amount
agent_order_id"""
# After how many steps what was heard, and whether it was rightly signed.
HEARD = {
    "": [(0, True)],
    "NOTIFY-LATE": [(10, True)],
    "NOTIFY-EARLY": [(0, True)],
    "NOTIFY-TWICE": [(0, True), (1, True)],
    "NOTIFY-FORGED": [(0, False), (1, True)],
    "NOTIFY-NEVER": [],
}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as receiver:
        yield receiver


def test_every_word_is_walked() -> None:
    assert {scenario.word for scenario in NOTIFICATION_SCENARIOS} == HEARD.keys()


@pytest.mark.parametrize("path", ["/order/scan_pay", "/alipay/scan_pay"])
def test_a_notification_says_what_the_document_lists(
    sandbox: Any, receiver: Receiver, gateway_key: rsa.RSAPrivateKey, path: str
) -> None:
    sandbox.caller.pay(path, notify_url=receiver.url)

    sandbox.notifier.work()

    (heard,) = receiver.heard
    assert heard.form.keys() == set(FIELDS.split())
    assert (heard.form["status"], heard.form["amount"], heard.form["agent_order_id"]) == ("PAID", "100", "1")
    assert (heard.headers["AgentNo"], heard.headers["Version"]) == ("123456", "1.0")
    assert heard.is_signed_by(gateway_key.public_key())


def test_an_altered_notification_is_not_signed(
    sandbox: Any, receiver: Receiver, gateway_key: rsa.RSAPrivateKey
) -> None:
    sandbox.caller.pay("/order/scan_pay", notify_url=receiver.url)
    sandbox.notifier.work()
    (heard,) = receiver.heard

    heard.form["amount"] = "1"

    assert not heard.is_signed_by(gateway_key.public_key())


@pytest.mark.parametrize(("word", "expected"), HEARD.items())
def test_a_word_decides_when_and_how_it_is_reported(
    sandbox: Any, receiver: Receiver, gateway_key: rsa.RSAPrivateKey, word: str, expected: list[tuple[int, bool]]
) -> None:
    sandbox.caller.pay("/order/scan_pay", f"{word}-1", notify_url=receiver.url)

    heard = []
    for step in range(15):
        sandbox.notifier.work()
        heard += [(step, one.is_signed_by(gateway_key.public_key())) for one in receiver.heard]
        receiver.heard.clear()
        sandbox.clock.pass_by(1)

    assert heard == expected


@pytest.mark.parametrize("path", ["/order/scan_pay", "/alipay/scanned_pay"])
def test_an_early_one_comes_before_the_reply_to_the_create(sandbox: Any, receiver: Receiver, path: str) -> None:
    statuses: list[str] = []
    query = "/alipay/order" if path.startswith("/alipay/") else "/order"
    receiver.meanwhile = lambda: statuses.append(sandbox.caller.order("NOTIFY-EARLY-1", query)["status"])

    status, _ = sandbox.caller.pay(path, "NOTIFY-EARLY-1", notify_url=receiver.url)

    assert (status, statuses) == (200, ["PAID"])


@pytest.mark.parametrize("answer", [(200, "fail"), (200, ""), (200, "successful"), (500, "success"), (302, "success")])
def test_it_is_reported_again_with_growing_delays_until_success(
    sandbox: Any, receiver: Receiver, answer: tuple[int, str]
) -> None:
    receiver.answers = [answer, answer, answer, (200, " success\n")]
    sandbox.caller.pay("/order/scan_pay", notify_url=receiver.url)

    steps = []
    for step in range(40):
        if sandbox.notifier.work():
            steps.append(step)
        sandbox.clock.pass_by(1)

    assert steps == [0, 2, 6, 14]
    assert [one["done"] for one in sandbox.ledger()["notifications"]] == [True]


def test_an_early_one_of_an_order_that_is_paid_later_is_reported_then(sandbox: Any, receiver: Receiver) -> None:
    sandbox.caller.pay("/order/scanned_pay", "PAY-AUTO-1-NOTIFY-EARLY", notify_url=receiver.url)

    before = len(receiver.heard)
    sandbox.clock.pass_by(3)

    assert (before, sandbox.notifier.work(), len(receiver.heard)) == (0, 1, 1)


def test_nobody_is_reported_of_what_is_not_paid(sandbox: Any, receiver: Receiver) -> None:
    sandbox.caller.pay("/order/scanned_pay", "PAY-FAIL-1", notify_url=receiver.url)
    sandbox.caller.pay("/order/scanned_pay", "2", notify_url=receiver.url)
    sandbox.payer(our_no="2", status="EXPIRED")

    sandbox.clock.pass_by(100)

    assert (sandbox.notifier.work(), receiver.heard) == (0, [])


def test_a_payment_that_nobody_asks_about_is_reported_when_it_is_paid(sandbox: Any, receiver: Receiver) -> None:
    sandbox.caller.pay("/order/scanned_pay", "PAY-AUTO-1", notify_url=receiver.url)
    before = sandbox.notifier.work()

    sandbox.clock.pass_by(3)

    assert (before, sandbox.notifier.work(), len(receiver.heard)) == (0, 1, 1)


@pytest.mark.parametrize(
    "url",
    [
        "http://192.168.0.1/notify",
        "http://169.254.169.254/",
        "http://example.com/notify",
        "http://127.1/notify",
        "http://0x7f.1/notify",
        "http://localhost.example.com/",
        "http://0.0.0.0/",
    ],
)
def test_only_this_machine_is_called(sandbox: Any, url: str) -> None:
    sandbox.caller.pay("/order/scan_pay", notify_url=url)

    sandbox.notifier.work()

    (row,) = sandbox.ledger()["notifications"]
    assert (row["done"], row["attempts"][0]["outcome"]) == (True, "not called: no loopback address")


def test_without_a_gateway_key_nothing_is_sent(make_sandbox: Any, receiver: Receiver) -> None:
    sandbox = make_sandbox(gateway_private_key=None)
    sandbox.caller.pay("/order/scan_pay", notify_url=receiver.url)

    sandbox.notifier.work()

    assert receiver.heard == []
    assert sandbox.ledger()["notifications"][0]["attempts"][0]["outcome"].startswith("not sent")


def test_a_killed_sandbox_tells_after_its_restart(
    serve_sandbox: Any, receiver: Receiver, gateway_key: rsa.RSAPrivateKey, tmp_path: Path
) -> None:
    receiver.answers = [(500, "")]
    with serve_sandbox(tmp_path / "ledger.db") as first:
        first.caller.pay("/order/scanned_pay", notify_url=receiver.url)
        requests.post(f"{first.url}/control/pay", json={"our_no": "1"}, timeout=5)
        _wait(lambda: receiver.heard)
        first.process.kill()
        first.process.wait(5)
    receiver.answers = [(200, "success")]
    with serve_sandbox(tmp_path / "ledger.db") as second:
        _wait(lambda: requests.get(f"{second.url}/ledger", timeout=5).json()["notifications"][0]["done"])

    assert all(one.is_signed_by(gateway_key.public_key()) for one in receiver.heard)


def _wait(for_what: Any, seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not for_what():
        assert time.monotonic() < end
        time.sleep(0.05)
