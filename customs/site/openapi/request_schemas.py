"""What comes in: JSON Schema made of the very schemas that read the requests, so the two cannot part."""

from collections.abc import Callable, Iterable
from typing import Any

from marshmallow import Schema, fields, validate

from customs import validation as ours
from customs.declarations.schemas import (
    LARGEST_DUTY,
    BatchIn,
    BuyerChange,
    BuyerField,
    DeclarationIn,
    Duty,
    ModifyIn,
    ReasonIn,
    RedeclareIn,
    RegistrationIn,
    RegistrationsIn,
    SubOrderChange,
    SubOrderIn,
)
from customs.payments.schemas import MOST_EXTRA, Extra, PaymentIn, RefundIn
from customs.site.openapi.json_schema import Json, amount_in, choice, flag, list_of, ref, text, tidy
from customs.webhooks.schemas import EndpointIn, ResendIn

# Every body, and every object within one. A new schema is a word here.
BODIES: tuple[type[Schema], ...] = (
    BatchIn,
    DeclarationIn,
    SubOrderIn,
    ModifyIn,
    BuyerChange,
    SubOrderChange,
    RedeclareIn,
    ReasonIn,
    RegistrationsIn,
    RegistrationIn,
    PaymentIn,
    RefundIn,
    EndpointIn,
    ResendIn,
)
# The declarations of a batch are read one by one, so its own schema says nothing of them.
ITEMS: dict[tuple[str, str], str] = {("BatchIn", "declarations"): "DeclarationIn"}
BUYER_IN = "BuyerIn"


def accepted(bodies: Iterable[type[Schema]] = BODIES) -> dict[str, Json]:
    """The schemas of all bodies by name."""
    return {body.__name__: _object(body) for body in bodies} | {BUYER_IN: _buyer()}


def _object(body: type[Schema]) -> Json:
    shown = {name: _shape(field, body.__name__, name) for name, field in body().fields.items()}
    required = [name for name, field in body().fields.items() if field.required]
    shape: Json = {"type": "object", "properties": shown, "additionalProperties": False}
    return shape | ({"required": required} if required else {})


def _buyer() -> Json:
    """BuyerField reads this one by hand."""
    return {
        "type": "object",
        "properties": {
            "name": text("As on the ID card; answers show it masked."),
            "cert_id": text("The resident ID number, 18 characters; answers show it masked."),
        },
        "required": ["name", "cert_id"],
        "additionalProperties": False,
        "examples": [{"name": "李雷", "cert_id": "11010519491231002X"}],
    }


def _shape(field: Any, body: str, name: str) -> Json:
    made = next(SHAPES[kind] for kind in type(field).__mro__ if kind in SHAPES)(field, body, name)
    given = field.load_default
    return made | ({"default": given} if isinstance(given, str | bool) else {})


def _list(field: Any, body: str, name: str) -> Json:
    items = ref(ITEMS[body, name]) if (body, name) in ITEMS else _shape(field.inner, body, name)
    lengths = [rule for rule in field.validators if isinstance(rule, validate.Length)]
    # Where the schema counts with a rule of its own, a list names at least one thing.
    return list_of(items, minItems=lengths[0].min, maxItems=lengths[0].max) if lengths else list_of(items, minItems=1)


def _extra(_field: Any, _body: str, _name: str) -> Json:
    short = {"type": "string", "maxLength": ours.LONGEST_TEXT}
    return {
        "type": "object",
        "additionalProperties": short,
        "propertyNames": {"maxLength": ours.LONGEST_TEXT},
        "maxProperties": MOST_EXTRA,
    }


# How each kind of field looks; the nearest class of a field decides.
SHAPES: dict[type, Callable[[Any, str, str], Json]] = {
    ours.Text: lambda field, _body, _name: tidy(field.longest),
    ours.Choice: lambda field, _body, _name: choice(field.choices),
    ours.Money: lambda _field, _body, _name: amount_in(),
    ours.Flag: lambda _field, _body, _name: flag(),
    Duty: lambda _field, _body, _name: {"type": "integer", "minimum": 0, "maximum": LARGEST_DUTY, "examples": [88]},
    BuyerField: lambda _field, _body, _name: ref(BUYER_IN),
    Extra: _extra,
    fields.Nested: lambda field, _body, _name: ref(field.schema.__class__.__name__),
    fields.List: _list,
    fields.String: lambda _field, _body, _name: text(),
}
