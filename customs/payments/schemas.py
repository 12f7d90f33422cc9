"""Schemas of requests for payments and refunds; every error carries a code and what to do."""

from typing import Any

from marshmallow import ValidationError, fields, post_load

from customs.gateway import CURRENCY_PLACES, PAYMENT_CHANNELS, Channel
from customs.payments.collect.create import Order
from customs.validation import (
    LONGEST_TEXT,
    NOT_OBJECT,
    NOT_TEXT,
    NULL,
    REQUIRED,
    Choice,
    FieldError,
    Money,
    Strict,
    Text,
)

INPUTS = ("openid", "auth_code", "appid", "code", "return_url", "ip", "product_id", "device_info")
LONGEST_URL = 1000
MOST_EXTRA = 20


class Extra(fields.Field[dict[str, str]]):
    """A few names and texts of the caller's own."""

    default_error_messages = {"required": REQUIRED, "null": NULL}  # noqa: RUF012

    def __init__(self) -> None:
        text = {"type": "string", "maxLength": LONGEST_TEXT}
        names = {"propertyNames": {"maxLength": LONGEST_TEXT}}
        super().__init__(
            metadata={"type": "object", "additionalProperties": text, "maxProperties": MOST_EXTRA, **names}
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, str]:
        if not isinstance(value, dict):
            raise ValidationError([NOT_OBJECT])
        if errors := {name: [NOT_TEXT] for name, one in value.items() if not isinstance(one, str)}:
            raise ValidationError(errors)
        if long := {name[:LONGEST_TEXT] for pair in value.items() for name in pair if len(name) > LONGEST_TEXT}:
            raise ValidationError(
                [FieldError(f"{len(long)} too long", "length", f"use at most {LONGEST_TEXT} characters")]
            )
        if len(value) > MOST_EXTRA:
            raise ValidationError([FieldError("too many", "length", f"use at most {MOST_EXTRA}")])
        return value


class PaymentIn(Strict):
    """One order to be paid; which inputs a method needs is in the document's section for it."""

    channel = Choice(tuple(channel.value for channel in PAYMENT_CHANNELS), required=True)
    method = Text(32, required=True)
    merchant_no = Text(64, required=True)
    amount = Money(required=True)
    currency = Choice(tuple(CURRENCY_PLACES), required=True)
    subject = Text(200, required=True)
    out_order_no = Text()
    openid = Text()
    auth_code = Text()
    appid = Text()
    code = Text()
    return_url = Text(LONGEST_URL)
    ip = Text(64)
    product_id = Text()
    device_info = Text()
    extra = Extra()

    @post_load
    def make(self, data: dict[str, Any], **_options: object) -> Order:
        inputs = {name: data.pop(name) for name in INPUTS if name in data}
        return Order(**data | {"channel": Channel(data["channel"]), "inputs": inputs})


class RefundIn(Strict):
    """Without an amount: all that is left."""

    amount = Money()
    reason = Text(500, required=True)
