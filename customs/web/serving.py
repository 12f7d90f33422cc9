"""`customs web` as a process: gunicorn with threads, in one worker that leaves when its master does."""

import gc
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from setproctitle import setproctitle

from customs import logs
from customs.app import create_app
from customs.settings import Settings
from customs.wiring import Services

TITLE = "customs web"
LONGEST_REQUEST_SECONDS = 120


def _retitle(_arbiter: object, _worker: object) -> None:
    # gunicorn gives both processes titles of its own just before these hooks.
    setproctitle(TITLE)


class Serving(BaseApplication):  # type: ignore[misc]
    """The desk under gunicorn; the engine and the pools are made in the worker, after the fork."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        options: dict[str, Any] = {
            "bind": f"{self._settings.web_host}:{self._settings.web_port}",
            "worker_class": "gthread",
            "workers": 1,
            "threads": self._settings.web_threads,
            "timeout": LONGEST_REQUEST_SECONDS,
            "graceful_timeout": 5,
            "loglevel": "warning",
            "control_socket_disable": True,
            "pre_fork": _retitle,
            "post_fork": _retitle,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        app = create_app(Services(self._settings))
        # A batch of 10,000 makes a million objects that all live until the answer: looking through them again and
        # again for garbage took a sixth of the request.
        gc.freeze()
        gc.set_threshold(100_000, 20, 50)
        return app


def serve(settings: Settings) -> None:
    """Serve until a signal ends it."""
    setproctitle(TITLE)
    logs.configure(settings.log_level)
    Serving(settings).run()
