"""What the template says of itself, in English and Chinese."""

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
