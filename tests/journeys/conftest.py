"""Fixtures of the journeys: a gateway, a small deployment for one journey, a full one for each database."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from customs.db import database
from customs.ops import migrate
from tests.journeys.deployment import Deployment
from tests.journeys.gateway import SandboxGateway, running_gateway
from tests.postgresql import drop_database, new_database


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxGateway]:
    with running_gateway(tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture
def small(sqlite_url: str, tmp_path: Path, gateway: SandboxGateway) -> Iterator[Deployment]:
    """A deployment on SQLite in which nothing runs yet; without Redis a worker drains by itself."""
    with Deployment(tmp_path, sqlite_url, gateway) as deployment:
        yield deployment


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def lasting_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database of its own for all journeys of one file."""
    if request.param == "sqlite":
        migrated = request.getfixturevalue("migrated_file")
        yield f"sqlite:///{shutil.copy(migrated, tmp_path_factory.mktemp('lasting') / 'customs.db')}"
        return
    url = new_database(request.getfixturevalue("cluster"))
    engine = database.connect(url)
    migrate.upgrade(engine)
    engine.dispose()
    yield url
    drop_database(url)
