"""The OpenAPI document, made of the descriptions and schemas of the API's views, and a glossary of their fields."""

from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from inspect import cleandoc
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema
from marshmallow.fields import Field

from customs.declarations.api import api as declarations
from customs.lanes.api import api as lanes
from customs.payments.api import api as payments
from customs.reconciliation.api import api as bills
from customs.site.openapi.operation import operations_of
from customs.web.request_logging import api as requests
from customs.webhooks.api import api as webhooks

PREFIX = "/api/v1"
OPERATIONS = tuple(operations_of((declarations, payments, bills, webhooks, requests, lanes), PREFIX))
TAGS: dict[str, str] = {
    "Batches": "Declarations handed in together. 批次",
    "Declarations": "One paid order declared at one office; what a person may do with it. 申报单",
    "Payments": "Orders to be paid. 支付",
    "Refunds": "All or a part of a payment given back. 退款",
    "Money": "Rates, and bills held against our books. 汇率与对账",
    "Webhooks": "What happened, and who is told of it. 事件与 Webhook",
    "Requests": "What was asked and answered, by request id. 请求日志",
    "Set-up": "Offices, registrations and the agents' lanes. 海关、备案与通道",
}
ABOUT = """Declare paid cross-border orders at Chinese customs offices, collect and refund payments.

- **Keys**: `Authorization: Bearer <key>`; each call says which scope it needs. What belongs to another merchant is 404.
- **Amounts** are text with two places (none for yen and won), never JSON numbers. `duty` is a JSON integer.
- **Times** are RFC 3339 in UTC.
- **Lists** answer `data`, `has_more`, `next_cursor`; send `next_cursor` as `cursor` for the next page.
- **Unknown fields and parameters** are refused: a misspelt one must not vanish.
- **Answers** may get new fields; pass over those you do not know.
- **Errors** are `application/problem+json` with a stable `code` and a pointer to each place; each code has a page at
  [/errors](/errors). A 500 is our fault: it is logged under its `request_id`.
- **Repeats**: send an `Idempotency-Key` with what stores something, and repeat it without fear.

The [guide](/docs/guide) goes from the first call to the last, in English and Chinese.
接入指南见 [/docs/guide](/docs/guide)。
"""


class Converter(OpenAPIConverter):
    """Converter of apispec that describes a schema by its docstring, and a field without a description by the glossary.

    The metadata of every field is JSON Schema.
    """

    def metadata2properties(self, field: Field[Any], **_options: Any) -> dict[str, Any]:
        """Return the metadata of a field."""
        return dict(field.metadata)

    def schema2jsonschema(self, schema: Schema) -> dict[str, Any]:
        """Return the JSON Schema of a marshmallow schema."""
        convert: Callable[[Schema], dict[str, Any]] = super().schema2jsonschema
        shape = convert(schema)
        for name, field in shape["properties"].items():
            if "description" not in field:
                field["description"] = GLOSSARY[name]
        about = cleandoc(type(schema).__doc__ or "").partition("\n\n")[0].replace("\n", " ")
        return {"description": about, **shape} if about else shape


class Plugin(MarshmallowPlugin):
    """Apispec's plugin with our converter."""

    Converter = Converter


def schema_name(schema: Schema | type[Schema]) -> str:
    """Return the name of a schema in the document."""
    kind = schema if isinstance(schema, type) else type(schema)
    return kind.__name__.removesuffix("Out")


@cache
def document() -> dict[str, Any]:
    """Return the whole document; the same object each time, so nobody may change it."""
    spec = APISpec(
        title="The customs declaration desk",
        version=version("customs-desk"),
        openapi_version="3.1.0",
        plugins=[Plugin(schema_name_resolver=schema_name)],
        info={"description": ABOUT},
        servers=[{"url": PREFIX, "description": "This desk"}],
        security=[{"key": []}],
        tags=[{"name": name, "description": description} for name, description in TAGS.items()],
    )
    bearer = {"type": "http", "scheme": "bearer", "description": "A key of `customs api-key create`."}
    spec.components.security_scheme("key", bearer)
    for one in OPERATIONS:
        spec.path(path=one.path, operations={one.method.lower(): one.as_openapi()})
    return spec.to_dict()


GLOSSARY: dict[str, str] = {
    # Of several features.
    "actor": "The key or person who did it; the desk itself for calls.",
    "amount": "The amount, goods and freight together.",
    "at": "When it happened.",
    "buyer": "Who bought, and paid.",
    "case": "The open case; null without one.",
    "cert_id": "The resident ID number, 18 characters; answers show it masked.",
    "channel": "The payment company.",
    "created_at": "When it was stored.",
    "currency": "The currency's code.",
    "description": "A note of yours.",
    "detail": "What happened, by names such as action and outcome.",
    "due_at": "When the desk does that; null when nothing is due.",
    "duration_ms": "How long it took, in milliseconds.",
    "duty": "The duty, as a whole number.",
    "endpoint_id": "An endpoint.",
    "explanation": "The gateway's words.",
    "has_more": "Whether there is a page after this one.",
    "id": "Its id.",
    "kind": "A call to the gateway, a person's action, or a change of state.",
    "mch_customs_no": "The merchant's number with the office (备案号).",
    "merchant_customs_name": "The merchant's name with the office; Alipay wants it.",
    "merchant_no": "The merchant's number at the gateway.",
    "name": "A name of yours, to find it by.",
    "needs_review": "Whether a person should look at it.",
    "next_action": "What the desk does next; null when nothing.",
    "next_cursor": "Send it as `cursor` to get the next page; null at the end.",
    "office": "The customs office, as `GET /offices` names it.",
    "out_order_no": "Your number of the order.",
    "outcome_unknown": "A call was made and nobody knows its outcome; it is being asked for.",
    "outer_refund_no": "Our number of the refund at the gateway.",
    "payer": "What the payer needs next; null once nothing is needed.",
    "payment_no": "The gateway's number of the payment.",
    "product_amount": "What the goods cost.",
    "reason": "Why; it goes into the timeline.",
    "refund_no": "The gateway's number of the refund.",
    "reply": "What came back, raw but for masked names and numbers.",
    "request": "What was sent, masked.",
    "request_id": "The request's id, also in its X-Request-Id.",
    "sub_order_no": "Your number of the part of a split order.",
    "sub_orders": "The parts of a split order; leave it out for an order that is not split.",
    "transport_amount": "What the freight costs.",
    "url": "The address, with https.",
    # Of what is handed in.
    "declarations": "The declarations; each is checked by itself.",
    "on_error": "Whether one bad row keeps the batch out, or only itself.",
    "override": "Let a FAIL go out as it is.",
    "pushes": "The pushes to take; without them those that need it.",
    "registrations": "The numbers to put on file, all or none.",
    "submit": "Whether it goes out now or waits for its payment.",
    "types": "The types of events to be told of; without them all.",
    # Of payments.
    "appid": "The app or official account that the payer uses.",
    "auth_code": "The code that the payer shows.",
    "code": "A login code of a mini program, in place of the `openid`.",
    "device_info": "Where it is paid: a shop's number or a device.",
    "extra": "Names and texts of your own; the gateway gives them back.",
    "ip": "The payer's address.",
    "method": "How it is paid: one of the channel's methods.",
    "openid": "Who pays, as WeChat names them.",
    "product_id": "Your number of what is sold.",
    "return_url": "Where the payer's browser goes afterwards.",
    "status": "Its status in the bill's own word.",
    "subject": "What is paid for, as the payer reads it.",
}
