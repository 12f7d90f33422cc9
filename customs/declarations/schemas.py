"""The shapes that come in over the API: every fault carries a code and what to do, at its place in the body."""

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate

from customs.declarations.identity import UNPRINTABLE
from customs.declarations.orders import Order
from customs.gateway import Buyer, Channel, SubOrderPart

LONGEST_BATCH = 10_000
LONGEST_TEXT = 200
MOST_SUB_ORDERS = 200
LARGEST_DUTY = 2**31 - 1
AMOUNT = re.compile(r"(0|[1-9][0-9]{0,9})(\.[0-9]{1,2})?", re.ASCII)


class Fault(str):
    """A message of validation that knows its stable code and what to do."""

    code: str
    action: str

    def __new__(cls, text: str, code: str, action: str) -> "Fault":
        fault = super().__new__(cls, text)
        fault.code = code
        fault.action = action
        return fault

    def format(self, *args: object, **values: object) -> "Fault":
        return Fault(super().format(*args, **values), self.code, self.action)


REQUIRED = Fault("this field is missing", "required", "add the field")
NULL = Fault("this field is null", "null", "leave the field out when there is no value")
NOT_TEXT = Fault("this is not text", "not_text", 'write it as a JSON string: "..."')
UNKNOWN = Fault("this field is unknown", "unknown_field", "remove it, or check its spelling against the contract")
NOT_OBJECT = Fault("this is not an object", "not_object", "write it as a JSON object: {...}")
NOT_LIST = Fault("this is not a list", "not_list", "write it as a JSON list: [...]")


class Text(fields.String):
    """Text of 1 to `longest` characters without blanks around it or anything invisible in it."""

    default_error_messages = {"required": REQUIRED, "null": NULL, "invalid": NOT_TEXT}  # noqa: RUF012

    def __init__(self, longest: int = LONGEST_TEXT, **options: Any) -> None:
        super().__init__(**options)
        self.longest = longest

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if not 1 <= len(text) <= self.longest:
            raise ValidationError([Fault(f"this has {len(text)} characters", "length", f"use 1 to {self.longest}")])
        if text.isascii() and text.isprintable() and text[0] != " " != text[-1]:
            return text
        if text != text.strip():
            raise ValidationError([Fault("this begins or ends with a blank", "blanks", "remove the blanks around it")])
        if any(unicodedata.category(character) in UNPRINTABLE for character in text):
            raise ValidationError(
                [Fault("this holds an invisible or unprintable character", "unprintable", "type it anew")]
            )
        return text


class Choice(Text):
    """One of a few words."""

    def __init__(self, choices: tuple[str, ...], **options: Any) -> None:
        super().__init__(**options)
        self.choices = choices

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text not in self.choices:
            raise ValidationError(
                [Fault("this is not one of the choices", "choice", f"use {' or '.join(self.choices)}")]
            )
        return text


class Money(fields.Field[Decimal]):
    """Yuan as text with at most two places; a JSON number is refused, for it has passed through binary floats."""

    default_error_messages = {"required": REQUIRED, "null": NULL}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Decimal:
        if isinstance(value, int | float):
            raise ValidationError([Fault("an amount is text, not a number", "amount_is_number", 'write it as "46.44"')])
        if not isinstance(value, str) or not AMOUNT.fullmatch(value):
            raise ValidationError(
                [Fault("this is not an amount in yuan", "amount_invalid", "use digits with two places, such as 46.44")]
            )
        return Decimal(value)


class Duty(fields.Field[int]):
    """A whole number, as JSON writes it."""

    default_error_messages = {"required": REQUIRED, "null": NULL}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_DUTY:
            raise ValidationError(
                [Fault("duty is not a whole number", "duty_invalid", "write it as 88, without quotes")]
            )
        return value


class Flag(fields.Field[bool]):
    """true or false; no number stands for them."""

    default_error_messages = {"required": REQUIRED, "null": NULL}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError([Fault("this is not true or false", "not_boolean", "use true or false")])
        return value


class Strict(Schema):
    """Unknown fields are refused: a misspelt optional field must not vanish."""

    error_messages = {"unknown": UNKNOWN, "type": NOT_OBJECT}  # noqa: RUF012

    class Meta:
        unknown = RAISE


def nested(schema: type[Schema], **options: Any) -> fields.Nested:
    return fields.Nested(schema, error_messages={"required": REQUIRED, "null": NULL, "type": NOT_OBJECT}, **options)


class BuyerField(fields.Field[Buyer]):
    """A buyer: name and ID number, both text. A field of its own, since nearly every row of a large batch has one.

    The rules for names and ID numbers (R7) are preflight's: their severity is a setting.
    """

    default_error_messages = {"required": REQUIRED, "null": NULL}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Buyer:
        if not isinstance(value, dict):
            raise ValidationError([NOT_OBJECT])
        faults = {name: [fault] for name in ("name", "cert_id") if (fault := _fault_of_text(value, name))}
        faults |= {name: [UNKNOWN] for name in value if name not in ("name", "cert_id")}
        if faults:
            raise ValidationError(faults)
        return Buyer(value["name"], value["cert_id"])


def _fault_of_text(given: Mapping[str, Any], name: str) -> Fault | None:
    if name not in given:
        return REQUIRED
    if given[name] is None:
        return NULL
    return None if isinstance(given[name], str) else NOT_TEXT


class SubOrderIn(Strict):
    sub_order_no = Text(required=True)
    amount = Money(required=True)
    transport_amount = Money()
    product_amount = Money()

    @post_load
    def make(self, data: dict[str, Any], **_options: object) -> SubOrderPart:
        return SubOrderPart(**data)


class DeclarationIn(Strict):
    channel = Choice(tuple(channel.value for channel in Channel), required=True)
    office = Text(required=True)
    merchant_no = Text(64, required=True)
    out_order_no = Text(required=True)
    payment_no = Text(required=True)
    mch_customs_no = Text(100)
    merchant_customs_name = Text(200)
    duty = Duty()
    submit = Choice(("now", "when_paid"))
    buyer = BuyerField()
    sub_orders = fields.List(
        nested(SubOrderIn),
        validate=validate.Length(1, MOST_SUB_ORDERS, error=Fault("1 to 200 sub-orders", "length", "split the order")),
        error_messages={"required": REQUIRED, "null": NULL, "invalid": NOT_LIST},
    )

    @post_load
    def make(self, data: dict[str, Any], **_options: object) -> Order:
        data["channel"] = Channel(data["channel"])
        data["sub_orders"] = tuple(data.get("sub_orders", ()))
        return Order(**data)


class BatchIn(Strict):
    """The envelope only: the declarations are checked one by one, so that the good ones can be taken."""

    name = Text()
    on_error = Choice(("reject", "accept_valid"), load_default="reject")
    declarations = fields.List(
        # A null row is that row's fault, to be named with the others.
        fields.Raw(allow_none=True),
        required=True,
        validate=validate.Length(
            1,
            LONGEST_BATCH,
            error=Fault(f"a batch holds 1 to {LONGEST_BATCH:,} declarations", "batch_size", "split the batch"),
        ),
        error_messages={"required": REQUIRED, "null": NULL, "invalid": NOT_LIST},
    )


class SubOrderChange(Strict):
    sub_order_no = Text(required=True)
    amount = Money()
    transport_amount = Money()
    product_amount = Money()


class BuyerChange(Strict):
    name = fields.String(error_messages={"null": NULL, "invalid": NOT_TEXT})
    cert_id = fields.String(error_messages={"null": NULL, "invalid": NOT_TEXT})


class ModifyIn(Strict):
    """A reason and the fields that change, by their names in a Declaration (9.1: what may change with MODIFY)."""

    reason = Text(500, required=True)
    mch_customs_no = Text(100)
    merchant_customs_name = Text(200)
    duty = Duty()
    buyer = nested(BuyerChange)
    sub_orders = fields.List(
        nested(SubOrderChange),
        validate=validate.Length(1, MOST_SUB_ORDERS, error=Fault("1 to 200 sub-orders", "length", "name at least one")),
        error_messages={"null": NULL, "invalid": NOT_LIST},
    )


class RedeclareIn(Strict):
    reason = Text(500, required=True)
    override = Flag(load_default=False)
    pushes = fields.List(
        Text(64),
        validate=validate.Length(
            1, 1000, error=Fault("1 to 1,000 pushes", "length", "name at least one, or leave it out")
        ),
        error_messages={"null": NULL, "invalid": NOT_LIST},
    )


class ReasonIn(Strict):
    reason = Text(500, required=True)


class RegistrationIn(Strict):
    merchant_no = Text(64, required=True)
    channel = Choice(tuple(channel.value for channel in Channel), required=True)
    office = Text(required=True)
    mch_customs_no = Text(100, required=True)
    merchant_customs_name = Text(200)


class RegistrationsIn(Strict):
    registrations = fields.List(
        nested(RegistrationIn),
        required=True,
        validate=validate.Length(1, 1000, error=Fault("1 to 1,000 registrations", "length", "send fewer at once")),
        error_messages={"required": REQUIRED, "null": NULL, "invalid": NOT_LIST},
    )
