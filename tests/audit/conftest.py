"""A trail on a fresh database, and the API before it."""

import pytest

from customs.container import Services
from tests.api.conftest import client, erp, key_for  # noqa: F401
from tests.audit.trails import Trail


@pytest.fixture
def trail(services: Services) -> Trail:
    return Trail(services)
