"""A gateway on loopback that does what a test tells it to, over real HTTP, and remembers what it was sent."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

from customs.gateway import Gateway, Signer

JSON = "application/json"


@dataclass
class Received:
    verb: str
    target: str
    headers: dict[str, str]
    body: str


Respond = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Loopback:
    url: str
    respond: Respond
    received: list[Received] = field(default_factory=list)

    def gateway(self, signer: Signer, **options) -> Gateway:
        return Gateway(self.url, "agent-1", signer, **{"timeout": 5.0, "now": lambda: 1498138187.9} | options)


def sent(loopback: Loopback) -> tuple[str, dict[str, str]]:
    """The verb and path of the only call that came, and its parameters."""
    (one,) = loopback.received
    path, _, query = one.target.partition("?")
    return f"{one.verb} {path}", dict(parse_qsl(query or one.body, keep_blank_values=True))


def answer(text: str, status: int = 200, kind: str = JSON, **headers: str) -> Respond:
    """An ordinary answer; an underscore in a header's name stands for a dash."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        content = text.encode()
        handler.send_response_only(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)

    return respond


def raw(content: bytes) -> Respond:
    """Exactly these bytes, then the connection ends."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(content)
        handler.close_connection = True

    return respond


def reset(handler: BaseHTTPRequestHandler) -> None:
    """The connection is reset after the request was read."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.shutdown(socket.SHUT_RD)
    handler.close_connection = True
    handler.connection.close()


# Of 50 ms each: longer than any caller of these tests may listen.
DRIPS = 1200


def drip(head: bytes, stop: threading.Event) -> Respond:
    """A byte of blank every 50 ms until the test is over; who listens to the end, which is far off, ends it."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(head)
        try:
            for _ in range(DRIPS):
                if stop.wait(0.05):
                    return
                handler.wfile.write(b" ")
            stop.set()
        except OSError:
            handler.close_connection = True

    return respond


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request, client_address) -> None:
        """Says nothing: clients that hang up are what these tests are about."""


@contextmanager
def listening(respond: Respond, tls: ssl.SSLContext | None = None) -> Iterator[Loopback]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            loopback.received.append(Received(self.command, self.path, dict(self.headers), body))
            loopback.respond(self)

        def log_message(self, *args) -> None:
            """Says nothing."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    scheme = "https" if tls else "http"
    loopback = Loopback(f"{scheme}://127.0.0.1:{server.server_address[1]}", respond)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield loopback
    finally:
        server.shutdown()
        server.server_close()
