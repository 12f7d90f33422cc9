"""The `customs` command: one group of all commands."""

import sys

import click
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from customs import logging_setup
from customs.cli.admin import api_key, audit, doctor, keys, lanes, registrations
from customs.cli.database import db
from customs.cli.declarations import modify, redeclare, status, submit
from customs.cli.payments import pay, query, rate, refund
from customs.cli.privacy import privacy
from customs.cli.processes import clock, demo, sandbox, up, web, worker
from customs.cli.reconcile import reconcile
from customs.cli.users import user
from customs.config import keep_files_private
from customs.db import database
from customs.db.database import UnusableDatabase
from customs.errors import CustomsError

FAILED = 1


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="customs-desk", prog_name="customs", message="%(prog)s %(version)s")
def commands() -> None:
    """The customs declaration desk: paid orders in, declarations at the gateway, until each one ends."""


for command in (
    *(up, web, worker, clock, sandbox, demo),
    *(submit, status, redeclare, modify),
    *(pay, refund, query, rate, reconcile),
    *(lanes, registrations, db, api_key, user, keys, audit, privacy, doctor),
):
    commands.add_command(command)
commands.add_command(reconcile, "bill")


def main() -> None:
    """Run a command; show errors of the desk as sentences, with each wrong place on a line."""
    keep_files_private()
    logging_setup.steady_streams()
    # Commands print to the terminal; long-running processes set their own log level.
    logging_setup.configure("error")
    try:
        commands.main(prog_name="customs")
    except CustomsError as error:
        _fail(error.detail)
        for detail in error.errors:
            click.echo(f"  {detail.pointer}: {detail.code}: {detail.detail}", err=True)
        if error.not_before:
            click.echo(f"  not before {error.not_before.astimezone():%Y-%m-%d %H:%M:%S %Z}", err=True)
    except UnicodeEncodeError:
        # Bytes that are not UTF-8 arrive as lone surrogates, which nothing accepts.
        _fail("an argument is not text in UTF-8: set the terminal to UTF-8 and type it again")
    except UnusableDatabase as error:
        _fail(str(error))
    except SQLAlchemyError as error:
        _fail(f"the database cannot be used ({_reason(error)}): `customs db upgrade`, `customs doctor`")
    except OSError as error:
        about = error.filename or "what this command has to say cannot be written"
        _fail(f"{about}: {error.strerror or type(error).__name__}")
        logging_setup.silence_output()
    sys.exit(FAILED)


def _fail(sentence: str) -> None:
    click.echo(sentence, err=True)


def _reason(error: SQLAlchemyError) -> str:
    """Return the kind of error; the driver's own text only if the database is away, since other texts hold values."""
    if not (isinstance(error, DBAPIError) and database.is_away(error)):
        return type(error).__name__
    return str(error.orig).partition("\n")[0] or type(error.orig).__name__
