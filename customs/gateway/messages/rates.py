"""Reads a reference rate (4.11, 6.8), in `data` or beside `meta`."""

from dataclasses import dataclass, field
from decimal import Decimal

from customs.gateway.errors import Unknown
from customs.gateway.exchange import Exchange, Reply
from customs.gateway.messages.records import find_records, rate_in, text_in


@dataclass(frozen=True)
class RateReply:
    """Yuan for one unit of the currency; what a payment is settled with is its own order's rate (6.8)."""

    currency: str
    rate: Decimal
    exchange: Exchange = field(repr=False)


def rate_reply(reply: Reply, currency: str) -> RateReply:
    """The rate of this currency; raises Unknown when it is another's, absent, zero or no number."""
    records = [record for record in find_records(reply.body) if text_in(record, "currency") == currency]
    rates = {rate_in(record, "rate") for record in records} - {None}
    if len(rates) != 1:
        raise Unknown("the currency's rate was not echoed", exchange=reply.exchange)
    rate = rates.pop()
    if not rate:
        raise Unknown("a rate of zero", exchange=reply.exchange)
    return RateReply(currency, rate, reply.exchange)
