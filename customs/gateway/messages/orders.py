"""Reads what the gateway says of orders to be paid (4.9, 6.5, 11.1) and their refunds (4.8, 4.10, 6.6, 6.7, 11.2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from customs.gateway.errors import NotFound, OtherRecord, Unknown
from customs.gateway.exchange import Exchange, Reply
from customs.gateway.messages.records import (
    OUR_NO,
    amount_in,
    contradicts,
    echoes,
    find_records,
    is_empty,
    rate_in,
    text_in,
    time_in,
)

# `no` is the refund's number here, and the payment's in an order.
SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "refund_no": ("no", "refund_no"),
    "payment_no": ("order_no", "payment_no"),
    "our_no": OUR_NO,
    "outer_refund_no": ("outer_refund_no",),
}
ONLY_IN_REFUNDS = ("refund_amount", "outer_refund_no", "refund_no")


@dataclass(frozen=True)
class RefundReply:
    """What the gateway says of one refund. None where it said nothing.

    `refund_no` is the gateway's number, `outer_refund_no` ours; `status` is the gateway's word in upper case (the
    document shows SUCCESS only); `amount` is in the payment's currency.
    """

    refund_no: str | None
    payment_no: str | None
    our_no: str | None
    outer_refund_no: str | None
    amount: Decimal | None
    status: str
    exchange: Exchange = field(repr=False)


def is_refund(record: Mapping[str, Any]) -> bool:
    """Whether a record is a refund and not an order: no order of the document has these fields."""
    return text_in(record, *ONLY_IN_REFUNDS) is not None


def refund_reply(reply: Reply, outer_refund_no: str, payment_no: str | None = None) -> RefundReply:
    """The one record about our refund; raises Unknown when none surely is, NotFound when there is none at all."""
    expected = {"payment_no": payment_no, "outer_refund_no": outer_refund_no}
    stated = [(record, _numbers_in(record)) for record in find_records(reply.body) if is_refund(record)]
    # Two refunds of one payment share every other number, so this one decides.
    matching = [
        record for record, n in stated if n["outer_refund_no"] == outer_refund_no and not contradicts(n, expected)
    ]
    if not matching and any(contradicts(n, {"payment_no": payment_no}) for _, n in stated):
        raise OtherRecord("the answer is about another payment's refund", exchange=reply.exchange)
    if not matching and is_empty(reply):
        raise NotFound("the answer holds no refund", exchange=reply.exchange, status=404)
    if not matching:
        raise Unknown("the refund's numbers were not echoed", exchange=reply.exchange)
    if len(matching) > 1:
        raise Unknown("several refunds fit the numbers", exchange=reply.exchange)
    return _refund(matching[0], reply.exchange)


def refund_replies(reply: Reply, our_no: str, payment_no: str | None = None) -> list[RefundReply]:
    """Every refund of our order, empty when the gateway lists none; raises Unknown when one is not of our order."""
    expected = {"our_no": our_no, "payment_no": payment_no}
    records = [record for record in find_records(reply.body) if is_refund(record)]
    if not records and not _lists_nothing(reply.body):
        raise Unknown("the answer lists no refunds", exchange=reply.exchange)
    if not all(echoes(_numbers_in(record), expected) for record in records):
        raise Unknown("the order's numbers were not echoed", exchange=reply.exchange)
    return [_refund(record, reply.exchange) for record in records]


def refunds_beside(reply: Reply, order: Mapping[str, str | None]) -> tuple[RefundReply, ...]:
    """The refunds that stand beside an order (4.9, Version 2.0): those that say they are of this order."""
    records = [record for record in find_records(reply.body) if is_refund(record) and text_in(record, "status")]
    return tuple(_refund(record, reply.exchange) for record in records if echoes(_numbers_in(record), order))


def _lists_nothing(body: Mapping[str, Any]) -> bool:
    data = body.get("data")
    return any(isinstance(place, dict) and place.get("refunds") == [] for place in (body, data))


def _numbers_in(record: Mapping[str, Any]) -> dict[str, str | None]:
    return {name: text_in(record, *spellings) for name, spellings in SPELLINGS.items()}


def _refund(record: Mapping[str, Any], exchange: Exchange) -> RefundReply:
    status = text_in(record, "status")
    if status is None:
        raise Unknown("the refund has no status", exchange=exchange)
    return RefundReply(
        **_numbers_in(record),
        amount=amount_in(record, "refund_amount"),
        status=status.upper(),
        exchange=exchange,
    )


PAYMENT_NO = ("payment_no", "order_no", "no")
TRADE_TYPE = ("trade_type", "tarde_type")
PERSONAL = ("openid", "buyer_email", "buyer_id")

# Every name that the document gives an order or its notification: 10.2, 11.1, 6.1, 6.5 and their samples.
NOTIFIED = frozenset(
    {
        *PAYMENT_NO,
        *OUR_NO,
        *TRADE_TYPE,
        *PERSONAL,
        "amount",
        "channel",
        "charge_amount",
        "currency",
        "device_info",
        "exchange_rate",
        "ip",
        "merchant_no",
        "pay_amount",
        "pay_currency",
        "pay_method",
        "product_id",
        "product_info",
        "refund_status",
        "refundable_amount",
        "settle_rate",
        "status",
        "subject",
        "trade_time",
    }
)


@dataclass(frozen=True)
class OrderReply:
    """What the gateway says of one order. None where it said nothing, or nothing that can be read.

    `status` (INIT, PAID, FAIL, EXPIRED) and `refund_status` (NONE, PART, FULL) are the gateway's words in upper
    case, known to the document or not. `amount` and `refundable_amount` are in `currency`, with its places;
    `pay_amount` is in `pay_currency`, as it was said; `exchange_rate` is yuan for one unit of the currency.
    `trade_time` is aware, in UTC. `wallet` is the gateway's word for whose wallet paid; `personal` says who did.
    """

    payment_no: str | None
    our_no: str | None
    merchant_no: str | None
    status: str
    currency: str | None
    amount: Decimal | None
    pay_amount: Decimal | None
    pay_currency: str | None
    exchange_rate: Decimal | None
    settle_rate: Decimal | None
    refund_status: str | None
    refundable_amount: Decimal | None
    trade_type: str | None
    trade_time: datetime | None
    pay_method: str | None
    wallet: str | None
    personal: Mapping[str, str] = field(repr=False)
    refunds: tuple[RefundReply, ...]
    exchange: Exchange = field(repr=False)


def order_reply(
    reply: Reply, our_no: str, payment_no: str | None = None, like: Mapping[str, object] | None = None
) -> OrderReply:
    """The record about our order; raises Unknown when there is none that surely is, NotFound when there is none.

    One of our numbers has to be repeated and none contradicted. The samples of 4.9 leave agent_order_id out, so
    whoever knows the payment's number names it too; until it is known, a record that names no number of ours has
    to agree with the order in all that `like` says of it.
    """
    expected = {"our_no": our_no, "payment_no": payment_no}
    records = order_records(reply.body)
    matching = [record for record in records if echoes(order_numbers(record), expected)]
    if not matching and payment_no is None and like:
        matching = [record for record in records if _is_like(record, our_no, like)]
    if not matching and any(contradicts(order_numbers(record), expected) for record in records):
        raise OtherRecord("the answer is about another order", exchange=reply.exchange)
    if not matching and is_empty(reply):
        raise NotFound("the answer holds no order", exchange=reply.exchange, status=404)
    if not matching:
        raise Unknown("the order's numbers were not echoed", exchange=reply.exchange)
    if len(matching) > 1:
        raise Unknown("several orders fit the numbers", exchange=reply.exchange)
    return read_order(matching[0], reply)


def _is_like(record: Mapping[str, Any], our_no: str, like: Mapping[str, object]) -> bool:
    currency = text_in(record, "currency")
    stated = {
        "merchant_no": text_in(record, "merchant_no"),
        "currency": currency,
        "amount": amount_in(record, "amount", currency=currency),
    }
    return order_numbers(record)["our_no"] in (None, our_no) and all(stated[name] == like[name] for name in stated)


def order_records(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every record with a payment's number or ours that is not a refund."""
    records = [record for record in find_records(body) if not is_refund(record)]
    return [record for record in records if any(order_numbers(record).values())]


def order_numbers(record: Mapping[str, Any]) -> dict[str, str | None]:
    return {"payment_no": text_in(record, *PAYMENT_NO), "our_no": text_in(record, *OUR_NO)}


def personal_in(record: Mapping[str, Any]) -> dict[str, str]:
    """Who paid, as far as it is said."""
    texts = {name: text_in(record, name) for name in PERSONAL}
    return {name: text for name, text in texts.items() if text is not None}


def read_order(record: Mapping[str, Any], reply: Reply) -> OrderReply:
    """The record as an OrderReply; raises Unknown without a status, which is what everybody asks for."""
    status = text_in(record, "status")
    if status is None:
        raise Unknown("the order has no status", exchange=reply.exchange)
    numbers, currency = order_numbers(record), text_in(record, "currency")
    return OrderReply(
        **numbers,
        merchant_no=text_in(record, "merchant_no"),
        status=status.upper(),
        currency=currency,
        amount=amount_in(record, "amount", currency=currency),
        pay_amount=rate_in(record, "pay_amount"),
        pay_currency=text_in(record, "pay_currency"),
        exchange_rate=rate_in(record, "exchange_rate"),
        settle_rate=rate_in(record, "settle_rate"),
        refund_status=_refund_status(record),
        refundable_amount=amount_in(record, "refundable_amount", currency=currency),
        trade_type=text_in(record, *TRADE_TYPE),
        trade_time=time_in(record, "trade_time"),
        pay_method=text_in(record, "pay_method"),
        wallet=text_in(record, "channel", "wallet"),
        personal=personal_in(record),
        refunds=refunds_beside(reply, numbers),
        exchange=reply.exchange,
    )


def _refund_status(record: Mapping[str, Any]) -> str | None:
    # The text "None" means absent everywhere else; here it is the document's word for "not refunded".
    word = record.get("refund_status")
    if isinstance(word, str) and word.strip().upper() == "NONE":
        return "NONE"
    text = text_in(record, "refund_status")
    return text.upper() if text else None
