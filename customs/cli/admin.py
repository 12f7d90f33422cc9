"""Commands for operating the desk: database, keys, lanes, registrations, health checks."""

import json
import secrets
import sys
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from customs.audit.actions import AuditAction, audit_event
from customs.audit.anchors import anchor_end
from customs.audit.hash_chain import ChainDefect
from customs.auth.api_keys import AuditedKeys, list_api_keys, state_of
from customs.auth.models import ApiKey
from customs.auth.principal import Scope, operator
from customs.config import open_private, read_settings
from customs.container import Services
from customs.db import database
from customs.errors import ActionNotAllowed
from customs.imports.registration_file import read_registration_file
from customs.lanes.models import Lane
from customs.lanes.queries import LaneState, list_lanes, resume_lane
from customs.lanes.queries import state_of as state_of_lane
from customs.ops.audit_check import accept_end
from customs.ops.doctor import run_checks
from customs.ops.health_checks import CheckResult
from customs.ops.key_rotation import rotate_keys
from customs.ops.standalone import keep_key_pair
from customs.timestamps import instant

# A longer lifetime means a key that never expires.
LONGEST_DAYS = 3650


@click.group("api-key")
def api_key() -> None:
    """Keys of programs that use the API."""


@api_key.command("create")
@click.option("--name", required=True)
@click.option("--merchant", "merchants", multiple=True, help="May be repeated; all merchants without it.")
@click.option("--scope", "scopes", multiple=True, type=click.Choice([scope.value for scope in Scope]))
@click.option("--all", "is_for_all", is_flag=True, help="All merchants and scopes, on purpose: no warning.")
@click.option("--expires-days", type=click.IntRange(1, LONGEST_DAYS), help="Never without it.")
@click.option("--json", "as_json", is_flag=True)
def api_key_create(
    name: str,
    merchants: tuple[str, ...],
    scopes: tuple[str, ...],
    is_for_all: bool,
    expires_days: int | None,
    as_json: bool,
) -> None:
    """Make a key and print it once."""
    if is_for_all and (merchants or scopes):
        raise click.UsageError("--all goes with neither --merchant nor --scope")
    services = Services(read_settings())
    if not (services.settings.sandbox or is_for_all or (merchants and scopes)):
        click.echo(_warning_of_rights(merchants, scopes), err=True)
    with services.transaction() as session:
        now = database.now(session)
        expires_at = now + timedelta(days=expires_days) if expires_days else None
        key = _key_service(session, services, now).create(
            name, [Scope(scope) for scope in scopes], merchants, expires_at
        )
    click.echo(json.dumps({"key": key}) if as_json else key)


def _warning_of_rights(merchants: tuple[str, ...], scopes: tuple[str, ...]) -> str:
    wide = " and ".join(
        words
        for words, given in (("may do everything (--scope)", scopes), ("is for every merchant (--merchant)", merchants))
        if not given
    )
    return f"this key {wide}, at the real gateway: make a narrower one and revoke this one, or say --all"


@api_key.command("rotate")
@click.argument("name_or_id")
@click.option("--overlap-hours", type=click.IntRange(0, 24 * LONGEST_DAYS), default=24, show_default=True)
@click.option("--expires-days", type=click.IntRange(1, LONGEST_DAYS), help="As long as the old one without it.")
@click.option("--json", "as_json", is_flag=True)
def api_key_rotate(name_or_id: str, overlap_hours: int, expires_days: int | None, as_json: bool) -> None:
    """Make a key with the same rights and print it once; the old one works on for a while."""
    services = Services(read_settings())
    with services.transaction() as session:
        lifetime = timedelta(days=expires_days) if expires_days else None
        key = _key_service(session, services, database.now(session)).rotate(
            name_or_id, timedelta(hours=overlap_hours), lifetime
        )
    click.echo(json.dumps({"key": key}) if as_json else key)


@api_key.command("list")
@click.option("--json", "as_json", is_flag=True)
def api_key_list(as_json: bool) -> None:
    """List all keys: what they may do, whether they are active, when they were last used (to the minute)."""
    with Services(read_settings()).reading() as session:
        now = database.now(session)
        rows = [_key_row(key, state_of(key, now)) for key in list_api_keys(session)]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = Table(*KEY_COLUMNS)
    for row in rows:
        shown = (", ".join(one) if isinstance(one, list) else one for one in (row[name] for name in KEY_COLUMNS))
        table.add_row(*(escape(one or "") for one in shown))
    Console().print(table)


@api_key.command("revoke")
@click.argument("key_id")
def api_key_revoke(key_id: str) -> None:
    """End a key at once."""
    services = Services(read_settings())
    with services.transaction() as session:
        _key_service(session, services, database.now(session)).revoke(key_id)
    click.echo(f"{key_id} opens nothing any more")


def _key_service(session: Session, services: Services, now: datetime) -> AuditedKeys:
    return AuditedKeys(session, operator(), services.audit, now, sandbox=services.settings.sandbox)


KEY_COLUMNS = ("id", "name", "state", "scopes", "merchants", "created_at", "expires_at", "last_used_at")


def _key_row(key: ApiKey, state: str) -> dict[str, Any]:
    times = {name: instant(getattr(key, name)) for name in ("created_at", "expires_at", "last_used_at")}
    rights = {"scopes": key.scopes or ["all"], "merchants": key.merchants or ["all"]}
    return {"id": key.id, "name": key.name, "state": state} | rights | times


@click.group()
def keys() -> None:
    """The desk's own keys."""


@keys.command("generate")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def keys_generate(folder: Path) -> None:
    """Make a key pair for signing and a file with the secrets of the environment, in FOLDER."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    keep_key_pair(folder, "agent")
    secrets_file = folder / "customs.env"
    if not secrets_file.exists():
        with open(secrets_file, "x", opener=open_private) as stream:
            stream.write(f"CUSTOMS_SECRET_KEY={secrets.token_urlsafe(32)}\n")
            stream.write(f"CUSTOMS_PII_KEYS={secrets.token_urlsafe(32)}\n")
            stream.write(f"WISECASHIER_PRIVATE_KEY_FILE={(folder / 'agent_private.pem').absolute()}\n")
    click.echo(f"{folder / 'agent_private.pem'}  signs our calls: keep it here")
    click.echo(f"{folder / 'agent_public.pem'}   hand this one to WiseCashier")
    click.echo(f"{secrets_file}  secrets of the environment: load it where the desk runs")


@keys.command("rotate")
@click.option(
    "--seal-audit-trail", is_flag=True, help="Also seal the trail anew, after a change of CUSTOMS_SECRET_KEY."
)
def keys_rotate(seal_audit_trail: bool) -> None:
    """Encrypt names, ID numbers and all other secrets with the first of CUSTOMS_PII_KEYS."""
    services = Services(read_settings())
    if seal_audit_trail:
        _seal_audit_trail(services)
    counts = rotate_keys(services.engine, services.vault)
    counted = {name: str(count) for name, count in counts.items()}
    with services.transaction() as session:
        event = audit_event(operator(), AuditAction.PERSONAL_DATA_RESEAL, "all", **counted)
        services.audit.append(session, event, database.now(session))
    click.echo(
        "{buyers} buyers, {drafts} drafts, {payers} payers, {bills} bills, {endpoints} endpoints and {codes} people's "
        "one-time codes were sealed anew".format(**counts)
    )


def _seal_audit_trail(services: Services) -> None:
    """Seal the trail if only its seal does not fit; a trail that was changed is left for `customs doctor` to show."""
    verdict = services.audit.seal_anew(services.engine, operator())
    if verdict.what not in (None, ChainDefect.SEAL):
        raise ActionNotAllowed("the audit trail was changed by somebody, and is not sealed anew: `customs doctor`")
    click.echo(f"the audit trail of {verdict.entries} entries {'was sealed anew' if verdict.what else 'fits'}")


@click.group()
def audit() -> None:
    """The audit trail."""


@audit.command("anchor")
@click.option("--accept", "reason", help="After a restore: take the trail as it ends now, and record why.")
def audit_anchor(reason: str | None) -> None:
    """Note the end of the audit trail outside of the database."""
    services = Services(read_settings())
    anchor = (
        anchor_end(services.engine, services.audit, services.anchors)
        if reason is None
        else accept_end(services, operator(), reason)
    )
    if anchor is None:
        click.echo("nothing to note: the trail stands where it was noted last, or does not fit (`customs doctor`)")
    else:
        click.echo(f"{anchor.number} {anchor.hash}")


@click.group(invoke_without_command=True)
@click.pass_context
def lanes(context: click.Context) -> None:
    """Show the lanes: open, failing or stopped, and why."""
    if context.invoked_subcommand is not None:
        return
    table = Table("lane", "agent", "gateway", "state", "reason")
    with Services(read_settings()).reading() as session:
        now = database.now(session)
        for lane in list_lanes(session):
            state = state_of_lane(lane, now)
            colour = "green" if state is LaneState.OPEN else "red"
            reason = (lane.failure if state is LaneState.FAILING else lane.reason) or ""
            table.add_row(lane.id, lane.agent_no, escape(lane.base_url), f"[{colour}]{state}[/]", escape(reason))
    Console().print(table)


@lanes.command("resume")
def lanes_resume() -> None:
    """Resume every stopped lane."""
    services = Services(read_settings())
    with services.reading() as session:
        stopped = session.scalars(select(Lane.id).where(Lane.stopped_at.is_not(None)).order_by(Lane.id)).all()
    for lane in stopped:
        with services.transaction() as session:
            resume_lane(session, lane, operator(), services.audit, database.now(session))
    services.notifier.notify()
    click.echo(f"{len(stopped)} lanes resumed")


@click.group()
def registrations() -> None:
    """Merchants' registrations (备案) with the customs offices."""


@registrations.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def registrations_import(file: Path) -> None:
    """Store the registrations of a CSV or XLSX file."""
    registered = read_registration_file(file.read_bytes(), file.name)
    services = Services(read_settings())
    with services.transaction() as session:
        count = registered.put(session, operator(), services.audit, database.now(session))
    click.echo(f"{count} registrations are on file")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One object instead of a table.")
def doctor(as_json: bool) -> None:
    """Say what is wrong, how to fix it and which page says more; exit 1 when something is."""
    results = run_checks(Services(read_settings()))
    is_well = all(result.verdict != "wrong" for result in results)
    if as_json:
        click.echo(json.dumps({"ok": is_well, "results": [_shown(one) for one in results]}, indent=2))
    else:
        _print_results(results)
    sys.exit(0 if is_well else 1)


def _shown(result: CheckResult) -> dict[str, str]:
    return {
        "part": result.part,
        "verdict": result.verdict,
        "finding": str(result.finding),
        "remedy": str(result.remedy),
        "runbook": result.runbook,
    }


def _print_results(results: Iterable[CheckResult]) -> None:
    table = Table("", "part", "what was found", "what to do")
    for result in results:
        mark = {"ok": "[green]✓[/]", "note": "[yellow]·[/]", "wrong": "[red]✗[/]"}[result.verdict]
        remedy = "" if result.verdict == "ok" else f"{result.remedy}\n{result.runbook}".strip()
        table.add_row(mark, result.part, escape(str(result.finding)), escape(remedy))
    Console().print(table)
