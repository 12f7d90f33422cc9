"""Serve the sandbox in one process with threads, so that one ledger serves all; it ends with its parent."""

import logging
import os
import signal
from typing import Any

from setproctitle import setproctitle
from waitress import create_server
from waitress.channel import HTTPChannel
from waitress.server import MultiSocketServer
from waitress.task import WSGITask

from customs.sandbox import SandboxSettings
from customs.sandbox.app import LARGEST_BODY, create_sandbox
from customs.sandbox.faults import SOCKET

TITLE = "customs sandbox"
THREADS = 64
MOST_CONNECTIONS = 1000
QUIET_SECONDS = 20


class Task(WSGITask):  # type: ignore[misc]
    """One call; its faults may break the connection it came by."""

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        environ[SOCKET] = self.channel.socket
        return environ


class Connection(HTTPChannel):  # type: ignore[misc]
    """One caller. Its calls are read before a thread takes them: who never ends one holds none."""

    task_class = Task


def serve(settings: SandboxSettings) -> None:
    """Serve until a signal ends it."""
    setproctitle(TITLE)
    # A caller that hung up, and a call that waits for a thread, are what the sandbox is for.
    logging.getLogger("waitress").setLevel(logging.CRITICAL)
    # A thread that still drips or delays a reply would hold the interpreter; the ledger needs no farewell.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    app = create_sandbox(settings)
    server = create_server(
        app,
        host=settings.host,
        port=settings.port,
        threads=THREADS,
        connection_limit=MOST_CONNECTIONS,
        channel_timeout=QUIET_SECONDS,
        cleanup_interval=1,
        asyncore_use_poll=True,
        log_socket_errors=False,
        max_request_body_size=LARGEST_BODY * 2,
        ident="",
    )
    # A name may stand for several addresses: each has a server.
    for listener in server.map.values() if isinstance(server, MultiSocketServer) else (server,):
        listener.channel_class = Connection
    app.extensions["notifier"].start()
    server.run()
