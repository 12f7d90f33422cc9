"""Labels of a reconciled bill: its tabs, and the fields in which the two sides differ."""

from collections.abc import Mapping
from typing import NamedTuple

from flask_babel import LazyString, gettext, lazy_gettext

from customs.reconciliation.match import Concern, Entry, Verdict
from customs.reconciliation.parser import Flaw, Trouble

_ = lazy_gettext
UNREADABLE = "unreadable"


class Tab(NamedTuple):
    """One heap of a bill: `about` says what it means and what to do. `word` is that of the counts."""

    word: str
    name: LazyString
    about: LazyString


# Those that need somebody first; where all of them are empty, what matched is shown.
TABS = (
    Tab(
        Verdict.DIFFERING,
        _("Differing"),
        _("Both of us have it, and not the same: compare the two and ask the gateway."),
    ),
    Tab(
        Verdict.ONLY_THEIRS,
        _("Only theirs"),
        _("The bill names it and we know nothing of it: somebody collected or refunded past this desk."),
    ),
    Tab(
        Verdict.ONLY_RECORDED,
        _("Only ours"),
        _("We hold it for paid or refunded, and the bill of its day lacks it: read the bill again, then ask."),
    ),
    Tab(
        Concern.PAID_NOT_DECLARED,
        _("Paid, not declared"),
        _("The payer paid and customs was told nothing: the parcel cannot leave before it is declared."),
    ),
    Tab(
        Concern.REFUNDED_AFTER_DECLARATION,
        _("Refunded after"),
        _("More was declared than was paid in the end: the declaration has to be corrected."),
    ),
    Tab(
        UNREADABLE,
        _("Unreadable"),
        _("These lines of the bill could not be read; all the others were."),
    ),
    Tab(Verdict.MATCHED, _("Matched"), _("The bill and we agree.")),
)
BY_WORD = {tab.word: tab for tab in TABS}
KINDS: Mapping[str, LazyString] = {"payment": _("Payment"), "refund": _("Refund")}
FIELDS: Mapping[str, LazyString] = {
    "amount": _("Amount"),
    "currency": _("Currency"),
    "status": _("State"),
    "refunded": _("Refunded"),
}

TROUBLES: Mapping[Trouble, LazyString] = {
    Trouble.NO_HEADER: _("No line names the number of an order, payment or refund together with an amount."),
    Trouble.TOO_LONG: _("The line is too long."),
    Trouble.TOO_FEW_CELLS: _("The line has fewer cells than the header."),
    Trouble.TOO_MANY_CELLS: _("The line has more cells than the header: a value may hold the delimiter."),
    Trouble.NO_NUMBER: _("The line names no number of an order, payment or refund."),
    Trouble.NO_TEXT: _("Some of its bytes are no text."),
    Trouble.DIGITS_LOST: _("A spreadsheet has cut digits off this number."),
    Trouble.AMOUNT_MISSING: _("The line has no amount."),
    Trouble.NO_AMOUNT: _("This is no amount."),
}
COLUMNS: Mapping[str, LazyString] = {
    "verdict": _("Result"),
    "concerns": _("To be looked at"),
    "kind": _("Kind"),
    "line": _("Line of the bill"),
    "time": _("Time"),
    "merchant_no": _("Merchant"),
    "out_order_no": _("Order number"),
    "payment_no": _("Payment number"),
    "outer_refund_no": _("Our refund number"),
    "refund_no": _("The gateway's refund number"),
    "currency": _("Currency"),
    "amount": _("Amount"),
    "status": _("State"),
    "differences": _("What differs"),
    "our_id": _("Our id"),
}


def difference_text(field: str, theirs: str, ours: str) -> str:
    """Describe one field in which the bill differs from the payments on file."""
    both = {"theirs": theirs, "ours": ours}
    text: str = (
        gettext("%(field)s: %(theirs)s in the bill, %(ours)s with us", field=FIELDS[field], **both)
        if field in FIELDS
        else gettext("The bill names it more than once.")
    )
    return text


def flaw_text(flaw: Flaw) -> str:
    """Describe why a line could not be read, and in which column."""
    why = str(TROUBLES[flaw.trouble])
    text: str = gettext("Column %(name)s: %(why)s", name=flaw.column, why=why) if flaw.column else why
    return text


def tab_of(word: str | None, counts: Mapping[str, int]) -> Tab:
    """The tab that was asked for, else the first that has something in it."""
    return BY_WORD.get(word or "") or next((tab for tab in TABS if counts[tab.word]), TABS[-1])


def belongs(entry: Entry, tab: Tab) -> bool:
    """Whether an entry stands in a tab; one may stand in several."""
    return tab.word == entry.verdict or tab.word in entry.concerns
