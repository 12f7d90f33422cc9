"""Answer /healthz (the process lives), /readyz (it can serve) and /metrics: counts from the database for Prometheus.

Every process counts in the database, so any one of them can answer for the desk.
"""

import hmac
from collections.abc import Iterator

from flask import Blueprint, Response, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from customs.config import Settings
from customs.db import database
from customs.db.database import SchemaMismatch
from customs.declarations.models import Push
from customs.declarations.states import State
from customs.declarations.statistics import CANCELLED, NEEDS_REVIEW, STATE
from customs.errors import ApiKeyMissing
from customs.jobs.process_registry import running
from customs.lanes.queries import lanes_in_use
from customs.ops.backlog import backlogs
from customs.stats.call_counters import CallCount, cumulative
from customs.stats.tallies import ALL_TIME, Tally
from customs.web.instrumentation import http_metrics
from customs.web.services import WebServices, services
from customs.webhooks.models import Endpoint

health = Blueprint("health", __name__)


@health.get("/healthz")
def healthz() -> Response:
    return jsonify(status="ok")


@health.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Check that a write works, on our schema; Redis is reported only, for nothing is lost without it."""
    _require_token()
    trouble = services().readiness.trouble()
    redis = "ok" if services().notifier.is_available() else "away"
    status = "away" if trouble else "ok"
    return jsonify(status=status, database=trouble or "ok", redis=redis), 503 if trouble else 200


@health.get("/metrics")
def metrics() -> Response:
    """Return the counts of the whole desk, and those of this process's requests."""
    _require_token()
    registry = CollectorRegistry()
    registry.register(MetricsCollector(services()))
    texts = generate_latest(registry), generate_latest(http_metrics().registry)
    return Response(b"".join(texts), content_type=CONTENT_TYPE_LATEST)


def _require_token() -> None:
    """Refuse whoever does not know CUSTOMS_METRICS_TOKEN, where one is set."""
    token = services().settings.metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token and not hmac.compare_digest(given.encode(), token.encode()):
        raise ApiKeyMissing("this needs the token of CUSTOMS_METRICS_TOKEN: Authorization: Bearer <token>")


class MetricsCollector(Collector):
    """Collects once per scrape, in one snapshot."""

    def __init__(self, services: WebServices) -> None:
        self._services = services

    def describe(self) -> list[Metric]:
        """Return nothing before a scrape: registering must not ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield everything; while the database is away only that it is, and the rest."""
        try:
            with self._services.reading() as db:
                found = [
                    *_declarations(db),
                    *_pushes(db),
                    *_calls(db),
                    *_backlog(db),
                    *_lanes(db, self._services.settings),
                    *_webhooks(db),
                    *_processes(db),
                ]
        except (SQLAlchemyError, SchemaMismatch):
            found = []
        yield from found
        yield _flag("customs_database_up", "1 when everything could be read from the database.", bool(found))
        redis_is_up = self._services.notifier.is_available()
        yield _flag("customs_redis_up", "1 when a job could be enqueued in Redis and taken from it.", redis_is_up)


def _flag(name: str, text: str, value: bool) -> Metric:
    flag = GaugeMetricFamily(name, text)
    flag.add_metric([], float(value))
    return flag


def _declarations(db: Session) -> Iterator[Metric]:
    """Read the tallies, which no number of declarations makes slower."""
    declarations = GaugeMetricFamily(
        "customs_declarations", "Declarations by channel and state.", labels=["channel", "state"]
    )
    words = {*State, CANCELLED}
    counted = (
        select(Tally.channel, Tally.word, func.sum(Tally.count))
        .where(Tally.kind == STATE, Tally.day == ALL_TIME, Tally.word.in_({*words, NEEDS_REVIEW}))
        .group_by(Tally.channel, Tally.word)
        .order_by(Tally.channel, Tally.word)
    )
    in_review = 0
    for channel, word, count in db.execute(counted):
        if word == NEEDS_REVIEW:
            in_review += int(count)
        else:
            declarations.add_metric([channel, word], int(count))
    yield declarations
    review = GaugeMetricFamily("customs_declarations_in_review", "Declarations with an open case.")
    review.add_metric([], in_review)
    yield review


def _pushes(db: Session) -> Iterator[Metric]:
    pushes = GaugeMetricFamily("customs_pushes", "Pushes by state and channel.", labels=["channel", "state"])
    counted = select(Push.channel, Push.state, func.count()).where(Push.cancelled.is_(False))
    for channel, state, count in db.execute(counted.group_by(Push.channel, Push.state)):
        pushes.add_metric([channel, state], count)
    yield pushes
    unknown = GaugeMetricFamily(
        "customs_pushes_outcome_unknown",
        "Pushes under way of which nobody knows whether the gateway has the last call.",
    )
    # All of them are due at some time, and the index of what is due finds those.
    doubtful = select(func.count()).where(Push.due_at.is_not(None), Push.in_doubt.is_not(None))
    unknown.add_metric([], db.scalar(doubtful) or 0)
    yield unknown


def _calls(db: Session) -> Iterator[Metric]:
    calls = CounterMetricFamily(
        "customs_gateway_calls", "Signed calls by how they ended.", labels=["channel", "action", "outcome"]
    )
    latency = HistogramMetricFamily(
        "customs_gateway_call_duration_seconds", "Wall clock of signed calls.", labels=["channel", "action"]
    )
    rows = db.execute(
        select(
            CallCount.channel,
            CallCount.action,
            CallCount.outcome,
            CallCount.bucket,
            func.sum(CallCount.calls),
            func.sum(CallCount.seconds),
        ).group_by(CallCount.channel, CallCount.action, CallCount.outcome, CallCount.bucket)
    ).all()
    outcomes: dict[tuple[str, str, str], int] = {}
    buckets: dict[tuple[str, str], dict[str, int]] = {}
    seconds: dict[tuple[str, str], float] = {}
    for channel, action, outcome, bucket, count, spent in rows:
        outcomes[channel, action, outcome] = outcomes.get((channel, action, outcome), 0) + int(count)
        counts = buckets.setdefault((channel, action), {})
        counts[bucket] = counts.get(bucket, 0) + int(count)
        seconds[channel, action] = seconds.get((channel, action), 0.0) + spent
    for labels, count in outcomes.items():
        calls.add_metric(list(labels), count)
    for pair, counts in buckets.items():
        latency.add_metric(list(pair), buckets=cumulative(counts.items()), sum_value=seconds[pair])
    yield calls
    yield latency


def _backlog(db: Session) -> Iterator[Metric]:
    now = database.now(db)
    work = backlogs(db, now)
    pushes = GaugeMetricFamily("customs_due_pushes", "Pushes that are due and not yet claimed.")
    pushes.add_metric([], work["pushes"].waiting)
    yield pushes
    payments = GaugeMetricFamily("customs_due_payments", "Payments and refunds that are due and not yet claimed.")
    payments.add_metric([], work["payments"].waiting + work["refunds"].waiting)
    yield payments
    age = GaugeMetricFamily(
        "customs_oldest_due_push_age_seconds", "How long the oldest push has been due, failed attempts included."
    )
    age.add_metric([], work["pushes"].age(now))
    yield age
    ages = GaugeMetricFamily("customs_work_due_age_seconds", "The same for each kind of work.", labels=["work"])
    for name, one in work.items():
        ages.add_metric([name], one.age(now))
    yield ages
    deliveries = GaugeMetricFamily("customs_due_deliveries", "Webhook deliveries that are due and not yet claimed.")
    deliveries.add_metric([], work["deliveries"].waiting)
    yield deliveries


def _lanes(db: Session, settings: Settings) -> Iterator[Metric]:
    lanes, now = lanes_in_use(db, settings), database.now(db)
    stopped = GaugeMetricFamily("customs_lanes_stopped", "Lanes in use stopped for a reason that needs a person.")
    stopped.add_metric([], sum(lane.stopped_at is not None for lane in lanes))
    yield stopped
    failing = GaugeMetricFamily("customs_lanes_failing", "Lanes in use on which no call brings an answer.")
    failing.add_metric([], sum(lane.fails(now) for lane in lanes))
    yield failing


def _processes(db: Session) -> Iterator[Metric]:
    alive = running(db, database.now(db))
    processes = GaugeMetricFamily("customs_processes", "Processes that left a sign of life lately.", labels=["kind"])
    troubled = GaugeMetricFamily(
        "customs_processes_troubled", "Those of them that do without a part, such as Redis.", labels=["kind"]
    )
    for kind, found in alive.items():
        processes.add_metric([kind], len(found))
        troubled.add_metric([kind], sum(process.trouble is not None for process in found))
    yield processes
    yield troubled


def _webhooks(db: Session) -> Iterator[Metric]:
    paused = GaugeMetricFamily("customs_webhook_endpoints_paused", "Webhook endpoints that were paused.")
    are_paused = (Endpoint.paused_at.is_not(None), Endpoint.deleted_at.is_(None))
    paused.add_metric([], db.scalar(select(func.count()).select_from(Endpoint).where(*are_paused)) or 0)
    yield paused
