"""Who calls, and is it the document's call (sections 2 and 3)?

Written from the document with `rsa`, sharing nothing with the side that signs: no mistake hides in both.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from flask import Request

from customs.gateway.endpoints import Endpoint, check
from customs.sandbox.calls import Refused

VERSION = "1.0"
# 4.9 shows a Version 2.0 too: the payment side knows it, section 9 does not.
NUMBERS_VERSION = "2.0"
WINDOW_SECONDS = 300
MOST_PARAMETERS = 100
FORM = "application/x-www-form-urlencoded"
UNENCODED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")


@dataclass(frozen=True)
class Gate:
    """Lets a call in when agent, time, signature and parameters are right; `now` gives Unix seconds."""

    agent_no: str
    key: rsa.PublicKey
    now: Callable[[], float]

    def admit(self, endpoint: Endpoint, request: Request) -> dict[str, str]:
        """The parameters of a call that may be processed.

        Raises Refused: 400 version, form or parameters, 403 agent, 411 timestamp, 401 signature.
        """
        headers = request.headers
        if headers.get("Version") not in versions(endpoint):
            raise Refused(400, f"the header Version is not {' or '.join(versions(endpoint))}", "parameters")
        if headers.get("AgentNo") != self.agent_no:
            raise Refused(403, "the AgentNo is not known here", "agent")
        timestamp = headers.get("Timestamp", "")
        if not (timestamp.isascii() and timestamp.isdigit()):
            raise Refused(411, "the Timestamp is not Unix time in seconds", "timestamp")
        if abs(self.now() - int(timestamp)) > WINDOW_SECONDS:
            raise Refused(411, f"the Timestamp is over {WINDOW_SECONDS} seconds away from our clock", "timestamp")
        params = self._single(sent_parameters(request))
        if not self._signed(params, timestamp, headers.get("Signature", "")):
            raise Refused(401, "the Signature does not fit the parameters and the Timestamp", "signature")
        if errors := check(endpoint, params):
            raise Refused(400, "; ".join(errors), "parameters")
        return params

    def _single(self, pairs: list[tuple[str, str]]) -> dict[str, str]:
        params = dict(pairs)
        if len(params) < len(pairs):
            twice = sorted({name for name, _ in pairs if sum(name == other for other, _ in pairs) > 1})
            raise Refused(400, f"sent more than once: {', '.join(twice)}", "parameters")
        return params

    def _signed(self, params: Mapping[str, str], timestamp: str, signature: str) -> bool:
        try:
            raw = base64.b64decode(signature, validate=True)
            # rsa.verify accepts whatever hash the signature names: the document names SHA-256.
            return bool(rsa.verify(signed_text(params, timestamp), raw, self.key) == "SHA-256")
        except (binascii.Error, ValueError, rsa.VerificationError):
            return False


def versions(endpoint: Endpoint) -> tuple[str, ...]:
    """Those that an endpoint knows."""
    return (VERSION,) if endpoint.section.startswith("9.") else (VERSION, NUMBERS_VERSION)


def sent_parameters(request: Request) -> list[tuple[str, str]]:
    """Names and values as they were sent (2.2): the query string of a GET, the form of a POST."""
    sent = request.query_string
    if request.method == "POST":
        if sent:
            raise Refused(400, "a POST carries its parameters in the form, not in the address", "parameters")
        if request.mimetype != FORM:
            raise Refused(400, f"a POST is sent as {FORM}", "parameters")
        sent = request.get_data()
    try:
        return parse_qsl(
            sent.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(sent),
            errors="strict",
            max_num_fields=MOST_PARAMETERS,
        )
    except ValueError as error:
        raise Refused(400, "the parameters cannot be read as URL-encoded UTF-8", "parameters") from error


def signed_text(params: Mapping[str, str], timestamp: str) -> bytes:
    """The text of 2.2: encoded pairs sorted by name, a comma, the Timestamp."""
    pairs = (f"{encoded(name)}={encoded(params[name])}" for name in sorted(params))
    return f"{'&'.join(pairs)},{timestamp}".encode("ascii")


def encoded(text: str) -> str:
    """Percent-encoding as the document's Python 2 sample does it: there `~` is encoded too."""
    return "".join(chr(byte) if byte in UNENCODED else f"%{byte:02X}" for byte in text.encode())


def load_public_key(pem: bytes) -> rsa.PublicKey:
    """The caller's key, PKCS#1 or SubjectPublicKeyInfo. Raises ValueError when it is neither."""
    # Read by another library than the one that verifies, which has no one error for a key that is broken.
    try:
        key = load_pem_public_key(pem)
    except ValueError as error:
        raise ValueError("the caller's key (--agent-key) is no public key in PEM") from error
    if not isinstance(key, RSAPublicKey):
        raise ValueError("the caller's key (--agent-key) is not an RSA key")
    numbers = key.public_numbers()
    return rsa.PublicKey(numbers.n, numbers.e)
