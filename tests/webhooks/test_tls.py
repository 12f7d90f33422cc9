"""Over TLS to the address that was checked: the certificate must still be the name's."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from customs.webhooks.sending import Sender
from customs.webhooks.targets import Resolver
from tests.webhooks.receiver import listening


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and key for erp.localhost, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "erp")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("erp.localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "erp.pem"
    private = serialization.PrivateFormat.PKCS8
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption())
    )
    return file


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
