"""Amounts as text, exactly and with their currency's places: the document's eleven currencies (11.3)."""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation

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


USUAL_PLACES = 2
# As many digits has what a binary fraction leaves of a decimal one, and as few of them were meant.
DIGITS_OF_FRACTIONS = (16, 17)
AS_MEANT = Context(prec=12, rounding=ROUND_HALF_EVEN)


def in_places(amount: Decimal, currency: str | None) -> Decimal:
    """An amount as it was read, brought to its currency's places: 66.69999999999999 yuan are 66.70."""
    places = CURRENCY_PLACES.get(currency or "", USUAL_PLACES)
    return amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)


def as_meant(number: Decimal) -> Decimal:
    """A rate, or an amount that comes from one, without what a binary fraction left: 0.8699999999999999 is 0.87."""
    has_leftovers = len(number.as_tuple().digits) in DIGITS_OF_FRACTIONS
    return AS_MEANT.plus(number).normalize() if has_leftovers else number


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
