"""Send a signed call to the gateway: checked against the table, sent once, parsed or raised."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import BinaryIO

from requests import PreparedRequest
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import Timeout

from customs.gateway.endpoints import Endpoint, check
from customs.gateway.error_mapping import understand
from customs.gateway.errors import ClockSkew, Misuse, NotSent, Unknown
from customs.gateway.exchange import Exchange, Reply
from customs.gateway.signing import Signer, signing_text
from customs.gateway.transport import LOST, NotConnectedError, ResponseStream, TimedAdapter

BODY_LIMIT = 1024 * 1024
BILL_LIMIT = 64 * 1024 * 1024


class Gateway:
    """A client for one agent at one gateway, to be shared between threads.

    It never sends twice, follows no redirect and uses no proxy. `timeout` (seconds of wall clock) bounds a
    call from connecting to the last byte, name resolution aside. `ca_bundle` is a file or folder of
    certificates to trust instead of the built-in ones. `now` is Unix time for the Timestamp header (2.4), `adapter`
    what carries requests.
    """

    def __init__(
        self,
        base_url: str,
        agent_no: str,
        signer: Signer,
        *,
        version: str = "1.0",
        timeout: float = 15.0,
        pool_size: int = 32,
        ca_bundle: str | None = None,
        now: Callable[[], float] = time.time,
        adapter: BaseAdapter | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._signer = signer
        self._timeout = Timeout(total=timeout)
        self._verify: bool | str = ca_bundle or True
        self._now = now
        self._headers = {
            "AgentNo": agent_no,
            "Version": version,
            "Accept": "application/json, text/plain",
            "Accept-Encoding": "identity",
            "User-Agent": "customs-desk",
        }
        # Without a Session around it, which would add cookies, redirects, the environment, and CPU.
        self._adapter = adapter or TimedAdapter(pool_size)

    def call(self, endpoint: Endpoint, params: Mapping[str, str]) -> Reply:
        """Sends the parameters once; raises a GatewayError for everything that is no success."""
        try:
            return _understood(self._ask(endpoint, params, self._timeout))
        except ClockSkew as error:
            error.our_time = datetime.fromtimestamp(self._now(), UTC)
            raise

    def download(
        self,
        endpoint: Endpoint,
        params: Mapping[str, str],
        sink: BinaryIO,
        *,
        limit: int = BILL_LIMIT,
        timeout: float | None = None,
    ) -> Exchange:
        """Sends the parameters once and writes the file that comes back (8) into `sink`, as it is.

        Raises a GatewayError for everything that is no file of at most `limit` bytes within `timeout` seconds; what
        `sink` holds is then no whole file. The exchange's `reply` is empty: the file is not kept twice. An error of
        the sink itself is raised as it is.
        """
        stream = self._ask(endpoint, params, self._timeout if timeout is None else Timeout(total=timeout))
        beginning = stream.piece()
        if not stream.brings_file(beginning):
            _understood(stream, beginning)
            raise Unknown("a success without a file", exchange=stream.exchange())
        for piece in stream.pieces(limit, beginning):
            sink.write(piece)
        return stream.exchange()

    def close(self) -> None:
        """Closes the pooled connections."""
        self._adapter.close()

    def _ask(self, endpoint: Endpoint, params: Mapping[str, str], timeout: Timeout) -> ResponseStream:
        """Sends the parameters and waits until an answer begins."""
        request = self._prepare(endpoint, params)
        stream = ResponseStream(endpoint, params)
        try:
            stream.response = self._adapter.send(
                request,
                stream=True,
                timeout=timeout,  # type: ignore[arg-type]  # documented by requests, missing in its types
                verify=self._verify,
            )
        except NotConnectedError as error:
            raise NotSent(str(error), exchange=stream.exchange()) from None
        except LOST as error:
            raise stream.lost(error) from None
        return stream

    def _prepare(self, endpoint: Endpoint, params: Mapping[str, str]) -> PreparedRequest:
        if not endpoint.signed:
            raise Misuse(f"{endpoint.path} is opened by the payer's browser ({endpoint.section})")
        if errors := check(endpoint, params):
            raise Misuse(f"{endpoint.name}: {'; '.join(errors)}")
        timestamp = str(int(self._now()))
        try:
            text = signing_text(params, timestamp)
        except UnicodeEncodeError:
            raise Misuse(f"{endpoint.name}: a value is not valid Unicode") from None
        # What was signed, less the timestamp, is what is sent: nothing encodes a second time.
        pairs = text.rpartition(b",")[0]

        request = PreparedRequest()
        request.method = endpoint.method
        request.url = self._base_url + endpoint.path
        request.headers = CaseInsensitiveDict(self._headers)
        request.headers["Timestamp"] = timestamp
        request.headers["Signature"] = self._signer.sign(text)
        if endpoint.method == "GET":
            request.url += "?" + pairs.decode("ascii")
        else:
            request.body = pairs
            request.headers["Content-Type"] = "application/x-www-form-urlencoded"
            request.headers["Content-Length"] = str(len(pairs))
        return request


def _understood(stream: ResponseStream, beginning: bytes = b"") -> Reply:
    content = b"".join(stream.pieces(BODY_LIMIT, beginning))
    return understand(stream.exchange(content), stream.headers, content)
