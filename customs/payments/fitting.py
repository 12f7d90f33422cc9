"""What fits into our columns: an answer longer than the document allows must not stop whoever records it."""

from decimal import ROUND_DOWN, Decimal

from sqlalchemy import Column

from customs.database import HUNDREDTH
from customs.gateway import as_meant
from customs.payments.models import LONGEST_NUMBER

# In hundredths still an integer of 64 bits.
MOST_MONEY = Decimal(10) ** 16


def text_that_fits(column: Column[str], text: str | None) -> str | None:
    """The text, cut to what the column holds."""
    return text and text[: column.type.length]  # type: ignore[attr-defined]


def number_that_fits(number: str | None) -> str | None:
    """The number, or None when it is longer than any: a part of a number is another's."""
    return number if number is not None and len(number) <= LONGEST_NUMBER else None


def money_that_fits(amount: Decimal | None) -> Decimal | None:
    """The amount without what a rate left over below a fen (R4); None for more than can be kept."""
    return as_meant(amount).quantize(HUNDREDTH, ROUND_DOWN) if amount is not None and amount < MOST_MONEY else None
