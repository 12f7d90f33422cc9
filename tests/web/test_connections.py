"""The server in front of the pages: who never ends a request holds up nobody, and where a request ends is sure."""

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from customs.cli.web_server import Server
from customs.web.connections import PATIENCE, Stage
from customs.web.json_body import LARGEST_BODY
from tests.journeys.processes import wait_until

THREADS = 4
LARGE = 8 * 1024 * 1024
IMPATIENT = PATIENCE | {Stage.ASKING: 0.5, Stage.ANSWERING: 0.5, Stage.IDLE: 0.5}
PATIENCE_SECONDS = 30.0


class Application:
    """Answers with what it got; waits for `go_on` where it is asked to."""

    def __init__(self) -> None:
        self.began, self.go_on = threading.Event(), threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        path = environ["PATH_INFO"]
        if path == "/wait":
            self.began.set()
            self.go_on.wait(PATIENCE_SECONDS)
        size = int(environ.get("CONTENT_LENGTH") or 0)
        request_line = f"{environ['REQUEST_METHOD']} {path} {size} {environ['wsgi.url_scheme']} ".encode()
        answer = b"x" * LARGE if path == "/large" else request_line + environ["wsgi.input"].read(50)
        start_response("200 OK", [("Content-Length", str(len(answer)))])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else answer]


@contextmanager
def served(host: str = "127.0.0.1", patience: Any = PATIENCE) -> Iterator[tuple[Server, Application, threading.Thread]]:
    server, application = Server(host, 0, patience), Application()
    thread = threading.Thread(target=server.run, args=(application, THREADS, PATIENCE_SECONDS))
    thread.start()
    try:
        yield server, application, thread
    finally:
        application.go_on.set()
        server.stop()
        thread.join(PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served() as (server, _, _):
        yield server.port


def asked(port: int, raw: bytes, host: str = "127.0.0.1") -> bytes:
    """Everything that comes back until the server, or a long silence, ends it."""
    with socket.create_connection((host, port), PATIENCE_SECONDS) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def post(*headers: str, body: bytes = b"", version: str = "HTTP/1.1") -> bytes:
    return "\r\n".join([f"POST /echo {version}", "Host: desk", *headers, "", ""]).encode() + body


WAIT = b"GET /wait HTTP/1.1\r\nHost: desk\r\n\r\n"
CHUNKED = b"3\r\nabc\r\n0\r\n\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: desk\r\n\r\n"
REFUSED = {
    "a length and chunks": post("Content-Length: 3", "Transfer-Encoding: chunked", body=CHUNKED + SMUGGLED),
    "chunks, then a length": post("Transfer-Encoding: chunked", "Content-Length: 3", body=CHUNKED + SMUGGLED),
    "two lengths": post("Content-Length: 3", "Content-Length: 41", body=b"abc" + SMUGGLED),
    "two lengths in one line": post("Content-Length: 3, 3", body=b"abc" + SMUGGLED),
    "a signed length": post("Content-Length: +3", body=b"abc" + SMUGGLED),
    "chunks before HTTP/1.1": post("Connection: keep-alive", "Transfer-Encoding: chunked", version="HTTP/1.0"),
    "an encoding nobody knows": post("Transfer-Encoding: xchunked", body=CHUNKED + SMUGGLED),
    "a blank before the colon": post("Content-Length : 3", body=b"abc" + SMUGGLED),
    "a folded first header": b"POST /echo HTTP/1.1\r\n Host: desk\r\n\r\n" + SMUGGLED,
    "a bare line feed": b"POST /echo HTTP/1.1\nHost: desk\r\n\r\n" + SMUGGLED,
    "a version of another kind": post("Content-Length: 3", body=b"abc" + SMUGGLED, version="HTTP/3.0"),
    "a chunk that is too long": post("Transfer-Encoding: chunked", body=b"3\r\nabcdef\r\n0\r\n\r\n" + SMUGGLED),
    "a chunk of no size": post("Transfer-Encoding: chunked", body=b"x\r\nabc\r\n0\r\n\r\n" + SMUGGLED),
    "a line without end between chunks": post("Transfer-Encoding: chunked", body=b"3;" + b"a" * 9000),
    "headers without end": b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20_000,
}


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED)
def test_whoever_leaves_doubt_where_a_request_ends_is_refused_and_nothing_behind_it_is_read(port: int, raw: bytes):
    answer = asked(port, raw)

    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4", b"HTTP/1.1 501"))
    assert b" 200 OK" not in answer
    assert b"smuggled" not in answer


def test_requests_that_follow_one_another_are_answered_in_order(port: int):
    ends = post("Content-Length: 3", body=b"abc"), post("Transfer-Encoding: chunked", body=CHUNKED)

    answer = asked(port, b"".join(ends) + SMUGGLED)

    places = [
        answer.index(text) for text in (b"POST /echo 3 http abc", b"POST /echo 3 http abc", b"GET /smuggled 0 http ")
    ]
    assert answer.count(b" 200 OK") == 3
    assert places == sorted(places)


def test_a_head_has_the_length_and_no_body(port: int):
    answer = asked(port, b"HEAD /large HTTP/1.1\r\nHost: desk\r\nConnection: close\r\n\r\n")

    assert f"Content-Length: {LARGE}".encode() in answer
    assert answer.endswith(b"\r\n\r\n")


def test_who_waits_for_a_go_ahead_gets_it_unless_the_body_will_not_be_read(port: int):
    wanted = post("Expect: 100-continue", "Content-Length: 3", "Connection: close", body=b"abc")
    too_large = post("Expect: 100-continue", f"Content-Length: {LARGEST_BODY + 1}")

    assert asked(port, wanted).startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")
    assert asked(port, too_large).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("headers", [[f"Content-Length: {LARGEST_BODY + 9}"], ["Transfer-Encoding: chunked"]])
def test_the_application_learns_of_a_body_that_is_too_large_and_whoever_sends_it_reads_the_answer(
    port: int, headers: list[str]
):
    chunk = b"100000\r\n" + bytes(0x100000) + b"\r\n"
    pieces = [chunk] * 40 if "chunked" in headers[0] else [bytes(LARGEST_BODY + 9)]

    with socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as connection:
        for piece in [post(*headers), *pieces]:
            connection.sendall(piece)
        answer = connection.recv(65536)

    assert int(answer.split(b"POST /echo ")[1].split()[0]) > LARGEST_BODY
    assert b"Connection: close" in answer


def test_a_proxy_on_this_machine_says_that_the_visitor_came_by_https(port: int):
    answer = asked(port, post("X-Forwarded-Proto: https", "Connection: close"))

    assert b"POST /echo 0 https" in answer


def half_a_header(port: int) -> socket.socket:
    return sent(port, b"GET /healthz HTTP/1.1\r\nHost: desk\r\nX-Half: ")


def half_a_body(port: int) -> socket.socket:
    return sent(port, post("Content-Length: 1000", body=b"abc"))


def nothing_at_all(port: int) -> socket.socket:
    return sent(port, b"")


def nothing_more(port: int) -> socket.socket:
    connection = sent(port, b"GET / HTTP/1.1\r\nHost: desk\r\n\r\n")
    connection.recv(65536)
    return connection


def reads_nothing(port: int) -> socket.socket:
    connection = socket.socket()
    # What the system keeps for a reader that does not read is soon full.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", port))
    connection.sendall(b"GET /large HTTP/1.1\r\nHost: desk\r\n\r\n")
    return connection


def sent(port: int, raw: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
    connection.sendall(raw)
    return connection


@pytest.mark.parametrize("stalled", [half_a_header, half_a_body, nothing_at_all, nothing_more, reads_nothing])
def test_forty_who_stall_hold_up_nobody_and_are_gone_by_a_deadline(stalled: Callable[[int], socket.socket]):
    with served(patience=IMPATIENT) as (server, _, _), ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(stalled(server.port))
        visitor = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
        visitor.request("GET", "/healthz")
        status = visitor.getresponse().status
        visitor.close()

        wait_until(lambda: server.connections == 0, "the last of them is gone", PATIENCE_SECONDS)

    assert status == 200


def test_what_was_begun_is_answered_after_the_end_was_asked_for_and_nobody_new_is_let_in():
    with served() as (server, application, thread):
        answers: list[bytes] = []
        begun = threading.Thread(
            target=lambda: answers.append(asked(server.port, b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"))
        )
        begun.start()
        application.began.wait(PATIENCE_SECONDS)

        server.stop()
        wait_until(lambda: refuses(server.port), "nobody new is let in")
        application.go_on.set()
        thread.join(PATIENCE_SECONDS)
        begun.join(PATIENCE_SECONDS)

    assert b"GET /wait 0 http" in answers[0]
    assert b"Connection: close" in answers[0]
    assert not thread.is_alive()


def refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return True
    return False


@pytest.mark.parametrize(
    ("host", "reached"), [("::1", "::1"), ("[::1]", "::1"), ("::", "127.0.0.1"), ("localhost", "127.0.0.1")]
)
def test_it_listens_on_either_family(host: str, reached: str):
    with served(host) as (server, _, _):
        assert b" 200 OK" in asked(server.port, post("Connection: close"), reached)


def test_an_address_that_is_taken_is_reported_at_once(port: int):
    with pytest.raises(OSError, match="in use"):
        Server("127.0.0.1", port)
