"""Somebody who is notified: keeps what came, answers as it was set, and verifies with `cryptography` as 10.3 says."""

import base64
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


@dataclass
class Heard:
    """One notification: its form and its headers."""

    form: dict[str, str]
    headers: dict[str, str]

    def is_signed_by(self, key: rsa.RSAPublicKey) -> bool:
        text = "&".join(f"{name}={self.form[name]}" for name in sorted(self.form)) + f",{self.headers['Timestamp']}"
        try:
            key.verify(base64.b64decode(self.headers["Signature"]), text.encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True


@dataclass
class Receiver:
    """`answers` are given in turn, the last one from then on; `meanwhile` runs before each."""

    url: str
    heard: list[Heard] = field(default_factory=list)
    answers: list[tuple[int, str]] = field(default_factory=lambda: [(200, "success")])
    meanwhile: Callable[[], None] = lambda: None


@contextmanager
def listening() -> Iterator[Receiver]:
    class ReceiverHandler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}
            receiver.heard.append(Heard(form, dict(self.headers.items())))
            receiver.meanwhile()
            status, text = receiver.answers[0] if len(receiver.answers) == 1 else receiver.answers.pop(0)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), ReceiverHandler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}/notify")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
