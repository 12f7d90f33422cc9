"""The request of one payment, as plain values, for either wallet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True)
class Sale:
    """One order to be paid. `amount` is in `currency` (11.3).

    `our_no` goes out as agent_order_id or out_order_no: by it alone the order is found again. `subject` is what the
    payer reads. `extra` holds a method's own inputs by their names in the document (openid, auth_code, appid,
    return_url, ip, product_id, device_info); they may name a person or pay, so they do not show.
    """

    merchant_no: str
    currency: str
    amount: Decimal
    subject: str
    our_no: str
    notify_url: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)
