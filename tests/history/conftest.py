"""A trail on a fresh database, and the API before it."""

import pytest

from customs.wiring import Services
from tests.api.conftest import client, erp, key_for  # noqa: F401
from tests.history.trails import Trail


@pytest.fixture
def trail(services: Services) -> Trail:
    return Trail(services)
