"""Check a draft as submitting would, against the declarations on file, without storing anything."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

from sqlalchemy import Engine

from customs.auth.principal import Caller
from customs.db import database
from customs.declarations.fields import FIELDS, REQUIRED, Field
from customs.declarations.intake.accept import Compared, compare
from customs.declarations.intake.orders import Finding, Order, Severity
from customs.declarations.intake.validate import Rules
from customs.declarations.reading.dashboard import earlier_submissions
from customs.imports.columns import Header, match_header
from customs.imports.drafts import Draft, Replacement, unseal_draft
from customs.imports.preview_model import DUPLICATES, SHOWN_IN_ORDER, Preview, RowStatus, ShownColumn, Totals
from customs.imports.sheet import column_at
from customs.imports.submit import ReadyDraft, make_grid_ready
from customs.payments_port import Payments
from customs.privacy.vault import Vault
from customs.spreadsheets.reader import Grid


def preview(engine: Engine, vault: Vault, rules: Rules, draft: Draft, caller: Caller, payments: Payments) -> Preview:
    """Check a draft against the declarations on file; FileUnreadable when it holds too many orders."""
    grid, changes = unseal_draft(draft, vault)
    undo = changes[-1] if changes else None
    header = match_header(grid.header)
    if missing := header.lacks(REQUIRED):
        return _unchecked(draft, grid, header, missing, undo)
    ready = make_grid_ready(engine, vault, rules, draft, grid, header, caller)
    with database.reading(engine) as db:
        compared = compare(db, vault, ready.ready.checked, ready.ready.prepared, payments, database.now(db))
        earlier = earlier_submissions(db, set(compared.replays.values()), caller)
    checked, places = compared.checked, ready.sheet.places
    statuses = _statuses(compared, len(places))
    of_rows: dict[int, list[Finding]] = defaultdict(list)
    for finding in checked.findings:
        if finding.pointer and finding.row is not None:
            of_rows[finding.row].append(finding)
    in_order = sorted(range(len(places)), key=lambda index: SHOWN_IN_ORDER.index(statuses[index]))
    return Preview(
        draft=draft,
        grid=grid,
        header=header,
        columns=_columns(header, checked.findings),
        missing=(),
        findings=[finding for finding in checked.findings if not finding.pointer],
        totals=_totals(ready, compared, statuses),
        lines=[(row, statuses[index]) for index in in_order for row in places[index].rows],
        of_rows=of_rows,
        replays={row: known for index, known in compared.replays.items() for row in places[index].rows},
        heads={row: place.row for place in places for row in place.rows},
        earlier=earlier,
        undo=undo,
    )


def _unchecked(draft: Draft, grid: Grid, header: Header, missing: Sequence[Field], undo: Replacement | None) -> Preview:
    """Preview the rows unchecked, because a required column has no header."""
    return Preview(
        draft=draft,
        grid=grid,
        header=header,
        columns=_columns(header, ()),
        missing=missing,
        findings=[
            Finding(
                "",
                grid.header_row,
                None,
                "column_missing",
                Severity.ERROR,
                f"no column is {column.spellings}",
                "Say which column of the file it is, or add it.",
            )
            for column in missing
        ],
        totals=Totals(len(grid.rows)),
        lines=[(number, RowStatus.UNCHECKED) for number, _ in grid.rows],
        of_rows={},
        replays={},
        heads={},
        earlier=(),
        undo=undo,
    )


def _columns(header: Header, findings: Sequence[Finding]) -> list[ShownColumn]:
    """Return the file's columns, and those it lacks that a finding is about."""
    named = {column_at(finding.pointer) for finding in findings}
    lacking = [column for column in FIELDS if column in named and column not in header.spelt]
    placed = [ShownColumn(column, header.spelt[column]) for _, column in header.placed]
    return [*placed, *(ShownColumn(column, None) for column in lacking)]


def _statuses(compared: Compared, declarations: int) -> list[RowStatus]:
    """Return the status of each declaration."""
    checked = compared.checked
    warned = {_declaration(one) for one in checked.findings if one.severity is Severity.WARNING and one.pointer}

    def status(index: int) -> RowStatus:
        if index in compared.replays:
            return RowStatus.REPLAYED
        if index not in checked.orders:
            return RowStatus.FAULTY
        return RowStatus.WARNED if index in warned else RowStatus.GOOD

    return [status(index) for index in range(declarations)]


def _totals(ready: ReadyDraft, compared: Compared, statuses: Sequence[RowStatus]) -> Totals:
    checked, places = compared.checked, ready.sheet.places
    kept = [*checked.orders, *compared.replays]
    return Totals(
        rows=len(ready.grid.rows),
        declarations=len(places),
        sub_orders=sum(len(place.sub_rows) for place in places),
        good=len(checked.orders),
        replayed=len(compared.replays),
        faulty=statuses.count(RowStatus.FAULTY),
        duplicates=len({_declaration(finding) for finding in checked.errors if finding.code in DUPLICATES}),
        warnings=len(checked.findings) - len(checked.errors),
        good_rows=sum(len(places[index].rows) for index in kept),
        new_rows=sum(len(places[index].rows) for index in checked.orders),
        amount=_sum(checked.given.values()),
        good_amount=_sum(checked.orders.values()),
        good_split=sum(bool(order.sub_orders) for order in checked.orders.values()),
        offices=Counter((order.channel, order.office) for order in checked.orders.values()),
    )


def _sum(orders: Iterable[Order]) -> Decimal:
    return sum((order.total for order in orders if order.total is not None), Decimal())


def _declaration(finding: Finding) -> int:
    return int(finding.pointer.split("/")[2])
