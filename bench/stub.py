"""A stub of the gateway for benchmarks: answers SUCCESS after a set time and uses hardly any CPU.

It checks no signature: that would take CPU from the side that is measured.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl

NUMBERS = ("out_order_no", "payment_no", "customs", "sub_order_no")
SHANGHAI_SECONDS = 8 * 3600
HEAD_END = b"\r\n\r\n"


class Caller(asyncio.Protocol):
    """One kept-alive connection with one request at a time."""

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._loop = asyncio.get_running_loop()
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, rest = self._buffer.partition(HEAD_END)
        if not end:
            return
        length = _content_length(head)
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        form = rest[:length] or head.split(b" ", 2)[1].partition(b"?")[2]
        self._loop.call_later(self._latency, self._transport.write, _answer(form))


def _content_length(head: bytes) -> int:
    _, found, after = head.lower().partition(b"\r\ncontent-length:")
    return int(after.partition(b"\r\n")[0]) if found else 0


def _answer(form: bytes) -> bytes:
    sent = dict(parse_qsl(form.decode("ascii")))
    data = {name: sent[name] for name in NUMBERS if name in sent}
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + SHANGHAI_SECONDS))
    data |= {"state": "SUCCESS", "modify_time": moment}
    meta = {"success": True, "status_code": 200, "message": "OK"}
    body = json.dumps({"data": data, "meta": meta}).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def serve(latency: float) -> None:
    """Serve on a free port, printed as the first line, until stdin closes, which it does when the starter dies."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    server = await loop.create_server(lambda: Caller(latency), "127.0.0.1", 0, backlog=512)
    loop.add_reader(sys.stdin.fileno(), ended.set)
    print(server.sockets[0].getsockname()[1], flush=True)
    await ended.wait()


@contextmanager
def running_stub(latency_ms: int) -> Iterator[str]:
    """Run a stub in a process of its own; yield its URL."""
    command = [sys.executable, "-m", "bench.stub", str(latency_ms)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()
            process.wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]) / 1000))
