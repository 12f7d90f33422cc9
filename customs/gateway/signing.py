"""Signatures as the document's Python 2 sample makes them (2.2), the check of the gateway's (10.3), and RSA keys."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self
from urllib.parse import quote

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
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


# Most values are numbers and words of the document: nothing of them is encoded.
UNRESERVED = re.compile(r"[A-Za-z0-9_.-]*")


def _encoded(text: str) -> str:
    if UNRESERVED.fullmatch(text):
        return text
    # Python 2, in which the sample is written, encodes `~`; Python 3 leaves it.
    return quote(text, safe="").replace("~", "%7E")


def encoded_pairs(params: Mapping[str, str]) -> str:
    """The parameters as they are signed and sent (2.2): encoded, sorted by name, ASCII.

    Raises UnicodeEncodeError for text that UTF-8 cannot carry (a lone surrogate).
    """
    return "&".join(f"{_encoded(name)}={_encoded(params[name])}" for name in sorted(params))


def signing_text(params: Mapping[str, str], timestamp: str) -> bytes:
    """The bytes to sign for a request (2.2): the encoded pairs, a comma, the timestamp. Raises as they do."""
    return f"{encoded_pairs(params)},{timestamp}".encode("ascii")


def notification_text(params: Mapping[str, str], timestamp: str) -> bytes:
    """The bytes that the gateway signed for a notification (10.3)."""
    # 10.3 signs the raw values, unlike 2.2 which signs the encoded ones.
    pairs = "&".join(f"{name}={params[name]}" for name in sorted(params))
    return f"{pairs},{timestamp}".encode()


class Signer:
    """Signs with our RSA key, in any form that `read_private_key` takes; load it once and share it between threads.

    Raises UnreadableKey. Loading checks the whole key, which costs some 50 ms.
    """

    def __init__(self, private_key: bytes) -> None:
        self._key = read_private_key(private_key)

    @classmethod
    def from_file(cls, path: str | Path) -> Self:
        """Reads the file; raises UnreadableKey, also when there is no such file."""
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise UnreadableKey(f"the private key file {path} cannot be read: {error.strerror}") from error
        return cls(content)

    def sign(self, text: bytes) -> str:
        """RSA PKCS#1 v1.5 over SHA-256, base64: the Signature header."""
        return base64.b64encode(self._key.sign(text, PKCS1v15(), SHA256())).decode("ascii")


class Verifier:
    """Checks signatures with the gateway's RSA key; raises UnreadableKey as `read_public_key` does."""

    def __init__(self, public_key: bytes) -> None:
        self._key = read_public_key(public_key)

    def verify(self, text: bytes, signature_b64: str) -> bool:
        """Whether the signature is the key's over exactly this text; what is no base64 is no signature."""
        try:
            signature = base64.b64decode(signature_b64, validate=True)
            if base64.b64encode(signature) != signature_b64.encode("ascii"):
                # The last letter has spare bits: without this, other texts would count as the same signature.
                return False
            self._key.verify(signature, text, PKCS1v15(), SHA256())
        except (ValueError, InvalidSignature):
            return False
        return True
