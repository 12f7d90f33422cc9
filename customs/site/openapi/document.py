"""The OpenAPI document: the table of operations, the schemas of both directions, and how to prove who one is."""

from functools import cache
from importlib.metadata import version

from customs.site.openapi.declaration_operations import DECLARING, LANES
from customs.site.openapi.json_schema import Json
from customs.site.openapi.operation import Operation
from customs.site.openapi.payment_operations import COLLECTING
from customs.site.openapi.payment_responses import PAYMENT_ANSWERS
from customs.site.openapi.problems import PROBLEM_SCHEMAS
from customs.site.openapi.request_schemas import accepted
from customs.site.openapi.response_schemas import ANSWERS
from customs.site.openapi.webhook_operations import TELLING
from customs.site.openapi.webhook_responses import WEBHOOK_ANSWERS

PREFIX = "/api/v1"
OPERATIONS: tuple[Operation, ...] = (*DECLARING, *COLLECTING, *TELLING, *LANES)
SCHEMAS: tuple[dict[str, Json], ...] = (ANSWERS, PAYMENT_ANSWERS, WEBHOOK_ANSWERS, PROBLEM_SCHEMAS)
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


@cache
def document() -> Json:
    """The whole document; the same object each time, so nobody may change it."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "The customs declaration desk", "version": version("customs-desk"), "description": ABOUT},
        "servers": [{"url": PREFIX, "description": "This desk"}],
        "security": [{"key": []}],
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "paths": _paths(),
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key of `customs api-key create`.",
                }
            },
        },
    }


def _paths() -> Json:
    paths: Json = {}
    for row in OPERATIONS:
        paths.setdefault(row.path, {})[row.method.lower()] = row.shown()
    return paths


def _schemas() -> dict[str, Json]:
    made = accepted()
    for answered in SCHEMAS:
        twice = made.keys() & answered.keys()
        assert not twice, f"two schemas are called {twice}"
        made |= answered
    return made
