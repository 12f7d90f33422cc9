"""One signed request to an endpoint: to an address that was looked at, once, within one deadline, no redirects.

Signatures are those of Standard Webhooks: HMAC-SHA256 over id, time and body, one for each secret in use.
"""

import base64
import hmac
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, Timeout
from urllib3.exceptions import HTTPError

from customs.gateway.transport import NotConnectedError, TimedPool, TimedTLSPool
from customs.webhooks.ssrf_guard import Resolver, Target, TargetRefused, read_target

BODY_LIMIT = 16 * 1024
KEPT_CHARACTERS = 2000
MOST_ADDRESSES = 3
LOST = (HTTPError, OSError)
PREFIX = "whsec_"
SECRET_BYTES = 32
HEADERS = {
    "Content-Type": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": "customs-desk",
    "Connection": "close",
}


@dataclass(frozen=True)
class Answer:
    """What an attempt came to. `status`: None when no answer began, and then `error` says why.

    `was_sent` is False when the attempt was not made at all and does not count.
    """

    status: int | None = None
    duration_ms: int = 0
    response: str | None = field(default=None, repr=False)
    error: str | None = None
    retry_after: str | None = None
    was_sent: bool = True


class Sender:
    """Posts to endpoints. `loopback`: whether this machine may be reached; `ca_bundle`: whom to trust instead."""

    def __init__(
        self, *, timeout: float, loopback: bool, resolver: Resolver | None = None, ca_bundle: str | None = None
    ) -> None:
        self._timeout = timeout
        self._loopback = loopback
        self._resolver = resolver or Resolver()
        self._ca_bundle = ca_bundle or DEFAULT_CA_BUNDLE_PATH

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send once; every way it can end is an Answer."""
        started = time.monotonic()
        deadline = started + self._timeout
        try:
            target = read_target(url, loopback=self._loopback)
            addresses = self._resolver.addresses(target, self._timeout, loopback=self._loopback)
        except TargetRefused as error:
            return Answer(error=f"not sent: {error}", duration_ms=_since(started))
        why = "not connected"
        for address in addresses[:MOST_ADDRESSES]:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            try:
                return self._posted(target, address, headers, body, left, started)
            except NotConnectedError:
                continue
            except LOST as lost:
                # Its own text repeats the URL, which may hold a secret.
                why = f"the answer was lost: {type(lost).__name__}"
                break
        return Answer(error=why, duration_ms=_since(started))

    def _posted(
        self, target: Target, address: str, headers: Mapping[str, str], body: bytes, seconds: float, started: float
    ) -> Answer:
        with self._pool(target, address) as pool:
            response = pool.urlopen(
                "POST",
                target.path,
                body=body,
                headers={**HEADERS, "Host": target.authority, **headers},
                retries=False,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
                decode_content=False,
                timeout=Timeout(total=seconds),
            )
            text = _beginning(response)
            return Answer(response.status, _since(started), text, retry_after=response.headers.get("Retry-After"))

    def _pool(self, target: Target, address: str) -> HTTPConnectionPool:
        """Return a connection to that very address: what the name resolves to next does not matter."""
        if target.scheme == "http":
            return TimedPool(address, target.port, maxsize=1)
        name = None if target.is_literal else target.host
        return TimedTLSPool(
            address,
            target.port,
            maxsize=1,
            cert_reqs="CERT_REQUIRED",
            ca_certs=self._ca_bundle,
            server_hostname=name,
            assert_hostname=target.host,
        )


def _beginning(response: BaseHTTPResponse) -> str:
    """Return as much of a body as is kept; the status is known, whatever becomes of the rest."""
    content = b""
    try:
        while len(content) < BODY_LIMIT and (piece := response.read(4096, decode_content=False)):
            content += piece
    except LOST:
        pass
    finally:
        response.close()
    return content.decode("utf-8", "replace").replace("\0", "\ufffd")[:KEPT_CHARACTERS]


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def new_secret() -> str:
    """Return a fresh secret as its owner sees it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(message_id: str, timestamp: int, body: bytes, keys: Sequence[str]) -> dict[str, str]:
    """Return the three headers of one attempt; `timestamp` is Unix time in seconds."""
    content = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(key, content) for key in keys),
    }


def _signature(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, content, "sha256")).decode()
