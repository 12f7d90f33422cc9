"""Instrumentation of requests: a line in the access log for each, and counts and latencies for Prometheus.

A route is its template (`/api/v1/batches/<batch_id>`): neither log nor label holds a number from an address.
"""

import time
from collections.abc import Mapping

import structlog
from flask import Flask, Response, current_app, g, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from customs.errors import (
    ApiKeyInvalid,
    ApiKeyMissing,
    CsrfRejected,
    CustomsError,
    InsufficientScope,
    InvalidCredentials,
    LoginThrottled,
    OneTimeCodeRejected,
    RateLimited,
)

log = structlog.get_logger()

# Upper bounds in seconds; the last is the longest that a page may take before somebody presses the button again.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# A label takes few values, whatever a client sends.
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
NO_ROUTE = "none"
SECURITY_KINDS: Mapping[type[CustomsError], str] = {
    ApiKeyInvalid: "api_key_invalid",
    ApiKeyMissing: "api_key_missing",
    CsrfRejected: "foreign_origin",
    InsufficientScope: "permission_denied",
    InvalidCredentials: "sign_in_failed",
    LoginThrottled: "sign_in_throttled",
    OneTimeCodeRejected: "code_rejected",
    RateLimited: "rate_limited",
}
# Asked every few seconds by machines: counted, and logged only where the level is debug.
PROBES = ("/healthz", "/readyz", "/metrics")


class HttpMetrics:
    """Counts and latencies of the requests of this process, by method, route template and status."""

    def __init__(self) -> None:
        # When each series began is of no use here and doubles their number.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "customs_http_requests",
            "Requests answered by this process.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "customs_http_request_duration_seconds",
            "Wall clock from the first byte of a request to the last of its answer.",
            ["method", "route"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.security = Counter(
            "customs_security_events",
            "Sign-ins that failed, refusals and foreign origins seen by this process.",
            ["kind"],
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "customs_http_requests_in_flight", "Requests that this process is answering.", registry=self.registry
        )


def init_app(app: Flask) -> None:
    """Count and log every request once its answer was sent."""
    app.before_request(_begin)
    app.after_request(_finish)


def http_metrics() -> HttpMetrics:
    """Return the metrics of this process."""
    metrics: HttpMetrics = current_app.extensions["http_metrics"]
    return metrics


def note_refusal(error: CustomsError) -> None:
    """Log and count an error that tells of an attack, or of somebody who is lost; other errors are none of this."""
    kind = SECURITY_KINDS.get(type(error))
    if kind is None:
        return
    http_metrics().security.labels(kind).inc()
    caller = g.get("caller")
    route = request.url_rule.rule if request.url_rule else NO_ROUTE
    who = (caller.key_id or caller.id) if caller else None
    log.warning("security", kind=kind, route=route, caller=who, request_id=g.get("request_id", ""))


def _begin() -> None:
    g.instrumented_at = time.monotonic()
    http_metrics().in_flight.inc()


def _finish(response: Response) -> Response:
    if "instrumented_at" not in g:
        return response
    metrics, began = http_metrics(), g.instrumented_at
    route = request.url_rule.rule if request.url_rule else NO_ROUTE
    method = request.method if request.method in METHODS else "other"
    caller = g.get("caller")
    facts = {
        "request_id": g.get("request_id", ""),
        "method": method,
        "route": route,
        "status": response.status_code,
        # The key that was used, or the person who signed in.
        "caller": (caller.key_id or caller.id) if caller else None,
    }

    def sent() -> None:
        seconds = time.monotonic() - began
        metrics.in_flight.dec()
        metrics.requests.labels(method, route, str(facts["status"])).inc()
        metrics.seconds.labels(method, route).observe(seconds)
        write = log.debug if route in PROBES else log.info
        write("request", **facts, ms=round(seconds * 1000, 1))

    response.call_on_close(sent)
    return response
