"""Terminal output about batches: findings by cell, live progress, tables of declarations."""

import time
from collections.abc import Sequence
from typing import Any

from marshmallow import Schema, ValidationError
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from customs.auth.principal import operator
from customs.container import Services
from customs.declarations.models import Declaration, OpenRow
from customs.declarations.reading import queries
from customs.declarations.reading.dashboard import EarlierSubmission
from customs.declarations.reading.queries import BatchState
from customs.declarations.states import State
from customs.errors import ValidationFailed
from customs.stats.tallies import SHANGHAI
from customs.validation import placed_errors

POLL_SECONDS = 0.3
LARGEST_LISTED = 20
STUCK_SECONDS = 30.0
COLOURS = {State.SUCCESS: "green", State.FAIL: "red", State.EXCEPT: "yellow"}
MARKS = {State.SUCCESS: "✓", State.FAIL: "✗", State.EXCEPT: "!"}


def show_findings(console: Console, findings: Sequence[dict[str, Any]]) -> None:
    """Print one block for each kind of finding: the rows, what is wrong, what to do."""
    kinds: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for finding in sorted(findings, key=lambda one: (one["row"] or 0, one["column"] or "")):
        place = finding["column"] or ("" if finding["row"] else finding["pointer"])
        kinds.setdefault(
            (finding["severity"], finding["code"], place, finding["detail"], finding["action"]), []
        ).append(finding)
    for (severity, code, place, detail, action), alike in kinds.items():
        colour = "red" if severity == "error" else "yellow"
        rows = [finding["row"] for finding in alike if finding["row"]]
        where = " ".join(filter(None, (f"row {_ranges(rows)}" if rows else "", escape(place))))
        console.print(f"[{colour}]{severity}[/] {where}: {escape(detail)}", highlight=False)
        console.print(f"      → {escape(action)}  [dim]{code}[/]", highlight=False)


def _ranges(rows: Sequence[int]) -> str:
    """Write 2, 3, 4, 9 as "2-4, 9"."""
    spans: list[list[int]] = []
    for row in sorted(set(rows)):
        if spans and row == spans[-1][-1] + 1:
            spans[-1][1:] = [row]
        else:
            spans.append([row])
    return ", ".join("-".join(map(str, span)) for span in spans)


def watch(console: Console, services: Services, batch_id: str) -> None:
    """Show a batch's progress until nothing of it goes on by itself."""
    bar = Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    )
    task = bar.add_task("declaring", total=None)
    shown, moved_at = "", time.monotonic()
    with Live(bar, console=console, refresh_per_second=4):
        while True:
            with services.reading() as db:
                progress = queries.progress_of(db, batch_id)
            ended = sum(progress.states[state] for state in State if state.is_final) + progress.cancelled
            counted = "  ".join(f"{state} {count}" for state, count in progress.states.items() if count)
            if counted != shown:
                shown, moved_at = counted, time.monotonic()
            is_stuck = time.monotonic() - moved_at > STUCK_SECONDS
            hint = "  (nothing moves: `customs doctor`)" if is_stuck else ""
            bar.update(task, total=progress.total, completed=ended, description=f"{counted}{hint}")
            if progress.state is not BatchState.RUNNING:
                return
            time.sleep(POLL_SECONDS)


def show_declarations(console: Console, declarations: Sequence[Declaration]) -> None:
    """Print one line for each declaration: numbers, office, state, and why it needs review."""
    table = Table()
    # The next command takes the id: it is never cut.
    table.add_column("declaration, order, payment", no_wrap=True)
    table.add_column("state", no_wrap=True)
    for name in ("office", "case"):
        table.add_column(name, overflow="fold")
    for one in declarations:
        state = "cancelled" if one.cancelled else f"{MARKS.get(one.state, '…')} {one.state}"
        table.add_row(
            f"{one.id}\n{one.out_order_no}\n{one.payment_no}",
            f"[{COLOURS.get(one.state, 'blue')}]{state}[/]\n{one.identity}",
            f"{one.office}\n{one.channel}",
            escape(one.case_reason or ""),
        )
    console.print(table)


def show_open_rows(console: Console, rows: Sequence[OpenRow], count: int) -> None:
    """Print the first open rows of a batch, and how many there are."""
    if not count:
        return
    which = ", ".join(f"row {one.row or one.position + 1} {one.out_order_no}".rstrip() for one in rows[:LARGEST_LISTED])
    more = f", and {count - LARGEST_LISTED} more" if count > LARGEST_LISTED else ""
    console.print(f"[yellow]{count} not submitted[/]: {escape(which)}{more}", highlight=False, soft_wrap=True)
    console.print("      → submit them corrected, or discard them on the batch's page", highlight=False)


def show_earlier(console: Console, earlier: Sequence[EarlierSubmission]) -> None:
    """Print when, by whom and in which batch repeated orders were submitted before."""
    for one in earlier:
        when = f"{one.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
        batch = f" by {one.batch.sender} in {one.batch.id} {one.batch.name}" if one.batch else ""
        console.print(f"{one.count} submitted before, {when}{escape(batch)}", highlight=False, soft_wrap=True)


def show_batches(console: Console, services: Services, limit: int = 20) -> None:
    """Print the newest batches with their states."""
    table = Table()
    table.add_column("batch", no_wrap=True)
    for name in ("name", "state", "declarations"):
        table.add_column(name, overflow="fold")
    with services.reading() as db:
        page = queries.list_batches(db, operator(), limit=limit, cursor=None, since=None, until=None)
        for batch in page.rows:
            progress = queries.progress_of(db, batch.id)
            counts = {str(state): count for state, count in progress.states.items()} | {
                "in review": progress.needs_review,
                "rows not submitted": progress.open_rows,
            }
            counted = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
            named = f"{escape(batch.name)}\n{batch.created_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
            table.add_row(batch.id, named, progress.state, f"{progress.total}: {counted}")
    console.print(table)


def load_or_fail(schema: Schema, body: dict[str, Any]) -> Any:
    """Load a body through a schema; raise ValidationFailed with every error."""
    try:
        return schema.load(body)
    except ValidationError as error:
        found = placed_errors(error.messages)
        raise ValidationFailed("; ".join(f"{place}: {one}; {one.action}" for place, one in found)) from error
