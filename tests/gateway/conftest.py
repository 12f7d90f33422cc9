"""The key that signs in the gateway's tests, loaded once."""

from pathlib import Path

import pytest

from customs.gateway import Signer


@pytest.fixture(scope="session")
def signer() -> Signer:
    return Signer.from_file(Path(__file__).parent / "keys" / "pkcs1.pem")
