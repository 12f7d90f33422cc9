"""One signed call to the gateway: checked against the table, sent once, understood or raised."""

import time
from collections.abc import Callable, Mapping

from requests import PreparedRequest, Response
from requests.exceptions import RequestException
from requests.structures import CaseInsensitiveDict
from urllib3 import Timeout
from urllib3.exceptions import HTTPError

from customs.gateway.answers import understand
from customs.gateway.endpoints import Endpoint, check
from customs.gateway.errors import GatewayError, Misuse, NotSent, Unknown
from customs.gateway.exchange import Exchange, Reply
from customs.gateway.signing import Signer, signing_text
from customs.gateway.transport import NotConnectedError, TimedAdapter

BODY_LIMIT = 1024 * 1024
CHUNK = 64 * 1024


class TooLargeError(Exception):
    """The answer's body is over the limit."""


class Gateway:
    """A client for one agent at one gateway, to be shared between threads.

    It never sends twice, follows no redirect and uses no proxy. `timeout` (seconds of wall clock) bounds a
    call from connecting to the last byte, name resolution aside. `ca_bundle` is a file or folder of
    certificates to trust instead of the built-in ones. `now` is Unix time for the Timestamp header (2.4).
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
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._signer = signer
        self._timeout = Timeout(total=timeout)
        self._verify: bool | str = ca_bundle or True
        self._now = now
        self._headers = {
            "AgentNo": agent_no,
            "Version": version,
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "customs-desk",
        }
        # Without a Session around it, which would add cookies, redirects, the environment, and CPU.
        self._adapter = TimedAdapter(pool_size)

    def call(self, endpoint: Endpoint, params: Mapping[str, str]) -> Reply:
        """Sends the parameters once; raises a GatewayError for everything that is no success."""
        request = self._prepare(endpoint, params)
        started = time.monotonic()

        def exchange(status: int | None, content: bytes = b"") -> Exchange:
            duration_ms = round((time.monotonic() - started) * 1000)
            text = content.decode("utf-8", "replace").replace("\0", "\ufffd")
            return Exchange(endpoint.method, endpoint.path, dict(params), status, text, duration_ms)

        status: int | None = None
        try:
            response = self._adapter.send(
                request,
                stream=True,
                timeout=self._timeout,  # type: ignore[arg-type]  # documented by requests, missing in its types
                verify=self._verify,
            )
            status = response.status_code
            content = _content(response)
        except NotConnectedError as error:
            raise NotSent(str(error), exchange=exchange(None)) from None
        except (RequestException, HTTPError, OSError, TooLargeError) as error:
            raise _lost(error, exchange(status)) from None
        return understand(exchange(status, content), response.headers, content)

    def close(self) -> None:
        """Closes the pooled connections."""
        self._adapter.close()

    def _prepare(self, endpoint: Endpoint, params: Mapping[str, str]) -> PreparedRequest:
        if not endpoint.signed:
            raise Misuse(f"{endpoint.path} is opened by the payer's browser ({endpoint.section})")
        if faults := check(endpoint, params):
            raise Misuse(f"{endpoint.name}: {'; '.join(faults)}")
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


def _content(response: Response) -> bytes:
    """The body to its end, so that a truncated one is noticed, unless it is too large."""
    content = b""
    while chunk := response.raw.read(CHUNK, decode_content=False):
        content += chunk
        if len(content) > BODY_LIMIT:
            response.close()
            raise TooLargeError("the answer is over 1 MiB")
    return content


def _lost(error: Exception, exchange: Exchange) -> GatewayError:
    # The error's own text repeats the URL and with it the parameters; its class says enough.
    return Unknown(f"the answer was lost: {type(error).__name__}", exchange=exchange)
