"""Whether this process lives (/healthz), whether it can serve (/readyz), and what is going on (/metrics)."""

import hmac

from flask import Blueprint, Response, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from customs.errors import ApiKeyMissing
from customs.site.metrics import MetricsCollector
from customs.web.instrumentation import http_metrics
from customs.web.services import services

health = Blueprint("health", __name__)


@health.get("/healthz")
def healthz() -> Response:
    return jsonify(status="ok")


@health.get("/readyz")
def readyz() -> tuple[Response, int]:
    """A write has to work, on our schema; Redis is reported only, for nothing is lost without it."""
    _require_token()
    trouble = services().readiness.trouble()
    redis = "ok" if services().notifier.is_available() else "away"
    status = "away" if trouble else "ok"
    return jsonify(status=status, database=trouble or "ok", redis=redis), 503 if trouble else 200


@health.get("/metrics")
def metrics() -> Response:
    """The figures of the whole desk, and those of this process's requests."""
    _require_token()
    registry = CollectorRegistry()
    registry.register(MetricsCollector(services()))
    texts = generate_latest(registry), generate_latest(http_metrics().registry)
    return Response(b"".join(texts), content_type=CONTENT_TYPE_LATEST)


def _require_token() -> None:
    """Let machines in that know CUSTOMS_METRICS_TOKEN; where none is set, everybody."""
    token = services().settings.metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token and not hmac.compare_digest(given.encode(), token.encode()):
        raise ApiKeyMissing("this needs the token of CUSTOMS_METRICS_TOKEN: Authorization: Bearer <token>")
