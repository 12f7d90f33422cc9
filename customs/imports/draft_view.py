"""A draft as pages show it: the whole page, or for htmx the part of it that changed."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from flask import Response, flash, redirect, request
from werkzeug import Response as WerkzeugResponse

from customs.declarations.fields import FIELDS
from customs.declarations.intake.orders import Finding, Severity
from customs.declarations.services import services
from customs.errors import ErrorDetail, FileUnreadable, NotFound, ValidationFailed
from customs.ids import new_id
from customs.imports import labels
from customs.imports.drafts import draft_of, submitted_as
from customs.imports.edits import LONGEST_CELL
from customs.imports.preview import preview
from customs.imports.preview_model import Preview, RepeatedError, RowStatus, ShownRow, Tab, repeated_errors
from customs.privacy.masking import mask_cert_id, mask_name
from customs.web.forms import DANGER, error_sentences
from customs.web.rendering import render_fragment, render_page
from customs.web.request import current_caller, number_in_cursor, text_argument

START = "/import"
# Digits of a row's number, or of a revision.
LONGEST_NUMBER = 9
# What each tab shows. A warning asks a person to look, and holds nothing up.
TABS: Mapping[Tab, frozenset[RowStatus]] = {
    Tab.TO_CORRECT: frozenset({RowStatus.FAULTY}),
    Tab.TO_CHECK: frozenset({RowStatus.WARNED}),
    Tab.VALID: frozenset({RowStatus.REPLAYED, RowStatus.GOOD, RowStatus.UNCHECKED}),
}
# A row to work on is a form of many fields.
ROWS_A_PAGE = {Tab.TO_CORRECT: 25, Tab.TO_CHECK: 25, Tab.VALID: 50}
# What a tab is there for.
SOUGHT = {Tab.TO_CORRECT: Severity.ERROR, Tab.TO_CHECK: Severity.WARNING}
PERSONAL = {"buyer_name": mask_name, "cert_id": mask_cert_id}


@dataclass(frozen=True)
class RowSelection:
    """Which rows a page shows: those of one tab (`show`; None: the first that has any), from `offset` on.

    `kept` are the numbers of rows that stay in their place, corrected or not, while somebody works on them; `opened`
    names the cells, by their rows, that stay open.
    """

    show: Tab | None = None
    offset: int = 0
    kept: Sequence[int] = ()
    opened: Mapping[int, Collection[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class DraftPage:
    """One page of a draft: some of its rows, which of their cells are open, what is wrong and how often."""

    preview: Preview
    selection: RowSelection

    @cached_property
    def counts(self) -> Mapping[Tab, int]:
        """Count the rows of each tab."""
        counted = Counter(status for _, status in self.preview.lines)
        return {tab: sum(counted[status] for status in statuses) for tab, statuses in TABS.items()}

    @cached_property
    def show(self) -> Tab:
        return self.selection.show or next((tab for tab in TABS if self.counts[tab]), Tab.VALID)

    @property
    def limit(self) -> int:
        return ROWS_A_PAGE[self.show]

    @cached_property
    def rows(self) -> list[ShownRow]:
        """Return the rows of this page. Among all, those of one tab are together, in the order of the tabs."""
        if self.selection.kept:
            return [row for number in self.selection.kept if (row := self.preview.row(number))]
        before = list(TABS)[: list(TABS).index(self.show)]
        begin = sum(self.counts[tab] for tab in before) + self.selection.offset
        return self.preview.rows(begin, max(min(self.counts[self.show] - self.selection.offset, self.limit), 0))

    @cached_property
    def next_offset(self) -> int | None:
        """Return where the next page begins: what was corrected on this one is among the others by then."""
        offset = self.selection.offset + sum(row.status in TABS[self.show] for row in self.rows)
        return offset if offset < self.counts[self.show] else None

    @property
    def previous_offset(self) -> int | None:
        return max(self.selection.offset - self.limit, 0) if self.selection.offset else None

    @cached_property
    def repeated_errors(self) -> list[RepeatedError]:
        return repeated_errors(self.preview) if self.show == Tab.TO_CORRECT else []

    @cached_property
    def error_counts(self) -> list[tuple[Finding, int]]:
        """Return one finding of each kind that a tab's rows have, and how many; none where one page shows it all."""
        if self.show not in SOUGHT or self.counts[self.show] <= self.limit:
            return []
        every = (finding for found in self.preview.of_rows.values() for finding in found)
        sought = [one for one in every if one.severity is SOUGHT[self.show]]
        kinds = {one.code: one for one in sought}
        return [(kinds[code], count) for code, count in Counter(one.code for one in sought).most_common()]

    def is_open(self, row: ShownRow, name: str) -> bool:
        """Whether a cell is open: something is wrong with it, or somebody is working on it."""
        return bool(row.cells[name].findings) or name in self.selection.opened.get(row.number, ())

    def may_retype(self, row: ShownRow, name: str) -> bool:
        """Whether a cell can be edited here. Who bought is shown only where something is wrong with it."""
        return name not in PERSONAL or any(self.is_open(row, one) for one in PERSONAL if one in row.cells)


def field_text(text: str) -> str:
    """Return what a form's field makes of a cell: one line, and no more than a cell may hold."""
    return text.replace("\r", "").replace("\n", "")[:LONGEST_CELL]


def mask_cell(name: str, text: str) -> str:
    """Mask a cell for everybody, by the English name of its column."""
    mask = PERSONAL.get(name)
    return mask(text) if mask and text.strip() else text


def draft_path(draft_id: str) -> str:
    """Return the address of a draft's page."""
    return f"{START}/{draft_id}"


def requested_rows() -> RowSelection:
    """Read which rows this request's address asks for."""
    show = text_argument("show", tuple(TABS))
    return RowSelection(Tab(show) if show else None, number_in_cursor(request.args.get("offset")))


def kept_rows(opened: Mapping[int, Collection[str]] | None = None) -> RowSelection:
    """Keep the rows that are on the page while somebody works on them."""
    numbers = request.form.get("kept", "").split(",")[: ROWS_A_PAGE[Tab.TO_CORRECT]]
    kept = [int(one) for one in numbers if one.isascii() and one.isdigit() and len(one) <= LONGEST_NUMBER]
    at = requested_rows()
    return RowSelection(at.show, at.offset, kept, opened or {})


def submitted_revision() -> int:
    """Read the revision of the draft that a form was made from."""
    return form_number("revision")


def form_number(name: str) -> int:
    """Read a whole number from a form."""
    text = request.form.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
        why = f"{name}: use a whole number"
        raise ValidationFailed(why, errors=[ErrorDetail(f"/{name}", "parameter_invalid", why)])
    return int(text)


def is_htmx() -> bool:
    """Whether the page itself asks by htmx, and needs no more than what has changed."""
    return "HX-Request" in request.headers


def redirect_to(place: str) -> WerkzeugResponse:
    """Redirect to another page, also for htmx."""
    return Response(headers={"HX-Redirect": place}) if is_htmx() else redirect(place, 303)


def show_again(draft_id: str, rows: RowSelection, errors: Sequence[str] = (), anchor: str = "") -> WerkzeugResponse:
    """Show the draft after a form was sent; `errors` are the sentences of what was refused."""
    if is_htmx():
        return show_draft(draft_id, rows, errors)
    for sentence in errors:
        flash(sentence, DANGER)
    query = f"?{request.query_string.decode('ascii', 'ignore')}" if request.query_string else ""
    return redirect(f"{draft_path(draft_id)}{query}{anchor}", 303)


def show_draft(draft_id: str, rows: RowSelection, errors: Sequence[str] = ()) -> WerkzeugResponse:
    """Show a draft as it is now; one whose rows were all submitted leads to their batch."""
    try:
        shown = load_preview(draft_id)
    except NotFound:
        return _to_its_batch(draft_id)
    except FileUnreadable as error:
        return _to_start(error)
    return _render(DraftPage(shown, rows), errors)


def load_preview(draft_id: str) -> Preview:
    """Check a draft as submitting would; NotFound for somebody else's and for one without rows."""
    caller, parts = current_caller(), services()
    with parts.reading() as db:
        draft = draft_of(db, draft_id, caller)
    return preview(parts.engine, parts.vault, parts.rules, draft, caller, parts.payments)


def _to_its_batch(draft_id: str) -> WerkzeugResponse:
    with services().reading() as db:
        batch_id = submitted_as(db, draft_id, current_caller())
    if batch_id is None:
        raise NotFound
    return redirect_to(f"/batches/{batch_id}")


def _to_start(error: FileUnreadable) -> WerkzeugResponse:
    """Leave a draft that has become what no batch can hold."""
    for sentence in error_sentences(error):
        flash(sentence, DANGER)
    return redirect_to(START)


def _render(view: DraftPage, errors: Sequence[str]) -> Response:
    shown: dict[str, Any] = {
        "view": view,
        "preview": view.preview,
        "draft": view.preview.draft,
        "errors": errors,
        "once": new_id("form"),
        "words": labels,
        "field_text": field_text,
        "mask_cell": mask_cell,
        "longest_cell": LONGEST_CELL,
        "columns": FIELDS,
        "offered": labels.picks(),
    }
    return render_fragment("import/preview.html", **shown) if is_htmx() else render_page("import/draft.html", **shown)
