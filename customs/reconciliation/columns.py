"""Columns of a bill: the document names none (8), so every known spelling is listed; read their cells as values."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cached_property, lru_cache

from customs.gateway import CURRENCY_PLACES, Misuse, money_text
from customs.payments.states import REFUND_WORDS, RefundStatus, Status


class Field(StrEnum):
    """Field of a payment or a refund for which a bill may have a column."""

    TIME = "time"
    REFUND_TIME = "refund_time"
    MERCHANT_NO = "merchant_no"
    KIND = "kind"
    PAYMENT_NO = "payment_no"
    OUT_ORDER_NO = "out_order_no"
    REFUND_NO = "refund_no"
    OUTER_REFUND_NO = "outer_refund_no"
    CURRENCY = "currency"
    AMOUNT = "amount"
    REFUND_AMOUNT = "refund_amount"
    STATUS = "status"
    REFUND_STATUS = "refund_status"


# The most exact spelling first: where a bill has several of a field's columns, that one is read.
SPELLINGS: Mapping[Field, tuple[str, ...]] = {
    Field.TIME: (
        *("trade_time", "交易时间", "支付时间", "支付完成时间", "付款时间", "pay_time", "paid_at", "time", "时间"),
        *("create_time", "创建时间"),
    ),
    Field.REFUND_TIME: ("refund_time", "退款时间", "退款完成时间", "退款成功时间", "退款申请时间"),
    Field.MERCHANT_NO: ("merchant_no", "商户号", "商户编号", "商家编号"),
    Field.KIND: ("type", "类型", "业务类型", "账务类型", "trade_type", "交易类型"),
    Field.PAYMENT_NO: (
        *("payment_no", "支付单号", "平台支付单号", "平台订单号", "wisecashier订单号", "wisecashier支付单号"),
        *("order_no", "订单编号", "订单号", "no"),
    ),
    Field.OUT_ORDER_NO: (
        *("out_order_no", "agent_order_id", "outer_order_no", "out_trade_no", "商户订单号", "商家订单号"),
        *("服务商订单号", "服务商内部单号", "外部订单号"),
    ),
    Field.REFUND_NO: ("refund_no", "平台退款单号", "退款单号", "退款编号"),
    Field.OUTER_REFUND_NO: (
        *("outer_refund_no", "out_refund_no", "商户退款单号", "商家退款单号", "外部退款单号", "服务商退款单号"),
    ),
    Field.CURRENCY: ("currency", "币种", "货币种类", "货币类型", "交易币种", "订单币种"),
    Field.AMOUNT: (
        *("amount", "订单金额", "交易金额", "金额", "order_amount", "trade_amount", "total_amount"),
        *("pay_amount", "支付金额"),
    ),
    Field.REFUND_AMOUNT: ("refund_amount", "退款金额", "申请退款金额"),
    Field.STATUS: ("status", "状态", "交易状态", "订单状态", "支付状态", "trade_status"),
    Field.REFUND_STATUS: ("refund_status", "退款状态"),
}
BY_SPELLING = {spelling: field for field, spellings in SPELLINGS.items() for spelling in spellings}
NUMBERS = (Field.PAYMENT_NO, Field.OUT_ORDER_NO, Field.REFUND_NO, Field.OUTER_REFUND_NO)
AMOUNTS = (Field.AMOUNT, Field.REFUND_AMOUNT)
# Understood, and kept as they are written.
OTHERS_KNOWN = {
    *(
        "fee",
        "手续费",
        "服务费",
        "费率",
        "rate",
        "汇率",
        "exchange_rate",
        "channel",
        "支付渠道",
        "交易方式",
        "pay_method",
    ),
    *("支付方式", "商品描述", "商品名称", "product_info", "subject"),
}
NAMES = re.compile(r"姓名|户名|(?<!agent_)name", re.IGNORECASE)
PERSONAL = re.compile(
    r"买家|付款|账号|账户|对方|用户|手机|电话|邮箱|openid|open_id|buyer|payer|email|mobile|phone",
    re.IGNORECASE,
)
UNIT = re.compile(r"\(.*\)$")
LONGEST_HEADER = 60
NOWHERE = -1


@dataclass(frozen=True)
class Header:
    """One header line: the words as written, and where each field stands, NOWHERE for those it lacks.

    `others` are the places of the columns that belong to no field, `unknown` the words among them nobody knows.
    """

    words: tuple[str, ...]
    places: Mapping[Field, int]
    others: tuple[int, ...]
    unknown: tuple[str, ...]

    @property
    def width(self) -> int:
        return len(self.words)

    @cached_property
    def last(self) -> int:
        """The last place that belongs to a field."""
        return max(self.places.values())

    def word(self, field: Field) -> str:
        """The field's header as written."""
        return self.words[self.places[field]]

    @property
    def fields_found(self) -> int:
        return sum(place != NOWHERE for place in self.places.values())


def read_header(cells: Sequence[str]) -> Header | None:
    """The header that this line is: it names a number and an amount. None for any other line."""
    words = [unquoted(cell)[:LONGEST_HEADER] for cell in cells]
    while words and not words[-1]:
        words.pop()
    meant = [spelling(word) for word in words]
    places = {field: _place(meant, spellings) for field, spellings in SPELLINGS.items()}
    if not (_any_of(places, NUMBERS) and _any_of(places, AMOUNTS)):
        return None
    others = tuple(place for place in range(len(words)) if place not in places.values())
    strange = (place for place in others if meant[place] not in BY_SPELLING and meant[place] not in OTHERS_KNOWN)
    return Header(tuple(words), places, others, tuple(words[place] for place in strange if words[place]))


def unquoted(cell: str) -> str:
    """A cell without what spreadsheets and WeChat's own bills put around a value: blanks, quotes, a backtick."""
    return cell.strip(" \t`\"'\ufeff\u3000\xa0")


def spelling(word: str) -> str:
    """Normalise a header to look it up: `订单金额（元）` as 订单金额, `Order No` as order_no."""
    plain = UNIT.sub("", unicodedata.normalize("NFKC", word).lstrip("#").strip().lower())
    return re.sub(r"[\s-]+", "_", plain.strip())


def _place(meant: Sequence[str], spellings: Sequence[str]) -> int:
    return next((meant.index(word) for word in spellings if word in meant), NOWHERE)


def _any_of(places: Mapping[Field, int], fields: Sequence[Field]) -> bool:
    return any(places[field] != NOWHERE for field in fields)


class Kind(StrEnum):
    """Subject of a line of a bill."""

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
