"""Labels of imports: kinds of files, tabs, statuses of rows, findings, columns and the words to pick from."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from flask_babel import LazyString, gettext, lazy_gettext

from customs.declarations.channels import CHANNELS
from customs.declarations.fields import Field
from customs.declarations.intake.orders import Finding
from customs.declarations.offices import OFFICES
from customs.imports.columns import BY_HEADER
from customs.imports.drafts import Draft
from customs.imports.preview_model import RowStatus, ShownColumn, Tab
from customs.spreadsheets.reader import Form
from customs.web.error_catalog import describe_cell_error
from customs.web.i18n import is_chinese
from customs.web.labels import Label, Labels

_ = lazy_gettext

LABELS: Labels = {
    RowStatus: {
        RowStatus.FAULTY: Label(_("Invalid"), "x-circle-fill", "fail"),
        RowStatus.WARNED: Label(_("Look at it"), "exclamation-triangle-fill", "except"),
        RowStatus.REPLAYED: Label(_("Declared before"), "arrow-repeat", "waiting"),
        RowStatus.GOOD: Label(_("Valid"), "check-circle-fill", "success"),
        RowStatus.UNCHECKED: Label(_("Not checked yet"), "question-circle", "waiting"),
    }
}
TABS: Mapping[Tab, LazyString] = {
    Tab.TO_CORRECT: _("Rows to mend"),
    Tab.TO_CHECK: _("Rows to compare"),
    Tab.VALID: _("Valid rows without warnings"),
}
FORMS: Mapping[str, LazyString] = {
    Form.CSV: _("CSV text"),
    Form.XLSX: _("Excel workbook"),
    Form.PASTED: _("Pasted rows"),
}
DELIMITERS: Mapping[str, LazyString] = {
    ",": _("commas"),
    "\t": _("tabs"),
    ";": _("semicolons"),
    "，": _("full-width commas"),
}
# A character that a finding names; in what is wrong, and in what to do.
CHARACTER = re.compile(r"“.” \(U\+[0-9A-F]{4,6}\)")
# What a finding's detail names, in every language.
OTHER_ROW = re.compile(r"\brow (\d{1,9})\b")
CELLS = re.compile(r"(\d+) cells")
DECLARATION = re.compile(r"\bdecl_[0-9a-f]{32}\b")
MOST_ROWS_NAMED = 12


class FindingDescription(NamedTuple):
    """Description of a finding: its meaning, what to do, and the other row or the declaration that it names.

    `spelling`: the character that is wrong, and the right one where it is known. `cells`: how many it is about.
    """

    meaning: str
    action: str
    row: str | None
    declaration_id: str | None
    spelling: str
    cells: str


def describe_finding(finding: Finding) -> FindingDescription:
    """Describe a finding in the language of the page."""
    meaning, action = describe_cell_error(finding.code, finding.detail)
    row, declaration = OTHER_ROW.search(finding.detail), DECLARATION.search(finding.detail)
    wrong, right = CHARACTER.findall(finding.detail), CHARACTER.findall(finding.action)
    spelling = " → ".join([*wrong, *right]) if wrong else ""
    count = CELLS.match(finding.detail)
    return FindingDescription(
        meaning, action, row and row[1], declaration and declaration[0], spelling, count[1] if count else ""
    )


def finding_sentence(finding: Finding) -> str:
    """Return a finding's description as one text, for a cell of a workbook."""
    one = describe_finding(finding)
    other = gettext("See row %(row)s.", row=one.row) if one.row else one.declaration_id
    return " ".join(filter(None, (one.meaning, one.action, one.spelling, other)))


def column_name(column: Field) -> str:
    """Return a column's name in the language of the page."""
    return column.chinese if is_chinese() else column.header


def column_label(shown: ShownColumn) -> str:
    """Return a column's name as the file spells it."""
    return shown.spelt or column_name(shown.column)


def header_name(header: str) -> str:
    """Return a column's name in the language of the page, by its English name."""
    return column_name(BY_HEADER[header])


def rows_named(rows: Sequence[int]) -> str:
    """Name rows by their numbers in the file, the first of many."""
    numbers = ", ".join(map(str, rows[:MOST_ROWS_NAMED]))
    if len(rows) > MOST_ROWS_NAMED:
        return str(gettext("rows %(numbers)s and others, %(count)s in all", numbers=numbers, count=len(rows)))
    return str(gettext("rows %(numbers)s", numbers=numbers))


def draft_name(draft: Draft) -> str:
    """Return the file's name; pasted rows have none."""
    return draft.name or str(FORMS[Form.PASTED])


def picks() -> dict[str, Sequence[str]]:
    """Return the words to pick from, for the columns that know only certain ones."""
    channels = [row.chinese if is_chinese() else channel.value for channel, row in CHANNELS.items()]
    offices = [office.name if is_chinese() else office.office for office in OFFICES.values() if office.enabled]
    return {"channel": channels, "office": offices}
