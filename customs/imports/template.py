"""The template: an empty sheet whose columns are text, with choices to pick from, and a second sheet that explains."""

from collections.abc import Mapping, Sequence

from flask_babel import gettext, lazy_gettext
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.utility import quote_sheetname, xl_range_abs
from xlsxwriter.worksheet import Worksheet

from customs.declarations.fields import FIELDS, REQUIRED, Kind
from customs.declarations.schemas import LONGEST_BATCH
from customs.imports.labels import column_name
from customs.spreadsheets.xlsx_writer import made_in_memory, text_format

HEADER = {"bold": True, "bottom": 1, "bg_color": "#EDEFF2"}
REQUIRED_HEADER = HEADER | {"bg_color": "#D6E4F0"}
WIDTHS = {Kind.CHANNEL: 12, Kind.OFFICE: 18, Kind.AMOUNT: 14, Kind.DUTY: 8}
WIDTH = 26
# The second sheet: name, whether needed, what is wanted, two examples, then the lists to pick from.
NOTE_WIDTHS = (24, 10, 70, 32, 32, 24, 24)
LISTS_FROM = 5
_ = lazy_gettext
NOTES = (
    _(
        "One row is one order. An order in several parts takes a row for each; the further ones may leave blank what "
        "the first one says."
    ),
    _("Every column is text: keep it so, or long numbers lose their last digits."),
    _("This sheet is not read. Put your orders on the first one."),
)


def template_workbook(offices: Sequence[str], channels: Sequence[str]) -> bytes:
    """Make the workbook to fill in, in the page's language; `offices` and `channels` are the words to pick from."""
    lists = {"channel": channels, "office": offices}
    return made_in_memory(lambda book: _Template(book, lists).fill())


class _Template:
    """One template being filled."""

    def __init__(self, book: Workbook, lists: Mapping[str, Sequence[str]]) -> None:
        self._lists = lists
        self._orders: Worksheet = book.add_worksheet(gettext("Orders"))
        self._notes: Worksheet = book.add_worksheet(gettext("Notes"))
        self._plain, self._head = text_format(book), text_format(book, **HEADER)
        self._required, self._wrapped = text_format(book, **REQUIRED_HEADER), text_format(book, text_wrap=True)

    def fill(self) -> None:
        self._orders.freeze_panes(1, 0)
        for place, column in enumerate(FIELDS):
            self._orders.set_column(place, place, WIDTHS.get(column.kind, WIDTH), self._plain)
            look = self._required if column.header in REQUIRED else self._head
            self._orders.write_string(0, place, column_name(column), look)
            self._orders.write_comment(0, place, str(column.hint), {"x_scale": 2})
        self._explain()
        for place, (name, words) in enumerate(self._lists.items(), start=LISTS_FROM):
            self._offer(name, words, place)

    def _explain(self) -> None:
        for place, width in enumerate(NOTE_WIDTHS):
            self._notes.set_column(place, place, width, self._wrapped)
        titles = (gettext("Column"), gettext("Needed"), gettext("What it wants"), gettext("An order in two parts"), "")
        self._line(0, titles, self._head)
        for line, column in enumerate(FIELDS, start=1):
            needed = gettext("always") if column.header in REQUIRED else ""
            picked = self._lists.get(column.header)
            examples = (picked[0], "") if picked else column.examples
            self._line(line, (column_name(column), needed, str(column.hint), *examples), self._wrapped)
        for line, rule in enumerate(NOTES, start=len(FIELDS) + 2):
            self._line(line, ("", "", str(rule)), self._wrapped)

    def _offer(self, name: str, words: Sequence[str], place: int) -> None:
        """List the words on the second sheet, to pick from on the first one: a list of its own may not be so long."""
        at = next(index for index, column in enumerate(FIELDS) if column.header == name)
        self._notes.write_string(0, place, column_name(FIELDS[at]), self._head)
        for line, word in enumerate(words, start=1):
            self._notes.write_string(line, place, word, self._plain)
        listed = f"={quote_sheetname(self._notes.get_name())}!{xl_range_abs(1, place, len(words), place)}"
        # Other spellings are read as well, so what is not in the list is asked about and not refused.
        choices = {"validate": "list", "source": listed, "error_type": "warning"}
        self._orders.data_validation(1, at, LONGEST_BATCH, at, choices)

    def _line(self, line: int, texts: Sequence[str], look: Format) -> None:
        for place, text in enumerate(texts):
            self._notes.write_string(line, place, text, look)
