"""Payments from their beginning to their end through the sandbox over real HTTP, with declarations and refunds."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests

from customs.container import Services
from customs.gateway import METHODS, Method
from customs.jobs.dispatcher import JobHandlers
from tests import make
from tests.api.conftest import Erp
from tests.journeys.gateway import SandboxGateway, running_gateway
from tests.patience import PATIENCE_SECONDS
from tests.payments.collect.test_create import METHOD_IDS, row_for
from tests.payments.till import payment_row


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxGateway]:
    with running_gateway(tmp_path_factory.mktemp("gateway")) as gateway:
        yield gateway


@pytest.fixture
def shop(services: Services, gateway: SandboxGateway, erp: Erp) -> Iterator["Shop"]:
    services.settings = replace(
        services.settings,
        base_url=gateway.url,
        private_key_file=gateway.private_key_file,
        poll_seconds=0.05,
        payment_poll_seconds=0.05,
        unknown_grace_seconds=0.2,
    )
    job_handlers = services.job_handlers
    yield Shop(gateway, erp, job_handlers)
    job_handlers.close()


class Shop:
    """A shop with its API key; work is done when it waits for something."""

    def __init__(self, gateway: SandboxGateway, erp: Erp, job_handlers: JobHandlers) -> None:
        self.gateway = gateway
        self.erp = erp
        self._desks = job_handlers

    def pay(self, **changes: Any) -> dict[str, Any]:
        answered = self.erp.post("/payments", payment_row(**changes))
        assert answered.status_code == 201, answered.text
        return answered.json

    def paid(self, word: str = "", **changes: Any) -> dict[str, Any]:
        """A payment by a code that was shown; `word` decides its scenario at the sandbox."""
        number = make.number(f"{word or 'SHOP'}-")
        return self.pay(method="scan_pay", auth_code="135605691981176449", out_order_no=number, **changes)

    def refund(self, payment: dict[str, Any], **asked: str) -> dict[str, Any]:
        answered = self.erp.post(f"/payments/{payment['id']}/refunds", {"reason": "sold out"} | asked)
        assert answered.status_code == 201, answered.text
        return answered.json

    def declare(self, payment: dict[str, Any], **changes: Any) -> dict[str, Any]:
        numbers = {name: payment[name] for name in ("payment_no", "out_order_no")}
        return self.erp.declare(**numbers | {"buyer": make.buyer_row()} | changes)

    def payer_pays(self, payment: dict[str, Any], status: str = "PAID") -> None:
        body = {"our_no": payment["out_order_no"], "status": status}
        requests.post(f"{self.gateway.url}/control/pay", json=body, timeout=10).raise_for_status()

    def wait_until(self, path: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Work until what the API shows there is so."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds(shown := self.erp.get(path).json):
            assert time.monotonic() < deadline, shown
            self._desks.drain(0.5)
            time.sleep(0.02)
        return shown


def in_state(state: str) -> Callable[[dict[str, Any]], bool]:
    return lambda shown: shown.get("state", shown.get("status")) == state


@pytest.mark.parametrize("method", METHODS, ids=METHOD_IDS)
def test_every_method_is_created_as_the_gateway_wants_it(shop: Shop, method: Method):
    payment = shop.pay(**dict.fromkeys(payment_row()) | row_for(method, currency="HKD"))

    assert payment["explanation"] is None
    kind = payment["payer"]["kind"] if payment["payer"] else "nothing"
    assert kind == method.need.kind


def test_the_gateways_page_takes_a_cashier_desk_and_the_payment_is_paid(shop: Shop):
    payment = shop.pay(method="cashier_desk", return_url="https://shop.test/back", extra={"basket": "7 & 8"})

    page = requests.get(payment["payer"]["url"], timeout=10)
    shop.payer_pays(payment)

    assert page.status_code == 200, page.text
    assert shop.wait_until(f"/payments/{payment['id']}", in_state("PAID"))["payment_no"]


def test_a_tampered_cashier_desk_is_never_paid(shop: Shop):
    payment = shop.pay(method="cashier_desk", return_url="https://shop.test/back")
    requests.get(payment["payer"]["url"].replace("amount=100.00", "amount=0.01"), timeout=10).raise_for_status()
    shop.payer_pays(payment)

    def was_asked(shown: dict[str, Any]) -> bool:
        return any("another" in event["detail"].get("message", "") for event in shown["data"])

    shop.wait_until(f"/payments/{payment['id']}/events", was_asked)
    assert shop.erp.get(f"/payments/{payment['id']}").json["status"] == "INIT"


def test_a_declaration_goes_out_when_the_payer_has_paid(shop: Shop):
    payment = shop.pay()
    declared = shop.declare(payment, submit="when_paid")
    before = shop.gateway.calls(payment["payment_no"])

    shop.payer_pays(payment)

    shown = shop.wait_until(f"/declarations/{declared['id']}", in_state("SUCCESS"))
    assert declared["waiting_for"] == "payment"
    assert not [call for call in before if "declar" in call["endpoint"]]
    assert shown["needs_review"] is False


def test_a_declaration_ends_with_a_payment_that_nobody_made(shop: Shop):
    payment = shop.pay()
    declared = shop.declare(payment, submit="when_paid")

    shop.payer_pays(payment, "EXPIRED")

    shown = shop.wait_until(f"/declarations/{declared['id']}", lambda shown: shown["cancelled"])
    assert shown["case"]["reason"] == "its payment is EXPIRED"


def test_a_refund_after_declaring_waits_for_a_person(shop: Shop):
    payment = shop.paid()
    declared = shop.declare(payment)
    shop.wait_until(f"/declarations/{declared['id']}", in_state("SUCCESS"))

    refund = shop.refund(payment, amount="40.00")

    shop.wait_until(f"/refunds/{refund['id']}", in_state("SUCCESS"))
    shown = shop.erp.get(f"/declarations/{declared['id']}").json
    assert (shown["state"], shown["needs_review"]) == ("SUCCESS", True)
    dismissed = shop.erp.post(f"/declarations/{declared['id']}/dismiss", {"reason": "customs was told"})
    assert (dismissed.status_code, dismissed.json["needs_review"]) == (200, False)


def test_a_refund_under_way_is_asked_for_until_it_is_done(shop: Shop):
    payment = shop.paid("REFUND-WAIT")

    refund = shop.refund(payment)

    shown = shop.wait_until(f"/refunds/{refund['id']}", in_state("SUCCESS"))
    assert refund["status"] == "PENDING"
    assert shown["refund_no"]


@pytest.mark.parametrize("word", ["REFUND-BOUNCE", "REFUND-DENY", "REFUND-POOR"])
def test_a_refund_that_does_not_happen_leaves_its_amount(shop: Shop, word: str):
    payment = shop.paid(word)

    refund = shop.refund(payment, amount="40.00")

    assert shop.wait_until(f"/refunds/{refund['id']}", in_state("FAIL"))["explanation"]
    assert shop.erp.get(f"/payments/{payment['id']}").json["refundable_amount"] == "100.00"


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("PAY-AUTO", "PAID"),
        ("PAY-STRANGE", "PAID"),
        ("PAY-FAIL", "FAIL"),
        ("PAY-EXPIRE", "EXPIRED"),
        ("PAY-REFUSE", "FAIL"),
        ("PAY-BIZ555", "FAIL"),
    ],
)
def test_every_fate_of_a_payment_ends_as_it_should(shop: Shop, word: str, status: str):
    payment = shop.pay(out_order_no=make.number(f"{word}-"))

    shown = shop.wait_until(f"/payments/{payment['id']}", in_state(status))

    assert shown["next_action"] is None


def test_the_rate_of_both_channels_is_reported(shop: Shop):
    rates = [
        shop.erp.get("/rates", channel=channel, currency="HKD", merchant_no=make.MERCHANT).json
        for channel in ("wechatpay", "alipay")
    ]

    assert all(float(rate["rate"]) > 0 and rate["age_seconds"] == 0 for rate in rates)
