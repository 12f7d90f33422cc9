"""The reference for intake: the same rules on the same rows in plain marshmallow schemas."""

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema
from stdnum.cn import ric

from customs.declarations.offices import OFFICES
from customs.gateway import Channel

NUMBER = validate.Regexp(r"^[0-9A-Za-z_\-|*@]{1,32}$")
AMOUNT = validate.Range(min=0)


class Strict(Schema):
    class Meta:
        unknown = RAISE


class StockBuyer(Strict):
    name = fields.String(required=True, validate=validate.Length(1, 100))
    cert_id = fields.String(required=True, validate=validate.Length(equal=18))

    @validates_schema
    def is_real(self, data: dict[str, Any], **_options: object) -> None:
        ric.validate(data["cert_id"])


class StockSubOrder(Strict):
    sub_order_no = fields.String(required=True, validate=NUMBER)
    amount = fields.Decimal(required=True, places=2, validate=AMOUNT)
    transport_amount = fields.Decimal(places=2, validate=AMOUNT)
    product_amount = fields.Decimal(places=2, validate=AMOUNT)

    @validates_schema
    def adds_up(self, data: dict[str, Any], **_options: object) -> None:
        if data["amount"] != data["transport_amount"] + data["product_amount"]:
            raise ValidationError("amount is not transport + product")


class StockDeclaration(Strict):
    channel = fields.String(required=True, validate=validate.OneOf([str(channel) for channel in Channel]))
    office = fields.String(required=True, validate=validate.OneOf(list(OFFICES)))
    merchant_no = fields.String(required=True, validate=validate.Length(1, 64))
    out_order_no = fields.String(required=True, validate=NUMBER)
    payment_no = fields.String(required=True, validate=NUMBER)
    mch_customs_no = fields.String(validate=validate.Length(1, 100))
    merchant_customs_name = fields.String(validate=validate.Length(1, 200))
    duty = fields.Integer(strict=True, validate=AMOUNT)
    submit = fields.String(validate=validate.OneOf(["now", "when_paid"]))
    buyer = fields.Nested(StockBuyer)
    sub_orders = fields.List(fields.Nested(StockSubOrder), validate=validate.Length(1, 200))
