"""Over TLS to the address that was checked: the certificate must still be the name's."""

import ssl
from pathlib import Path

import pytest

from customs.webhooks.http_sender import Sender
from customs.webhooks.ssrf_guard import Resolver
from tests.certificates import self_signed
from tests.webhooks.receiver import listening


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and key for erp.localhost, in one file."""
    return self_signed(tmp_path_factory.mktemp("tls"), "erp.localhost")


@pytest.mark.parametrize(
    ("host", "trusted", "status"),
    [("erp.localhost", True, 204), ("other.localhost", True, None), ("erp.localhost", False, None)],
    ids=["its own name", "another name", "signed by nobody we trust"],
)
def test_the_certificate_is_checked_for_the_name_and_not_for_the_address(
    certificate: Path, host: str, trusted: bool, status: int | None
):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with listening(context) as receiver:
        port = receiver.url.rpartition(":")[2].partition("/")[0]
        bundle = str(certificate) if trusted else None
        resolver = Resolver(lambda *_: ["127.0.0.1"])
        sender = Sender(timeout=2.0, loopback=True, resolver=resolver, ca_bundle=bundle)

        answer = sender.post(f"https://{host}:{port}/hook", {}, b"{}")

    assert answer.status == status
    assert len(receiver.heard) == (1 if status else 0)
    assert (answer.error is None) is (status is not None)
