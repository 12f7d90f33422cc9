"""Reads what every reply is made of: where the records stand, and texts, amounts and times in them."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from customs.gateway.error_mapping import legible
from customs.gateway.exchange import Reply
from customs.gateway.money import as_meant, in_places

# A fixed offset instead of the zone's name: no summer time since 1991, and no time zone database needed.
GATEWAY_TIME = timezone(timedelta(hours=8), "Asia/Shanghai")
ABSENT = frozenset({"", "none", "null"})
DEEPEST_ENVELOPE = 4
# Decimal itself would also read full-width digits, underscores and "Infinity". What subtracting binary fractions
# leaves of nothing is written with a negative exponent, and may be below zero.
PLAIN_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,40})?([eE]-[0-9]{1,2})?")

OUR_NO = ("agent_order_id", "out_order_no", "outer_order_no")


def find_records(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every object that holds plain values, in `data`, below it, or beside `meta`; outer ones first."""
    records: list[dict[str, Any]] = []
    level: list[Any] = [{name: value for name, value in body.items() if name != "meta"}]
    for _ in range(DEEPEST_ENVELOPE):
        objects = [item for item in level if isinstance(item, dict)]
        records += [item for item in objects if any(not isinstance(v, dict | list) for v in item.values())]
        level = [inner for item in level for inner in _inside(item)]
    return records


def is_empty(reply: Reply) -> bool:
    """Whether a query's success holds nothing where its record should stand, which is a "not found" (`data.info`)."""
    content = [value for name, value in reply.body.items() if name != "meta"]
    return reply.exchange.method == "GET" and bool(content) and not any(map(_says_something, content))


def _says_something(value: Any) -> bool:
    level = [value]
    while level:
        item = level.pop()
        if isinstance(item, dict | list):
            level += _inside(item)
        elif item is not None and item != "":
            return True
    return False


def _inside(item: Any) -> Iterable[Any]:
    if isinstance(item, dict):
        return item.values()
    return item if isinstance(item, list) else ()


def text_in(record: Mapping[str, Any], *names: str) -> str | None:
    """The first of the fields that holds something, as text: numbers come where text is documented."""
    for name in names:
        value = record.get(name)
        if value is None or isinstance(value, bool | dict | list):
            continue
        text = legible(value).strip()
        if text.lower() not in ABSENT:
            return text
    return None


def amount_in(record: Mapping[str, Any], *names: str, currency: str | None = None) -> Decimal | None:
    """The first of the fields that holds something, as an amount of zero or more; None for what is no such amount.

    Amounts are text in Version 1.0 and numbers in 2.0, where 66.7 may come as 66.69999999999999: they are brought to
    the places of `currency`, two without one.
    """
    number = _number_in(record, *names)
    amount = None if number is None else in_places(number, currency)
    return amount.copy_abs() if amount is not None and amount >= 0 else None


def rate_in(record: Mapping[str, Any], *names: str) -> Decimal | None:
    """The same for a rate, and for an amount that comes from one: it has as many places as were meant."""
    number = _number_in(record, *names)
    rate = None if number is None else as_meant(number)
    return rate.copy_abs() if rate is not None and rate >= 0 else None


def _number_in(record: Mapping[str, Any], *names: str) -> Decimal | None:
    text = text_in(record, *names)
    return Decimal(text) if text is not None and PLAIN_NUMBER.fullmatch(text) else None


def time_in(record: Mapping[str, Any], *names: str) -> datetime | None:
    """The first of the fields that holds something, as the gateway's time in UTC; None for what cannot be read."""
    text = text_in(record, *names)
    if text is None:
        return None
    try:
        if len(text) == 14 and text.isdigit():
            moment = datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=GATEWAY_TIME)
        else:
            moment = datetime.fromisoformat(text.replace("/", "-"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=GATEWAY_TIME)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def contradicts(stated: Mapping[str, object], expected: Mapping[str, object]) -> bool:
    """Whether something said differs from what we hold; what either side does not name contradicts nothing."""
    return any(value is not None and stated.get(name) not in (None, value) for name, value in expected.items())


def echoes(stated: Mapping[str, object], expected: Mapping[str, object]) -> bool:
    """Whether at least one of our numbers is repeated and none contradicted."""
    named = any(value is not None and stated.get(name) == value for name, value in expected.items())
    return named and not contradicts(stated, expected)
