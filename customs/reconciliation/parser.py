"""Read a bill by the names of its columns: a line that cannot be read is reported with its number, the rest is read."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from customs.gateway.messages.records import time_in
from customs.reconciliation.columns import (
    KINDS,
    NUMBERS,
    OF_A_REFUND,
    SHORTENED,
    Field,
    Header,
    Kind,
    NoAmount,
    amount_in,
    currency_in,
    number_in,
    read_header,
    unquoted,
)
from customs.reconciliation.records import DAMAGED, LONGEST_LINE, Record, cells_of, records_of, shape_of

# Also the byte order mark of UTF-8: a file may hold nothing else.
BLANKS = b"\xef\xbb\xbf \t\r\n"
TOTAL = re.compile(r"[`\"#\s]*(总|合计|小计|汇总|(sub|grand )?totals?\b)", re.IGNORECASE)
COMMENTS = ("#", "---", "===", "***")
# Where a line of this kind says it, the first that holds something.
STATUS: Mapping[Kind, tuple[Field, ...]] = {
    Kind.PAYMENT: (Field.STATUS,),
    Kind.REFUND: (Field.REFUND_STATUS, Field.STATUS),
}
TIME: Mapping[Kind, tuple[Field, ...]] = {Kind.PAYMENT: (Field.TIME,), Kind.REFUND: (Field.REFUND_TIME, Field.TIME)}
NO_HEADER = "no line names the number of an order, payment or refund together with an amount"


class Line(NamedTuple):
    """One payment or refund as the bill has it. `amount` has no sign, `status` is the bill's own word.

    `refunded` is what a payment's own line says was refunded of it, where the bill has a column for that.
    """

    line: int
    kind: Kind
    payment_no: str | None
    out_order_no: str | None
    refund_no: str | None
    outer_refund_no: str | None
    merchant_no: str | None
    amount: Decimal
    currency: str | None
    status: str | None
    time: datetime | None
    raw: str
    header: Header
    delimiter: str
    refunded: Decimal | None = None

    @property
    def others(self) -> dict[str, str]:
        """The columns that belong to no field, by their headers; the time's too where it could not be read."""
        cells, header = cells_of(self.raw, self.delimiter), self.header
        unread = (header.places[Field.TIME],) if self.time is None else ()
        named = {
            header.words[place]: cells[place].strip(" \t`") for place in (*header.others, *unread) if place < len(cells)
        }
        return {word: cell for word, cell in named.items() if word and cell}


class Trouble(StrEnum):
    """Reason why a line cannot be read, as a word."""

    NO_HEADER = "no_header"
    TOO_LONG = "too_long"
    TOO_FEW_CELLS = "too_few_cells"
    TOO_MANY_CELLS = "too_many_cells"
    NO_NUMBER = "no_number"
    NO_TEXT = "no_text"
    DIGITS_LOST = "digits_lost"
    AMOUNT_MISSING = "amount_missing"
    NO_AMOUNT = "no_amount"


class Flaw(NamedTuple):
    """A line that could not be read, and why; `column` and `merchant_no` where that much is clear."""

    line: int
    why: str
    trouble: Trouble
    column: str = ""
    merchant_no: str | None = None


@dataclass(frozen=True)
class Reading:
    """A bill: `columns` are its headers as written, `unknown` those nobody knows.

    Not `legible`: it is no bill at all, which is not the same as a bill without a line.
    """

    columns: tuple[str, ...]
    unknown: tuple[str, ...]
    lines: list[Line]
    flaws: list[Flaw]
    legible: bool = True


class Illegible(ValueError):
    """A line cannot be read; the text repeats no value, which may be somebody's."""

    def __init__(self, trouble: Trouble, why: str, column: str = "") -> None:
        super().__init__(f"{column}: {why}" if column else why)
        self.trouble = trouble
        self.column = column


def read_bill(content: bytes) -> Reading:
    """The payments and refunds in a bill, whatever its encoding and delimiter; lines are numbered from 1."""
    if not content.strip(BLANKS):
        return Reading((), (), [], [])
    shape = shape_of(content)
    if shape is None:
        return Reading((), (), [], [Flaw(1, NO_HEADER, Trouble.NO_HEADER)], legible=False)
    header: Header | None = None
    lines: list[Line] = []
    flaws: list[Flaw] = []
    headers: list[Header] = []
    totalled = False
    for record in records_of(content, shape):
        total = TOTAL.match(record.raw) is not None
        line = _line(record, header, shape.delimiter) if header and not total else None
        if isinstance(line, Line):
            lines.append(line)
            totalled = False
        # A bill may have a section for payments and one for refunds, each with a header of its own.
        elif another := read_header(record.cells):
            header, totalled = another, False
            headers.append(another)
        elif total:
            totalled = True
        elif line is not None and not totalled and not record.raw.startswith(COMMENTS):
            flaws.append(line)
    columns = dict.fromkeys(word for one in headers for word in one.words if word)
    unknown = dict.fromkeys(word for one in headers for word in one.unknown)
    return Reading(tuple(columns), tuple(unknown), lines, flaws)


def _line(record: Record, header: Header, delimiter: str) -> Line | Flaw:
    # What the header lacks stands NOWHERE, which is the last cell: this blank one.
    cells = [*record.cells, ""]
    try:
        _check_shape(record, header)
        return _read(record, cells, header, delimiter)
    except Illegible as illegible:
        place = header.places[Field.MERCHANT_NO]
        merchant_no = number_in(unquoted(cells[place])) if place < len(cells) else None
        return Flaw(record.number, str(illegible), illegible.trouble, illegible.column, merchant_no)


def _check_shape(record: Record, header: Header) -> None:
    if len(record.raw) > LONGEST_LINE:
        raise Illegible(Trouble.TOO_LONG, f"it is longer than {LONGEST_LINE:,} characters")
    count = len(record.cells)
    if count <= header.last:
        raise Illegible(Trouble.TOO_FEW_CELLS, f"it has {count} cells where the header has {header.width}")
    if count > header.width and any(unquoted(cell) for cell in record.cells[header.width :]):
        why = f"it has {count} cells where the header has {header.width}: a value may hold the delimiter"
        raise Illegible(Trouble.TOO_MANY_CELLS, why)


def _read(record: Record, cells: Sequence[str], header: Header, delimiter: str) -> Line:
    numbers = {field: number_in(unquoted(cells[header.places[field]])) for field in NUMBERS}
    _check_numbers(numbers, header)
    kind, amount, refunded = _kind_and_amounts(cells, header, numbers)
    return Line(
        record.number,
        kind,
        numbers[Field.PAYMENT_NO],
        numbers[Field.OUT_ORDER_NO],
        numbers[Field.REFUND_NO],
        numbers[Field.OUTER_REFUND_NO],
        number_in(unquoted(cells[header.places[Field.MERCHANT_NO]])),
        amount,
        currency_in(unquoted(cells[header.places[Field.CURRENCY]])),
        _first_given(cells, header, STATUS[kind]) or None,
        _time(_first_given(cells, header, TIME[kind])),
        record.raw,
        header,
        delimiter,
        refunded,
    )


def _check_numbers(numbers: Mapping[Field, str | None], header: Header) -> None:
    if not any(numbers.values()):
        raise Illegible(Trouble.NO_NUMBER, "it names no number of an order, payment or refund")
    for field, number in numbers.items():
        if number is not None and DAMAGED in number:
            raise Illegible(Trouble.NO_TEXT, "some of its bytes are no text", header.word(field))
        if number is not None and SHORTENED.fullmatch(number):
            raise Illegible(Trouble.DIGITS_LOST, "a spreadsheet has cut digits off this number", header.word(field))


def _kind_and_amounts(
    cells: Sequence[str], header: Header, numbers: Mapping[Field, str | None]
) -> tuple[Kind, Decimal, Decimal | None]:
    paid, refunded = (_amount(cells, header, field) for field in (Field.AMOUNT, Field.REFUND_AMOUNT))
    kind = KINDS.get(_first_given(cells, header, (Field.KIND,)).lower())
    if kind is None:
        signs = (
            _first_given(cells, header, (Field.STATUS,)).lower() in OF_A_REFUND,
            numbers[Field.REFUND_NO] or numbers[Field.OUTER_REFUND_NO],
            paid is not None and paid < 0,
            refunded and not paid,
        )
        kind = Kind.REFUND if any(signs) else Kind.PAYMENT
    # A refund's line may have its amount in either column, the other one blank, zero or what was paid.
    amount = (refunded or paid) if kind is Kind.REFUND else paid
    if amount is None:
        raise Illegible(Trouble.AMOUNT_MISSING, "it has no amount")
    of_payment = refunded.copy_abs() if kind is Kind.PAYMENT and refunded is not None else None
    return kind, amount.copy_abs(), of_payment


def _amount(cells: Sequence[str], header: Header, field: Field) -> Decimal | None:
    try:
        return amount_in(cells[header.places[field]])
    except NoAmount:
        raise Illegible(Trouble.NO_AMOUNT, "this is no amount", header.word(field)) from None


def _first_given(cells: Sequence[str], header: Header, fields: Sequence[Field]) -> str:
    given = (unquoted(cells[header.places[field]]) for field in fields)
    return next(filter(None, given), "")


@lru_cache(maxsize=8192)
def _time(text: str) -> datetime | None:
    return time_in({"time": text}, "time")
