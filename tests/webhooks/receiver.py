"""Somebody who is told: keeps what came, answers as told, and can be asked whether `standardwebhooks` verifies it."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

ReceiverHandler = BaseHTTPRequestHandler


@dataclass
class Heard:
    """One request: its path, headers (lower case) and body."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def payload(self) -> dict[str, Any]:
        return json.loads(self.body)

    def is_signed_with(self, secret: str) -> bool:
        try:
            Webhook(secret).verify(self.body, self.headers)
        except WebhookVerificationError:
            return False
        return True


@dataclass
class Receiver:
    """`answer` is what is done with each request."""

    url: str
    answer: Callable[[ReceiverHandler], None]
    heard: list[Heard] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def types(self) -> list[str]:
        return [one.payload["type"] for one in self.heard]


def status(code: int, text: str = "", **headers: str) -> Callable[[ReceiverHandler], None]:
    """An ordinary answer; an underscore in a header's name stands for a dash."""

    def answer(handler: ReceiverHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text.encode())

    return answer


def hang(receiver: Receiver) -> Callable[[ReceiverHandler], None]:
    """No answer until the test is over."""

    def answer(handler: ReceiverHandler) -> None:
        receiver.over.wait(30)
        handler.close_connection = True

    return answer


def drip(receiver: Receiver) -> Callable[[ReceiverHandler], None]:
    """A header that never ends, a byte every 50 ms."""

    def answer(handler: ReceiverHandler) -> None:
        with suppress(OSError):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
            while not receiver.over.wait(0.05):
                handler.wfile.write(b"x")
        handler.close_connection = True

    return answer


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request, client_address) -> None:
        """Says nothing: a client that hangs up is what some of these tests are about."""


@contextmanager
def listening(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.heard.append(Heard(self.path, headers, body))
            receiver.answer(self)

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    receiver = Receiver(f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}/hook", status(204))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield receiver
    finally:
        receiver.over.set()
        server.shutdown()
        server.server_close()
