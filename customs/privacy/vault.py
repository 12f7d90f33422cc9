"""Vault for names and ID numbers: encrypted with AES-256-GCM under named keys, found by a blind index."""

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from customs.errors import DecryptionKeyMissing
from customs.gateway.declaration_request import Buyer

NONCE_BYTES = 12
TOKEN_VERSION = "v1"  # noqa: S105 - a format's name, no secret

# Made once: json.dumps would make it anew for every one of thousands of buyers.
_as_json = json.JSONEncoder(ensure_ascii=False).encode


class Vault:
    """Encrypts and decrypts texts. The first of `pii_keys` encrypts, all decrypt; a key's id is derived from it.

    `place` is the row and column a text belongs to: a token moved elsewhere cannot be decrypted.
    """

    def __init__(self, pii_keys: Sequence[str], index_secret: str) -> None:
        derived = [_derive(key, "customs names and id numbers") for key in pii_keys]
        self._ciphers = {_key_id(key): AESGCM(key) for key in derived}
        self._first = next(iter(self._ciphers))
        self._index_key = _derive(index_secret, "customs blind index")

    def seal(self, text: str, place: str) -> str:
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ciphers[self._first].encrypt(nonce, text.encode(), place.encode())
        return f"{TOKEN_VERSION}.{self._first}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, token: str, place: str) -> str:
        """Decrypt a token made for `place`.

        Raises DecryptionKeyMissing when its key is missing or the token was altered.
        """
        _, key_id, body = token.split(".")
        return self._opened(key_id, base64.urlsafe_b64decode(body), place).decode()

    def seal_file(self, content: bytes, place: str) -> bytes:
        """Encrypt a file as bytes: base64 would make it a third longer."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ciphers[self._first].encrypt(nonce, content, place.encode())
        return b"".join((f"{TOKEN_VERSION}.{self._first}.".encode(), nonce, sealed))

    def open_file(self, token: bytes, place: str) -> bytes:
        """Decrypt a file made for `place`; raises DecryptionKeyMissing as `open` does."""
        _, key_id, raw = token.split(b".", 2)
        return self._opened(key_id.decode(), raw, place)

    def _opened(self, key_id: str, raw: bytes, place: str) -> bytes:
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise DecryptionKeyMissing(f"a name or ID number needs the key {key_id}: add it to CUSTOMS_PII_KEYS")
        try:
            return cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], place.encode())
        except InvalidTag as error:
            raise DecryptionKeyMissing(f"a name or ID number at {place} was altered") from error

    def is_current(self, token: str | bytes) -> bool:
        """Whether the token was encrypted with the first key."""
        beginning = f"{TOKEN_VERSION}.{self._first}."
        return token.startswith(beginning) if isinstance(token, str) else token.startswith(beginning.encode())

    def index(self, text: str) -> str:
        """Return the blind index of a text: equal for equal texts, and one-way."""
        return hmac.digest(self._index_key, text.encode(), "sha256").hex()[:32]

    def seal_buyer(self, buyer: Buyer, declaration_id: str) -> str:
        return self.seal(_as_json([buyer.name, buyer.cert_id]), _buyer_place(declaration_id))

    def open_buyer(self, token: str | None, declaration_id: str) -> Buyer | None:
        if token is None:
            return None
        name, cert_id = json.loads(self.open(token, _buyer_place(declaration_id)))
        return Buyer(name=name, cert_id=cert_id)


def _buyer_place(declaration_id: str) -> str:
    return f"declarations.buyer:{declaration_id}"


def _derive(secret: str, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(secret.encode())


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"key id" + key).hexdigest()[:8]
