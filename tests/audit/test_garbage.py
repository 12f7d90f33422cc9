"""SQLite keeps any value in any column: one that is none of its kind is tampering, and breaks no look at the trail."""

import pytest

from customs.audit.hash_chain import ChainDefect
from tests.audit.trails import Trail


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """PostgreSQL keeps no such values."""
    return sqlite_url


@pytest.mark.parametrize(
    "garbage",
    ["at = 'noon'", "at = 5", "detail = '{'", "detail = 'null'", "detail = X'ff'", "actor = X'00'", "hash = X'00'"],
)
@pytest.mark.parametrize("number", [1, 6, 9])
def test_a_value_that_is_none_is_found(trail: Trail, garbage: str, number: int):
    trail.fill(9)
    trail.tamper(f"UPDATE audit_entries SET {garbage} WHERE number = :number", number=number)

    verdict = trail.verify()

    assert (verdict.what, verdict.first_bad, verdict.entries) == (ChainDefect.ALTERED, number, number - 1)
