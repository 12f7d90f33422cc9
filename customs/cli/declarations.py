"""Commands about declarations: submit a file, show the status, push again, correct."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from customs.auth.principal import operator
from customs.cli.output import (
    LARGEST_LISTED,
    load_or_fail,
    show_batches,
    show_declarations,
    show_earlier,
    show_findings,
    show_open_rows,
    watch,
)
from customs.config import read_settings
from customs.container import Services
from customs.db import database
from customs.db.pagination import LARGEST_PAGE
from customs.declarations import serializers
from customs.declarations.actions.decisions import ReviewService
from customs.declarations.intake import accept
from customs.declarations.intake.orders import Severity
from customs.declarations.intake.validate import Rejected
from customs.declarations.models import Declaration
from customs.declarations.open_rows import open_rows_of
from customs.declarations.reading import queries
from customs.declarations.reading.dashboard import earlier_submissions
from customs.declarations.reading.queries import BatchState
from customs.declarations.schemas import ModifyIn, RedeclareIn
from customs.errors import ConcurrentUpdate, FileUnreadable, NotFound, ValidationFailed
from customs.imports.sheet import read_sheet
from customs.spreadsheets.encodings import encoding_of
from customs.web.json_body import parse_json

FINDINGS, NEEDS_REVIEW = 2, 3
ATTEMPTS = 3


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--wait", is_flag=True, help="Show progress to the end.")
@click.option("--accept-valid", is_flag=True, help="Take the valid rows when others have findings.")
@click.option("--json", "as_json", is_flag=True, help="Print the batch as JSON.")
def submit(file: Path, wait: bool, accept_valid: bool, as_json: bool) -> None:
    """Submit a CSV, XLSX or JSON file.

    Exit 0 when all is well (with --wait: the batch is DONE), 2 when rows were refused, 3 when it needs review.
    """
    services = Services(read_settings())
    console = Console(stderr=as_json)
    try:
        batch_id = _take_in(services, _submission(file, accept_valid))
    except Rejected as rejected:
        findings = [finding.as_dict() for finding in rejected.findings]
        if as_json:
            click.echo(json.dumps({"findings": findings}, ensure_ascii=False, indent=2))
        else:
            show_findings(console, findings)
            click.echo("nothing was stored", err=True)
        sys.exit(FINDINGS)
    services.notifier.notify()
    if wait:
        watch(console, services, batch_id)
    with services.reading() as db:
        batch = queries.batch_of(db, batch_id, operator())
        shown = serializers.batch_json(batch, queries.progress_of(db, batch_id), queries.replays_of(db, batch_id))
        filters = queries.Filters(batch_id=batch_id, needs_review=True)
        in_review = queries.list_declarations(db, operator(), filters, limit=LARGEST_PAGE, cursor=None)
        earlier = earlier_submissions(db, shown["replayed"], operator())
        open_rows = open_rows_of(db, batch_id, LARGEST_LISTED)
    show_earlier(console, earlier)
    if as_json:
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    else:
        if batch.findings:
            show_findings(console, batch.findings)
        if wait and in_review.rows:
            show_declarations(console, in_review.rows)
        show_open_rows(console, open_rows, shown["counts"]["open_rows"])
        click.echo(f"{batch_id}  {shown['state']}  {shown['counts']['total']} declarations")
    if any(finding["severity"] == Severity.ERROR for finding in batch.findings):
        sys.exit(FINDINGS)
    if wait and shown["state"] != BatchState.DONE:
        # The state that was shown counts, not the one seen while waiting.
        sys.exit(NEEDS_REVIEW)


def _submission(file: Path, accept_valid: bool) -> accept.Submission:
    """Read the file; raises FileUnreadable."""
    on_error = "accept_valid" if accept_valid else "reject"
    content = file.read_bytes()
    if file.suffix.lower() != ".json":
        sheet = read_sheet(content, name_of(file))
        lines = [place.rows for place in sheet.places]
        return accept.Submission(sheet.declarations, name_of(file), on_error, sheet.locate, sheet.findings, lines)
    parsed = parse_json(content)
    rows = parsed.get("declarations") if isinstance(parsed, dict) else parsed
    if not isinstance(rows, list):
        raise FileUnreadable('a JSON file holds a list of declarations, or {"declarations": [...]}')
    return accept.Submission(rows, name_of(file), on_error)


def name_of(file: Path) -> str:
    """Return a file's name as text, also if an archive made on a Chinese Windows left it in GBK."""
    written = os.fsencode(file.name)
    return written.decode(encoding_of(written) or "utf-8", "replace")


def _take_in(services: Services, submission: accept.Submission) -> str:
    ready = accept.make_ready(services.engine, services.vault, services.rules, submission, operator())
    for _attempt in range(ATTEMPTS):
        try:
            with services.transaction() as db:
                batch = accept.take_in(db, services.vault, ready, operator(), services.payments, services.audit)
                return batch.id
        except DBAPIError as error:
            if not database.lost_a_race(error):
                raise
    raise ConcurrentUpdate("try again")


@click.command()
@click.argument("number", required=False)
@click.option("--json", "as_json", is_flag=True)
def status(number: str | None, as_json: bool) -> None:
    """Show the newest batches, one batch, or the declarations with this order, payment or sub-order number."""
    services = Services(read_settings())
    console = Console()
    if number is None:
        return _status_of_all(services, console, as_json)
    with services.reading() as db:
        if number.startswith("bat_"):
            batch = queries.batch_of(db, number, operator())
            progress, replayed = queries.progress_of(db, number), queries.replays_of(db, number)
            shown: Any = serializers.batch_json(batch, progress, replayed)
            filters = queries.Filters(batch_id=number)
            rows = queries.list_declarations(db, operator(), filters, limit=LARGEST_PAGE, cursor=None).rows
            open_rows = open_rows_of(db, number, LARGEST_LISTED)
        else:
            rows = queries.declarations_numbered(db, number, operator())
            if not rows:
                raise NotFound(f"nothing has the number {number}")
            now = database.now(db)
            parts = services.vault, services.policy, services.payments
            shown = serializers.declarations_json(db, rows, *parts, now)
    if as_json:
        return click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    show_declarations(console, rows)
    if len(rows) == LARGEST_PAGE:
        click.echo(f"the newest {LARGEST_PAGE}; the API lists them all")
    if number.startswith("bat_"):
        show_open_rows(console, open_rows, shown["counts"]["open_rows"])
        counts = "  ".join(f"{name} {count}" for name, count in shown["counts"].items() if count)
        click.echo(f"{number}  {shown['state']}  {counts}")
    return None


def _status_of_all(services: Services, console: Console, as_json: bool) -> None:
    if not as_json:
        return show_batches(console, services)
    with services.reading() as db:
        page = queries.list_batches(db, operator(), limit=LARGEST_PAGE, cursor=None, since=None, until=None)
        shown = [
            serializers.batch_json(batch, queries.progress_of(db, batch.id), queries.replays_of(db, batch.id))
            for batch in page.rows
        ]
    return click.echo(json.dumps(shown, ensure_ascii=False, indent=2))


@click.command()
@click.argument("number")
@click.option("--reason", required=True)
@click.option("--override", is_flag=True, help="Push a FAIL unchanged.")
def redeclare(number: str, reason: str, override: bool) -> None:
    """Push the declaration with this number again."""
    services = Services(read_settings())
    load_or_fail(RedeclareIn(), {"reason": reason, "override": override})
    with services.transaction() as db:
        found = _only_one(queries.declarations_numbered(db, number, operator()), number)
        _review_service(db, services).redeclare(found.id, reason, override=override)
    services.notifier.notify()
    click.echo(f"{found.id} is being pushed again")


@click.command()
@click.argument("number")
@click.option("--set", "changes", multiple=True, required=True, metavar="FIELD=VALUE", help="May be repeated.")
@click.option("--reason", required=True)
def modify(number: str, changes: tuple[str, ...], reason: str) -> None:
    """Correct the declaration with this number and send what changed.

    Fields: mch_customs_no, merchant_customs_name, duty, buyer.name, buyer.cert_id, sub_orders.NUMBER.amount (also
    transport_amount, product_amount).
    """
    services = Services(read_settings())
    body = _changes(changes) | {"reason": reason}
    changed = load_or_fail(ModifyIn(), body)
    changed.pop("reason")
    with services.transaction() as db:
        found = _only_one(queries.declarations_numbered(db, number, operator()), number)
        _review_service(db, services).modify(found.id, reason, changed, services.vault, services.rules)
    services.notifier.notify()
    click.echo(f"{found.id} was corrected and is being sent")


def _review_service(db: Session, services: Services) -> ReviewService:
    return ReviewService(db, operator(), database.now(db), services.policy, services.payments, services.audit)


def _only_one(found: Any, number: str) -> Declaration:
    """Return the only declaration found; raise when there is none, or several that need an id to tell apart."""
    if not found:
        raise NotFound(f"nothing has the number {number}")
    if len(found) > 1:
        raise ValidationFailed(
            f"{number} stands for several declarations: use one of {', '.join(one.id for one in found)}"
        )
    declaration: Declaration = found[0]
    return declaration


def _changes(changes: tuple[str, ...]) -> dict[str, Any]:
    """Turn `field=value` arguments into the body of a modify call."""
    body: dict[str, Any] = {}
    parts: dict[str, dict[str, str]] = {}
    for position, change in enumerate(changes, 1):
        path, equals, value = change.partition("=")
        if not equals:
            raise ValidationFailed(f"--set number {position}: write it as field=value")
        if path.startswith("sub_orders."):
            number, _, name = path.removeprefix("sub_orders.").rpartition(".")
            parts.setdefault(number, {"sub_order_no": number})[name] = value
        elif path.startswith("buyer."):
            body.setdefault("buyer", {})[path.removeprefix("buyer.")] = value
        elif path == "duty":
            body["duty"] = int(value) if value.isascii() and value.isdigit() else value
        else:
            body[path] = value
    return body | ({"sub_orders": list(parts.values())} if parts else {})
