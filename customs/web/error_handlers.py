"""Render every error: application/problem+json (RFC 9457) under /api, a page or plain text elsewhere."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

import structlog
from flask import Flask, Response, g, request
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from werkzeug.exceptions import HTTPException, InternalServerError, RequestEntityTooLarge

from customs.db import database
from customs.db.database import UnusableDatabase
from customs.errors import CustomsError, DatabaseUnavailable, ErrorDetail, PayloadTooLarge
from customs.web import rendering
from customs.web import response_fields as out
from customs.web.error_catalog import describe_response
from customs.web.instrumentation import note_refusal
from customs.web.response_fields import Out

log = structlog.get_logger()

BUSY_SECONDS = 2
PLAIN = "text/plain; charset=utf-8"


class ErrorDetailOut(Out):
    """One place that is wrong."""

    pointer = out.Text(
        "JSON pointer into the body; `?name` for a parameter of the query; empty for the whole.",
        shape={"examples": ["/declarations/3/sub_orders/0/amount"]},
    )
    code = out.Text("Stable; has a page at `/errors/<code>`.", shape=out.CODE | {"examples": ["amount_sum"]})
    detail = out.Text("What is wrong there.")


class ProblemOut(Out):
    """application/problem+json (RFC 9457)."""

    type = out.Text(
        "The address of this code's page here.",
        of=lambda one: f"/errors/{one.code}",
        shape={"format": "uri-reference", "examples": ["/errors/validation_failed"]},
    )
    title = out.Text("The same for every problem of this code.")
    status = out.Integer("The status of the answer.", least=400)
    detail = out.Text("What went wrong this time.")
    code = out.Text("Stable: decide by this one.", shape=out.CODE | {"examples": ["validation_failed"]})
    request_id = out.Text(
        "Name it when you ask for help; also in X-Request-Id.", of=lambda _problem: g.get("request_id")
    )
    errors = out.List(out.Object(ErrorDetailOut), "Each place that is wrong; may be empty.")
    not_before = out.Instant("From when it may be tried again, where waiting helps.", optional=True)


@dataclass(frozen=True)
class Problem:
    """One error as a program reads it."""

    status: int
    code: str
    title: str
    detail: str
    errors: Sequence[ErrorDetail]
    not_before: datetime | None


PROBLEM = ProblemOut()


def init_app(app: Flask) -> None:
    """Render our own errors, werkzeug's, those of the database, and whatever else escaped."""
    app.register_error_handler(CustomsError, _of_customs_error)
    app.register_error_handler(HTTPException, _of_http_exception)
    app.register_error_handler(SQLAlchemyError, _of_database)
    app.register_error_handler(InternalServerError, _of_crash)


def problem(
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    errors: tuple[ErrorDetail, ...] = (),
    not_before: datetime | None = None,
    retry_after: int | None = None,
) -> Response:
    """Return a problem document, or a page outside of the API; `errors` points into the request's body."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    if not request.path.startswith("/api/"):
        return _shown(status, code, title, headers)
    body = PROBLEM.dump(Problem(status, code, title, detail, errors, not_before))
    text = json.dumps(body, ensure_ascii=False)
    response = Response(text, status, headers, content_type="application/problem+json")
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="customs"'
    return response


def _shown(status: int, code: str, title: str, headers: Mapping[str, str]) -> Response:
    """Return a page for a browser, a line of text for everything else."""
    if "HX-Request" in request.headers:
        # The script says it beside the page, which stays as it is.
        return Response(describe_response(status, code, title).meaning, status, headers, content_type=PLAIN)
    if not rendering.wants_html():
        return Response(f"{title}\n", status, headers, content_type=PLAIN)
    words = describe_response(status, code, title)
    response = rendering.render_bare_page(
        "error.html", status, title=words.meaning, about=words.action, request_id=g.get("request_id")
    )
    response.headers.update(headers)
    return response


def _of_customs_error(error: CustomsError) -> Response:
    note_refusal(error)
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("a request failed", code=error.code, request_id=g.get("request_id"))
    return _render(error)


def _render(error: CustomsError) -> Response:
    return problem(
        error.status,
        error.code,
        error.title,
        error.detail,
        errors=error.errors,
        not_before=error.not_before,
        retry_after=error.retry_after,
    )


def _of_http_exception(error: HTTPException) -> Response:
    if isinstance(error, RequestEntityTooLarge):
        return _of_customs_error(PayloadTooLarge())
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    code = (error.name or "error").lower().replace(" ", "_")
    response = problem(status, code, error.name, error.description or error.name)
    if allowed := dict(error.get_headers()).get("Allow"):
        response.headers["Allow"] = allowed
    return response


def _of_database(error: SQLAlchemyError) -> Response:
    if not database.is_away(error):
        return _of_crash(InternalServerError(original_exception=error))
    # The statement's parameters may hold numbers of a customer: only the kind of error is logged.
    kind = type(error.orig if isinstance(error, DBAPIError) else error).__name__
    log.error("the database is away", error=kind, request_id=g.get("request_id"))
    detail = str(error) if isinstance(error, UnusableDatabase) else "try again"
    return _render(DatabaseUnavailable(detail, retry_after=BUSY_SECONDS))


def _of_crash(error: InternalServerError) -> Response:
    log.error("a request crashed", error=type(error.original_exception).__name__, exc_info=error.original_exception)
    return problem(500, "internal_error", "Something went wrong on our side", "it was logged with this request_id")
