"""Reads what the gateway says of refunds (4.8, 4.10, 6.6, 6.7, 11.2), in whichever envelope they come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from customs.gateway.errors import NotFound, OtherRecord, Unknown
from customs.gateway.exchange import Exchange, Reply
from customs.gateway.messages.records import OUR_NO, amount_in, contradicts, echoes, find_records, is_empty, text_in

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
