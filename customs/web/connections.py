"""HTTP connections that hold no thread: a request is read completely before one is used; each wait has a deadline.

waitress reads requests and writes answers on one thread, with poll. Added here is what it leaves open: how long a
client may take, which connection ends when there are too many, and that a request ends where its sender says.
"""

import socket
import struct
import time
from collections.abc import Mapping
from contextlib import suppress
from enum import Enum, auto
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.receiver import ChunkedReceiver
from waitress.server import TcpWSGIServer
from waitress.task import WSGITask
from waitress.utilities import BadRequest, Error, RequestEntityTooLarge

from customs.web.json_body import LARGEST_BODY

LONGEST_CHUNK_LINE = 4096
# Each may hold a temporary file too, and a process has 1,024 descriptors where nobody gave it more.
MOST_CONNECTIONS = 400
# Bytes of incomplete requests, in memory and temporary files, of all connections together.
MOST_BUFFERED = 512 * 1024 * 1024
# A client slower than this has used up the seconds of its stage; a faster one gets as many again.
SLOWEST_BYTES_PER_SECOND = 16 * 1024
FAREWELL_SECONDS = 5.0
# SO_LINGER of an abortive close: what was not sent yet is discarded.
ABORT = struct.pack("ii", 1, 0)
LOOPBACK = ("127.0.0.1", "::1", "::ffff:127.0.0.1")


class Stage(Enum):
    """Stage of a connection: what it waits for."""

    IDLE = auto()
    ASKING = auto()
    WORKING = auto()
    ANSWERING = auto()
    LEAVING = auto()


# How many seconds each may last without enough bytes that move. Our own work has no deadline here.
PATIENCE = {
    Stage.IDLE: 65.0,
    Stage.ASKING: 20.0,
    Stage.WORKING: float("inf"),
    Stage.ANSWERING: 20.0,
    Stage.LEAVING: FAREWELL_SECONDS,
}


class ShortLineReceiver(ChunkedReceiver):  # type: ignore[misc]
    """Receiver of a chunked body that refuses long lines between the chunks."""

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        if max(len(self.control_line), len(self.trailer)) > LONGEST_CHUNK_LINE:
            self.error = BadRequest("a line between two chunks is too long")
        return consumed


class DiskFull(Error):  # type: ignore[misc]
    """No room on the disk for a body; the sender may try again."""

    code = 503
    reason = "Service Unavailable"


class Request(HTTPRequestParser):  # type: ignore[misc]
    """Parser of a request: refused where two readers could disagree about its end; one too large is not read.

    A request that is too large reaches the application with its length and without its body, to be refused there.
    """

    body_rcv: Any
    error: Any
    is_left_unread = False

    def received(self, data: bytes) -> int:
        try:
            consumed: int = super().received(data)
        except OSError as error:
            # The temporary file of its body.
            self.error, self.completed, consumed = DiskFull(error.strerror), True, len(data)
        if isinstance(self.error, RequestEntityTooLarge):
            self._leave_unread()
        if self.error or self.is_left_unread:
            # Nobody knows where what follows begins.
            self.headers["CONNECTION"] = "close"
        if self.headers_finished and (self.error or self.is_left_unread or self.body_rcv is None):
            # Nobody is asked to send what will not be read.
            self.expect_continue = False
        return consumed

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        if self.version not in ("1.0", "1.1"):
            raise ParsingError("HTTP/1.0 and HTTP/1.1 are spoken here")
        # The library takes this header out when it obeys it, which it does not below HTTP/1.1.
        if "TRANSFER_ENCODING" in self.headers:
            raise ParsingError("Transfer-Encoding came with HTTP/1.0")
        if self.chunked:
            if "CONTENT_LENGTH" in self.headers:
                raise ParsingError("Transfer-Encoding and Content-Length came both")
            self.body_rcv = ShortLineReceiver(self.body_rcv.getbuf())

    def _leave_unread(self) -> None:
        self.close()
        self.error, self.body_rcv, self.is_left_unread = None, None, True
        self.headers["CONTENT_LENGTH"] = str(max(self.content_length, LARGEST_BODY + 1))


class Task(WSGITask):  # type: ignore[misc]
    """One request on its way through the application."""

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        # The proxy that brings the certificate stands on this machine; from elsewhere anybody could say so.
        if self.channel.addr[0] in LOOPBACK and self.request.headers.get("X_FORWARDED_PROTO") == "https":
            environ["wsgi.url_scheme"] = "https"
        return environ

    def build_response_header(self) -> bytes:
        if self.channel.server.is_stopping:
            self.set_close_on_finish()
        header: bytes = super().build_response_header()
        return header


class Connection(HTTPChannel):  # type: ignore[misc]
    """Connection of one client: how long it has been at its stage, and how many bytes moved meanwhile."""

    parser_class = Request
    task_class = Task

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._stage, self._since, self._moved = Stage.ASKING, time.monotonic(), 0
        self._was_served = self._has_unread = self._is_leaving = False
        super().__init__(*args, **kwargs)

    @property
    def stage(self) -> Stage:
        if self._is_leaving:
            return Stage.LEAVING
        if self.total_outbufs_len:
            return Stage.ANSWERING
        if self.requests:
            return Stage.WORKING
        return Stage.ASKING if self.request is not None or not self._was_served else Stage.IDLE

    @property
    def since(self) -> float:
        """Return when this stage was first seen, on the monotonic clock."""
        return self._since

    @property
    def buffered(self) -> int:
        """Return the bytes received of a body that is not complete yet."""
        request = self.request
        return request.body_bytes_received if request is not None else 0

    def check_deadlines(self, now: float) -> None:
        """End the connection when it took longer than it may."""
        stage, passed = self.stage, now - self._since
        is_late = stage is self._stage and passed > self.server.patience[stage]
        if is_late and self._moved < passed * SLOWEST_BYTES_PER_SECOND:
            self.end()
        elif is_late or stage is not self._stage:
            self._stage, self._since, self._moved = stage, now, 0

    def end(self) -> None:
        """Close, whether or not the client takes what is on its way to it."""
        if self.stage is Stage.ANSWERING:
            # The system would go on offering it.
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        # Not by `will_close`, which waits until the client can be written to.
        self.handle_close()

    def service(self) -> None:
        request = self.requests[0]
        self._has_unread = request.is_left_unread or bool(request.error)
        super().service()
        self._was_served = True
        # The next request of this connection has its own time, however short it was idle.
        self._since, self._moved = time.monotonic(), 0

    def readable(self) -> bool:
        return self._is_leaving or bool(super().readable())

    def writable(self) -> bool:
        return self.will_close or (not self._is_leaving and bool(super().writable()))

    def handle_read(self) -> None:
        if not self._is_leaving:
            super().handle_read()
            return
        with suppress(OSError):
            # An end of the stream closes the connection; whatever else comes is thrown away.
            self.recv(self.adj.recv_bytes)

    def handle_close(self) -> None:
        """Close; where the client still sends, say first that nothing more comes from here.

        Closed at once, the connection would be reset, and the answer lost with it.
        """
        if self._has_unread and not self._is_leaving and self.connected:
            self._is_leaving, self.will_close = True, False
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)
                return
        super().handle_close()

    def recv(self, buffer_size: int) -> bytes:
        data: bytes = super().recv(buffer_size)
        self._moved += len(data)
        return data

    def send(self, data: bytes, do_close: bool = True) -> int:
        sent: int = super().send(data, do_close=do_close)
        self._moved += sent
        return sent


class Listener(TcpWSGIServer):  # type: ignore[misc]
    """One address that is listened on, and its connections."""

    channel_class = Connection
    patience: Mapping[Stage, float] = PATIENCE
    is_stopping = False

    def check_deadlines(self, now: float) -> None:
        """End who took too long, who has waited longest when there are too many, and who makes us buffer most."""
        for one in list(self.active_channels.values()):
            one.check_deadlines(now)
        waiting = [one for one in list(self.active_channels.values()) if one.stage is not Stage.WORKING]
        for one in sorted(waiting, key=lambda one: one.since)[: max(len(self.active_channels) - MOST_CONNECTIONS, 0)]:
            one.end()
        if sum(one.buffered for one in waiting) > MOST_BUFFERED:
            max(waiting, key=lambda one: one.buffered).end()

    def leave(self) -> None:
        """Take no new connection, and answer those there are once more."""
        self.is_stopping, self.accepting = True, False
        wasyncore.dispatcher.close(self)

    def end_idle(self) -> None:
        """End connections that ask for nothing at this moment."""
        for one in list(self.active_channels.values()):
            if one.stage in (Stage.IDLE, Stage.ASKING) and one.request is None:
                one.end()
