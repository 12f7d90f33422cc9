"""Connections that know two things `requests` does not tell: that nothing was sent yet, and when time is up.

A read timeout counts from byte to byte, so a server that drips could hold a thread for hours; and a failed
TLS handshake looks like a connection that broke after the request had left. Responses are read piece by piece.
"""

import functools
import http.client
import io
import socket
import time
from collections.abc import Iterator, Mapping
from typing import Any, cast

from requests import Response
from requests.adapters import HTTPAdapter
from requests.exceptions import RequestException
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from customs.gateway.endpoints import Endpoint
from customs.gateway.errors import GatewayError, Unknown
from customs.gateway.exchange import Exchange


class NotConnectedError(Exception):
    """No connection came about; not a byte of the request has left."""


class TimedReader(io.RawIOBase):
    """Reads a socket until the deadline (monotonic seconds), however slowly the bytes come."""

    def __init__(self, sock: socket.socket, stream: io.RawIOBase, deadline: float) -> None:
        self._sock = sock
        self._stream = stream
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the answer took too long")
        self._sock.settimeout(remaining)
        return cast("int | None", self._stream.readinto(buffer))

    def close(self) -> None:
        self._stream.close()
        super().close()


class TimedResponse(http.client.HTTPResponse):
    """An answer whose status line, headers and body all have to arrive before one deadline."""

    def __init__(self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, *, deadline: float) -> None:
        super().__init__(sock, debuglevel, method)
        # The detached stream keeps the socket open after a `Connection: close`, so it stays underneath.
        self.fp = io.BufferedReader(TimedReader(sock, self.fp.detach(), deadline))


class TimedConnection(HTTPConnection):
    """A connection whose `timeout`, when the answer is awaited, is what is left of the whole call's time."""

    def connect(self) -> None:
        try:
            super().connect()
        except (OSError, HTTPError) as error:
            raise NotConnectedError(str(error)) from None

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 itself overrides http.client
        deadline = time.monotonic() + (self.timeout or 0.0)
        self.response_class = functools.partial(TimedResponse, deadline=deadline)  # type: ignore[assignment]
        return super().getresponse()


class TimedTLSConnection(TimedConnection, HTTPSConnection):
    """The same over TLS; a refused certificate or a failed handshake is NotConnectedError."""


class TimedPool(HTTPConnectionPool):
    ConnectionCls = TimedConnection


class TimedTLSPool(HTTPSConnectionPool):
    ConnectionCls = TimedTLSConnection


class TimedAdapter(HTTPAdapter):
    """Pools timed connections; neither retries nor redirects, and takes no proxy from the environment."""

    def __init__(self, pool_size: int) -> None:
        super().__init__(pool_connections=1, pool_maxsize=pool_size, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": TimedPool, "https": TimedTLSPool}


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
