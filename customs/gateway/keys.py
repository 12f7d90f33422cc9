"""Load RSA keys in the forms people have: PEM, DER, or the base64 of DER; name what else is there."""

import base64
import binascii
import re
from collections.abc import Iterator

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_der_public_key,
    load_ssh_private_key,
)

from customs.gateway.errors import UnreadableKey

BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
NO_BASE64 = re.compile(r"\\[nr]|\s")
PROTECTED = (
    "the private key has a passphrase, which nobody can type here: "
    "write it without one (`openssl rsa -in FILE -out NEW`), and keep that file to its owner (mode 600)"
)
NO_RSA = "is not an RSA key, which the gateway wants (2.1)"


def read_private_key(content: bytes) -> RSAPrivateKey:
    """Our key out of a file. Raises UnreadableKey, saying what was there instead."""
    for label, der in _blocks(content):
        if "ENCRYPTED" in label:
            raise UnreadableKey(PROTECTED)
        key = _private(label, der)
        if isinstance(key, RSAPrivateKey):
            return key
        if key is not None:
            raise UnreadableKey(f"the private key {NO_RSA}")
    if any(_public(der) for _, der in _blocks(content)):
        raise UnreadableKey("this is a public key or a certificate: the private key of the same pair is needed")
    raise UnreadableKey("no private key can be read: PEM (PKCS#1 or PKCS#8), DER, or the base64 of DER is expected")


def read_public_key(content: bytes) -> RSAPublicKey:
    """The other side's key out of a file, or of its certificate. Raises UnreadableKey, saying what was there."""
    for _, der in _blocks(content):
        key = _public(der)
        if isinstance(key, RSAPublicKey):
            return key
        if key is not None:
            raise UnreadableKey(f"the public key {NO_RSA}")
    if "PRIVATE KEY" in _text(content) or any(_private(label, der) for label, der in _blocks(content)):
        raise UnreadableKey("this is a private key: the public key that the gateway handed out is needed")
    raise UnreadableKey("no public key can be read: PEM, DER, the base64 of DER, or a certificate is expected")


def _blocks(content: bytes) -> Iterator[tuple[str, bytes]]:
    """What may be a key, in DER, with its label in PEM: every block, else the whole."""
    text = _text(content)
    found = BLOCK.findall(text)
    for label, body in found:
        protected = "ENCRYPTED " if "ENCRYPTED" in body.partition("\n\n")[0] else ""
        yield f"{protected}{label}", _decoded(body) or b""
    if not found:
        yield "", _decoded(text) or content


def _text(content: bytes) -> str:
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return content.decode(encoding, errors="replace").replace("\r\n", "\n")


def _decoded(body: str) -> bytes | None:
    try:
        return base64.b64decode(NO_BASE64.sub("", body), validate=True)
    except (binascii.Error, ValueError):
        return None


def _private(label: str, der: bytes) -> object | None:
    """Any private key; None for what is none. Raises UnreadableKey for one with a passphrase."""
    try:
        if label == "OPENSSH PRIVATE KEY":
            body = base64.encodebytes(der)
            pem = b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + body + b"-----END OPENSSH PRIVATE KEY-----\n"
            return load_ssh_private_key(pem, password=None)
        return load_der_private_key(der, password=None)
    except TypeError as error:
        raise UnreadableKey(PROTECTED) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        if "password" in str(error).lower() and "encrypted" in str(error).lower():
            raise UnreadableKey(PROTECTED) from error
        return None


def _public(der: bytes) -> object | None:
    """Any public key, also a certificate's; None for what is none."""
    try:
        return load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        pass
    try:
        return x509.load_der_x509_certificate(der).public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None
