"""Read the cells of a bill as values: exact amounts in every notation, words of status and currency."""

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from customs.gateway import CURRENCY_PLACES, Misuse, money_text
from customs.payments.states import REFUND_WORDS, RefundStatus, Status


class Kind(StrEnum):
    """What a line of a bill is about."""

    PAYMENT = "payment"
    REFUND = "refund"


BLANKS = frozenset({"", "-", "--", "—", "/", "\\", "无", "null", "none", "n/a", "nil"})
# Where there is no refund, WeChat's bills write 0 for its number.
NO_NUMBER = BLANKS | {"0"}

_CODE = rf"(?:{'|'.join((*CURRENCY_PLACES, 'RMB'))})"
_SIGN = "[-+]?"
AMOUNT = re.compile(
    rf"(?P<open>\()?(?P<sign>{_SIGN})\s*(?:{_CODE}|[¥$€£฿₩])?\s*(?P<inner>{_SIGN})"
    r"(?P<units>[0-9]{1,18}|[0-9]{1,3}(?P<by>[,' ])[0-9]{3}(?:(?P=by)[0-9]{3}){0,5}|)(?P<places>\.[0-9]{1,18})?"
    rf"\s*(?:{_CODE}|元)?(?P<close>\))?",
    re.IGNORECASE,
)
USUAL_PLACES = 2
MINUSES = str.maketrans("−–—‒", "----")
# Excel's way of losing digits.
SHORTENED = re.compile(r"[0-9](\.[0-9]+)?E\+?[0-9]+", re.IGNORECASE)

CURRENCIES: Mapping[str, str] = {
    **{code.lower(): code for code in CURRENCY_PLACES},
    "rmb": "CNY",
    "人民币": "CNY",
    "港币": "HKD",
    "港元": "HKD",
    "美元": "USD",
    "日元": "JPY",
    "日圆": "JPY",
    "欧元": "EUR",
    "英镑": "GBP",
    "加元": "CAD",
    "加拿大元": "CAD",
    "澳元": "AUD",
    "澳大利亚元": "AUD",
    "新西兰元": "NZD",
    "新元": "NZD",
    "韩元": "KRW",
    "泰铢": "THB",
}
KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("支付", "付款", "收款", "消费", "交易", "收入", "payment", "pay", "sale", "order"), Kind.PAYMENT),
    **dict.fromkeys(("退款", "退货", "交易退款", "refund", "refunds"), Kind.REFUND),
}
# A refund's own words; a payment may also be called "refunded", so that word is not among them.
OF_A_REFUND = frozenset({"refund", "退款", "退款成功", "退款中", "退款失败"})
PAYMENT_STATES: Mapping[str, Status] = {
    **{status.lower(): status for status in Status},
    **dict.fromkeys(
        ("success", "支付成功", "交易成功", "成功", "已支付", "trade_success", "trade_finished"), Status.PAID
    ),
    **dict.fromkeys(("refund", "refunded", "已退款", "转入退款", "部分退款", "全额退款"), Status.PAID),
    **dict.fromkeys(("notpay", "wait_buyer_pay", "等待付款", "待支付", "未支付"), Status.INIT),
    **dict.fromkeys(("failed", "payerror", "支付失败", "交易失败", "失败"), Status.FAIL),
    **dict.fromkeys(("closed", "trade_closed", "订单失效", "已失效", "已关闭", "交易关闭"), Status.EXPIRED),
}
REFUND_STATES: Mapping[str, RefundStatus] = {
    **{word.lower(): status for word, status in REFUND_WORDS.items()},
    **dict.fromkeys(("refund", "refunded", "退款成功", "成功", "已退款"), RefundStatus.SUCCESS),
    **dict.fromkeys(("pending", "processing", "退款中", "处理中"), RefundStatus.PENDING),
    **dict.fromkeys(("退款失败", "失败", "退款关闭"), RefundStatus.FAIL),
}
STATES: Mapping[Kind, Mapping[str, Status | RefundStatus]] = {
    Kind.PAYMENT: PAYMENT_STATES,
    Kind.REFUND: REFUND_STATES,
}


class NoAmount(ValueError):
    """A cell that stands in an amount's place and is none."""


@lru_cache(maxsize=8192)
def amount_in(cell: str) -> Decimal | None:
    """The amount a cell holds, with its sign; None for a blank. Raises NoAmount for what is no plain number."""
    text = unicodedata.normalize("NFKC", cell).translate(MINUSES).strip(" `\"'\t")
    if text.lower() in BLANKS:
        return None
    found = AMOUNT.fullmatch(text)
    if found is None or not (found["units"] or found["places"]) or bool(found["open"]) != bool(found["close"]):
        raise NoAmount
    signs = [sign for sign in ("-" if found["open"] else "", found["sign"], found["inner"]) if sign]
    if len(signs) > 1:
        raise NoAmount
    units = re.sub("[,' ]", "", found["units"] or "0")
    number = Decimal(units + (found["places"] or ""))
    return number.copy_negate() if signs == ["-"] else number


def number_in(cell: str) -> str | None:
    """The number a cell holds, None for a blank."""
    return None if cell.lower() in NO_NUMBER else cell


@lru_cache(maxsize=256)
def currency_in(cell: str) -> str | None:
    """A currency by its code or its Chinese name; one that nobody knows as it is written."""
    word = cell.strip().lower()
    return None if word in BLANKS else CURRENCIES.get(word, cell.strip().upper())


def amount_shown(amount: Decimal, currency: str | None) -> str:
    """An amount with its currency's places; one that has more of them as it was written."""
    try:
        return money_text(amount, CURRENCY_PLACES.get(currency or "", USUAL_PLACES))
    except Misuse:
        return f"{amount:f}"
