"""Tells whose records an answer holds: of somebody else's nothing may be kept or shown (R6a)."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from customs.gateway.errors import GatewayError, OtherRecord
from customs.gateway.exchange import Exchange
from customs.gateway.messages.declarations import DeclarationReply
from customs.gateway.messages.orders import ONLY_IN_REFUNDS, OrderReply, RefundReply, is_refund
from customs.gateway.messages.records import OUR_NO, text_in
from customs.gateway.messages.sales import SaleReply

WITHHELD = "withheld: the answer is about somebody else's record"

# What says whose a record is, by its spellings; in a refund, `no` is the refund's own number.
OWNERS: Mapping[str, tuple[str, ...]] = {
    "merchant_no": ("merchant_no",),
    "our_no": OUR_NO,
    "payment_no": ("payment_no", "order_no"),
}
PAYMENT = "no"
# What tells parts of one owner's apart: it decides where nothing else is said.
PARTS = ("sub_order_no", "outer_refund_no")
TELLING = frozenset({*(name for spellings in OWNERS.values() for name in spellings), PAYMENT, *PARTS})
# A field of what is no proper JSON, also of JSON within a JSON text; a value that is cut off has no closing quote.
FIELD = re.compile(r'\\*"(\w+)\\*"\s*:\s*(?:\\*"([^"\\]*)(["\\]?)|([0-9]+))')

T = TypeVar("T", bound=DeclarationReply | SaleReply | OrderReply | RefundReply | GatewayError)


def without_others(outcome: T, own: Mapping[str, str | None]) -> T:
    """The same outcome fit to be kept: of an answer that holds somebody else's record, nothing is left.

    `own`: merchant_no, our_no, payment_no, sub_order_no and outer_refund_no, as far as they are known.
    """
    exchange = outcome.exchange
    if exchange is None or not holds_others(exchange.reply, own):
        return outcome
    return withheld(outcome)


def withheld(outcome: T) -> T:
    """The same outcome without a word of what came back."""
    kept = outcome.exchange and replace(outcome.exchange, reply=WITHHELD)
    if isinstance(outcome, GatewayError):
        outcome.exchange = kept
        if not isinstance(outcome, OtherRecord):
            # These may be the gateway's own words, and name what it holds.
            outcome.message = WITHHELD
        return outcome
    assert isinstance(kept, Exchange)
    return replace(outcome, exchange=kept)


def holds_others(text: str, own: Mapping[str, str | None]) -> bool:
    """Whether an answer, proper JSON or not, names somebody else's merchant, order or payment."""
    try:
        records = [*_records_in(json.loads(text.removeprefix("\ufeff")))]
    except (ValueError, RecursionError):
        records = [*_fields_of(text, own)]
    return any(_is_others(record, own) for record in records)


def _is_others(record: Mapping[str, Any], own: Mapping[str, str | None]) -> bool:
    if TELLING.isdisjoint(record):
        return False
    stated = {name: _values_named(record, spellings) for name, spellings in OWNERS.items()}
    if not is_refund(record):
        stated["payment_no"] |= _values_named(record, (PAYMENT,))
    named = {name: numbers for name, numbers in stated.items() if numbers and own.get(name) is not None}
    if named:
        return any(numbers != {own[name]} for name, numbers in named.items())
    # An order that is not split has no part: where ours is known to have none, any number of one is another's.
    parts = {name: _values_named(record, (name,)) for name in PARTS if name in own}
    return any(numbers and numbers != {own[name]} for name, numbers in parts.items())


def _values_named(record: Mapping[str, Any], spellings: tuple[str, ...]) -> set[str]:
    return {text for name in spellings if (text := text_in(record, name)) is not None}


def _records_in(value: Any) -> Iterator[dict[str, Any]]:
    """Every object, however deep, also in a JSON text."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield item
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, str) and item.lstrip().startswith(("{", "[")):
            try:
                waiting.append(json.loads(item))
            except (ValueError, RecursionError):
                yield from ({name: text} for name, text in _fields_in(item))


def _fields_of(text: str, own: Mapping[str, str | None]) -> Iterator[dict[str, str]]:
    """The fields of a text that is no JSON, each for itself; one that is cut off may still be ours."""
    fields = [*_fields_in(text)]
    refund = {name: value for name, value in fields if name in ONLY_IN_REFUNDS}
    for name, value in fields:
        is_cut_off = text.rstrip().endswith(value)
        if not (is_cut_off and any(number and number.startswith(value) for number in own.values())):
            yield {**(refund if name == PAYMENT else {}), name: value}


def _fields_in(text: str) -> Iterator[tuple[str, str]]:
    for field in FIELD.finditer(text):
        yield field[1], field[2] if field[2] is not None else field[4]
