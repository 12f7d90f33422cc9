"""The first call of somebody new: a split order under numbers that nobody has used, as one line for a terminal."""

import copy
import json
import secrets
from datetime import datetime
from typing import Any

from customs.web.contract import examples

SERIAL_DIGITS = 11


def first_order(merchant_no: str, now: datetime) -> dict[str, Any]:
    """The split order of the API's page for one merchant, with numbers that no other has: it can be sent at once."""
    serial = f"{secrets.randbelow(10**SERIAL_DIGITS):0{SERIAL_DIGITS}d}"
    order = copy.deepcopy(examples.SPLIT)
    order["merchant_no"] = merchant_no
    order["out_order_no"] = f"{now:%y%m%d}{serial}"
    order["payment_no"] = f"{now:%Y%m%d%H%M%S}{serial}"
    for place, part in enumerate(order["sub_orders"], start=1):
        part["sub_order_no"] = f"{order['out_order_no']}-{place}"
    return order


def first_call(desk: str, key: str, order: dict[str, Any]) -> str:
    """The curl line that hands the order in. `desk`: where it is, without a slash at the end."""
    fields = ",\n  ".join(f"{_json(name)}: {_json(value)}" for name, value in order.items())
    return (
        f'curl {desk}/api/v1/batches \\\n  -H "Authorization: Bearer {key}" \\\n'
        f'  -H "Content-Type: application/json" \\\n  -H "Idempotency-Key: {order["out_order_no"]}" \\\n'
        f'  -d \'{{"name": "quick start", "declarations": [{{\n  {fields}\n}}]}}\''
    )


def _json(value: Any) -> str:
    # An apostrophe would end what the shell takes for the body.
    return json.dumps(value, ensure_ascii=False).replace("'", "\\u0027")
