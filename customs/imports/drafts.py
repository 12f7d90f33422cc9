"""Drafts: uploaded files, kept sealed while a person corrects them; nothing is sent before a draft is submitted."""

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Index,
    LargeBinary,
    Select,
    String,
    case,
    false,
    func,
    select,
)
from sqlalchemy.orm import Mapped, Session, column_property, defer, mapped_column

from customs.audit.trail import AuditTrail
from customs.auth.principal import Caller
from customs.db import database
from customs.db.database import Base, UtcDateTime
from customs.declarations.fields import REQUIRED
from customs.declarations.models import OpenRow
from customs.declarations.open_rows import discard_rows_of_draft, is_left_in, numbers_left_in
from customs.declarations.reading.queries import batch_of
from customs.errors import ActionNotAllowed, ErrorDetail, NotFound, ValidationFailed
from customs.ids import new_id
from customs.imports.columns import match_header, read_header
from customs.imports.sheet import MOST_DECLARATIONS, read_orders, read_pasted, sheet_of
from customs.privacy.masking import mask_free_text
from customs.privacy.vault import Vault
from customs.spreadsheets.reader import Cell, Form, Grid

NEWEST = 20
LONGEST_NAME = 200
# Of one person at once, with their cells packed.
MOST_DRAFTS, LARGEST_DRAFTS = 100, 100 * 1024 * 1024
NAMED_BATCH = re.compile(r"bat_[0-9a-f]{32}(?![0-9a-f])")
# Cells repeat from row to row: the least effort finds most of it.
PACKING = 1
# Further back than that nobody undoes one by one.
MOST_UNDONE = 10


@dataclass(frozen=True)
class Replacement:
    """One text written into many rows: its column, the text, and the cells before, by row."""

    column: str
    value: str
    before: Mapping[int, Cell]


class Draft(Base):
    """One upload or paste of one person. `sealed` holds its cells, names and ID numbers among them, and its undo list.

    `batch_id`: the batch that its rows have joined, or will complete; None before the first submission.
    `revision` grows with each change, so that two windows cannot undo one another. `row_count` is 0, and `sealed`
    empty, once all its rows were submitted: then it only still knows which batch they went to. `open_rows_only`: a
    batch left its rows open, so that only those count which nobody discarded, or submitted another way, since; `rows`
    says how many.
    """

    __tablename__ = "drafts"
    # For `open_numbers`, which is no column.
    __allow_unmapped__ = True
    __table_args__ = (Index(None, "owner_id", "id"), Index(None, "updated_at"))

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    owner_id: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    form: Mapped[str] = mapped_column(String(16))
    encoding: Mapped[str] = mapped_column(String(16))
    batch_id: Mapped[str | None] = mapped_column(String(40))
    revision: Mapped[int]
    row_count: Mapped[int] = mapped_column()
    open_rows_only: Mapped[bool] = mapped_column("left_behind", Boolean, default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)

    rows: Mapped[int] = column_property(
        case(
            (
                open_rows_only,
                select(func.count(OpenRow.id))
                .where(OpenRow.draft_id == id, OpenRow.discarded_at.is_(None))  # noqa: A003 - the column
                .scalar_subquery(),
            ),
            else_=row_count,
        )
    )
    # The numbers of its open rows, where only those count; `draft_of` looks them up.
    open_numbers: frozenset[int] | None = None


def open_draft(
    db: Session, vault: Vault, caller: Caller, content: bytes, filename: str, batch_id: str | None = None
) -> Draft:
    """Create a draft of an uploaded file; it completes a batch that is given, or named in the file's name.

    Raises FileUnreadable for what is no sheet of orders, NotFound when the given batch is not the caller's to see.
    """
    # A session that was asked nothing yet has no transaction open, so nobody waits while the file is read.
    grid = read_orders(content, filename)
    return _opened(db, vault, caller, grid, filename, batch_id or batch_named_in(db, filename, caller))


def open_pasted(db: Session, vault: Vault, caller: Caller, text: str, name: str = "") -> Draft:
    """Create a draft of rows pasted from a spreadsheet."""
    return _opened(db, vault, caller, read_pasted(text), name, None)


def _opened(db: Session, vault: Vault, caller: Caller, grid: Grid, filename: str, batch_id: str | None) -> Draft:
    if not match_header(grid.header).placed:
        read_header(grid.header, REQUIRED)
    require_few_enough(grid)
    _require_room(db, caller)
    if batch_id is not None:
        batch_of(db, batch_id, caller)
    now = database.now(db)
    draft = Draft(
        id=new_id("draft"),
        owner_id=caller.id,
        name=_clean(filename),
        form=grid.form.value,
        encoding=grid.encoding,
        batch_id=batch_id,
        revision=1,
        created_at=now,
    )
    put_grid(draft, grid, vault, now)
    db.add(draft)
    db.flush()
    return draft


def require_few_enough(grid: Grid) -> None:
    """Raise FileUnreadable for more orders than a batch may have, as far as they can be counted yet."""
    header = match_header(grid.header)
    if len(grid.rows) > MOST_DECLARATIONS and not header.lacks(REQUIRED):
        sheet_of(grid, header)


def _require_room(db: Session, caller: Caller) -> None:
    """Raise ActionNotAllowed for one draft more than a person may have, or where theirs are too large together."""
    own = select(func.count(), func.sum(func.length(Draft.sealed))).where(Draft.owner_id == caller.id)
    count, size = db.execute(own.where(Draft.row_count > 0)).one()
    if count >= MOST_DRAFTS or (size or 0) >= LARGEST_DRAFTS:
        detail = f"a person has at most {MOST_DRAFTS} drafts, of {LARGEST_DRAFTS >> 20} MiB together"
        raise ActionNotAllowed(detail, errors=[ErrorDetail("/file", "drafts_too_many", detail)])


def _clean(filename: str) -> str:
    """Make a file's name fit to be shown and kept: no folders, nothing invisible, and no ID or phone number."""
    last = re.split(r"[/\\]", filename)[-1]
    return mask_free_text("".join(filter(str.isprintable, last)))[:LONGEST_NAME]


def batch_named_in(db: Session, filename: str, caller: Caller) -> str | None:
    """Return the batch named in a file's name, as in that of its faulty rows; None for one the caller cannot see."""
    named = NAMED_BATCH.search(filename)
    if named is None:
        return None
    try:
        return batch_of(db, named.group(), caller).id
    except NotFound:
        return None


def draft_of(db: Session, draft_id: str, caller: Caller, *, lock: bool = False) -> Draft:
    """Return a draft that still holds rows; NotFound also for somebody else's. `lock`: nobody changes it meanwhile."""
    # Whoever waited for the lock sees the draft as it is then, and only a question asked afterwards what is open.
    statement = select(Draft).where(Draft.id == draft_id, Draft.owner_id == caller.id, Draft.row_count > 0)
    found = db.scalar(statement.with_for_update().execution_options(populate_existing=True) if lock else statement)
    if found is None:
        raise NotFound
    if found.open_rows_only:
        found.open_numbers = numbers_left_in(db, draft_id, lock=lock)
        if not found.open_numbers:
            raise NotFound
    return found


def drafts_of(db: Session, caller: Caller) -> Sequence[Draft]:
    """Return the newest drafts of a person, without their cells."""
    own = select(Draft).where(Draft.owner_id == caller.id, Draft.row_count > 0)
    return db.scalars(_unopened(own).limit(NEWEST)).all()


def draft_of_batch(db: Session, caller: Caller, batch_id: str) -> Draft | None:
    """Return the newest draft in which a person still has open rows of a batch, without its cells."""
    own = select(Draft).where(Draft.owner_id == caller.id, Draft.batch_id == batch_id, Draft.rows > 0)
    return db.scalar(_unopened(own).limit(1))


def _unopened(drafts: Select[Draft]) -> Select[Draft]:
    """Order drafts newest first, and leave their cells out."""
    return drafts.options(defer(Draft.sealed, raiseload=True)).order_by(Draft.created_at.desc(), Draft.id)


def submitted_as(db: Session, draft_id: str, caller: Caller) -> str | None:
    """Return the batch to which all of a draft's rows were submitted."""
    done = (Draft.id == draft_id, Draft.owner_id == caller.id, Draft.rows == 0)
    return db.scalar(select(Draft.batch_id).where(*done))


def discard(db: Session, draft_id: str, caller: Caller, audit: AuditTrail, why: str | None = None) -> None:
    """Delete a draft; NotFound for somebody else's.

    `why` is needed where a batch left rows open in it: they are discarded with it, on the record.
    """
    draft = draft_of(db, draft_id, caller, lock=True)
    if why is None and is_left_in(db, draft_id):
        needed = "rows of a batch are discarded with this draft: give a reason"
        raise ValidationFailed(needed, errors=[ErrorDetail("/reason", "required", needed)])
    db.delete(draft)
    db.flush()
    discard_rows_of_draft(db, draft_id, None, caller, why, audit, database.now(db))


def grid_in(draft: Draft, vault: Vault) -> Grid:
    """Open the cells of a draft."""
    return unseal_draft(draft, vault)[0]


def unseal_draft(draft: Draft, vault: Vault) -> tuple[Grid, list[Replacement]]:
    """Open the cells of a draft, and the replacements that can still be undone, the newest last."""
    stored: dict[str, Any] = json.loads(zlib.decompress(vault.open_file(draft.sealed, sealed_place(draft.id))))
    undo = [
        Replacement(one["column"], one["value"], {int(row): cell for row, cell in one["before"].items()})
        for one in stored.pop("undo", ())
    ]
    counts = draft.open_numbers
    rows = [(number, cells) for number, cells in stored.pop("rows") if counts is None or number in counts]
    return Grid(rows=rows, form=Form(stored.pop("form")), **stored), undo


def put_grid(draft: Draft, grid: Grid, vault: Vault, now: datetime, undo: Sequence[Replacement] = ()) -> None:
    """Seal these cells into a draft; without any row it keeps nothing but its batch."""
    stored = vars(grid) | {"undo": [asdict(one) for one in undo[-MOST_UNDONE:]]}
    packed = zlib.compress(json.dumps(stored, separators=(",", ":")).encode(), PACKING)
    draft.sealed = vault.seal_file(packed, sealed_place(draft.id)) if grid.rows else b""
    draft.row_count = len(grid.rows)
    draft.updated_at = now


def sealed_place(draft_id: str) -> str:
    """Return the name under which the vault seals a draft's cells."""
    return f"drafts.sealed:{draft_id}"
