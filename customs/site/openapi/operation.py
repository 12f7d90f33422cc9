"""One operation of the document: its route, scope, parameters, answer and the problems (RFC 9457) it may answer."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Flask

from customs.auth.principal import Scope
from customs.errors import CustomsError
from customs.site.openapi import examples
from customs.web.api_docs import ApiDocs
from customs.web.error_handlers import ProblemOut
from customs.web.response_fields import Json, id_shape

# Codes with a Retry-After: waiting helps.
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
    """Return the status of every code that is the code of a problem, as the classes of errors have it."""
    return {code_of(kind): kind.status for kind in kinds()}


def kinds(above: type[CustomsError] = CustomsError) -> Iterator[type[CustomsError]]:
    """Yield every class of errors below one."""
    for kind in above.__subclasses__():
        yield kind
        yield from kinds(kind)


def code_of(kind: type[CustomsError]) -> str:
    """Return the code of a class of errors, without making one: some need more than a text."""
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


# What any call with a key may meet; what a body may meet; what an Idempotency-Key may meet.
ANY_CALL = ("api_key_missing", "api_key_invalid", "insufficient_scope", "rate_limited", "database_unavailable")
ANY_BODY = ("malformed_request", "payload_too_large", "unsupported_encoding", "validation_failed")
IDEMPOTENT = (
    "concurrent_update",
    "idempotency_key_in_use",
    "idempotency_key_reused",
    "validation_failed",
    "payload_too_large",
    "unsupported_encoding",
)
BODIES_TYPE = "application/json"
IN_A_RULE = re.compile(r"<([a-z_]+)>")
# What stands in a path; any other name is a text of the caller's.
ID_PREFIXES = {
    "batch_id": "bat",
    "declaration_id": "decl",
    "endpoint_id": "whe",
    "event_id": "evt",
    "lane_id": "lane",
    "payment_id": "pay",
    "refund_id": "ref",
}
ETAG: Json = {"description": "Of what is answered.", "schema": {"type": "string"}, "required": True}
IDEMPOTENCY_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": "^[!-~]([ -~]{0,253}[!-~])?$", "examples": ["order-2611230558200001"]},
    "description": "A text of your own for this request. The same key with the same body gets the same answer for "
    "30 days; with another body it is refused with `idempotency_key_reused`.",
}
IF_NONE_MATCH: Json = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "examples": ['"0123456789abcdef0123456789abcdef"']},
    "description": "The ETag you hold: 304 when nothing changed.",
}


@dataclass(frozen=True)
class Operation:
    """A route of the API. `name` is the operationId; `scope`: None where every key sees what it may read."""

    method: str
    path: str
    name: str
    scope: Scope | None
    docs: ApiDocs

    @property
    def examples(self) -> Mapping[str, Any]:
        """Return example bodies by their titles."""
        return examples.BODIES.get(self.name, {})

    @property
    def codes(self) -> tuple[str, ...]:
        """Return the codes of every problem it may answer."""
        docs = self.docs
        named = (*ANY_CALL, *(ANY_BODY if docs.body else ()), *(IDEMPOTENT if docs.idempotent else ()), *docs.codes)
        named += ("not_found",) * ("{" in self.path) + ("validation_failed",) * (docs.query is not None)
        return tuple(code for code in dict.fromkeys(named) if self.scope or code != "insufficient_scope")

    @property
    def parameters(self) -> list[Json]:
        """Return what it takes in its path, its query and its headers."""
        in_path = [path_parameter(name) for name in re.findall(r"{([a-z_]+)}", self.path)]
        headers = [*([IDEMPOTENCY_KEY] if self.docs.idempotent else []), *([IF_NONE_MATCH] if self.docs.etag else [])]
        return [*in_path, *(self.docs.query or ()), *headers]

    def as_openapi(self) -> dict[str, Any]:
        """Return the operation; schemas in it are marshmallow's."""
        docs = self.docs
        scope = f"Scope: `{self.scope or 'any'}`."
        operation: dict[str, Any] = {
            "operationId": self.name,
            "tags": [docs.tag],
            "summary": docs.summary,
            "description": f"{docs.about}\n\n{scope}" if docs.about else scope,
            "parameters": [dict(one) for one in self.parameters],
            "responses": {**self._responses(), **problem_responses(self.codes)},
        }
        if docs.body is not None:
            content: dict[str, Any] = {"schema": docs.body}
            if self.examples:
                content["examples"] = {title: {"value": value} for title, value in self.examples.items()}
            operation["requestBody"] = {"required": not docs.body_optional, "content": {BODIES_TYPE: content}}
        return operation

    def _responses(self) -> dict[str, Any]:
        headers = {"X-Request-Id": REQUEST_ID, **RATE_HEADERS} | ({"ETag": ETAG} if self.docs.etag else {})
        response: dict[str, Any] = {"description": self.docs.answer, "headers": headers}
        if self.docs.schema is not None:
            example = examples.RESPONSES.get(self.name)
            content = {"schema": self.docs.schema} | ({"example": example} if example else {})
            response["content"] = {BODIES_TYPE: content}
        if not self.docs.etag:
            return {str(self.docs.status): response}
        unchanged = {"description": "Nothing changed since the ETag in If-None-Match.", "headers": headers}
        return {str(self.docs.status): response, "304": unchanged}


def path_parameter(name: str) -> Json:
    prefix = ID_PREFIXES.get(name)
    shape: Json = id_shape(prefix) if prefix else {"type": "string"}
    about = "Its id." if prefix else "The id of the request, yours or ours."
    return {"name": name, "in": "path", "required": True, "schema": shape, "description": about}


def operations_of(blueprints: tuple[Blueprint, ...], prefix: str) -> Iterator[Operation]:
    """Return the routes that describe themselves, in the order of the blueprints."""
    app = Flask(__name__)
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    for rule in app.url_map.iter_rules():
        view = vars(app.view_functions[rule.endpoint])
        if "api_docs" in view:
            (method,) = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            path = IN_A_RULE.sub(r"{\1}", rule.rule.removeprefix(prefix))
            yield Operation(method, path, rule.endpoint.rpartition(".")[2], view["scope"], view["api_docs"])
