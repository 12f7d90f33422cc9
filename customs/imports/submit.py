"""Submit a draft: its good rows become a batch, or join the one they complete; the others stay in the draft."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from customs.audit.trail import AuditTrail
from customs.auth.principal import Caller
from customs.db import database
from customs.declarations.fields import REQUIRED
from customs.declarations.intake.accept import Ready, Submission, TakenIn, make_ready, take_in_rows
from customs.declarations.intake.validate import Rules
from customs.declarations.reading.queries import batch_of
from customs.errors import ActionNotAllowed, ErrorDetail, NotFound
from customs.imports.columns import Header, read_header
from customs.imports.drafts import Draft, draft_of, grid_in, put_grid, submitted_as
from customs.imports.edits import draft_changed
from customs.imports.sheet import Sheet, sheet_of
from customs.payments_port import Payments
from customs.privacy.vault import Vault
from customs.spreadsheets.reader import Grid


@dataclass(frozen=True)
class ReadyDraft:
    """A draft whose rows have passed all that needs no lock, as they were at one revision."""

    id: str
    revision: int
    grid: Grid
    sheet: Sheet
    ready: Ready


def make_draft_ready(engine: Engine, vault: Vault, rules: Rules, draft: Draft, caller: Caller) -> ReadyDraft:
    """Check a draft before the transaction begins, as that is slow; FileUnreadable while a required column lacks."""
    grid = grid_in(draft, vault)
    return make_grid_ready(engine, vault, rules, draft, grid, read_header(grid.header, REQUIRED), caller)


def make_grid_ready(
    engine: Engine, vault: Vault, rules: Rules, draft: Draft, grid: Grid, header: Header, caller: Caller
) -> ReadyDraft:
    """Check a draft whose cells were opened already."""
    sheet = sheet_of(grid, header)
    submission = Submission(
        sheet.declarations,
        draft.name,
        "accept_valid",
        sheet.locate,
        sheet.findings,
        lines=[place.rows for place in sheet.places],
        draft_id=draft.id,
    )
    ready = make_ready(engine, vault, rules, submission, caller)
    return ReadyDraft(draft.id, draft.revision, grid, sheet, ready)


def submit(
    db: Session,
    vault: Vault,
    draft: ReadyDraft,
    sender: Caller,
    payments: Payments,
    audit: AuditTrail,
    edited: Collection[int] = (),
) -> TakenIn:
    """Store the good rows and keep the others in the draft; all in this transaction.

    Raises ActionNotAllowed when the draft was changed or submitted meanwhile, when nothing in it is new, or when one of
    the rows that were `edited` just now would stay behind; Rejected when no row is good, NotFound when the batch it
    completes is not the sender's to see. A caller that lost a race begins again with the same `draft`.
    """
    locked = _locked(db, draft.id, sender)
    numbers = {number for number, _ in draft.grid.rows}
    if locked.revision != draft.revision or not (locked.open_numbers is None or numbers <= locked.open_numbers):
        raise draft_changed()
    batch = batch_of(db, locked.batch_id, sender) if locked.batch_id else None
    taken = take_in_rows(db, vault, draft.ready, sender, payments, audit, batch)
    if batch is None and not taken.accepted:
        raise _nothing_new()
    gone = {row for index in (*taken.accepted, *taken.replayed) for row in draft.sheet.places[index].rows}
    if faulty := sorted(frozenset(edited) - gone):
        raise _edited_row_faulty(faulty)
    left = [row for row in draft.grid.rows if row[0] not in gone]
    put_grid(locked, replace(draft.grid, rows=left), vault, database.now(db))
    locked.batch_id, locked.open_rows_only = taken.batch.id, bool(left)
    locked.revision += 1
    db.flush()
    return taken


def _nothing_new() -> ActionNotAllowed:
    """Return the refusal of a batch in which nothing is new."""
    why = "everything valid in this draft was submitted before, unchanged"
    return ActionNotAllowed(why, errors=[ErrorDetail("", "nothing_new", why)])


def _edited_row_faulty(rows: Sequence[int]) -> ActionNotAllowed:
    """Return the refusal to submit while a row that was just edited is still wrong."""
    why = f"what was typed is kept, but is still wrong in row {', '.join(map(str, rows))}"
    return ActionNotAllowed(why, errors=[ErrorDetail("", "edited_row_faulty", why)])


def _locked(db: Session, draft_id: str, sender: Caller) -> Draft:
    try:
        return draft_of(db, draft_id, sender, lock=True)
    except NotFound:
        if submitted_as(db, draft_id, sender) is None:
            raise
    why = "all rows of this draft were submitted before"
    raise ActionNotAllowed(why, errors=[ErrorDetail("", "draft_submitted", why)])
