"""What a command line was given passes the same checks as at the API's door."""

from typing import Any

from marshmallow import Schema, ValidationError

from customs.declarations.checking import complaints_of
from customs.errors import Invalid


def loaded(schema: Schema, body: dict[str, Any]) -> Any:
    """The body through a schema; raises Invalid naming each fault."""
    try:
        return schema.load(body)
    except ValidationError as error:
        complaints = complaints_of(error.messages)
        raise Invalid("; ".join(f"{one.place}: {one.detail}; {one.action}" for one in complaints)) from error
