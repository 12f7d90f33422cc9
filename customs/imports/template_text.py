"""What the template says of itself and of each column, in English and Chinese, with an example."""

from collections.abc import Sequence
from typing import NamedTuple

from customs.imports.sheet import NOTES


class Wording(NamedTuple):
    """What the template says, in one language."""

    orders: str
    notes: str
    column: str
    needed: str
    wanted: str
    examples: str
    always: str
    rules: Sequence[str]


class Wanted(NamedTuple):
    """What a column wants, in English and Chinese, and what stands in it in the two rows of an order in two parts."""

    english: str
    chinese: str
    examples: tuple[str, str]


ENGLISH = Wording(
    "Orders",
    NOTES[1],
    "Column",
    "Needed",
    "What it wants",
    "An order in two parts",
    "always",
    (
        "One row is one order. An order in several parts takes a row for each; the further ones may leave blank what "
        "the first one says.",
        "Every column is text: keep it so, or long numbers lose their last digits.",
        "This sheet is not read. Put your orders on the first one.",
    ),
)
CHINESE = Wording(
    "申报订单",
    NOTES[0],
    "列名",
    "是否必填",
    "填写说明",
    "拆单示例（同一订单两行）",
    "必填",
    (
        "一行一个订单。拆单的订单每个子订单一行，后面的行可以不重复填写第一行已有的内容。",
        "所有列都是文本格式，请勿改动，否则长数字的末尾几位会丢失。",
        "本工作表不会被读取，订单请填写在第一个工作表。",
    ),
)
# By the English names of the columns.
WANTED = {
    "channel": Wanted("Pick WeChat or Alipay.", "选择微信或支付宝。", ("", "")),
    "office": Wanted("Pick the customs office.", "选择申报海关。", ("", "")),
    "merchant_no": Wanted("The merchant's number at the gateway.", "网关的商户号。", ("M100218", "")),
    "out_order_no": Wanted(
        "The shop's order number: 1 to 32 letters, digits, _ or -.",
        "商户自己的订单号，1 至 32 位字母、数字、下划线或短横线。",
        ("D20261123001", "D20261123001"),
    ),
    "payment_no": Wanted(
        "The payment company's number, every digit of it.",
        "微信或支付宝的支付单号，须完整。",
        ("4200002611230900000000016138", ""),
    ),
    "mch_customs_no": Wanted(
        "The merchant's number with customs; blank where it is on file.",
        "商户在海关的备案号；已登记备案的可不填。",
        ("4401986Y3T", ""),
    ),
    "merchant_customs_name": Wanted(
        "For Alipay: the merchant's name with customs; blank where it is on file.",
        "支付宝必填：商户在海关的备案名称；已登记备案的可不填。",
        ("", ""),
    ),
    "duty": Wanted("WeChat only: a whole number; blank when there is none.", "仅微信：整数；没有则不填。", ("88", "")),
    "buyer_name": Wanted(
        "The buyer as on the ID card; together with the ID number or not at all.",
        "订购人姓名，与身份证一致；与身份证号同时填写或都不填。",
        ("李雷", ""),
    ),
    "cert_id": Wanted(
        "18 characters; a last x is written X.", "18 位身份证号，末位为 X 时须大写。", ("11010519491231002X", "")
    ),
    "sub_order_no": Wanted(
        "Only for an order in parts: the number of this part.",
        "仅拆单填写：子订单号。",
        ("D20261123001S1", "D20261123001S2"),
    ),
    "sub_order_amount": Wanted(
        "Only for an order in parts: what this part costs, in yuan with two places.",
        "仅拆单填写：子订单金额，单位元，两位小数；等于物流费加商品价格。",
        ("46.44", "30.00"),
    ),
    "transport_amount": Wanted(
        "Only for an order in parts, by WeChat: its freight, 0.00 when there is none.",
        "仅拆单填写，微信必填：物流费，没有则填 0.00。",
        ("23.22", "0.00"),
    ),
    "product_amount": Wanted(
        "Only for an order in parts, by WeChat: its goods.", "仅拆单填写，微信必填：商品价格。", ("23.22", "30.00")
    ),
}
