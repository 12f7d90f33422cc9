"""What tests of people stand on: the staff of a desk on either database."""

import pytest

from customs.container import Services
from tests.auth.staff import Staff


@pytest.fixture
def staff(services: Services) -> Staff:
    return Staff(services)
