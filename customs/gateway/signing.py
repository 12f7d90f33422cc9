"""Signatures as the document's Python 2 sample makes them (2.2), and the check of the gateway's (10.3)."""

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Self
from urllib.parse import quote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from customs.gateway.errors import UnreadableKey
from customs.gateway.keys import read_private_key, read_public_key

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
