"""The product on one database: what is documented is the same on the other."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from customs.config import read_settings
from customs.container import Services
from tests import make


@pytest.fixture
def services(sqlite_url: str, tmp_path: Path) -> Iterator[Services]:
    environment = {"CUSTOMS_HOME": str(tmp_path), "CUSTOMS_DATABASE_URL": sqlite_url}
    services = Services(read_settings(make.SECRETS | environment))
    yield services
    services.engine.dispose()
