"""Schemas of requests about endpoints; every error carries a code and what to do."""

from typing import Any

from marshmallow import ValidationError, fields, post_load

from customs.validation import NOT_LIST, NULL, REQUIRED, Choice, FieldError, Strict, Text
from customs.webhooks.models import LONGEST_URL
from customs.webhooks.queries import EVENT_TYPES
from customs.webhooks.subscriptions import EndpointRequest


def _some(chosen: list[str]) -> None:
    if not 1 <= len(chosen) <= len(EVENT_TYPES):
        raise ValidationError([FieldError(f"this names {len(chosen)}", "length", "name some, or leave it out for all")])


class EndpointIn(Strict):
    """Where to tell, and of what; without `types` of everything."""

    url = Text(LONGEST_URL, required=True)
    types = fields.List(
        Choice(EVENT_TYPES),
        validate=_some,
        error_messages={"required": REQUIRED, "null": NULL, "invalid": NOT_LIST},
        metadata={"minItems": 1, "maxItems": len(EVENT_TYPES)},
    )
    description = Text()

    @post_load
    def make(self, data: dict[str, Any], **_options: object) -> EndpointRequest:
        return EndpointRequest(**data)


class ResendIn(Strict):
    """Without an endpoint: to all of the caller's that want it."""

    endpoint_id = Text(40)
