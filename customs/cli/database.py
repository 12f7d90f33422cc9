"""Commands for the database: upgrade, recount, back up, make safe after a restore."""

from pathlib import Path

import click

from customs.config import read_settings
from customs.container import Services
from customs.declarations import statistics
from customs.ops import migrate
from customs.ops.backup import back_up, doubt_calls


@click.group()
def db() -> None:
    """The database."""


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to the newest version."""
    migrate.upgrade(Services(read_settings()).engine)
    click.echo("the database is at the newest version")


@db.command("recount")
def db_recount() -> None:
    """Count again what the pages show and correct what differs, while everything runs."""
    corrected = statistics.mend(Services(read_settings()).engine)
    click.echo(f"{len(corrected.tallies)} tallies and {corrected.causes} cases without their cause were corrected")


@db.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def db_backup(file: Path) -> None:
    """Copy a running SQLite database into a new FILE."""
    back_up(Services(read_settings()).engine, file)
    click.echo(f"the database is in {file}; keep the secrets elsewhere: without them it reveals no name")


@db.command("after-restore")
def db_after_restore() -> None:
    """After a restore, before workers start: query first what may have been sent since."""
    services = Services(read_settings())
    found = doubt_calls(services.engine, services.declarations)
    click.echo(
        f"{found.pushes} pushes, {found.payments} payments and {found.refunds} refunds are queried before a send;"
        f" {found.in_review} declarations of which no query can tell wait for a reviewer"
    )
