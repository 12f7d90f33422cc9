"""Reads what the gateway says of our push (9.1 to 9.6)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from customs.gateway.declaration_request import Filing
from customs.gateway.errors import NotFound, OtherRecord, Unknown
from customs.gateway.exchange import Exchange, Reply
from customs.gateway.messages.records import OUR_NO, amount_in, contradicts, find_records, is_empty, text_in, time_in

SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "out_order_no": OUR_NO,
    "payment_no": ("payment_no", "order_no", "no"),
    "sub_order_no": ("sub_order_no",),
    "customs": ("customs",),
}
PAYMENT = ("out_order_no", "payment_no")
GATEWAY_NUMBERS = ("wechatpay_no", "alipay_no")


@dataclass(frozen=True)
class DeclarationReply:
    """What the gateway says about one push (9.1 to 9.6). None where it said nothing.

    `state` is the gateway's word in upper case, known to the document or not; `modify_time` is aware, in UTC. The
    amounts are those of a sub-order.
    """

    out_order_no: str | None
    payment_no: str | None
    customs: str | None
    sub_order_no: str | None
    state: str
    modify_time: datetime | None
    explanation: str | None
    cert_check_result: str | None
    gateway_no: str | None
    exchange: Exchange = field(repr=False)
    amount: Decimal | None = None
    transport_amount: Decimal | None = None
    product_amount: Decimal | None = None


def declaration_reply(reply: Reply, filing: Filing) -> DeclarationReply:
    """The record about our push; raises Unknown when there is none that surely is.

    A query's record that fits the question but is about another push of the same payment (another code of it)
    raises NotFound: the gateway would have named ours. So does a query's answer that holds no record at all.
    One about another payment raises OtherRecord: it is no answer to the question.
    """
    expected = _numbers_of(filing)
    records = [(record, _numbers_in(record)) for record in find_records(reply.body)]
    about_payments = [(r, n) for r, n in records if _names_payment(n)]
    matching = [(r, n) for r, n in about_payments if _agree(n, expected)]
    if len(matching) == 1:
        return _declaration(*matching[0], reply.exchange)
    if matching:
        raise Unknown("several records fit the numbers", exchange=reply.exchange)
    same_payment = [n for _, n in about_payments if _agree({name: n[name] for name in PAYMENT}, expected)]
    if reply.exchange.method == "GET" and any(_answers(n, reply.exchange) for n in same_payment):
        raise NotFound("the record is about another push", exchange=reply.exchange, status=404)
    if any(contradicts({name: n[name] for name in PAYMENT}, expected) for _, n in about_payments) or any(
        n["sub_order_no"] not in (None, expected["sub_order_no"]) for _, n in records if not _names_payment(n)
    ):
        raise OtherRecord("the answer is about another payment", exchange=reply.exchange)
    if is_empty(reply):
        raise NotFound("the answer holds no record", exchange=reply.exchange, status=404)
    raise Unknown("the numbers were not echoed", exchange=reply.exchange)


def _numbers_of(filing: Filing) -> dict[str, str | None]:
    return {name: getattr(filing, name) for name in SPELLINGS}


def _numbers_in(record: Mapping[str, Any]) -> dict[str, str | None]:
    return {name: text_in(record, *spellings) for name, spellings in SPELLINGS.items()}


def _names_payment(stated: Mapping[str, str | None]) -> bool:
    return any(stated[name] for name in PAYMENT)


def _agree(stated: Mapping[str, str | None], expected: Mapping[str, str | None]) -> bool:
    return all(value is None or value == expected[name] for name, value in stated.items())


def _answers(stated: Mapping[str, str | None], exchange: Exchange) -> bool:
    """Whether the record repeats a number that the query named, and contradicts none of them."""
    asked = {name: value for name, value in exchange.params.items() if name in SPELLINGS}
    return any(stated[name] == value for name, value in asked.items() if name != "customs") and all(
        stated[name] in (None, value) for name, value in asked.items()
    )


def _declaration(record: Mapping[str, Any], numbers: Mapping[str, str | None], exchange: Exchange) -> DeclarationReply:
    state = text_in(record, "state")
    if state is None:
        raise Unknown("the record has no state", exchange=exchange)
    return DeclarationReply(
        **numbers,
        state=state.upper(),
        modify_time=time_in(record, "modify_time"),
        explanation=text_in(record, "explanation"),
        cert_check_result=text_in(record, "cert_check_result"),
        gateway_no=text_in(record, *GATEWAY_NUMBERS),
        exchange=exchange,
        amount=amount_in(record, "sub_order_amount"),
        transport_amount=amount_in(record, "transport_amount"),
        product_amount=amount_in(record, "product_amount"),
    )
