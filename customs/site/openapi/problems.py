"""Problems (RFC 9457) as the document shows them: one schema, one answer for each status, the codes of each."""

from collections.abc import Iterable, Iterator
from http import HTTPStatus

from customs.errors import CustomsError
from customs.site.openapi.json_schema import Json, id_of, instant, list_of, ref, text, thing

# A wait that helps is told in seconds.
WAITS = {"concurrent_update", "idempotency_key_in_use", "database_unavailable", "gateway_unavailable", "rate_limited"}

PROBLEM = thing(
    {
        "type": text(
            "The address of this code's page here.", format="uri-reference", examples=["/errors/validation_failed"]
        ),
        "title": text("The same for every problem of this code."),
        "status": {"type": "integer", "examples": [422]},
        "detail": text("What went wrong this time."),
        "code": text("Stable: decide by this one.", examples=["validation_failed"]),
        "request_id": text("Name it when you ask for help; also in X-Request-Id."),
        "errors": list_of(ref("ProblemFault"), "Each place that is wrong; may be empty."),
        "not_before": instant("From when it may be tried again, where waiting helps."),
    },
    "application/problem+json.",
    optional=("not_before",),
)
FAULT = thing(
    {
        "pointer": text(
            "JSON pointer into the body; `?name` for a parameter of the query; empty for the whole.",
            examples=["/declarations/3/sub_orders/0/amount"],
        ),
        "code": text("Stable; has a page at /errors/<code>.", examples=["amount_sum"]),
        "detail": text(),
    }
)
PROBLEM_SCHEMAS: dict[str, Json] = {"Problem": PROBLEM, "ProblemFault": FAULT}

REQUEST_ID: Json = {
    "description": "This request's id: yours, when you sent one of 1 to 64 letters, digits, - and _.",
    "schema": {"type": "string"},
    "required": True,
}
# Of every call with a key, unless limits are switched off.
RATE: dict[str, Json] = {
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


def answers_for(codes: Iterable[str]) -> dict[str, Json]:
    """One answer for each status among these codes."""
    known = statuses()
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(known[code], []).append(code)
    return {str(status): _answer(status, sorted(names)) for status, names in sorted(by_status.items())}


def _answer(status: int, codes: list[str]) -> Json:
    headers = {"X-Request-Id": REQUEST_ID, **RATE}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = CHALLENGE
    if WAITS.intersection(codes):
        headers["Retry-After"] = RETRY_AFTER | {"required": set(codes) <= WAITS}
    return {
        "description": f"{HTTPStatus(status).phrase}: {', '.join(f'`{code}`' for code in codes)}",
        "headers": headers,
        "content": {"application/problem+json": {"schema": ref("Problem"), "example": _example(status, codes[0])}},
    }


def _example(status: int, code: str) -> Json:
    titles = {code_of(kind): kind.__new__(kind).title for kind in kinds()}
    return {
        "type": f"/errors/{code}",
        "title": titles[code],
        "status": status,
        "detail": titles[code],
        "code": code,
        "request_id": id_of("req")["examples"][0],
        "errors": [],
    }
