"""One row of the contract: a route, who may call it, what it takes, what it answers and what may go wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from customs.auth.principal import Scope
from customs.site.openapi.json_schema import Json, ref
from customs.site.openapi.parameters import IDEMPOTENCY_KEY, IF_NONE_MATCH
from customs.site.openapi.problems import RATE, REQUEST_ID, answers_for

# What any call with a key may meet; what a body may meet; what doing something once may meet.
ANY_CALL = ("api_key_missing", "api_key_invalid", "insufficient_scope", "rate_limited", "database_unavailable")
ANY_BODY = ("malformed_request", "payload_too_large", "unsupported_encoding", "validation_failed")
ONCE = (
    "concurrent_update",
    "idempotency_key_in_use",
    "idempotency_key_reused",
    "validation_failed",
    "payload_too_large",
    "unsupported_encoding",
)
ETAG: Json = {"description": "Of what is answered.", "schema": {"type": "string"}, "required": True}
ANY_KEY = "any"
BODIES_TYPE = "application/json"


@dataclass(frozen=True)
class Answer:
    """What a route answers when all is well. `schema`: a component's name; None for no body."""

    schema: str | None
    description: str
    headers: Mapping[str, Json] = field(default_factory=dict)
    example: Any = None

    def shown(self) -> Json:
        made: Json = {"description": self.description, "headers": {"X-Request-Id": REQUEST_ID, **RATE, **self.headers}}
        if self.schema is not None:
            content: Json = {"schema": ref(self.schema)}
            made["content"] = {BODIES_TYPE: content | ({} if self.example is None else {"example": self.example})}
        return made


@dataclass(frozen=True)
class Operation:
    """`name` is the operationId; `codes` are the problems beyond those any call may meet.

    `scope`: ANY_KEY where every key sees what it may read. `body` is a component's name, `examples` its bodies.
    `once`: it honours an Idempotency-Key; `etag`: it answers 304 to who has it already.
    """

    method: str
    path: str
    name: str
    tag: str
    summary: str
    scope: Scope | str
    answers: Mapping[int, Answer]
    description: str = ""
    parameters: tuple[Json, ...] = ()
    body: str | None = None
    body_optional: bool = False
    examples: Mapping[str, Any] = field(default_factory=dict)
    codes: tuple[str, ...] = ()
    once: bool = False
    etag: bool = False

    def shown(self) -> Json:
        """The row as an operation of OpenAPI."""
        made: Json = {
            "operationId": self.name,
            "tags": [self.tag],
            "summary": self.summary,
            "description": self._description(),
            "parameters": [
                *self.parameters,
                *([IDEMPOTENCY_KEY] if self.once else []),
                *([IF_NONE_MATCH] if self.etag else []),
            ],
            "responses": {str(status): answer.shown() for status, answer in self._all_answers().items()}
            | answers_for(self.all_codes),
        }
        if self.body is not None:
            content: Json = {"schema": ref(self.body)}
            if self.examples:
                content["examples"] = {title: {"value": value} for title, value in self.examples.items()}
            made["requestBody"] = {"required": not self.body_optional, "content": {BODIES_TYPE: content}}
        return made

    def _all_answers(self) -> Mapping[int, Answer]:
        if not self.etag:
            return self.answers
        tagged = {status: replace(answer, headers={"ETag": ETAG}) for status, answer in self.answers.items()}
        return tagged | {304: Answer(None, "Nothing changed since the ETag in If-None-Match.", {"ETag": ETAG})}

    @property
    def all_codes(self) -> tuple[str, ...]:
        named = (*ANY_CALL, *(ANY_BODY if self.body else ()), *(ONCE if self.once else ()), *self.codes)
        return tuple(code for code in dict.fromkeys(named) if code != "insufficient_scope" or self.scope != ANY_KEY)

    def _description(self) -> str:
        needed = f"Scope: `{self.scope}`."
        return "\n\n".join(part for part in (self.description, needed) if part)
