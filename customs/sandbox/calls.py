"""Calls of the sandbox: verified (2 and 3), read under one name for each number, answered in the envelope (1).

Signatures are checked with `rsa`, from the document, sharing nothing with the side that signs,
so that no mistake hides in both.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from flask import Request, Response

from customs.gateway.endpoints import Endpoint, check
from customs.sandbox.channels import BY_ENDPOINT

OUR_NUMBER = ("agent_order_id", "out_order_no", "outer_order_no")


@dataclass(frozen=True)
class Call:
    """`endpoint` is its name in the table, `root` the sandbox's own address; `numbers`: Version 2.0 was asked for."""

    endpoint: str
    params: Mapping[str, str]
    numbers: bool
    root: str

    @property
    def channel(self) -> str:
        return BY_ENDPOINT[self.endpoint].name

    @property
    def our_no(self) -> str:
        """The order's number of ours, "" when there is none."""
        return next((self.params[name] for name in OUR_NUMBER if name in self.params), "")

    def numbered(self) -> dict[str, str]:
        """The numbers, under the names by which the ledger's log keeps them."""
        back = self.params.get("outer_refund_no") or self.params.get("refund_no") or self.params.get("sub_order_no")
        theirs = self.params.get("payment_no") or self.params.get("order_no")
        named = {"payment_no": theirs, "out_order_no": self.our_no, "sub_order_no": back}
        return {name: number for name, number in named.items() if number}


@dataclass(frozen=True)
class Answer:
    """One reply before it goes out: the HTTP status, and the JSON object or the `file` that is its body."""

    status: int
    body: Mapping[str, Any]
    file: bytes | None = None

    @property
    def raw(self) -> bytes:
        return json.dumps(self.body, ensure_ascii=False).encode() if self.file is None else self.file

    @property
    def mimetype(self) -> str:
        return "application/json" if self.file is None else "text/plain"

    def response(self, **headers: str) -> Response:
        """The reply on the wire; header names are written with `_` for `-`."""
        response = Response(self.raw, status=self.status, content_type=self.mimetype)
        for name, value in headers.items():
            response.headers[name.replace("_", "-")] = value
        return response


def answered(data: Mapping[str, Any]) -> Answer:
    """A success: the record stands in `data`."""
    return answered_beside(data=data)


def answered_beside(**named: Any) -> Answer:
    """A success: what is named stands beside `meta` (4.10, 6.7, 6.8)."""
    return Answer(200, {"meta": {"status_code": 200, "message": "OK", "success": True}, **named})


def refused(status: int, message: str) -> Answer:
    """A refusal in the words of section 3; `message` names parameters, never their values."""
    return Answer(status, {"meta": {"status_code": status, "message": message, "success": False}, "data": {}})


class Refused(Exception):
    """The gateway refuses a call: `status` is of section 3, `reason` one word for the ledger."""

    def __init__(self, status: int, message: str, reason: str = "content") -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.answer = refused(status, message)


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
