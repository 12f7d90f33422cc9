"""The words of importing: what a file was, how a row stands, what is wrong with a cell, and what may be picked."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from flask_babel import LazyString, gettext, lazy_gettext

from customs.declarations.channels import CHANNELS
from customs.declarations.intake.orders import Finding
from customs.declarations.offices import OFFICES
from customs.imports.columns import BY_HEADER, Column
from customs.imports.drafts import Draft
from customs.imports.preview_model import ShownColumn, Standing
from customs.imports.view_model import CHECK, MEND, REST
from customs.spreadsheets.reader import Form
from customs.web.i18n import is_chinese
from customs.web.labels import Shown, error_label

_ = lazy_gettext

STANDINGS: Mapping[Standing, Shown] = {
    Standing.FAULTY: Shown(_("Invalid"), "x-circle-fill", "fail"),
    Standing.WARNED: Shown(_("Look at it"), "exclamation-triangle-fill", "except"),
    Standing.REPLAYED: Shown(_("Declared before"), "arrow-repeat", "waiting"),
    Standing.GOOD: Shown(_("Valid"), "check-circle-fill", "success"),
    Standing.UNCHECKED: Shown(_("Not checked yet"), "question-circle", "waiting"),
}
TABS: Mapping[str, LazyString] = {
    MEND: _("Rows to mend"),
    CHECK: _("Rows to compare"),
    REST: _("Valid rows without warnings"),
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
# What a finding's exact words name, whatever language they are told in.
OTHER_ROW = re.compile(r"\brow (\d{1,9})\b")
DECLARATION = re.compile(r"\bdecl_[0-9a-f]{32}\b")
MOST_ROWS_NAMED = 12


# Where the catalogue speaks to those who write programs: the same for whoever has the cell in front of them.
AT_THE_CELL: Mapping[str, tuple[LazyString, LazyString]] = {
    "merchant_unknown": (
        _("This merchant is not one of yours."),
        _("Correct the number, or ask an administrator for the merchant."),
    ),
    "office_unknown": (_("There is no such office."), _("Pick one from the list.")),
    "registration_missing": (
        _("There is no customs number here, and none is on file for this merchant, channel and office."),
        _("Fill it in, or put it on file under Administration."),
    ),
    "registration_name_missing": (
        _("Alipay needs the registered name, and none is on file."),
        _("Fill it in, or put it on file under Administration."),
    ),
    "amount_part_missing": (
        _("WeChat needs both the freight and the price of the goods."),
        _("Fill in both; 0.00 when there is none."),
    ),
    "amount_sum": (
        _("The amount is not the freight and the goods together."),
        _("Make it their sum, to the fen."),
    ),
    "duty_not_for_alipay": (_("Alipay takes no duty."), _("Leave it blank.")),
    "already_declared": (
        _("This payment is declared at this office already, with other content."),
        _("Correct that declaration, or push it again; delete this row."),
    ),
    "payment_unknown": (_("This payment was not made here."), _("Check the number.")),
    "payment_not_paid": (_("This payment is not paid yet."), _("Hand the order in when it is paid.")),
    "required": (_("This must not be blank."), _("Fill it in.")),
    "choice": (_("Nobody knows this word here."), _("Pick one from the list.")),
    "length": (_("The text is too short or too long."), _("Compare it with its source.")),
    "duty_invalid": (_("Duty is a whole number of zero or more."), _("Write it as 88, or leave it blank.")),
    "number_invalid": (
        _("A number has 1 to 32 characters of 0-9 A-Z a-z _ - | * @."),
        _("Correct it as its source has it."),
    ),
    "digits_lost": (
        _("The spreadsheet has rounded the number: digits are lost."),
        _("Enter it again from its source."),
    ),
    "cert_id_shape": (_("An ID number has 17 digits and a digit or X."), _("Compare it with its source.")),
}


class Told(NamedTuple):
    """What is wrong and what to do, and what it is wrong with: another row of the file, or a declaration on file.

    `spelling`: the character that is wrong, and the right one where it is known.
    """

    meaning: str
    action: str
    row: str | None
    declaration_id: str | None
    spelling: str


def finding_told(finding: Finding) -> Told:
    """A finding in the words of the page."""
    meaning, action = AT_THE_CELL.get(finding.code) or error_label(finding.code, finding.detail)
    row, declaration = OTHER_ROW.search(finding.detail), DECLARATION.search(finding.detail)
    wrong, right = CHARACTER.findall(finding.detail), CHARACTER.findall(finding.action)
    spelling = " → ".join([*wrong, *right]) if wrong else ""
    return Told(str(meaning), str(action), row and row[1], declaration and declaration[0], spelling)


def finding_said(finding: Finding) -> str:
    """The same as one sentence, for a cell of a workbook."""
    one = finding_told(finding)
    other = gettext("See row %(row)s.", row=one.row) if one.row else one.declaration_id
    return " ".join(filter(None, (one.meaning, one.action, one.spelling, other)))


def column_name(column: Column) -> str:
    """What a column is called in the language of the page."""
    return column.chinese if is_chinese() else column.header


def column_label(shown: ShownColumn) -> str:
    """What a clerk calls it: as their file does."""
    return shown.spelt or column_name(shown.column)


def header_name(header: str) -> str:
    """The same by the column's English name."""
    return column_name(BY_HEADER[header])


def rows_named(rows: Sequence[int]) -> str:
    """Which rows are meant: by their numbers in the file, the first of many."""
    numbers = ", ".join(map(str, rows[:MOST_ROWS_NAMED]))
    if len(rows) > MOST_ROWS_NAMED:
        return str(gettext("rows %(numbers)s and others, %(count)s in all", numbers=numbers, count=len(rows)))
    return str(gettext("rows %(numbers)s", numbers=numbers))


def draft_name(draft: Draft) -> str:
    """The file's name; what was pasted has none."""
    return draft.name or str(FORMS[Form.PASTED])


def picks() -> dict[str, Sequence[str]]:
    """What may be picked in the columns that know only certain words."""
    channels = [row.chinese if is_chinese() else channel.value for channel, row in CHANNELS.items()]
    offices = [office.name if is_chinese() else office.office for office in OFFICES.values() if office.enabled]
    return {"channel": channels, "office": offices}
