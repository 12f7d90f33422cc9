"""The web application: doors of every feature, one renderer for errors, an id for every request."""

import re

from flask import Flask, Response, g, request

from customs.database import DatabaseClock
from customs.declarations.api import api as declarations_api
from customs.ids import new_id
from customs.lanes.api import api as lanes_api
from customs.payments.api import api as payments_api
from customs.payments.api import open_doors
from customs.payments.bills_api import api as bills_api
from customs.web import problems, request_log
from customs.web.bodies import LARGEST_BODY
from customs.web.docs import docs
from customs.web.error_pages import error_pages
from customs.web.health import health
from customs.web.limits import Limiter
from customs.webhooks.api import api as webhooks_api
from customs.wiring import Services

REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


def create_app(services: Services) -> Flask:
    """Flask over these services; nothing connects until the first request."""
    app = Flask("customs", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["services"] = services
    app.extensions["clock"] = DatabaseClock()
    app.extensions["limiter"] = Limiter(services.settings.redis_url, services.settings.api_rate)
    app.before_request(_name_request)
    app.after_request(_finish)
    request_log.install(app)
    problems.install(app)
    for blueprint in (
        declarations_api,
        payments_api,
        bills_api,
        lanes_api,
        webhooks_api,
        open_doors,
        health,
        docs,
        error_pages,
    ):
        app.register_blueprint(blueprint)
    return app


def _name_request() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if REQUEST_ID.fullmatch(given) else new_id("req")


def _finish(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id", "")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.extend(g.standing.headers() if g.get("standing") else {})
    return response
