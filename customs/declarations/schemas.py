"""Schemas of declarations sent to the API; each error names its place in the body."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, post_load, validate

from customs.declarations.fields import CONTENT, ORDER, Field, Kind
from customs.declarations.intake.orders import Order
from customs.gateway import Buyer, Channel, SubOrderPart
from customs.validation import (
    NOT_LIST,
    NOT_OBJECT,
    NOT_TEXT,
    NULL,
    REQUIRED,
    UNKNOWN,
    Choice,
    FieldError,
    Flag,
    Money,
    SelfValidatingField,
    Strict,
    Text,
    nested,
)

LONGEST_BATCH = 10_000
MOST_SUB_ORDERS = 200
LARGEST_DUTY = 2**31 - 1


class Duty(fields.Field[int]):
    """An integer, as JSON writes it."""

    default_error_messages = {"required": REQUIRED, "null": NULL}  # noqa: RUF012

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.metadata = {"type": "integer", "minimum": 0, "maximum": LARGEST_DUTY, "examples": [88], **self.metadata}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_DUTY:
            raise ValidationError(
                [FieldError("duty is not a whole number", "duty_invalid", "write it as 88, without quotes")]
            )
        return value


HALF_A_BUYER = FieldError(
    "a buyer has a name and an ID number, and here one of them is missing",
    "buyer_incomplete",
    "add it, or leave the buyer out",
)


NAME_ON_CARD = {"description": "As on the ID card; answers show it masked."}


class BuyerIn(Strict):
    """The buyer, who is the payer."""

    name = fields.String(required=True, metadata={**NAME_ON_CARD, "examples": ["李雷"]})
    cert_id = fields.String(required=True, metadata={"examples": ["11010519491231002X"]})


class BuyerField(SelfValidatingField, fields.Nested):
    """A buyer: name and ID number, both text. A field of its own, since nearly every row of a large batch has one.

    The rules for names and ID numbers (R7) are preflight's: their severity is a setting.
    """

    default_error_messages = {"required": REQUIRED, "null": NULL}  # noqa: RUF012

    def __init__(self, **options: Any) -> None:
        super().__init__(BuyerIn, **options)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, partial: Any = None, **kwargs: Any
    ) -> Buyer:
        if not isinstance(value, dict):
            raise ValidationError([NOT_OBJECT])
        errors = {name: [error] for name in ("name", "cert_id") if (error := _error_in_text(value, name))}
        errors |= {name: [UNKNOWN] for name in value if name not in ("name", "cert_id")}
        if errors:
            raise ValidationError(errors)
        return Buyer(value["name"], value["cert_id"])


def _error_in_text(given: Mapping[str, Any], name: str) -> FieldError | None:
    if name not in given:
        return HALF_A_BUYER
    if given[name] is None:
        return NULL
    return None if isinstance(given[name], str) else NOT_TEXT


# Most exports give every order its amounts: whoever is told to add a number would split an order that is whole.
UNNUMBERED = FieldError(
    "amounts stand here without a sub-order number",
    "sub_order_no_missing",
    "leave the amounts out if the order is not split; if it is split, name the sub-order",
)


class SubOrderNo(Text):
    """The number of a part; without one, the order may not be split at all (R3)."""

    default_error_messages = {"required": UNNUMBERED, "null": UNNUMBERED}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        if value == "":
            raise ValidationError([UNNUMBERED])
        return super()._deserialize(value, attr, data, **kwargs)


class SubOrderIn(Strict):
    sub_order_no = SubOrderNo(required=True)
    amount = Money(required=True)
    transport_amount = Money()
    product_amount = Money()

    @post_load
    def make(self, data: dict[str, Any], **_options: object) -> SubOrderPart:
        return SubOrderPart(**data)


def input_of(field: Field, *, required: bool = False) -> fields.Field[Any]:
    """Return what reads a field of an order."""
    if field.kind is Kind.CHANNEL:
        return Choice(tuple(channel.value for channel in Channel), required=required)
    return Duty(required=required) if field.kind is Kind.DUTY else Text(field.longest, required=required)


OrderIn = Strict.from_dict({field.name: input_of(field, required=field.required) for field in ORDER}, name="OrderIn")
ChangeIn = Strict.from_dict(
    {"reason": Text(500, required=True)} | {field.name: input_of(field) for field in CONTENT}, name="ChangeIn"
)


class DeclarationIn(OrderIn):  # type: ignore[valid-type,misc]
    submit = Choice(("now", "when_paid"))
    buyer = BuyerField()
    sub_orders = fields.List(
        nested(SubOrderIn),
        validate=validate.Length(
            1, MOST_SUB_ORDERS, error=FieldError("1 to 200 sub-orders", "length", "split the order")
        ),
        error_messages={"required": REQUIRED, "null": NULL, "invalid": NOT_LIST},
    )

    @post_load
    def make(self, data: dict[str, Any], **_options: object) -> Order:
        data["channel"] = Channel(data["channel"])
        data["sub_orders"] = tuple(data.get("sub_orders", ()))
        return Order(**data)


class RawDeclaration(fields.Nested):
    """A declaration as it came: it is read by itself later, and a null row is that row's error."""

    def __init__(self) -> None:
        super().__init__(DeclarationIn)

    def deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        """Return what came."""
        return value


class BatchIn(Strict):
    """The envelope only: the declarations are checked one by one, so that the good ones can be taken."""

    name = Text()
    on_error = Choice(("reject", "accept_valid"), load_default="reject")
    declarations = fields.List(
        RawDeclaration(),
        required=True,
        validate=validate.Length(
            1,
            LONGEST_BATCH,
            error=FieldError(f"a batch holds 1 to {LONGEST_BATCH:,} declarations", "batch_size", "split the batch"),
        ),
        error_messages={"required": REQUIRED, "null": NULL, "invalid": NOT_LIST},
    )


class SubOrderChange(Strict):
    sub_order_no = Text(required=True)
    amount = Money()
    transport_amount = Money()
    product_amount = Money()


class BuyerChange(Strict):
    name = fields.String(error_messages={"null": NULL, "invalid": NOT_TEXT}, metadata=NAME_ON_CARD)
    cert_id = fields.String(error_messages={"null": NULL, "invalid": NOT_TEXT})


class ModifyIn(ChangeIn):  # type: ignore[valid-type,misc]
    """A reason and the fields that change, by their names in a Declaration (9.1: what may change with MODIFY)."""

    buyer = nested(BuyerChange)
    sub_orders = fields.List(
        nested(SubOrderChange),
        validate=validate.Length(
            1, MOST_SUB_ORDERS, error=FieldError("1 to 200 sub-orders", "length", "name at least one")
        ),
        error_messages={"null": NULL, "invalid": NOT_LIST},
    )


class RedeclareIn(Strict):
    reason = Text(500, required=True)
    override = Flag(load_default=False)
    pushes = fields.List(
        Text(64),
        validate=validate.Length(
            1, 1000, error=FieldError("1 to 1,000 pushes", "length", "name at least one, or leave it out")
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
        validate=validate.Length(1, 1000, error=FieldError("1 to 1,000 registrations", "length", "send fewer at once")),
        error_messages={"required": REQUIRED, "null": NULL, "invalid": NOT_LIST},
    )
