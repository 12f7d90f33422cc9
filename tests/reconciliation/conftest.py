"""The till and the API before a gateway that says what a test tells it to."""

from tests.payments.conftest import client, counter, erp, key_for, limited, stranger, till  # noqa: F401
