"""Connections that know two things `requests` does not tell: that nothing was sent yet, and when time is up.

A read timeout counts from byte to byte, so a server that drips could hold a thread for hours; and a failed
TLS handshake looks like a connection that broke after the request had left.
"""

import functools
import http.client
import io
import socket
import time
from typing import Any, cast

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError


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
