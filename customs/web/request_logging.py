"""The log of requests: each one that changed something or failed, masked, by its id; and the API that shows it."""

import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import structlog
from flask import Blueprint, Flask, Response, current_app, g, request
from sqlalchemy import ColumnElement, select, true
from sqlalchemy.exc import SQLAlchemyError
from werkzeug import Response as WerkzeugResponse

from customs.audit.request_log import LONGEST_PATH, REQUESTS_BY, LoggedRequest
from customs.auth.api_keys import note_use
from customs.auth.principal import Caller, Scope
from customs.db import database
from customs.db.pagination import newest_first, page_of
from customs.errors import NotFound
from customs.ids import new_id
from customs.privacy.request_redaction import LARGEST_READ, shown_answer, shown_path, shown_query, shown_request
from customs.web import response_fields as out
from customs.web.api_docs import PAGE, TIMES, api_docs, texts
from customs.web.rate_limit import TokenBuckets
from customs.web.request import (
    api_key_required,
    current_caller,
    detail_response,
    list_json,
    page_arguments,
    text_argument,
    time_argument,
)
from customs.web.response_fields import Out, page_schema
from customs.web.services import WebServices, services

log = structlog.get_logger()

api = Blueprint("requests", __name__, url_prefix="/api/v1")

LOGGED_METHODS = ("POST", "PUT", "PATCH", "DELETE")
# Whoever has no key or asks too often must not fill the database either.
UNWELCOME = (HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS)
UNWELCOME_EACH_SECONDS, UNWELCOME_BURST = 0.2, 100


class LoggedRequestOut(Out):
    """One request that changed something or failed."""

    request_id = out.Text()
    at = out.Instant()
    key_id = out.Text("The key it came with; null without one.", null=True)
    method = out.Text("The method of HTTP.")
    path = out.Text("The path, without what belongs to a person.")
    query = out.Text("The query string, masked.", null=True)
    status = out.Integer("The status of the answer.")
    duration_ms = out.Integer()


class LoggedBodyOut(Out):
    """A body of a request or an answer; a body that is not kept has its size and digest."""

    size = out.Integer("Bytes, once decompressed; null for an empty body.", null=True)
    sha256 = out.Text("The SHA-256 of the body.", null=True, shape={"pattern": "^[0-9a-f]{64}$"})
    body = out.Text("Masked.", null=True)


class LoggedRequestDetailOut(LoggedRequestOut):
    """One request with its bodies."""

    request = out.Object(LoggedBodyOut, "What was sent.", of=lambda one: _body(one, "request"), stored=True)
    response = out.Object(LoggedBodyOut, "What was answered.", of=lambda one: _body(one, "response"), stored=True)


LOGGED_REQUEST, LOGGED_REQUEST_DETAIL, LOGGED_BODY = LoggedRequestOut(), LoggedRequestDetailOut(), LoggedBodyOut()


def _body(one: LoggedRequest, side: str) -> dict[str, Any]:
    return {part: getattr(one, f"{side}_{part}") for part in LOGGED_BODY.fields}


@dataclass(frozen=True)
class Afterwards:
    """Work left for when the answer is out: the entry in the log, and the use of the key."""

    services: WebServices
    entry: LoggedRequest | None
    asked: bytes | None
    answered: bytes | None
    used_key: str | None

    def __call__(self) -> None:
        """Write it in one short transaction. The caller has the answer: nothing fails or waits for this."""
        if self.entry:
            _take_bodies(self.entry, self.asked, self.answered)
        try:
            with self.services.transaction() as db:
                if self.used_key:
                    note_use(db, self.used_key, database.now(db))
                if self.entry:
                    db.add(self.entry)
        except SQLAlchemyError as error:
            log.warning("a request was not logged", error=type(error).__name__)


def init_app(app: Flask) -> None:
    """Log every request of the API that changed something or failed, after it was answered."""

    def begin() -> None:
        g.began = (time.monotonic(), datetime.now(UTC))

    def finish(response: Response) -> Response:
        entry = _entry(response) if _is_logged(response) else None
        used_key = current_caller().key_id if g.get("use_is_new") else None
        if entry or used_key:
            # Of the request only what its view read: nothing is read here.
            answered = response.get_data() if entry else None
            response.call_on_close(Afterwards(services(), entry, g.get("body"), answered, used_key))
        return response

    app.before_request(begin)
    app.after_request(finish)
    app.register_blueprint(api)


@api.get("/requests")
@api_key_required(None)
@api_docs(
    "Requests",
    "What this key asked, newest first",
    page_schema(LoggedRequestOut),
    "One page.",
    query=(*PAGE, *TIMES, *texts("request_id", "method")),
)
def list_requests() -> dict[str, Any]:
    limit, cursor = page_arguments()
    since, until = time_argument("since"), time_argument("until")
    wanted = [LoggedRequest.at >= since] if since else []
    wanted += [LoggedRequest.at < until] if until else []
    wanted += [
        getattr(LoggedRequest, name) == text for name in ("request_id", "method") if (text := text_argument(name))
    ]
    with services().reading() as db:
        page = page_of(db, select(LoggedRequest).where(_seen(), *wanted), REQUESTS_BY, limit, cursor)
        return list_json(page, LOGGED_REQUEST.dump(page.rows, many=True))


@api.get("/requests/<request_id>")
@api_key_required(None)
@api_docs(
    "Requests", "What was sent and what was said, masked", LoggedRequestDetailOut, "The newest with this id.", etag=True
)
def read_request(request_id: str) -> WerkzeugResponse:
    """Return the newest with this id: a caller's own ids may come twice."""
    newest = select(LoggedRequest).where(LoggedRequest.request_id == request_id, _seen())
    with services().reading() as db:
        found = db.scalar(newest.order_by(*newest_first(REQUESTS_BY)).limit(1))
    if found is None:
        raise NotFound
    return detail_response(LOGGED_REQUEST_DETAIL.dump(found))


def _seen() -> ColumnElement[bool]:
    """Return the condition of what a key sees: its family's requests; everything for an admin of all merchants."""
    caller: Caller = current_caller()
    sees_all = caller.may(Scope.ADMIN) and caller.merchants is None
    return true() if sees_all else LoggedRequest.caller == caller.id


def _is_logged(response: Response) -> bool:
    if not request.path.startswith("/api/") or "began" not in g:
        return False
    if request.method not in LOGGED_METHODS and response.status_code < HTTPStatus.BAD_REQUEST:
        return False
    if response.status_code not in UNWELCOME:
        return True
    unwelcome: TokenBuckets = current_app.extensions["unwelcome"]
    return unwelcome.take("", UNWELCOME_EACH_SECONDS, UNWELCOME_BURST, time.monotonic())[0]


def _entry(response: Response) -> LoggedRequest:
    caller: Caller | None = g.get("caller")
    began, at = g.began
    return LoggedRequest(
        id=new_id("log"),
        request_id=g.request_id,
        at=at,
        caller=caller and caller.id,
        key_id=caller and caller.key_id,
        method=request.method[:16],
        path=shown_path(request.path)[:LONGEST_PATH],
        query=(shown_query(request.args.items(multi=True)) or "")[:LONGEST_PATH] or None,
        status=response.status_code,
        duration_ms=round((time.monotonic() - began) * 1000),
    )


def _take_bodies(entry: LoggedRequest, asked: bytes | None, answered: bytes | None) -> None:
    """Put size and digest of both bodies into the entry, and the masked bodies unless the caller was refused."""
    for side, body, shown in (("request", asked, shown_request), ("response", answered, shown_answer)):
        if not body:
            continue
        setattr(entry, f"{side}_size", len(body))
        setattr(entry, f"{side}_sha256", hashlib.sha256(body).hexdigest())
        if len(body) <= LARGEST_READ and entry.status not in UNWELCOME:
            setattr(entry, f"{side}_body", shown(body))
