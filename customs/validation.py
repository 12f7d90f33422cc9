"""Fields that the API's bodies are made of: every error carries a stable code and what to do."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from marshmallow import RAISE, Schema, ValidationError, fields

LONGEST_TEXT = 200
AMOUNT = re.compile(r"(0|[1-9][0-9]{0,9})(\.[0-9]{1,2})?", re.ASCII)
# `Text` as a pattern: no blank at either end, nothing that cannot be printed.
TIDY = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$"


class FieldError(str):
    """A message of validation that knows its stable code and what to do."""

    code: str
    action: str

    def __new__(cls, text: str, code: str, action: str) -> "FieldError":
        error = super().__new__(cls, text)
        error.code = code
        error.action = action
        return error

    def format(self, *args: object, **values: object) -> "FieldError":
        return FieldError(super().format(*args, **values), self.code, self.action)


REQUIRED = FieldError("this field is missing", "required", "add the field")
NULL = FieldError("this field is null", "null", "leave the field out when there is no value")
NOT_TEXT = FieldError("this is not text", "not_text", 'write it as a JSON string: "..."')
UNKNOWN = FieldError("this field is unknown", "unknown_field", "remove it, or check its spelling against the contract")
NOT_OBJECT = FieldError("this is not an object", "not_object", "write it as a JSON object: {...}")
NOT_LIST = FieldError("this is not a list", "not_list", "write it as a JSON list: [...]")


class SelfValidatingField(fields.Field[Any]):
    """A field whose own reading holds all of its rules, unless validators are given besides."""

    def _validate(self, value: Any) -> None:
        # Looking for validators where there are none takes a large batch as long as reading its amounts.
        if self.validators:
            super()._validate(value)


class Text(SelfValidatingField, fields.String):
    """Text of 1 to `longest` characters without blanks around it or anything invisible in it."""

    default_error_messages = {"required": REQUIRED, "null": NULL, "invalid": NOT_TEXT}  # noqa: RUF012

    def __init__(self, longest: int = LONGEST_TEXT, **options: Any) -> None:
        super().__init__(**options)
        self.longest = longest
        self.metadata = {"minLength": 1, "maxLength": longest, "pattern": TIDY, **self.metadata}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if not 1 <= len(text) <= self.longest:
            raise ValidationError(
                [FieldError(f"this has {len(text)} characters", "length", f"use 1 to {self.longest}")]
            )
        if text.isascii() and text.isprintable() and text[0] != " " != text[-1]:
            return text
        if text != text.strip():
            raise ValidationError(
                [FieldError("this begins or ends with a blank", "blanks", "remove the blanks around it")]
            )
        if any(map(is_unprintable, text)):
            raise ValidationError(
                [FieldError("this holds an invisible or unprintable character", "unprintable", "type it anew")]
            )
        return text


class Choice(Text):
    """One of a few words."""

    def __init__(self, choices: tuple[str, ...], **options: Any) -> None:
        super().__init__(**options)
        self.choices = choices
        self.metadata = {"enum": list(choices), **(options.get("metadata") or {})}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text not in self.choices:
            raise ValidationError(
                [FieldError("this is not one of the choices", "choice", f"use {' or '.join(self.choices)}")]
            )
        return text


class Money(SelfValidatingField, fields.Field[Decimal]):
    """An amount as text with at most two places; a JSON number is refused, for it has passed through binary floats."""

    default_error_messages = {"required": REQUIRED, "null": NULL}  # noqa: RUF012

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.metadata = {"type": "string", "pattern": f"^{AMOUNT.pattern}$", "examples": ["46.44"], **self.metadata}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Decimal:
        if isinstance(value, int | float):
            raise ValidationError(
                [FieldError("an amount is text, not a number", "amount_is_number", 'write it as "46.44"')]
            )
        if not isinstance(value, str) or not AMOUNT.fullmatch(value):
            raise ValidationError(
                [
                    FieldError(
                        "this is not an amount", "amount_invalid", "use digits with at most two places, such as 46.44"
                    )
                ]
            )
        return Decimal(value)


class Flag(fields.Field[bool]):
    """true or false; no number stands for them."""

    default_error_messages = {"required": REQUIRED, "null": NULL}  # noqa: RUF012

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.metadata = {"type": "boolean", **self.metadata}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError([FieldError("this is not true or false", "not_boolean", "use true or false")])
        return value


class Strict(Schema):
    """Unknown fields are refused: a misspelt optional field must not vanish."""

    error_messages = {"unknown": UNKNOWN, "type": NOT_OBJECT}  # noqa: RUF012

    class Meta:
        unknown = RAISE


def nested(schema: type[Schema], **options: Any) -> fields.Nested:
    return fields.Nested(schema, error_messages={"required": REQUIRED, "null": NULL, "type": NOT_OBJECT}, **options)


def placed_errors(messages: Any, place: str = "") -> Iterator[tuple[str, FieldError]]:
    """The leaves of marshmallow's messages, each with the JSON pointer of its place (without the first slash)."""
    if isinstance(messages, dict):
        for key, below in messages.items():
            # "_schema" is marshmallow's name for the object itself.
            yield from placed_errors(below, place if key == "_schema" else f"{place}/{_escaped(key)}".lstrip("/"))
        return
    for error in messages:
        yield place, error


def _escaped(key: object) -> str:
    return str(key)[:100].replace("~", "~0").replace("/", "~1")


NUMBER = re.compile(r"[0-9A-Za-z_\-|*@]{1,32}", re.ASCII)
WHAT_A_NUMBER_IS = "a number has 1 to 32 characters of 0-9 A-Z a-z _ - | * @"

# Controls, invisible formatting, lone surrogates, private use and unassigned: no name on an ID card holds one.
UNPRINTABLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
# The planes of ideographs: names hold some that Unicode has given out since this Python was made.
IDEOGRAPHS = re.compile("[\U00020000-\U0002fffd\U00030000-\U0003fffd]")


def is_unprintable(character: str) -> bool:
    """Whether a character is invisible, or stands for nothing that could be printed."""
    return unicodedata.category(character) in UNPRINTABLE and not IDEOGRAPHS.match(character)


class Spelt(NamedTuple):
    """A character that stands in a text, and the one that belongs there."""

    wrong: str
    right: str


def script_of(character: str) -> str:
    """The first word of a character's name, which is its script's for letters."""
    name = unicodedata.name(unicodedata.normalize("NFKC", character)[0], "")
    return name.partition(" ")[0]
