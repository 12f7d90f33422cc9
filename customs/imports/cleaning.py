"""Clean cells of what exporting programs put around a value, where nothing is lost and nothing has to be guessed."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from customs.declarations.fields import Field, Kind
from customs.imports.columns import Header
from customs.spreadsheets.reader import Cell, Grid


class Cleaning(StrEnum):
    """What was taken off a cell, or respelt in it; the value is its code in stored drafts."""

    WRAPPING = "wrapping"
    BLANKS = "blanks"
    WIDTH = "width"
    GROUPS = "groups"
    LETTER = "letter"
    CURRENCY = "currency"
    THOUSANDS = "thousands"
    ZEROS = "zeros"
    NOISE = "noise"


# What each is called where a column's note names it.
DESCRIPTIONS: Mapping[Cleaning, str] = {
    Cleaning.WRAPPING: '="..." or a quote in front taken off',
    Cleaning.BLANKS: "blanks and invisible characters taken off",
    Cleaning.WIDTH: "full-width characters made half-width",
    Cleaning.GROUPS: "blanks between groups of digits closed",
    Cleaning.LETTER: "x made X",
    Cleaning.CURRENCY: "the currency's sign taken off",
    Cleaning.THOUSANDS: "separators of thousands taken off",
    Cleaning.ZEROS: "zeros behind the last place taken off",
    Cleaning.NOISE: "noise of a formula rounded off",
}

WRAPPED = re.compile(r'="([^"]*)"')
# Not those that turn the order of what is read: whoever put one amid a number meant to hide something.
NO_WIDTH = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
QUOTES_IN_FRONT = "'`’"
FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
# Two groups could be two numbers in one cell; of an ID number the length tells.
GROUPED = re.compile(r"[0-9]+(?: [0-9]+){2,}")
GROUPED_ID = re.compile(r"[0-9]+(?: [0-9]+)* ?[0-9X]")
ID_DIGITS = 18
CURRENCY = re.compile(r"(?:CNY|RMB|[¥￥])?\s*(-?[0-9][0-9,.]*)\s*(?:元|CNY|RMB)?", re.IGNORECASE)
THOUSANDS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
ZEROS = re.compile(r"(-?[0-9]+\.[0-9]{2})0+")
WHOLE = re.compile(r"([0-9]+)\.0+")
PLACES = Decimal("0.01")
# What is left of an amount after a double has been added up, times ten or so.
NOISE, LONG_FRACTION = Decimal("1e-9"), re.compile(r"-?[0-9]+\.[0-9]{9,}")
MOST_SAMPLES = 20

Step = tuple[Cleaning, Callable[[str], str]]


def _unwrap(text: str) -> str:
    match = WRAPPED.fullmatch(text.strip())
    text = match[1] if match else text
    bare = text.lstrip()
    return bare[1:] if len(bare) > 1 and bare[0] in QUOTES_IN_FRONT else text


def _is_invisible(one: str) -> bool:
    return one.isspace() or unicodedata.category(one) in ("Cf", "Cc")


def _strip(text: str) -> str:
    """Take blanks and invisible characters off both ends."""
    begin, end = 0, len(text)
    while begin < end and _is_invisible(text[begin]):
        begin += 1
    while end > begin and _is_invisible(text[end - 1]):
        end -= 1
    return text[begin:end]


def _drop_invisible(text: str) -> str:
    """Take out characters of no width, which no number has."""
    return text if text.isascii() else NO_WIDTH.sub("", text)


def _half_width(text: str) -> str:
    return text if text.isascii() else text.translate(FULL_WIDTH)


def _close_groups(text: str) -> str:
    return text.replace(" ", "") if GROUPED.fullmatch(text) else text


def _close_id(text: str) -> str:
    closed = text.replace(" ", "")
    return closed if len(closed) == ID_DIGITS and GROUPED_ID.fullmatch(text) else text


def _upper_x(text: str) -> str:
    return f"{text[:-1]}X" if text.endswith("x") else text


def _drop_currency(text: str) -> str:
    match = CURRENCY.fullmatch(text)
    return match[1] if match else text


def _drop_thousands(text: str) -> str:
    return text.replace(",", "") if THOUSANDS.fullmatch(text) else text


def _drop_zeros(text: str) -> str:
    match = ZEROS.fullmatch(text)
    return match[1] if match else text


def _round_noise(text: str) -> str:
    if not LONG_FRACTION.fullmatch(text):
        return text
    rounded = Decimal(text).quantize(PLACES)
    return str(rounded) if abs(Decimal(text) - rounded) < NOISE else text


def _whole(text: str) -> str:
    match = WHOLE.fullmatch(text)
    return match[1] if match else text


EVERYWHERE: tuple[Step, ...] = (
    (Cleaning.BLANKS, _strip),
    (Cleaning.WRAPPING, _unwrap),
    (Cleaning.BLANKS, _strip),
)
WIDTH: Step = (Cleaning.WIDTH, _half_width)
NUMBER: tuple[Step, ...] = (*EVERYWHERE, (Cleaning.BLANKS, _drop_invisible), WIDTH)
AMOUNT: tuple[Step, ...] = (*NUMBER, (Cleaning.CURRENCY, _drop_currency), (Cleaning.THOUSANDS, _drop_thousands))
STEPS: Mapping[Kind, tuple[Step, ...]] = {
    Kind.CHANNEL: EVERYWHERE,
    Kind.OFFICE: EVERYWHERE,
    Kind.NAME: EVERYWHERE,
    Kind.NUMBER: (*NUMBER, (Cleaning.GROUPS, _close_groups)),
    Kind.CERT_ID: (*NUMBER, (Cleaning.LETTER, _upper_x), (Cleaning.GROUPS, _close_id)),
    Kind.AMOUNT: (*AMOUNT, (Cleaning.ZEROS, _drop_zeros), (Cleaning.NOISE, _round_noise)),
    Kind.DUTY: (*AMOUNT, (Cleaning.ZEROS, _whole)),
}


@dataclass
class CleanedColumn:
    """The cells of one column that were cleaned: how many, in how many ways, and of the first ones their rows."""

    count: int = 0
    ways: Counter[str] = field(default_factory=Counter)
    rows: list[int] = field(default_factory=list)

    @property
    def description(self) -> str:
        """Say what was done to how many cells, without any value."""
        ways = "; ".join(f"{DESCRIPTIONS[Cleaning(way)]} ({count})" for way, count in self.ways.items())
        first = ", ".join(map(str, self.rows))
        return f"{self.count} cells were cleaned, nothing was lost: {ways}. Rows {first}"


def clean_text(text: str, kind: Kind) -> tuple[str, frozenset[Cleaning]]:
    """Return a cell's text clean, and what was done to it; a text that cannot be cleaned surely stays as it is."""
    done = set()
    for cleaning, step in STEPS[kind]:
        after = step(text)
        if after != text:
            done.add(cleaning)
            text = after
    return text, frozenset(done)


def clean_grid(grid: Grid, header: Header) -> Grid:
    """Clean the cells of every known column; `cleaned` says what was done, by the column's English name."""
    cleaned: dict[Field, CleanedColumn] = {}
    rows = [(number, _clean_row(number, cells, header, cleaned)) for number, cells in grid.rows]
    notes = {column.header: done.description for column, done in cleaned.items()}
    return replace(grid, rows=rows, cleaned=grid.cleaned | notes)


def _clean_row(number: int, cells: list[Cell], header: Header, cleaned: dict[Field, CleanedColumn]) -> list[Cell]:
    clean = list(cells)
    for place, column in header.placed:
        cell = cells[place] if place < len(cells) else ""
        text = _noisy(cell, column) if isinstance(cell, float) else cell
        if not isinstance(text, str) or not text:
            continue
        after, ways = clean_text(text, column.kind)
        if not ways:
            continue
        clean[place] = after
        if after:
            _note(cleaned.setdefault(column, CleanedColumn()), number, ways)
    return clean


def _noisy(cell: float, column: Field) -> Cell:
    """Return a formula's amount as text, to be rounded; every other number stays one."""
    text = repr(cell)
    return text if column.kind is Kind.AMOUNT and LONG_FRACTION.fullmatch(text) else cell


def _note(column: CleanedColumn, row: int, ways: frozenset[Cleaning]) -> None:
    column.count += 1
    column.ways.update(sorted(ways))
    if len(column.rows) < MOST_SAMPLES:
        column.rows.append(row)
