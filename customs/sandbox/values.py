"""Values of parameters: the eleven currencies of 11.3 with their rates, and the rules for each name."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from urllib.parse import urlsplit

from customs.sandbox.channels import CHANNELS, Channel

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
    return CHANNELS[channel].rate_form.format(CURRENCIES[currency].rate)


def paid_in(wallet_currency: str, currency: str, amount: Decimal) -> Decimal:
    """What the payer's wallet paid: cut off, not rounded, as in the samples of 4.9 and 6.5."""
    exact = amount * CURRENCIES[currency].rate / CURRENCIES[wallet_currency].rate
    return max(exact.quantize(CENT, ROUND_DOWN), CENT)


def charge(currency: str, amount: Decimal) -> Decimal:
    """The gateway's own fee (6.5, `charge_amount`), in the order's currency."""
    return (amount * CHARGE).quantize(CURRENCIES[currency].unit, ROUND_UP)


NUMBER = re.compile(r"[0-9A-Za-z_\-|*@]{1,32}")
TOKEN = re.compile(r"[0-9A-Za-z_\-]{1,128}")
LONGEST_TEXT = 128
LONGEST_URL = 256


def _is_text(value: str) -> bool:
    return len(value) <= LONGEST_TEXT and value.isprintable()


def is_url(value: str) -> bool:
    """An address on the web, whole and without a fragment that would cut it short."""
    try:
        parts = urlsplit(value)
        return (
            len(value) <= LONGEST_URL
            and parts.scheme in ("http", "https")
            and re.fullmatch(r"[0-9A-Za-z.\-]+|[0-9a-f:.]+", parts.hostname or "") is not None
            and parts.username is None
            and not parts.fragment
            and (parts.port or 1) > 0
            and re.fullmatch(r"[!-~]+", value) is not None
        )
    except ValueError:
        return False


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _matches(form: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda value: form.fullmatch(value) is not None


MONEY = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?")
DECLARATION_FORMS = {
    "out_order_no": NUMBER,
    "payment_no": NUMBER,
    "sub_order_no": NUMBER,
    "sub_order_amount": MONEY,
    "transport_amount": MONEY,
    "product_amount": MONEY,
    "duty": re.compile(r"[0-9]{1,9}"),
    "action_type": re.compile(r"ADD|MODIFY"),
}

PAYMENT_FORMS: Mapping[str, Callable[[str], bool]] = {
    **dict.fromkeys(
        (
            "agent_order_id",
            "out_order_no",
            "outer_order_no",
            "order_no",
            "payment_no",
            "refund_no",
            "outer_refund_no",
        ),
        _matches(NUMBER),
    ),
    **dict.fromkeys(("merchant_no", "openid", "appid", "code"), _matches(TOKEN)),
    **dict.fromkeys(("product_info", "subject", "product_id", "device_info"), _is_text),
    **dict.fromkeys(("notify_url", "return_url"), is_url),
    "auth_code": _matches(re.compile(r"[0-9]{6,32}")),
    "currency": CURRENCIES.__contains__,
    "ip": _is_address,
}


def wrong_payment_values(params: Mapping[str, str]) -> list[str]:
    """What is wrong, a sentence each, naming parameters only. Amounts of a refund need the order's currency."""
    wrong = [
        f"{name} is malformed" for name, fits in PAYMENT_FORMS.items() if name in params and not fits(params[name])
    ]
    if "amount" in params and not is_amount(params["amount"], params.get("currency", "")):
        wrong.append("amount is no amount of the currency")
    return wrong


def is_amount(text: str, currency: str) -> bool:
    """More than nothing, with no more places than the currency has; of an unknown currency nothing is judged."""
    known = CURRENCIES.get(currency)
    return known is None or (known.form.fullmatch(text) is not None and Decimal(text) > 0)


def wrong_declaration_values(channel: Channel, params: Mapping[str, str]) -> list[str]:
    """What is wrong with a declaration, a sentence each, naming parameters only."""
    wrong = [
        f"{name} is malformed"
        for name, form in DECLARATION_FORMS.items()
        if name in params and not form.fullmatch(params[name])
    ]
    if "customs" in params and params["customs"] not in channel.codes:
        wrong.append(f"customs is not a code of {channel.name}")
    if not wrong and "product_amount" in params:
        total, transport, product = (
            Decimal(params[name]) for name in ("sub_order_amount", "transport_amount", "product_amount")
        )
        if total != transport + product:
            wrong.append("sub_order_amount is not transport_amount + product_amount")
    return wrong
