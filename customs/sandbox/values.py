"""Rules for the values of payment parameters (sections 4 to 8), by name, and amounts."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from urllib.parse import urlsplit

from customs.sandbox.currencies import CURRENCIES

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


FORMS: Mapping[str, Callable[[str], bool]] = {
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


def wrong_values(params: Mapping[str, str]) -> list[str]:
    """What is wrong, a sentence each, naming parameters only. Amounts of a refund need the order's currency."""
    wrong = [f"{name} is malformed" for name, fits in FORMS.items() if name in params and not fits(params[name])]
    if "amount" in params and not is_amount(params["amount"], params.get("currency", "")):
        wrong.append("amount is no amount of the currency")
    return wrong


def is_amount(text: str, currency: str) -> bool:
    """More than nothing, with no more places than the currency has; of an unknown currency nothing is judged."""
    known = CURRENCIES.get(currency)
    return known is None or (known.form.fullmatch(text) is not None and Decimal(text) > 0)
