"""The process `customs web`: one HTTP server, until a signal stops it. See docs/decisions/http-server.md."""

import errno
import gc
import logging
import signal
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

from setproctitle import setproctitle
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.task import ThreadedTaskDispatcher

from customs import logging_setup
from customs.app import create_app
from customs.config import Settings
from customs.container import Services
from customs.errors import Misconfigured
from customs.jobs.process_registry import Heartbeat, Kind
from customs.ops.audit_check import anchor_audit_trail
from customs.web.connections import MOST_CONNECTIONS, PATIENCE, Listener, Stage
from customs.web.json_body import LARGEST_BODY

TITLE = "customs web"
# A batch of 10,000 is stored in a few seconds. `customs up` waits for less: it is stopped by whoever sits before it.
GRACE_SECONDS = 30.0
LARGEST_HEADERS = 64 * 1024
# What every page consists of is smaller: it reaches a browser also when a disk is full.
LARGEST_ANSWER_IN_MEMORY = 4 * 1024 * 1024
# How often deadlines are checked.
CHECK_SECONDS = 1.0
NEVER = 2**31


def serve(settings: Settings) -> None:
    """Serve until a signal stops it; raise Misconfigured when the address cannot be used."""
    setproctitle(TITLE)
    logging_setup.configure(settings.log_level)
    # It would log each time that a request waits for a thread.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    try:
        server = Server(settings.web_host, settings.web_port)
    except OSError as error:
        raise Misconfigured(
            f"nothing can listen on {settings.web_host}, port {settings.web_port} ({error.strerror or error}): "
            "set CUSTOMS_WEB_HOST and CUSTOMS_WEB_PORT to an address of this machine that is free"
        ) from error
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    services = Services(settings)
    app, heartbeat = create_app(services), Heartbeat(services.engine, Kind.WEB)
    # A batch of 10,000 makes a million objects that live until the answer: collecting garbage among them again and
    # again took a sixth of the request.
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    heartbeat.start()
    anchor_audit_trail(services)
    try:
        server.run(app, settings.web_threads, GRACE_SECONDS)
    finally:
        heartbeat.stop()


class Server:
    """An application at an address, until `stop` is called or its loop is left.

    Listens from the start, so that whoever made it knows that the address is free: raises OSError when it is not.
    `patience`: how many seconds a connection may last at a stage.
    """

    def __init__(self, host: str, port: int, patience: Mapping[Stage, float] = PATIENCE) -> None:
        self._patience = patience
        self._sockets = _listening_sockets(host, port)
        self.port: int = self._sockets[0].getsockname()[1]
        self._is_stopping = False
        self._check_at = 0.0
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
            # The application knows which proxies are believed.
            clear_untrusted_proxy_headers=False,
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
            self._serve_once()
        self._drain(grace_seconds)

    def stop(self) -> None:
        """Let `run` come to its end; may be called by a signal's handler."""
        self._is_stopping = True
        for one in self._listeners:
            one.pull_trigger()

    def _serve_once(self) -> None:
        wasyncore.loop(timeout=CHECK_SECONDS, use_poll=True, map=self._map, count=1)
        now = time.monotonic()
        if now >= self._check_at or self.connections > MOST_CONNECTIONS:
            self._check_at = now + CHECK_SECONDS
            for one in self._listeners:
                one.check_deadlines(now)

    def _drain(self, grace_seconds: float) -> None:
        ends_at = time.monotonic() + grace_seconds
        for one in self._listeners:
            one.leave()
        while time.monotonic() < ends_at and self.connections:
            for one in self._listeners:
                one.end_idle()
            self._serve_once()


def _listening_sockets(host: str, port: int) -> list[socket.socket]:
    """Return a socket for each address of this host that this machine has; `::` takes both families."""
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
