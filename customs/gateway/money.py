"""Amounts as text, exactly and with their currency's places: the document's eleven currencies (11.3)."""

from collections.abc import Mapping
from decimal import Context, Decimal, Inexact, InvalidOperation

from customs.gateway.errors import Misuse

EXACTLY = Context(prec=60, traps=[Inexact, InvalidOperation])

CURRENCY_PLACES: Mapping[str, int] = {
    "CNY": 2,
    "GBP": 2,
    "HKD": 2,
    "USD": 2,
    "JPY": 0,
    "CAD": 2,
    "AUD": 2,
    "EUR": 2,
    "NZD": 2,
    "KRW": 0,
    "THB": 2,
}


def money_text(amount: Decimal, places: int = 2) -> str:
    """The exact amount with the currency's places as text; Misuse for more places, NaN and negatives."""
    try:
        exact = amount.quantize(Decimal(1).scaleb(-places), context=EXACTLY)
    except (Inexact, InvalidOperation):
        raise Misuse(f"not an amount with {places} decimal places") from None
    if not exact.is_finite() or exact.is_signed():
        raise Misuse("not an amount of zero or more")
    return f"{exact:f}"


def amount_text(amount: Decimal, currency: str) -> str:
    """An amount to be paid or refunded, as text; Misuse for what is none in this currency, and for zero."""
    if currency not in CURRENCY_PLACES:
        raise Misuse(f"not a currency of 11.3: {', '.join(CURRENCY_PLACES)}")
    text = money_text(amount, CURRENCY_PLACES[currency])
    # A refund without an amount is a full one (4.8): nobody shall find out how the gateway takes a zero.
    if not amount:
        raise Misuse("not an amount above zero")
    return text
