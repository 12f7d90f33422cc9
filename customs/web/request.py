"""Requests of the API: the caller behind the key, arguments of the query string, lists and details as JSON."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import wraps
from typing import Any, NoReturn, ParamSpec, TypeVar
from urllib.parse import urlencode

from flask import Response, current_app, g, request
from werkzeug import Response as WerkzeugResponse

from customs.auth.api_keys import caller_of
from customs.auth.principal import Caller, Scope
from customs.db.pagination import LARGEST_PAGE, LONGEST_CURSOR, Page
from customs.errors import ApiKeyMissing, ErrorDetail, NotFound, ValidationFailed
from customs.web.json_body import allow_large_body
from customs.web.rate_limit import refusal
from customs.web.services import services

P = ParamSpec("P")
R = TypeVar("R")

DEFAULT_PAGE = 50
# Digits of a number that still fits into the database's integers.
LONGEST_COUNT = 19


def current_caller() -> Caller:
    """Return the caller of this request; only behind `api_key_required` or `login_required`."""
    caller: Caller = g.caller
    return caller


def api_key_required(scope: Scope | None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Open a view to API keys with this scope; None: to every key."""

    def guard(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            kind, _, key = request.headers.get("Authorization", "").partition(" ")
            if kind.lower() != "bearer" or not key.strip():
                raise ApiKeyMissing
            with services().reading() as db:
                now = current_app.extensions["clock"](db.connection())
                g.caller, g.use_is_new = caller_of(db, key.strip(), now)
            _within_the_limit()
            if scope is not None:
                current_caller().require(scope)
            if "\x00" in request.path:
                # PostgreSQL knows no such text, and no id holds it.
                raise NotFound
            allow_large_body()
            return view(*args, **kwargs)

        vars(guarded)["scope"] = scope
        return guarded

    return guard


def _within_the_limit() -> None:
    """Count this request; raises RateLimited when its key asks too often. All keys of one family share a bucket."""
    g.rate_limit = current_app.extensions["limiter"].take(current_caller().id)
    if g.rate_limit is not None and not g.rate_limit.allowed:
        raise refusal(g.rate_limit)


def page_arguments(default: int = DEFAULT_PAGE) -> tuple[int, str | None]:
    """Return `limit` and `cursor` of the query string."""
    text = request.args.get("limit", str(default))
    if not (text.isascii() and text.isdigit() and len(text) < LONGEST_COUNT and 1 <= int(text) <= LARGEST_PAGE):
        raise _wrong("limit", f"a whole number from 1 to {LARGEST_PAGE}")
    cursor = request.args.get("cursor")
    if cursor is not None and not (cursor.isascii() and cursor.isprintable() and len(cursor) <= LONGEST_CURSOR):
        raise _wrong("cursor", "the next_cursor of the page before")
    return int(text), cursor


def number_in_cursor(cursor: str | None) -> int:
    """Return the number in a cursor of a list that counts; 0 for its beginning."""
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < LONGEST_COUNT):
        raise _wrong("cursor", "the next_cursor of the page before")
    return int(cursor or 0)


def time_argument(name: str) -> datetime | None:
    """Return a time of the query string: RFC 3339 with an offset."""
    text = request.args.get(name)
    if text is None:
        return None
    try:
        # A bare "+" in a query string arrives as a blank.
        moment = datetime.fromisoformat(text.replace(" ", "+"))
        return moment.astimezone(UTC) if moment.tzinfo else _no_time(name)
    except (ValueError, OverflowError):
        return _no_time(name)


def _no_time(name: str) -> NoReturn:
    raise _wrong(name, "a time such as 2026-11-23T08:00:00Z")


def flag_argument(name: str) -> bool | None:
    text = request.args.get(name)
    if text is not None and text not in ("true", "false"):
        raise _wrong(name, "true or false")
    return None if text is None else text == "true"


def text_argument(name: str, choices: tuple[str, ...] = ()) -> str | None:
    text = request.args.get(name)
    if text is not None and ("\x00" in text or (choices and text not in choices)):
        raise _wrong(name, f"one of {', '.join(choices)}" if choices else "plain text")
    return text


def required_argument(name: str, choices: tuple[str, ...] = ()) -> str:
    text = text_argument(name, choices)
    if not text:
        raise _wrong(name, f"one of {', '.join(choices)}" if choices else "plain text")
    return text


def allow_only_arguments(*names: str) -> None:
    """Refuse a query string with parameters nobody reads: a misspelt filter must not list everything."""
    for name in request.args:
        if name not in names:
            raise _wrong(name[:50], f"one of {', '.join(names)}" if names else "no parameters")


def _wrong(name: str, wanted: str) -> ValidationFailed:
    return ValidationFailed(
        f"{name}: use {wanted}", errors=[ErrorDetail(f"?{name}", "parameter_invalid", f"use {wanted}")]
    )


def detail_response(shown: dict[str, Any]) -> WerkzeugResponse:
    """Answer with one thing and its ETag; 304 for who has it already (If-None-Match)."""
    response = Response(json.dumps(shown, ensure_ascii=False), content_type="application/json")
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32])
    return response.make_conditional(request)


def list_json(page: Page, rows: list[Any]) -> dict[str, Any]:
    """Return a page in the shape of every list."""
    return {"data": rows, "has_more": page.next_cursor is not None, "next_cursor": page.next_cursor}


def url_with(**changes: str | int | None) -> str:
    """Return the query string of this page with these changes; None takes a parameter away."""
    asked = request.args.to_dict(flat=True) | {name: value for name, value in changes.items() if value is not None}
    kept = {name: str(value) for name, value in asked.items() if not (name in changes and changes[name] is None)}
    return f"?{urlencode(kept)}" if kept else "?"


def given_filters(*names: str) -> dict[str, str]:
    """Return the filters that are not empty: forms send the empty ones along.

    Raises ValidationFailed for what is no text.
    """
    return {name: value for name in names if (value := (text_argument(name) or "").strip())}


EARLIEST, LATEST = date(2000, 1, 1), date(2999, 12, 31)


def day_argument(name: str) -> date | None:
    """Return a day of the query string; None where it is empty. Raises ValidationFailed for what is no day."""
    text = text_argument(name)
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise _no_day(name) from None
    if not EARLIEST <= day <= LATEST:
        raise _no_day(name)
    return day


def _no_day(name: str) -> ValidationFailed:
    return ValidationFailed(
        f"{name}: use a day such as 2026-11-23", errors=[ErrorDetail(f"?{name}", "parameter_invalid", "no day")]
    )
