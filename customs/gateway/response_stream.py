"""Read the response to one request piece by piece."""

import time
from collections.abc import Iterator, Mapping

from requests import Response
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from customs.gateway.endpoints import Endpoint
from customs.gateway.errors import GatewayError, Unknown
from customs.gateway.exchange import Exchange

CHUNK = 64 * 1024
LOST = (RequestException, HTTPError, OSError)
# The gateway refuses in JSON, a proxy in HTML; a file (8) is any other text, whatever its header says.
NO_FILE_BEGINNINGS = (b"{", b"[", b"<")


class ResponseStream:
    """A request and its response as far as it has come; `response` is None until it begins."""

    def __init__(self, endpoint: Endpoint, params: Mapping[str, str]) -> None:
        self._endpoint = endpoint
        self._params = dict(params)
        self._started = time.monotonic()
        self.response: Response | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        return self.response.headers if self.response is not None else {}

    def exchange(self, content: bytes = b"") -> Exchange:
        """Both sides' words so far, with what is known of the body."""
        duration_ms = round((time.monotonic() - self._started) * 1000)
        status = self.response.status_code if self.response is not None else None
        text = content.decode("utf-8", "replace").replace("\0", "\ufffd")
        return Exchange(self._endpoint.method, self._endpoint.path, self._params, status, text, duration_ms)

    def piece(self) -> bytes:
        """The next piece of the body, empty at its end; raises Unknown when it breaks off or time is up."""
        assert self.response is not None
        try:
            piece: bytes = self.response.raw.read(CHUNK, decode_content=False)
        except LOST as error:
            raise self.lost(error) from None
        return piece

    def pieces(self, limit: int, beginning: bytes = b"") -> Iterator[bytes]:
        """The body to its end, so that a truncated one is noticed; raises Unknown beyond `limit` bytes."""
        assert self.response is not None
        size = 0
        try:
            piece = beginning or self.piece()
            while piece:
                size += len(piece)
                if size > limit:
                    raise Unknown(f"the answer is over {limit} bytes", exchange=self.exchange())
                yield piece
                piece = self.piece()
        finally:
            # A connection of which the rest was not read serves nobody else.
            self.response.close()

    def brings_file(self, beginning: bytes) -> bool:
        """Whether the body that begins so is a file and not the gateway's JSON or somebody's page."""
        assert self.response is not None
        return (
            self.response.status_code == 200
            and self.headers.get("Content-Encoding", "identity") == "identity"
            and not beginning.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(NO_FILE_BEGINNINGS)
        )

    def lost(self, error: Exception) -> GatewayError:
        """An answer that did not come whole."""
        # The error's own text repeats the URL and with it the parameters; its class says enough.
        return Unknown(f"the answer was lost: {type(error).__name__}", exchange=self.exchange())
