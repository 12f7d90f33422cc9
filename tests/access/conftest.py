"""What tests of people stand on: the staff of a desk on either database."""

import pytest

from customs.wiring import Services
from tests.access.staff import Staff


@pytest.fixture
def staff(services: Services) -> Staff:
    return Staff(services)
