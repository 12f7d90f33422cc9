"""The staff of a desk, for commands about them."""

from tests.auth.conftest import staff  # noqa: F401
