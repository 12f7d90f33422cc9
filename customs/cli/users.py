"""Commands about users: create, list, reset the password, disable."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy.orm import Session

from customs.auth.models import Person
from customs.auth.principal import operator
from customs.auth.roles import Role
from customs.auth.users import Change, Profile, create_person, disable, list_people, person_named, reset_password
from customs.config import read_settings
from customs.container import Services
from customs.db import database
from customs.timestamps import instant

COLUMNS = ("login", "name", "role", "merchants", "state", "one_time_codes", "created_at")


@click.group()
def user() -> None:
    """Users of the pages."""


@user.command("create")
@click.option("--login", required=True, help="The login name.")
@click.option("--name", required=True, help="The name that others see.")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]))
@click.option("--merchant", "merchants", multiple=True, help="May be repeated; all merchants without it.")
@click.option("--json", "as_json", is_flag=True)
def user_create(login: str, name: str, role: str, merchants: tuple[str, ...], as_json: bool) -> None:
    """Create a user and print the password once; the user has to choose another at the first sign-in."""
    services = Services(read_settings())
    wanted = Profile(login, name, role, merchants or None)
    _show_password(_apply(services, lambda db, now: create_person(db, services.passwords, wanted, now)), as_json)


@user.command("list")
@click.option("--json", "as_json", is_flag=True)
def user_list(as_json: bool) -> None:
    """List all users, the disabled ones too."""
    with Services(read_settings()).reading() as session:
        rows = [_row(person) for person in list_people(session)]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = Table(*COLUMNS)
    for row in rows:
        shown = (", ".join(one) if isinstance(one, list) else one for one in (row[name] for name in COLUMNS))
        table.add_row(*(escape(one or "") for one in shown))
    Console().print(table)


@user.command("reset")
@click.argument("login")
@click.option("--json", "as_json", is_flag=True)
def user_reset(login: str, as_json: bool) -> None:
    """Print a new password once; the user's one-time codes and sessions end."""
    services = Services(read_settings())

    def reset(db: Session, now: datetime) -> Change:
        person = person_named(db, login)
        return reset_password(db, services.vault, services.passwords, person.id, now, code_too=True)

    _show_password(_apply(services, reset), as_json)


@user.command("disable")
@click.argument("login")
def user_disable(login: str) -> None:
    """Disable a user; their sessions end."""
    _apply(Services(read_settings()), lambda db, now: disable(db, person_named(db, login).id, now))
    click.echo(f"{login} may not sign in any more")


def _apply(services: Services, operation: Callable[[Session, datetime], Change]) -> Change:
    """Change a user as the operator, with an audit entry; return the change."""
    with services.transaction() as session:
        now = database.now(session)
        change = operation(session, now)
        services.audit.append(session, change.audit_event_of(operator()), now)
    return change


def _show_password(change: Change, as_json: bool) -> None:
    shown = {"login": change.person.login, "password": change.password}
    click.echo(json.dumps(shown) if as_json else f"{change.person.login}\t{change.password}")


def _row(person: Person) -> dict[str, Any]:
    return {
        "login": person.login,
        "name": person.name,
        "role": person.role,
        "merchants": person.merchants or ["all"],
        "state": "disabled" if person.disabled_at else "enabled",
        "one_time_codes": "set up" if person.code_secret else "none",
        "created_at": instant(person.created_at),
    }
