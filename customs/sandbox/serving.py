"""`customs sandbox` as a process: one threaded worker, so one ledger serves all; nothing outlives its parent."""

import os
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from setproctitle import setproctitle

from customs.sandbox.app import create_sandbox
from customs.sandbox.settings import SandboxSettings

TITLE = "customs sandbox"
THREADS = 64


def _retitle(_arbiter: object, _worker: object) -> None:
    setproctitle(TITLE)


def _leave(_arbiter: object, worker: Any) -> None:
    # A thread that still drips or delays a reply would hold the interpreter; the ledger needs no farewell.
    # A worker that never started keeps its own exit code: by it the master knows that trying again is useless.
    if worker.booted:
        os._exit(0)


class Serving(BaseApplication):  # type: ignore[misc]
    """The sandbox under gunicorn; nothing is read from the command line or the environment."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        options: dict[str, Any] = {
            "bind": f"{self._settings.host}:{self._settings.port}",
            "worker_class": "gthread",
            "workers": 1,
            "threads": THREADS,
            # A heartbeat would replace the worker, and an in-memory ledger with it, when the machine sleeps.
            "timeout": 0,
            "graceful_timeout": 1,
            "loglevel": "warning",
            "control_socket_disable": True,
            # gunicorn gives both processes titles of its own just before these.
            "pre_fork": _retitle,
            "post_fork": _retitle,
            "worker_exit": _leave,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        app = create_sandbox(self._settings)
        # Here the worker has been forked: a thread of the master would not be in it.
        app.extensions["notifier"].start()
        return app


def serve(settings: SandboxSettings) -> None:
    """Serve until a signal ends it; the worker leaves by itself when the master is killed."""
    setproctitle(TITLE)
    Serving(settings).run()
