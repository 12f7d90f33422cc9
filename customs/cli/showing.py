"""What the terminal shows of a batch: findings by cell, live progress, a table of declarations."""

import time
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from customs.access.callers import operator
from customs.declarations import queries
from customs.declarations.models import Declaration
from customs.declarations.queries import BatchState
from customs.declarations.queries import Progress as BatchProgress
from customs.declarations.states import State
from customs.wiring import Services

LOOK_SECONDS = 0.3
COLOURS = {State.SUCCESS: "green", State.FAIL: "red", State.EXCEPT: "yellow"}
MARKS = {State.SUCCESS: "✓", State.FAIL: "✗", State.EXCEPT: "!"}


def show_findings(console: Console, findings: Sequence[dict[str, Any]]) -> None:
    """One line a finding: where, what is wrong, what to do."""
    table = Table("row", "column", "finding", "what is wrong", "what to do", title="findings")
    for finding in findings:
        place = finding["column"] or finding["pointer"]
        colour = "red" if finding["severity"] == "error" else "yellow"
        table.add_row(
            str(finding["row"] or ""),
            escape(place),
            f"[{colour}]{finding['code']}[/]",
            escape(finding["detail"]),
            escape(finding["action"]),
        )
    console.print(table)


def watch(console: Console, services: Services, batch_id: str) -> BatchProgress:
    """Show a batch's progress until nothing of it goes on by itself."""
    bar = Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    )
    task = bar.add_task("declaring", total=None)
    with Live(bar, console=console, refresh_per_second=4):
        while True:
            with services.reading() as db:
                progress = queries.progress_of(db, batch_id)
            ended = sum(progress.states[state] for state in State if state.is_final) + progress.cancelled
            counted = "  ".join(f"{state} {count}" for state, count in progress.states.items() if count)
            bar.update(task, total=progress.total, completed=ended, description=counted or "declaring")
            if progress.state is not BatchState.RUNNING:
                return progress
            time.sleep(LOOK_SECONDS)


def show_declarations(console: Console, declarations: Sequence[Declaration]) -> None:
    """One line a declaration: its numbers, office, state, and why it needs somebody."""
    table = Table("declaration", "order", "payment", "channel", "office", "state", "identity", "case")
    for one in declarations:
        state = "cancelled" if one.cancelled else f"{MARKS.get(one.state, '…')} {one.state}"
        table.add_row(
            one.id,
            one.out_order_no,
            one.payment_no,
            one.channel,
            one.office,
            f"[{COLOURS.get(one.state, 'blue')}]{state}[/]",
            one.identity,
            escape(one.case_reason or ""),
        )
    console.print(table)


def show_batches(console: Console, services: Services, limit: int = 20) -> None:
    """The newest batches and where each stands."""
    table = Table("batch", "name", "state", "declarations", "success", "failed", "in review", "created")
    with services.reading() as db:
        page = queries.list_batches(db, operator(), limit=limit, cursor=None, since=None, until=None)
        for batch in page.rows:
            progress = queries.progress_of(db, batch.id)
            failed = progress.states[State.FAIL] + progress.states[State.EXCEPT]
            table.add_row(
                batch.id,
                escape(batch.name),
                progress.state,
                str(progress.total),
                str(progress.states[State.SUCCESS]),
                str(failed),
                str(progress.needs_review),
                f"{batch.created_at.astimezone():%Y-%m-%d %H:%M}",
            )
    console.print(table)
