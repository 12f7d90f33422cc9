"""Verify and read notifications of the gateway (section 10); they are only a hint to query."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from customs.gateway.errors import ForgedNotification, MalformedNotification
from customs.gateway.messages.orders import NOTIFIED, PAYMENT_NO, personal_in
from customs.gateway.messages.records import OUR_NO, amount_in, rate_in, text_in, time_in
from customs.gateway.signing import Verifier, notification_text

READERS: Mapping[str, Callable[[Mapping[str, str], str], object]] = {
    "amount": amount_in,
    "pay_amount": rate_in,
    "exchange_rate": rate_in,
    "trade_time": time_in,
}
TIMESTAMP = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")


@dataclass(frozen=True)
class Notification:
    """One order that was paid (10.2); the fields are those of OrderReply."""

    payment_no: str
    our_no: str | None
    status: str
    currency: str | None
    amount: Decimal | None
    pay_amount: Decimal | None
    exchange_rate: Decimal | None
    trade_time: datetime | None
    personal: Mapping[str, str] = field(repr=False)


def read_notification(
    form_pairs: Sequence[tuple[str, str]], timestamp: str, signature: str, verifier: Verifier
) -> Notification:
    """The notification out of the form as it was received, and the headers Timestamp and Signature.

    Raises ForgedNotification when the signature is not the gateway's, MalformedNotification for everything else.
    """
    params = dict(form_pairs)
    if len(params) < len(form_pairs):
        # 10.3 signs names and values; which of two values was meant, a signature could not tell.
        raise MalformedNotification("a name appears twice")
    try:
        text = notification_text(params, timestamp)
    except UnicodeEncodeError:
        raise MalformedNotification("a value is not valid Unicode") from None
    if not verifier.verify(text, signature):
        raise ForgedNotification("the signature is not the gateway's over this content")
    _refuse_ambiguity(params, timestamp)
    return _notification(params)


def _refuse_ambiguity(params: Mapping[str, str], timestamp: str) -> None:
    # The values are signed as they are (10.3), so one signature would fit several ways to divide the same text.
    if not TIMESTAMP.fullmatch(timestamp):
        raise MalformedNotification("the timestamp is no Unix time")
    if params.keys() - NOTIFIED:
        raise MalformedNotification("a name that the document does not list")
    if any("&" in value or "=" in value for value in params.values()):
        raise MalformedNotification("a value holds a separator")


def _notification(params: Mapping[str, str]) -> Notification:
    if params.get("status") != "PAID":
        raise MalformedNotification("the status is not PAID")
    for name, read in READERS.items():
        if text_in(params, name) is not None and read(params, name) is None:
            raise MalformedNotification(f"{name} cannot be read")
    payment_no = _one(params, PAYMENT_NO)
    if payment_no is None:
        raise MalformedNotification("the order's number is missing")
    return Notification(
        payment_no=payment_no,
        our_no=_one(params, OUR_NO),
        status="PAID",
        currency=text_in(params, "currency"),
        amount=amount_in(params, "amount", currency=text_in(params, "currency")),
        pay_amount=rate_in(params, "pay_amount"),
        exchange_rate=rate_in(params, "exchange_rate"),
        trade_time=time_in(params, "trade_time"),
        personal=personal_in(params),
    )


def _one(params: Mapping[str, str], spellings: Sequence[str]) -> str | None:
    numbers = {text_in(params, spelling) for spelling in spellings} - {None}
    if len(numbers) > 1:
        raise MalformedNotification("two numbers for one order")
    return numbers.pop() if numbers else None
