"""Signatures as the document's Python 2 sample makes them (2.2), and the check of the gateway's (10.3)."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Self
from urllib.parse import quote

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from customs.gateway.errors import UnreadableKey


def _encoded(text: str) -> str:
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
    """Signs with our RSA key (PKCS#1 or PKCS#8 PEM, no password); load it once and share it between threads.

    Raises UnreadableKey. Loading checks the whole key, which costs some 50 ms.
    """

    def __init__(self, private_key_pem: bytes) -> None:
        try:
            key = load_pem_private_key(private_key_pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise UnreadableKey("the private key is not an unprotected PEM key") from None
        if not isinstance(key, RSAPrivateKey):
            raise UnreadableKey("the private key is not an RSA key")
        self._key = key

    @classmethod
    def from_file(cls, path: str | Path) -> Self:
        """Reads the PEM file; raises UnreadableKey, also when there is no such file."""
        try:
            pem = Path(path).read_bytes()
        except OSError as error:
            raise UnreadableKey(f"the private key file {path} cannot be read: {error.strerror}") from error
        return cls(pem)

    def sign(self, text: bytes) -> str:
        """RSA PKCS#1 v1.5 over SHA-256, base64: the Signature header."""
        return base64.b64encode(self._key.sign(text, PKCS1v15(), SHA256())).decode("ascii")


class Verifier:
    """Checks signatures with the gateway's RSA key (SubjectPublicKeyInfo or PKCS#1 PEM), or UnreadableKey."""

    def __init__(self, public_key_pem: bytes) -> None:
        try:
            key = load_pem_public_key(public_key_pem)
        except (ValueError, UnsupportedAlgorithm):
            raise UnreadableKey("the public key is not a PEM key") from None
        if not isinstance(key, RSAPublicKey):
            raise UnreadableKey("the public key is not an RSA key")
        self._key = key

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
