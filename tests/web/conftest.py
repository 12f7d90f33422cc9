"""One crowded desk for each file of tests that asks for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from customs.config import read_settings
from customs.container import Services
from tests import make
from tests.conftest import SIGNING_KEY
from tests.web.crowded import Crowd, crowded


@pytest.fixture(scope="module")
def crowd(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    """On one database: how views answer is the same on the other, and what that refuses is refused here too."""
    home = tmp_path_factory.mktemp("crowded")
    file = home / "customs.db"
    file.write_bytes(migrated_file.read_bytes())
    environment = {
        "CUSTOMS_HOME": str(home),
        "CUSTOMS_DATABASE_URL": f"sqlite:///{file}",
        "CUSTOMS_REDIS_URL": f"unix://{home}/nobody.sock",
        "WISECASHIER_BASE_URL": "http://127.0.0.1:9",
        "WISECASHIER_PRIVATE_KEY_FILE": str(SIGNING_KEY),
    }
    services = Services(read_settings(make.SECRETS | environment))
    with crowded(services) as crowd:
        yield crowd
    services.engine.dispose()


@pytest.fixture
def fresh_crowd(crowd: Crowd) -> Iterator[Crowd]:
    """The desk for a test that may spoil it."""
    assert crowd.boss.get("/account").status_code == 200
    yield crowd
    crowd.put_back()
