"""A till on a fresh database, and the API before a gateway that says what a test tells it to."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from customs.container import Services
from customs.ops.standalone import keep_key_pair
from tests.api.conftest import client, erp, key_for, limited, stranger  # noqa: F401
from tests.gateway.loopback import answer, listening
from tests.payments.shop import Counter
from tests.payments.till import Till
from tests.product import Desk


@pytest.fixture
def till(services: Services, desk: Desk) -> Till:
    return Till(services, desk)


@pytest.fixture
def counter(services: Services, tmp_path: Path) -> Iterator[Counter]:
    """A gateway on loopback, to which this deployment speaks."""
    keep_key_pair(tmp_path, "agent")
    with listening(answer("{}")) as loopback:
        services.settings = replace(services.settings, base_url=loopback.url, gateway_timeout_seconds=5.0)
        yield Counter(loopback)
