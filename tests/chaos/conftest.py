"""Fixtures of the long runs: a gateway for all crash points."""

from collections.abc import Iterator

import pytest

from tests.journeys.gateway import SandboxGateway, running_gateway


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxGateway]:
    with running_gateway(tmp_path_factory.mktemp("gateway")) as running:
        yield running
