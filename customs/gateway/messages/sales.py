"""Order to be paid, and what a create answers (4.1 to 4.5, 6.1 to 6.3, 7): its number, and what the payer needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from customs.gateway.errors import OtherRecord, Unknown
from customs.gateway.exchange import Exchange, Reply
from customs.gateway.messages.orders import OrderReply, order_numbers, order_records, read_order
from customs.gateway.messages.payers import PayerData, PayerKind, PayerNeed
from customs.gateway.messages.records import amount_in, contradicts, find_records, text_in


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


@dataclass(frozen=True)
class SaleReply:
    """A created order; its number, status and the order itself are None where a method's reply has none (4.1)."""

    payment_no: str | None
    status: str | None
    payer: PayerData
    order: OrderReply | None
    exchange: Exchange = field(repr=False)


def sale_reply(reply: Reply, sale: Sale, need: PayerNeed) -> SaleReply:
    """What was created; raises Unknown when the reply is about another sale or the payer could not pay with it.

    Some methods repeat none of our numbers, so what the payer needs is proof enough, unless something contradicts
    it. Where the payer needs nothing, our own number has to be repeated.
    """
    expected = {
        "our_no": sale.our_no,
        "merchant_no": sale.merchant_no,
        "currency": sale.currency,
        "amount": sale.amount,
    }
    records = order_records(reply.body)
    stated = [_stated(record, sale.currency) for record in records]
    payment_nos = {one["payment_no"] for one in stated} - {None}
    if any(contradicts(one, expected) for one in stated) or len(payment_nos) > 1:
        raise OtherRecord("the answer is about another order", exchange=reply.exchange)
    if need.kind is PayerKind.NOTHING and all(one["our_no"] is None for one in stated):
        raise Unknown("the order's numbers were not echoed", exchange=reply.exchange)
    payer = need.meet(reply.body)
    if payer is None:
        raise Unknown("what the payer needs is not in the answer", exchange=reply.exchange)
    orders = [read_order(record, reply) for record in records if text_in(record, "status")]
    if len(orders) > 1:
        raise Unknown("several orders fit the numbers", exchange=reply.exchange)
    order = orders[0] if orders else None
    return SaleReply(
        payment_no=payment_nos.pop() if payment_nos else None,
        status=order.status if order else None,
        payer=payer,
        order=order,
        exchange=reply.exchange,
    )


def openid_in(reply: Reply) -> str:
    """Who logged in (4.4); raises Unknown when it is not said."""
    openids = {text_in(record, "openid") for record in find_records(reply.body)} - {None}
    if len(openids) != 1:
        raise Unknown("the answer names no openid", exchange=reply.exchange)
    return openids.pop() or ""


def _stated(record: Mapping[str, Any], currency: str) -> dict[str, Any]:
    return order_numbers(record) | {
        "merchant_no": text_in(record, "merchant_no"),
        "currency": text_in(record, "currency"),
        "amount": amount_in(record, "amount", currency=currency),
    }
