"""The web application: views of every feature, one renderer for errors, an id for every request."""

import hmac
import re
from functools import partial

from flask import Flask, Response, g, request
from flask.sessions import SecureCookieSessionInterface
from werkzeug.middleware.proxy_fix import ProxyFix

from customs.container import Services
from customs.db.database import DatabaseClock
from customs.declarations import labels as declaration_labels
from customs.declarations.actions.action_views import pages as decision_pages
from customs.declarations.api import api as declarations_api
from customs.declarations.views import pages as declaration_pages
from customs.ids import new_id
from customs.imports import labels as import_labels
from customs.imports.batch_views import pages as batch_pages
from customs.imports.edit_views import pages as mending_pages
from customs.imports.registration_views import pages as registration_pages
from customs.imports.views import pages as import_pages
from customs.lanes.api import api as lanes_api
from customs.payments import labels as payment_labels
from customs.payments.api import api as payments_api
from customs.payments.api import public
from customs.payments.checkout_views import pages as collect_pages
from customs.payments.views import pages as payment_pages
from customs.reconciliation.api import api as bills_api
from customs.reconciliation.views import pages as bill_pages
from customs.review.bulk_correction_views import pages as correction_pages
from customs.review.case_views import pages as case_pages
from customs.review.group_views import pages as review_pages
from customs.site import navigation
from customs.site.account_views import pages as people_pages
from customs.site.api_key_views import pages as key_pages
from customs.site.audit_views import pages as audit_pages
from customs.site.developer_views import pages as developer_pages
from customs.site.docs_views import docs
from customs.site.health_views import health
from customs.site.home_views import pages as workbench_pages
from customs.site.lane_views import pages as lane_pages
from customs.site.queue_views import pages as queue_pages
from customs.site.search_views import pages as search_pages
from customs.site.user_views import pages as people_admin_pages
from customs.web import csrf, error_handlers, instrumentation, labels, rendering, request_logging
from customs.web.instrumentation import HttpMetrics
from customs.web.json_body import LARGEST_ANONYMOUS_BODY
from customs.web.rate_limit import Limiter, TokenBuckets
from customs.web.rendering import static_files
from customs.web.session_auth import is_secure
from customs.webhooks.api import api as webhooks_api
from customs.webhooks.views import STATE_LABELS as DELIVERY_LABELS
from customs.webhooks.views import pages as webhook_pages

REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


class FlashCookie(SecureCookieSessionInterface):
    """The cookie of messages that one page leaves for the next: over HTTPS it stays there."""

    def get_cookie_secure(self, app: Flask) -> bool:
        return is_secure()


def create_app(services: Services) -> Flask:
    """Return Flask over these services; nothing connects until the first request."""
    app = create_bare_app()
    init_services(app, services)
    return app


def create_bare_app() -> Flask:
    """Return the application without services, the same for whatever it will serve."""
    app = Flask("customs", static_folder=None, template_folder="web/templates")
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_ANONYMOUS_BODY
    app.session_interface = FlashCookie()
    app.config["SESSION_COOKIE_NAME"] = "customs_flash"
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    instrumentation.init_app(app)
    app.before_request(_name_request)
    app.after_request(_finish)
    csrf.init_app(app)
    rendering.init_app(app)
    request_logging.init_app(app)
    error_handlers.init_app(app)
    navigation.init_app(app)
    labels.init_app(
        app,
        declaration_labels.LABELS,
        payment_labels.LABELS,
        import_labels.LABELS,
        DELIVERY_LABELS,
        navigation.LABELS,
    )
    declaration_labels.init_app(app)
    for blueprint in (
        declarations_api,
        payments_api,
        bills_api,
        lanes_api,
        webhooks_api,
        public,
        health,
        docs,
        people_pages,
        search_pages,
        workbench_pages,
        declaration_pages,
        decision_pages,
        review_pages,
        audit_pages,
        correction_pages,
        case_pages,
        batch_pages,
        import_pages,
        mending_pages,
        key_pages,
        developer_pages,
        webhook_pages,
        payment_pages,
        collect_pages,
        bill_pages,
        people_admin_pages,
        registration_pages,
        lane_pages,
        queue_pages,
        static_files,
    ):
        app.register_blueprint(blueprint)
    return app


def init_services(app: Flask, services: Services) -> None:
    """Give a bare application its services."""
    # Signs the messages that one page leaves for the next; sessions are in the database.
    app.secret_key = hmac.digest(services.settings.secret_key.encode(), b"flash messages", "sha256")
    # From none it is believed where a request came from: anybody could say so.
    hops = services.settings.trusted_proxies
    plain = partial(Flask.wsgi_app, app)
    app.wsgi_app = ProxyFix(plain, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    app.extensions["services"] = services
    app.extensions["clock"] = DatabaseClock()
    app.extensions["limiter"] = Limiter(services.settings.redis_url, services.settings.api_rate_limit)
    app.extensions["unwelcome"] = TokenBuckets()
    app.extensions["http_metrics"] = HttpMetrics()


def _name_request() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if REQUEST_ID.fullmatch(given) else new_id("req")


def _finish(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id", "")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.extend(g.rate_limit.headers() if g.get("rate_limit") else {})
    return response
