"""Receivers that hang: declarations go on at their pace, with few threads as with many, and nobody's is lost."""

import threading
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from customs.container import Services
from customs.declarations.models import Declaration
from customs.declarations.states import State
from customs.events.outbox import EventType
from tests import make
from tests.journeys.gateway import SandboxGateway, running_gateway
from tests.journeys.processes import wait_until
from tests.product import Desk
from tests.webhooks.courier import Courier
from tests.webhooks.receiver import Receiver, hang, status


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory):
    with running_gateway(tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def declared(services: Services) -> int:
    with services.reading() as db:
        return db.scalar(select(func.count(Declaration.id)).where(Declaration.state == State.SUCCESS)) or 0


@pytest.mark.parametrize("threads", [1, 3])
def test_receivers_that_hang_hold_no_declaration_up(
    services: Services, desk: Desk, courier: Courier, receiver: Receiver, gateway: SandboxGateway, threads: int
):
    """All of a second batch is declared while not one of the receivers' requests has come back."""
    receiver.answer = hang(receiver)
    endpoints = [courier.listen(f"{receiver.url}/{n}", EventType.DECLARATION_SUCCEEDED) for n in range(4)]
    services.settings = replace(
        services.settings,
        base_url=gateway.url,
        private_key_file=gateway.private_key_file,
        gateway_concurrency=threads,
        poll_seconds=0.05,
    )
    stopping = threading.Event()
    worker = threading.Thread(target=work, args=(services, stopping))
    worker.start()
    try:
        desk.take_in(*(make.declaration_row() for _ in range(3)))
        wait_until(lambda: declared(services) == 3 and bool(receiver.heard), "receivers hang over the first batch")

        desk.take_in(*(make.declaration_row() for _ in range(9)))
        wait_until(lambda: declared(services) == 12, "the second batch is declared")
        published = [one for endpoint in endpoints for one in courier.deliveries(endpoint) if one.attempt_count]
    finally:
        receiver.answer = status(204)
        receiver.over.set()
        stopping.set()
        worker.join()

    assert published == []


def work(services: Services, stopping: threading.Event) -> None:
    """As a worker without a queue does."""
    while not stopping.is_set():
        services.job_handlers.drain(30.0, stopping.is_set)
        stopping.wait(0.1)
    services.job_handlers.close()
