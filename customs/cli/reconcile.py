"""Reconcile a bill of the gateway with the payments and refunds on file."""

import json
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from customs.auth.principal import operator
from customs.config import open_private, read_settings
from customs.container import Services
from customs.reconciliation.bills import DATE_FORMAT, Bills
from customs.reconciliation.match import Entry, Reconciled
from customs.reconciliation.serializers import bill_json, entry_json

DAY = click.DateTime(formats=[DATE_FORMAT])
MOST_SHOWN = 200
COLOURS = {"differing": "red", "only_theirs": "yellow", "only_ours": "yellow"}


@click.command()
@click.argument("start", type=DAY)
@click.argument("end", type=DAY)
@click.option("--json", "as_json", is_flag=True, help="Print every entry as JSON.")
@click.option(
    "--save",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the bill to FILE, as it was received.",
)
@click.option("--refresh", is_flag=True, help="Download it anew, even if it is kept.")
def reconcile(start: datetime, end: datetime, as_json: bool, file: Path | None, refresh: bool) -> None:
    """Reconcile the gateway's bill from START to END, both included, with our payments and refunds."""
    services = Services(read_settings())
    settings = services.settings
    bills = Bills(services.engine, services.vault, services.gateway, settings.agent_no, services.declarations)
    found = bills.of_days(start.date(), end.date(), refresh=refresh)
    if file is not None:
        _save(bills.content(found), file)
    reconciled = bills.reconciled(found, operator())
    if as_json:
        click.echo(json.dumps(bill_json(found, bills.age_seconds(found), reconciled), ensure_ascii=False))
    else:
        _show(Console(), reconciled)


def _save(content: bytes, file: Path) -> None:
    # It may name payers: readable by its owner only.
    with open(file, "wb", opener=open_private) as stream:
        stream.write(content)
    click.echo(f"{file}: {len(content):,} bytes", err=True)


def _show(console: Console, reconciled: Reconciled) -> None:
    counts = Table("", "entries")
    for word, count in reconciled.counts.items():
        counts.add_row(word.replace("_", " "), f"{count:,}")
    console.print(counts)
    for flaw in reconciled.reading.flaws[:MOST_SHOWN]:
        console.print(f"[yellow]line {flaw.line}[/] cannot be read: {escape(flaw.why)}", highlight=False)
    waiting = [entry for entry in reconciled.entries if entry.needs_somebody]
    if waiting:
        console.print(_table(waiting[:MOST_SHOWN]))
    if len(waiting) > MOST_SHOWN:
        console.print(f"and {len(waiting) - MOST_SHOWN:,} more: `--json` shows all", highlight=False)


def _table(entries: list[Entry]) -> Table:
    table = Table()
    table.add_column("line", justify="right")
    # The next command takes the number: it is never cut.
    table.add_column("order, payment, refund", no_wrap=True)
    table.add_column("amount", justify="right")
    table.add_column("what needs somebody", overflow="fold")
    for entry in entries:
        shown = entry_json(entry)
        numbers = filter(
            None, (shown["out_order_no"], shown["payment_no"], shown["outer_refund_no"] or shown["refund_no"])
        )
        colour = COLOURS.get(entry.verdict, "blue")
        reasons = [
            f"[{colour}]{word.replace('_', ' ')}[/]"
            for word in (*(() if entry.verdict == "matched" else (entry.verdict,)), *entry.concerns)
        ]
        differences = [f"{one.field}: {one.theirs} there, {one.ours} here" for one in entry.differences]
        table.add_row(
            str(shown["line"] or ""),
            escape("\n".join(numbers)),
            escape(f"{shown['amount']} {shown['currency'] or ''}\n{shown['kind']} {shown['status'] or ''}"),
            "\n".join([*reasons, *map(escape, differences)]),
        )
    return table
