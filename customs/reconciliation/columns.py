"""Table of the columns of a bill: the document names none (8), so every known spelling is listed here."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property


class Field(StrEnum):
    """What a column of a bill may tell of a payment or a refund."""

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
    """How a header is looked up: `订单金额（元）` as 订单金额, `Order No` as order_no."""
    plain = UNIT.sub("", unicodedata.normalize("NFKC", word).lstrip("#").strip().lower())
    return re.sub(r"[\s-]+", "_", plain.strip())


def _place(meant: Sequence[str], spellings: Sequence[str]) -> int:
    return next((meant.index(word) for word in spellings if word in meant), NOWHERE)


def _any_of(places: Mapping[Field, int], fields: Sequence[Field]) -> bool:
    return any(places[field] != NOWHERE for field in fields)
