"""A courier on a fresh database, and somebody who is told."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from customs.container import Services
from tests.api.conftest import client, erp, key_for, limited, stranger  # noqa: F401
from tests.payments.till import Till
from tests.product import Desk
from tests.webhooks.courier import Courier
from tests.webhooks.receiver import Receiver, listening


@pytest.fixture
def services(services: Services) -> Services:
    """In sandbox mode, where this machine may be told."""
    services.settings = replace(services.settings, sandbox=True)
    return services


@pytest.fixture
def courier(services: Services) -> Courier:
    return Courier(services)


@pytest.fixture
def till(services: Services, desk: Desk) -> Till:
    return Till(services, desk)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as one:
        yield one


@pytest.fixture
def other() -> Iterator[Receiver]:
    with listening() as one:
        yield one
