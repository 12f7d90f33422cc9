"""Commands about the personal data of one buyer: export it, erase it."""

import json
import sys
from pathlib import Path

import click

from customs.config import open_private, read_settings
from customs.container import Services
from customs.db import database
from customs.ops.personal_data import STAYS, Footprint, erase_buyer, export_buyer, find_buyer, note_export

PAYMENT = click.option("--payment", "payment_no", help="The buyer of this payment number.")
BY_CERT_ID = click.option(
    "--cert-id", "by_cert_id", is_flag=True, help="The buyer with an ID number, which is asked for, or read from stdin."
)


@click.group()
def privacy() -> None:
    """Personal data of one buyer."""


@privacy.command("export")
@PAYMENT
@BY_CERT_ID
@click.option("--output", "file", type=click.Path(dir_okay=False, path_type=Path), help="A file instead of stdout.")
def privacy_export(payment_no: str | None, by_cert_id: bool, file: Path | None) -> None:
    """Export as JSON what is stored of one buyer; that it was done is in the audit trail."""
    cert_id = _asked(payment_no, by_cert_id)
    services = Services(read_settings())
    with services.transaction() as session:
        now = database.now(session)
        found = find_buyer(session, services.vault, cert_id=cert_id, payment_no=payment_no)
        text = json.dumps(export_buyer(session, services, found, now), ensure_ascii=False, indent=2)
        note_export(session, services.audit, found, now)
    if file is None:
        click.echo(text)
        return
    with open(file, "w", encoding="utf-8", opener=open_private) as stream:
        stream.write(text + "\n")
    click.echo(f"{file}: personal data, readable by you alone", err=True)


@privacy.command("erase")
@PAYMENT
@BY_CERT_ID
@click.option("--dry-run", is_flag=True, help="Only say what is stored, and what would stay.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def privacy_erase(payment_no: str | None, by_cert_id: bool, dry_run: bool, yes: bool) -> None:
    """Erase what no law keeps of one buyer, after saying what there is and what stays."""
    cert_id = _asked(payment_no, by_cert_id)
    services = Services(read_settings())
    with services.reading() as session:
        _show_plan(find_buyer(session, services.vault, cert_id=cert_id, payment_no=payment_no))
    if dry_run:
        return
    if not yes:
        click.confirm("Erase it? Nobody can bring it back.", abort=True)
    with services.transaction() as session:
        found = find_buyer(session, services.vault, cert_id=cert_id, payment_no=payment_no)
        erased = erase_buyer(session, services, found, database.now(session))
    left = len(found.declarations) - erased["declarations"]
    click.echo("erased: " + ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in erased.items()))
    if left:
        click.echo(f"{left} declarations name no buyer, or are under way or in review and keep theirs until they end")


def _asked(payment_no: str | None, by_cert_id: bool) -> str | None:
    """Return the ID number where the buyer is named by it. It is no argument: others see those."""
    if (payment_no is None) is not by_cert_id:
        raise click.UsageError("name the buyer by --payment NO or by --cert-id")
    if not by_cert_id:
        return None
    if sys.stdin.isatty():
        return str(click.prompt("ID number", hide_input=True, err=True))
    cert_id = sys.stdin.readline().strip()
    if not cert_id:
        raise click.UsageError("the ID number is read from stdin, which is empty")
    return cert_id


def _show_plan(found: Footprint) -> None:
    click.echo("stored: " + ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in found.counts().items()))
    click.echo("what stays:")
    for one in STAYS:
        click.echo(f"- {one}")
