"""HTTP connections that hold no thread: a request is read whole before one is spent, and every wait has a deadline.

waitress reads requests and writes answers on one thread, with poll. Here stands what it leaves open: how long a
client may take, which connection ends when there are too many, and that a request ends where its sender says.
"""

import errno
import socket
import struct
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import Enum, auto
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.receiver import ChunkedReceiver
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher, WSGITask
from waitress.utilities import BadRequest, Error, RequestEntityTooLarge

from customs.web.json_body import LARGEST_BODY

LARGEST_HEADERS = 64 * 1024
# What every page consists of is smaller: it reaches a browser also when a disk is full.
LARGEST_ANSWER_IN_MEMORY = 4 * 1024 * 1024
LONGEST_CHUNK_LINE = 4096
# Each may hold a temporary file too, and a process has 1,024 descriptors where nobody gave it more.
MOST_CONNECTIONS = 400
# What was received of requests that are not whole yet lies in memory and temporary files; all together no more.
MOST_BUFFERED = 512 * 1024 * 1024
# Whoever moves less than this within the seconds of a stage has used them up; who moves more gets as many again.
SLOWEST_BYTES_PER_SECOND = 16 * 1024
LOOK_SECONDS = 1.0
NEVER = 2**31
FAREWELL_SECONDS = 5.0
# An abortive close: what was not sent yet is thrown away.
ABORT = struct.pack("ii", 1, 0)
LOOPBACK = ("127.0.0.1", "::1", "::ffff:127.0.0.1")


class Stage(Enum):
    """What a connection waits for."""

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


class Chunks(ChunkedReceiver):  # type: ignore[misc]
    """A chunked body whose lines between the chunks are as short as they have to be."""

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        if max(len(self.control_line), len(self.trailer)) > LONGEST_CHUNK_LINE:
            self.error = BadRequest("a line between two chunks is too long")
        return consumed


class NoRoom(Error):  # type: ignore[misc]
    """A disk has no room for a body; the sender may try again."""

    code = 503
    reason = "Service Unavailable"


class Request(HTTPRequestParser):  # type: ignore[misc]
    """A request as it is read: refused where two readers could disagree about its end; too large, it goes unread.

    What is too large reaches the application without its body, and with its length: there it is refused as ever.
    """

    body_rcv: Any
    error: Any
    is_left_unread = False

    def received(self, data: bytes) -> int:
        try:
            consumed: int = super().received(data)
        except OSError as error:
            # The temporary file of its body.
            self.error, self.completed, consumed = NoRoom(error.strerror), True, len(data)
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
            self.body_rcv = Chunks(self.body_rcv.getbuf())

    def _leave_unread(self) -> None:
        self.close()
        self.error, self.body_rcv, self.is_left_unread = None, None, True
        self.headers["CONTENT_LENGTH"] = str(max(self.content_length, LARGEST_BODY + 1))


class Task(WSGITask):  # type: ignore[misc]
    """One request before the application."""

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
    """One client: how long it has been at its stage, and how many bytes moved meanwhile."""

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
        """When this stage was first seen, on the monotonic clock."""
        return self._since

    @property
    def buffered(self) -> int:
        """Bytes of a body that is not whole yet."""
        request = self.request
        return request.body_bytes_received if request is not None else 0

    def look(self, now: float) -> None:
        """End it when it took longer than it may."""
        stage, passed = self.stage, now - self._since
        is_late = stage is self._stage and passed > self.server.patience[stage]
        if is_late and self._moved < passed * SLOWEST_BYTES_PER_SECOND:
            self.end()
        elif is_late or stage is not self._stage:
            self._stage, self._since, self._moved = stage, now, 0

    def end(self) -> None:
        """Hang up, whether or not the client takes what is on its way to it."""
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
    """One address that is listened on, and the connections that came by it."""

    channel_class = Connection
    patience: Mapping[Stage, float] = PATIENCE
    is_stopping = False

    def look(self, now: float) -> None:
        """End whoever took too long, whoever has waited longest when there are too many, and who makes us hold most."""
        for one in list(self.active_channels.values()):
            one.look(now)
        waiting = [one for one in list(self.active_channels.values()) if one.stage is not Stage.WORKING]
        for one in sorted(waiting, key=lambda one: one.since)[: max(len(self.active_channels) - MOST_CONNECTIONS, 0)]:
            one.end()
        if sum(one.buffered for one in waiting) > MOST_BUFFERED:
            max(waiting, key=lambda one: one.buffered).end()

    def leave(self) -> None:
        """Take no new connection; who is connected is answered once more."""
        self.is_stopping, self.accepting = True, False
        wasyncore.dispatcher.close(self)

    def end_idle(self) -> None:
        """End whoever asks for nothing at this moment."""
        for one in list(self.active_channels.values()):
            if one.stage in (Stage.IDLE, Stage.ASKING) and one.request is None:
                one.end()


class Server:
    """An application at an address, until `stop` is called or its loop is left.

    Listens from the start, so that whoever made it knows that the address is free: raises OSError when it is not.
    `patience`: how many seconds a connection may last at a stage.
    """

    def __init__(self, host: str, port: int, patience: Mapping[Stage, float] = PATIENCE) -> None:
        self._patience = patience
        self._sockets = _listening(host, port)
        self.port: int = self._sockets[0].getsockname()[1]
        self._is_stopping = False
        self._look_at = 0.0
        self._map: dict[int, Any] = {}
        self._listeners: list[Listener] = []

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return sum(len(one.active_channels) for one in self._listeners)

    def run(self, application: Callable[..., Any], threads: int, grace_seconds: float) -> None:
        """Answer with `threads` at once; once stopped, what was begun has `grace_seconds` to end."""
        dispatcher = ThreadedTaskDispatcher()
        dispatcher.set_thread_count(threads)
        adjusted = Adjustments(
            threads=threads,
            ident="",
            outbuf_overflow=LARGEST_ANSWER_IN_MEMORY,
            log_socket_errors=False,
            # Ours are the deadlines, and beyond MOST_CONNECTIONS one leaves for each that comes.
            cleanup_interval=NEVER,
            connection_limit=NEVER,
            max_request_header_size=LARGEST_HEADERS,
            max_request_body_size=LARGEST_BODY + 1,
        )
        self._listeners = [
            Listener(
                application,
                self._map,
                _sock=one,
                dispatcher=dispatcher,
                adj=adjusted,
                sockinfo=(one.family, one.type, one.proto, one.getsockname()),
                bind_socket=False,
            )
            for one in self._sockets
        ]
        for listener in self._listeners:
            listener.patience = self._patience
        while not self._is_stopping:
            self._turn()
        self._drain(grace_seconds)

    def stop(self) -> None:
        """Let `run` come to its end; may be called by a signal's handler."""
        self._is_stopping = True
        for one in self._listeners:
            one.pull_trigger()

    def _turn(self) -> None:
        wasyncore.loop(timeout=LOOK_SECONDS, use_poll=True, map=self._map, count=1)
        now = time.monotonic()
        if now >= self._look_at or self.connections > MOST_CONNECTIONS:
            self._look_at = now + LOOK_SECONDS
            for one in self._listeners:
                one.look(now)

    def _drain(self, grace_seconds: float) -> None:
        ends_at = time.monotonic() + grace_seconds
        for one in self._listeners:
            one.leave()
        while time.monotonic() < ends_at and self.connections:
            for one in self._listeners:
                one.end_idle()
            self._turn()


def _listening(host: str, port: int) -> list[socket.socket]:
    """A socket for each address of this host that this machine has; `::` takes both families."""
    named = host.strip("[]")
    found = socket.getaddrinfo(named, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets, refusal = [], OSError("no such address")
    for family, address in dict.fromkeys((family, address) for family, _, _, _, address in found):
        both = named == "::" and socket.has_dualstack_ipv6()
        try:
            sockets.append(socket.create_server(address, family=family, backlog=1024, dualstack_ipv6=both))
        except OSError as error:
            # An address that this machine lacks is left out; one that somebody else has would mislead visitors.
            if error.errno == errno.EADDRINUSE:
                raise
            refusal = error
    if not sockets:
        raise refusal
    return sockets
