"""Fields of the API's responses: schemas that serialise a thing, and of which the OpenAPI document is made."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import cache, partial
from operator import attrgetter
from typing import Any, ClassVar, cast

from marshmallow import EXCLUDE, Schema, fields

from customs.db.pagination import LONGEST_CURSOR
from customs.gateway import CURRENCY_PLACES, money_text
from customs.timestamps import instant

Json = Mapping[str, Any]

YUAN_PLACES = 2
ID_DIGITS = "019ab1c2f3d45e6f708192a3b4c5d6e7"
INSTANT_EXAMPLE = "2026-11-23T08:00:00.000Z"
ID_PATTERN = "^{prefix}_[0-9a-f]{{32}}$"
INSTANT_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$"
# Yen and won have no places; everything else has two.
AMOUNT_PATTERN = r"^[0-9]{1,16}(\.[0-9]{2})?$"
YUAN_PATTERN = r"^[0-9]{1,16}\.[0-9]{2}$"
CODE = {"pattern": "^[a-z][a-z0-9_]*$"}


class Out(Schema):
    """An object of a response; fields may be added to it later, so a reader passes over those it does not know.

    `source`: plain fields are attributes of this attribute of what is dumped, computed ones see all of it.
    """

    source: ClassVar[str] = ""

    class Meta:
        unknown = EXCLUDE

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        own = cast(dict[str, OutField], self.fields)
        self._readers = [(name, field.reader(name, self.source), field.required) for name, field in own.items()]

    def dump(self, obj: Any, *, many: bool | None = None) -> Any:
        """Return the JSON of one thing, or of `many`. Marshmallow's own loop takes three times as long."""
        if many:
            return [self.dump(one) for one in obj]
        return {name: value for name, read, always in self._readers if (value := read(obj)) is not None or always}


class OutField(fields.Field[Any]):
    """A field of a response.

    `of` computes its value where that is no plain attribute. `null`: it may be null. `optional`: it is left out while
    it has no value. `stored`: its value is JSON already. `shape` narrows the field's JSON Schema. Without a
    description it takes the glossary's sentence for its name.
    """

    SHAPE: ClassVar[Json] = {}

    def __init__(
        self,
        description: str = "",
        *,
        of: Callable[[Any], Any] | None = None,
        null: bool = False,
        optional: bool = False,
        stored: bool = False,
        shape: Json | None = None,
        **options: Any,
    ) -> None:
        about = {"description": description} if description else {}
        metadata = {**self.SHAPE, **(shape or {}), **about}
        super().__init__(required=not optional, allow_none=null, metadata=metadata, **options)
        self._of = of
        self._stored = stored

    def reader(self, name: str, source: str) -> Callable[[Any], Any]:
        """Return what makes the field's JSON of a thing; None where it has no value."""
        read = self._of or attrgetter(".".join(filter(None, (source, self.attribute or name))))
        write = None if self._stored else self.writer()
        if write is None:
            return read
        return lambda thing: None if (value := read(thing)) is None else write(value)

    def writer(self) -> Callable[[Any], Any] | None:
        """Return what makes JSON of a value; None where the value is JSON."""
        return None


class Text(OutField):
    """A text as it is."""

    SHAPE: ClassVar[Json] = {"type": "string"}


class Integer(OutField):
    """A whole number, from `least` on."""

    def __init__(self, description: str = "", *, least: int = 0, **options: Any) -> None:
        super().__init__(description, shape={"type": "integer", "minimum": least}, **options)


class Flag(OutField):
    """true or false."""

    SHAPE: ClassVar[Json] = {"type": "boolean"}


class Id(OutField):
    """An opaque id, sortable by time."""

    def __init__(self, prefix: str, description: str = "", **options: Any) -> None:
        super().__init__(description, shape=id_shape(prefix), **options)


def id_shape(prefix: str) -> dict[str, Any]:
    """Return the JSON Schema of an id."""
    pattern, example = ID_PATTERN.format(prefix=prefix), f"{prefix}_{ID_DIGITS}"
    return {"type": "string", "pattern": pattern, "examples": [example]}


class Choice(OutField):
    """One of a few words."""

    def __init__(self, words: Iterable[str], description: str = "", *, null: bool = False, **options: Any) -> None:
        enum: list[str | None] = [*map(str, words), *([None] if null else [])]
        super().__init__(description, null=null, shape={"type": "string", "enum": enum}, **options)


class Instant(OutField):
    """RFC 3339 in UTC with milliseconds."""

    SHAPE: ClassVar[Json] = {
        "type": "string",
        "format": "date-time",
        "pattern": INSTANT_PATTERN,
        "examples": [INSTANT_EXAMPLE],
    }

    def writer(self) -> Callable[[Any], Any]:
        return instant


class Day(OutField):
    """A day in Shanghai."""

    SHAPE: ClassVar[Json] = {"type": "string", "format": "date", "examples": ["2026-11-23"]}

    def writer(self) -> Callable[[Any], Any]:
        return date.isoformat


class Yuan(OutField):
    """An amount with two places, as text."""

    SHAPE: ClassVar[Json] = {"type": "string", "pattern": YUAN_PATTERN, "examples": ["46.44"]}

    def writer(self) -> Callable[[Any], Any]:
        return partial(money_text, places=YUAN_PLACES)


class Amount(OutField):
    """An amount with as many places as the currency of the thing has, as text."""

    SHAPE: ClassVar[Json] = {"type": "string", "pattern": AMOUNT_PATTERN, "examples": ["46.44"]}

    def reader(self, name: str, source: str) -> Callable[[Any], Any]:
        amount = super().reader(name, source)
        currency = attrgetter(f"{source}.currency" if source else "currency")
        return lambda thing: money_text(amount(thing), CURRENCY_PLACES[currency(thing)])


class TextByName(OutField):
    """An object whose names are not known before, with a text for each."""

    SHAPE: ClassVar[Json] = {"type": "object", "additionalProperties": {"type": "string"}}


class JsonObject(OutField):
    """An object that is stored as JSON."""

    SHAPE: ClassVar[Json] = {"type": "object"}


class Object(OutField, fields.Nested):
    """An object with a schema of its own."""

    def __init__(self, schema: type[Schema], description: str = "", **options: Any) -> None:
        super().__init__(description, nested=schema, **options)

    def writer(self) -> Callable[[Any], Any]:
        dump: Callable[[Any], Any] = self.schema.dump
        return dump


class List(OutField, fields.List[Any]):
    """A list of what `item` makes."""

    SHAPE: ClassVar[Json] = {"type": "array"}

    def __init__(self, item: OutField, description: str = "", **options: Any) -> None:
        super().__init__(description, cls_or_instance=item, **options)

    def writer(self) -> Callable[[Any], Any]:
        write = cast(OutField, self.inner).writer()
        return list if write is None else lambda values: [write(one) for one in values]


class CaseOut(Out):
    """Why a person has to look."""

    reason = Text("Why a person has to look.", attribute="case_reason")
    since = Instant("Since when the case is open.", attribute="case_since")


def schema_of(name: str, own: Mapping[str, OutField]) -> type[Schema]:
    """Return the schema of an object whose fields follow from a table."""
    return Out.from_dict(dict(own), name=name)


@cache
def page_schema(item: type[Out]) -> type[Schema]:
    """Return the schema of one page of a list."""
    shape = {"pattern": rf"^[ -~]{{1,{LONGEST_CURSOR}}}$"}
    page = {
        "data": List(Object(item), "The rows of this page."),
        "has_more": Flag("Whether there is a page after this one."),
        "next_cursor": Text("Send it as `cursor` to get the next page; null at the end.", null=True, shape=shape),
    }
    return schema_of(f"{item.__name__.removesuffix('Out')}PageOut", page)
