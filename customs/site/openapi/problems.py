"""Problems (RFC 9457) as the document shows them: one response for each status, the codes of each."""

from collections.abc import Iterable, Iterator
from http import HTTPStatus

from customs.errors import CustomsError
from customs.web.error_handlers import ProblemOut
from customs.web.response_fields import Json, id_shape

# A wait that helps is told in seconds.
WAITS = {"concurrent_update", "idempotency_key_in_use", "database_unavailable", "gateway_unavailable", "rate_limited"}

REQUEST_ID: Json = {
    "description": "This request's id: yours, when you sent one of 1 to 64 letters, digits, - and _.",
    "schema": {"type": "string"},
    "required": True,
}
# Of every call with a key, unless limits are switched off.
RATE_HEADERS: dict[str, Json] = {
    "RateLimit-Limit": {"description": "Calls that may be made at once.", "schema": {"type": "string"}},
    "RateLimit-Remaining": {"description": "Calls that are left now.", "schema": {"type": "string"}},
    "RateLimit-Reset": {"description": "Seconds until all are there again.", "schema": {"type": "string"}},
}
RETRY_AFTER: Json = {"description": "Seconds to wait.", "schema": {"type": "string", "pattern": "^[0-9]+$"}}
CHALLENGE: Json = {"description": 'Bearer realm="customs"', "schema": {"type": "string"}, "required": True}


def statuses() -> dict[str, int]:
    """The status of every code that is a problem's own, as the classes of errors say it."""
    return {code_of(kind): kind.status for kind in kinds()}


def kinds(above: type[CustomsError] = CustomsError) -> Iterator[type[CustomsError]]:
    """Every class of errors below one."""
    for kind in above.__subclasses__():
        yield kind
        yield from kinds(kind)


def code_of(kind: type[CustomsError]) -> str:
    """The code that problems of a class carry; some want more to be made than a text, so none is made."""
    return kind.__new__(kind).code


def problem_responses(codes: Iterable[str]) -> dict[str, Json]:
    """Return one response for each status among these codes."""
    known = statuses()
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(known[code], []).append(code)
    return {str(status): _response(status, sorted(names)) for status, names in sorted(by_status.items())}


def _response(status: int, codes: list[str]) -> Json:
    headers = {"X-Request-Id": REQUEST_ID, **RATE_HEADERS}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = CHALLENGE
    if WAITS.intersection(codes):
        headers["Retry-After"] = {**RETRY_AFTER, "required": set(codes) <= WAITS}
    return {
        "description": f"{HTTPStatus(status).phrase}: {', '.join(f'`{code}`' for code in codes)}",
        "headers": headers,
        "content": {"application/problem+json": {"schema": ProblemOut, "example": _example(status, codes[0])}},
    }


def _example(status: int, code: str) -> Json:
    titles = {code_of(kind): kind.__new__(kind).title for kind in kinds()}
    return {
        "type": f"/errors/{code}",
        "title": titles[code],
        "status": status,
        "detail": titles[code],
        "code": code,
        "request_id": id_shape("req")["examples"][0],
        "errors": [],
    }
