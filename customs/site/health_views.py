"""Whether this process lives (/healthz), whether it can serve (/readyz), and what is going on (/metrics)."""

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from customs.site.metrics import MetricsCollector
from customs.web.services import services

health = Blueprint("health", __name__)


@health.get("/healthz")
def healthz() -> Response:
    return jsonify(status="ok")


@health.get("/readyz")
def readyz() -> tuple[Response, int]:
    """A write has to work, on our schema; Redis is reported only, for nothing is lost without it."""
    trouble = services().readiness.trouble()
    redis = "ok" if services().notifier.is_available() else "away"
    status = "away" if trouble else "ok"
    return jsonify(status=status, database=trouble or "ok", redis=redis), 503 if trouble else 200


@health.get("/metrics")
def metrics() -> Response:
    registry = CollectorRegistry()
    registry.register(MetricsCollector(services()))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
