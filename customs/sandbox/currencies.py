"""The eleven currencies of 11.3: how many places an amount has, and what one unit costs in CNY (4.11, 6.8)."""

import re
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_UP, Decimal

CENT = Decimal("0.01")
CHARGE = Decimal("0.01")


@dataclass(frozen=True)
class Currency:
    """One row: the places of its amounts, and its fixed rate, "one unit is so many CNY"."""

    places: int
    rate: Decimal

    @property
    def form(self) -> re.Pattern[str]:
        """How an amount is written."""
        return re.compile(rf"[0-9]{{1,9}}(\.[0-9]{{1,{self.places}}})?" if self.places else "[0-9]{1,9}")

    @property
    def unit(self) -> Decimal:
        return Decimal(1).scaleb(-self.places)


CURRENCIES = {
    "CNY": Currency(2, Decimal("1")),
    "GBP": Currency(2, Decimal("9.0532")),
    "HKD": Currency(2, Decimal("0.8789")),
    "USD": Currency(2, Decimal("6.8575")),
    "JPY": Currency(0, Decimal("0.0621")),
    "CAD": Currency(2, Decimal("5.2436")),
    "AUD": Currency(2, Decimal("4.9712")),
    "EUR": Currency(2, Decimal("7.9105")),
    "NZD": Currency(2, Decimal("4.6427")),
    "KRW": Currency(0, Decimal("0.0061")),
    "THB": Currency(2, Decimal("0.2114")),
}


def rate_text(channel: str, currency: str) -> str:
    """The rate as the channel writes it: Alipay with six places (6.5, 6.8), WeChat as it is (4.11)."""
    rate = CURRENCIES[currency].rate
    return f"{rate:.6f}" if channel == "alipay" else str(rate)


def paid_in(wallet_currency: str, currency: str, amount: Decimal) -> Decimal:
    """What the payer's wallet paid: cut off, not rounded, as in the samples of 4.9 and 6.5."""
    exact = amount * CURRENCIES[currency].rate / CURRENCIES[wallet_currency].rate
    return max(exact.quantize(CENT, ROUND_DOWN), CENT)


def charge(currency: str, amount: Decimal) -> Decimal:
    """The gateway's own fee (6.5, `charge_amount`), in the order's currency."""
    return (amount * CHARGE).quantize(CURRENCIES[currency].unit, ROUND_UP)
