"""The columns of a sheet: their spellings in English and Chinese, and where they go in a Declaration."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from customs.spreadsheets.errors import unreadable

# A longer header is a cell of prose; findings name it by its beginning.
LONGEST_HEADER = 60


class Kind(StrEnum):
    """What a column holds. NUMBER is an order's, a merchant's, a person's: text that must keep each digit."""

    CHANNEL = "channel"
    OFFICE = "office"
    NUMBER = "number"
    NAME = "name"
    AMOUNT = "amount"
    DUTY = "duty"


class Part(StrEnum):
    """Which part of a Declaration a column belongs to; the value begins its JSON pointers."""

    ORDER = ""
    BUYER = "/buyer"
    SUB_ORDER = "/sub_orders"


@dataclass(frozen=True)
class Column:
    """`field` is its name inside its part of a Declaration."""

    header: str
    chinese: str
    kind: Kind
    part: Part
    field: str

    @property
    def path(self) -> str:
        return f"{self.part.value}/{self.field}"

    @property
    def spellings(self) -> str:
        return f"{self.header} or {self.chinese}"


COLUMNS = (
    Column("channel", "支付渠道", Kind.CHANNEL, Part.ORDER, "channel"),
    Column("office", "海关", Kind.OFFICE, Part.ORDER, "office"),
    Column("merchant_no", "商户号", Kind.NUMBER, Part.ORDER, "merchant_no"),
    Column("out_order_no", "商户订单号", Kind.NUMBER, Part.ORDER, "out_order_no"),
    Column("payment_no", "支付单号", Kind.NUMBER, Part.ORDER, "payment_no"),
    Column("mch_customs_no", "商户海关备案号", Kind.NUMBER, Part.ORDER, "mch_customs_no"),
    Column("merchant_customs_name", "商户海关备案名称", Kind.NAME, Part.ORDER, "merchant_customs_name"),
    Column("duty", "关税", Kind.DUTY, Part.ORDER, "duty"),
    Column("buyer_name", "订购人姓名", Kind.NAME, Part.BUYER, "name"),
    Column("cert_id", "订购人身份证号", Kind.NUMBER, Part.BUYER, "cert_id"),
    Column("sub_order_no", "子订单号", Kind.NUMBER, Part.SUB_ORDER, "sub_order_no"),
    Column("sub_order_amount", "子订单金额", Kind.AMOUNT, Part.SUB_ORDER, "amount"),
    Column("transport_amount", "物流费", Kind.AMOUNT, Part.SUB_ORDER, "transport_amount"),
    Column("product_amount", "商品价格", Kind.AMOUNT, Part.SUB_ORDER, "product_amount"),
)
REQUIRED = ("channel", "office", "merchant_no", "out_order_no", "payment_no")
BY_HEADER = {column.header: column for column in COLUMNS}
BY_PATH = {column.path: column for column in COLUMNS}
BY_SPELLING = BY_HEADER | {column.chinese: column for column in COLUMNS}
# A file of faulty rows says in this column what is wrong; sent again, the column says nothing.
REASONS = ("reason", "原因")


@dataclass(frozen=True)
class Header:
    """The header of one file: the known columns with place and spelling there, and the words nobody knows, with theirs.

    `nameless` are the places left of `width` whose header is blank.
    """

    placed: tuple[tuple[int, Column], ...]
    spelt: dict[Column, str]
    unknown: tuple[tuple[int, str], ...]
    nameless: tuple[int, ...]
    width: int

    def lacks(self, names: Iterable[str]) -> list[Column]:
        """Those of these columns, by their English names, that the file does not have."""
        return [column for column in map(BY_HEADER.__getitem__, names) if column not in self.spelt]


def column_spelt(word: str) -> Column | None:
    """The column a header means: blanks around it and case do not matter."""
    return BY_SPELLING.get(word.strip().lower())


def read_header(cells: Sequence[str], required: Iterable[str]) -> Header:
    """The header in a file's first row; FileUnreadable when a required column is missing or one is named twice."""
    header = match_header(cells)
    if missing := header.lacks(required):
        raise unreadable(
            "columns_missing",
            "The first row must name the columns, and these are missing: "
            + "; ".join(f"{column.header} (write {column.spellings})" for column in missing)
            + ".",
        )
    return header


def match_header(cells: Sequence[str]) -> Header:
    """The same for a file whose columns a person can still name; FileUnreadable when one is named twice."""
    words = [cell.strip()[:LONGEST_HEADER] for cell in cells]
    placed: list[tuple[int, Column]] = []
    spelt: dict[Column, str] = {}
    unknown: list[tuple[int, str]] = []
    for place, word in enumerate(words):
        column = column_spelt(word)
        if column is None:
            unknown += [(place, word)] if word and word.lower() not in REASONS else []
            continue
        if column in spelt:
            raise unreadable(
                "column_twice",
                f"The header names one column twice: {spelt[column]} and {word}. Keep the one that is meant.",
            )
        placed.append((place, column))
        spelt[column] = word
    width = max((place for place, word in enumerate(words) if word), default=-1) + 1
    nameless = tuple(place for place in range(width) if not words[place])
    return Header(tuple(placed), spelt, tuple(unknown), nameless, width)
