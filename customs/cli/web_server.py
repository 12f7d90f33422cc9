"""The process `customs web`: one HTTP server, until a signal stops it. See docs/decisions/http-server.md."""

import gc
import logging
import signal

from setproctitle import setproctitle

from customs import logging_setup
from customs.app import create_app
from customs.config import Settings
from customs.container import Services
from customs.errors import Misconfigured
from customs.jobs.process_registry import Heartbeat, Kind
from customs.web.connections import Server

TITLE = "customs web"
# Shorter than the grace of the supervisor of `customs up`.
GRACE_SECONDS = 4.0


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
    try:
        server.run(app, settings.web_threads, GRACE_SECONDS)
    finally:
        heartbeat.stop()
