"""The sandbox notifies over real HTTP: a payment is PAID long before anybody would have asked for it."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.serving import make_server

from customs.container import Services
from customs.ops.standalone import keep_key_pair
from customs.payments.models import Notification
from tests import make
from tests.api.conftest import Erp
from tests.journeys.gateway import SandboxGateway, running_gateway
from tests.payments.test_journeys import Shop, in_state

NEVER = 600.0


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("notifier")
    keep_key_pair(home, "gateway")
    return home


@pytest.fixture(scope="module")
def gateway(home: Path) -> Iterator[SandboxGateway]:
    with running_gateway(home) as gateway:
        yield gateway


@pytest.fixture
def shop(services: Services, gateway: SandboxGateway, home: Path, client: FlaskClient, erp: Erp) -> Iterator[Shop]:
    """A shop that asks for nothing by itself, with a door at which the gateway can knock."""
    server = make_server("127.0.0.1", 0, client.application, threaded=True)
    services.settings = replace(
        services.settings,
        base_url=gateway.url,
        public_url=f"http://127.0.0.1:{server.server_port}",
        private_key_file=gateway.private_key_file,
        public_key_file=home / "gateway_public.pem",
        poll_seconds=0.05,
        payment_poll_seconds=NEVER,
    )
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    job_handlers = services.job_handlers
    yield Shop(gateway, erp, job_handlers)
    job_handlers.close()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("word", ["SHOP", "NOTIFY-LATE", "NOTIFY-TWICE", "NOTIFY-FORGED"])
def test_what_the_payer_has_paid_is_reported(shop: Shop, services: Services, word: str):
    payment = shop.pay(out_order_no=make.number(f"{word}-"))

    shop.payer_pays(payment)

    shop.wait_until(f"/payments/{payment['id']}", in_state("PAID"))
    with services.reading() as db:
        assert db.scalar(select(func.count()).select_from(Notification)) == 1


def test_what_is_reported_before_the_call_returns_is_asked_for(shop: Shop):
    payment = shop.pay(out_order_no=make.number("NOTIFY-EARLY-"))

    shop.wait_until(f"/payments/{payment['id']}", in_state("PAID"))


def test_what_waits_for_the_payment_goes_out_when_it_is_reported(shop: Shop):
    payment = shop.pay()
    declared = shop.declare(payment, submit="when_paid")

    shop.payer_pays(payment)

    shop.wait_until(f"/declarations/{declared['id']}", in_state("SUCCESS"))
