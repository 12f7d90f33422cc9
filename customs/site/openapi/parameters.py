"""What may stand in a query, a path or a header, and how a problem's parameters point to it."""

from collections.abc import Iterable

from customs.db.pagination import LARGEST_PAGE, LONGEST_CURSOR
from customs.site.openapi.json_schema import INSTANT_EXAMPLE, Json, choice, flag, id_of
from customs.web.request import DEFAULT_PAGE

# No database and no number holds a NUL.
WORD: Json = {"type": "string", "pattern": r"^[^\x00]*$"}


def query(name: str, shape: Json, description: str = "", *, required: bool = False) -> Json:
    made = {"name": name, "in": "query", "required": required, "schema": shape}
    return made | ({"description": description} if description else {})


def words(*names: str) -> tuple[Json, ...]:
    """Filters that take a text as it is."""
    return tuple(query(name, WORD, "Exactly this.") for name in names)


def one_of(name: str, choices: Iterable[str], *, required: bool = False) -> Json:
    return query(name, choice(choices), required=required)


def yes_or_no(name: str, description: str = "") -> Json:
    return query(name, flag(), description)


def limit(default: int = DEFAULT_PAGE) -> Json:
    return query("limit", {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": default})


def cursor(pattern: str = rf"^[ -~]{{0,{LONGEST_CURSOR}}}$") -> Json:
    shape = {"type": "string", "pattern": pattern}
    return query("cursor", shape, "The `next_cursor` of the page before.")


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


def in_path(name: str, prefix: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": id_of(prefix)}


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
MERCHANT = query("merchant_no", WORD | {"minLength": 1, "maxLength": 64}, "One of this key's merchants.", required=True)
