"""Whether this process lives (/healthz), whether it can serve (/readyz), and what is going on (/metrics)."""

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from customs.web.doors import services
from customs.web.metrics import DeskCollector

health = Blueprint("health", __name__)


@health.get("/healthz")
def healthz() -> Response:
    return jsonify(status="ok")


@health.get("/readyz")
def readyz() -> tuple[Response, int]:
    """The database is required; Redis is reported only, for nothing is lost without it."""
    try:
        with services().reading() as db:
            db.execute(text("SELECT 1 FROM declarations LIMIT 1"))
        database = "ok"
    except SQLAlchemyError as error:
        database = f"away: {type(error).__name__}"
    redis = "ok" if services().doorbell.answers() else "away"
    ready = database == "ok"
    return jsonify(status="ok" if ready else "away", database=database, redis=redis), 200 if ready else 503


@health.get("/metrics")
def metrics() -> Response:
    registry = CollectorRegistry()
    registry.register(DeskCollector(services()))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
