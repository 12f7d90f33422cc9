"""Descriptions that views of the API carry, of which the OpenAPI document is made."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from marshmallow import Schema

from customs.db.pagination import LARGEST_PAGE, LONGEST_CURSOR
from customs.web.request import DEFAULT_PAGE, allow_only_arguments
from customs.web.response_fields import INSTANT_EXAMPLE, Json

P = ParamSpec("P")
R = TypeVar("R")

# No database and no number holds a NUL.
PLAIN_TEXT = r"^[^\x00]*$"


@dataclass(frozen=True)
class ApiDocs:
    """Description of a view: what it takes and answers, and the problems it may answer beyond those of any call.

    `schema`: of the answer, None for no body. `about`: what the summary does not say. `query`: the parameters it reads,
    None where it does not check them. `idempotent`: it honours an Idempotency-Key. `etag`: it answers If-None-Match.
    """

    tag: str
    summary: str
    schema: type[Schema] | None
    answer: str
    status: int = 200
    about: str = ""
    query: tuple[Json, ...] | None = None
    body: type[Schema] | None = None
    body_optional: bool = False
    codes: tuple[str, ...] = ()
    idempotent: bool = False
    etag: bool = False


def api_docs(
    tag: str, summary: str, schema: type[Schema] | None, answer: str, **more: Any
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Describe a view, and refuse query parameters that it does not read: a misspelt filter must not list everything.

    Its route says method and path, its function's name is the operationId.
    """
    docs = ApiDocs(tag, summary, schema, answer, **more)
    names = None if docs.query is None else [str(one["name"]) for one in docs.query]

    def describe(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def strict(*args: P.args, **kwargs: P.kwargs) -> R:
            if names is not None:
                allow_only_arguments(*names)
            return view(*args, **kwargs)

        vars(strict)["api_docs"] = docs
        return strict

    return describe


def query(name: str, shape: Json, description: str, *, required: bool = False) -> Json:
    return {"name": name, "in": "query", "required": required, "schema": shape, "description": description}


def texts(*names: str) -> tuple[Json, ...]:
    """Return filters that take a text as it is."""
    return tuple(query(name, {"type": "string", "pattern": PLAIN_TEXT}, "Exactly this.") for name in names)


def one_of(name: str, choices: Iterable[str], description: str = "Only these.", *, required: bool = False) -> Json:
    return query(name, {"type": "string", "enum": [str(one) for one in choices]}, description, required=required)


def yes_or_no(name: str, description: str) -> Json:
    return query(name, {"type": "boolean"}, description)


def limit(default: int = DEFAULT_PAGE) -> Json:
    shape = {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": default}
    return query("limit", shape, "How many rows a page has at most.")


def cursor(pattern: str = rf"^[ -~]{{0,{LONGEST_CURSOR}}}$") -> Json:
    return query("cursor", {"type": "string", "pattern": pattern}, "The `next_cursor` of the page before.")


def time(name: str, description: str) -> Json:
    return query(name, {"type": "string", "format": "date-time", "examples": [INSTANT_EXAMPLE]}, description)


def day(name: str) -> Json:
    shape = {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
    return query(name, shape, "A day in Shanghai, such as 2026-11-23.", required=True)


PAGE = (limit(), cursor())
TIMES = (
    time("since", "Made at or after this; RFC 3339 with an offset."),
    time("until", "Made before this; RFC 3339 with an offset."),
)
COUNTED_PAGE = (limit(LARGEST_PAGE), cursor(r"^[0-9]{1,18}$"))
MERCHANT = query(
    "merchant_no",
    {"type": "string", "pattern": PLAIN_TEXT, "minLength": 1, "maxLength": 64},
    "One of this key's merchants.",
    required=True,
)
