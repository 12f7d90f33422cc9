"""Open rows: what was handed in with a batch and not submitted, until its order is, or somebody discards it.

Everybody who sees a batch sees them: by row and order number, never with the buyer.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from customs.audit.actions import AuditAction, audit_event
from customs.audit.trail import AuditTrail
from customs.auth.principal import Caller
from customs.db.bulk import in_list, insert_many
from customs.db.database import Base
from customs.declarations.events import mark_moved
from customs.declarations.intake.orders import Order
from customs.declarations.models import Batch, OpenRow
from customs.declarations.offices import OFFICES
from customs.declarations.reading.queries import batch_of, sees_batch
from customs.errors import ErrorDetail, ValidationFailed
from customs.gateway.channels import Channel
from customs.privacy.masking import ANY_CERT_ID, mask_free_text
from customs.validation import NUMBER

OPEN_ROWS = Base.metadata.tables[OpenRow.__tablename__]
KNOWN_WORDS: Mapping[str, Collection[str]] = {"channel": frozenset(Channel), "office": frozenset(OFFICES)}


@dataclass(frozen=True)
class LeftRow:
    """A row that is not submitted with the others: by its number in the file, and what it says of its order.

    What has not the form of a number, or that of an ID number, is not kept: columns may have been mixed up.
    """

    position: int
    row: int | None
    merchant_no: str
    channel: str
    office: str
    out_order_no: str
    payment_no: str

    def behind(self, positions: int) -> "LeftRow":
        """Return it moved behind so many orders that were there before."""
        return replace(self, position=self.position + positions)


def left_rows(rows: Sequence[Any], lines: Sequence[Sequence[int]] | None, gone: Collection[int]) -> Iterator[LeftRow]:
    """All rows but those of the orders that are `gone`, by their index; `lines`: the rows of the file of each order."""
    for position, given in enumerate(rows):
        if position in gone:
            continue
        cells = given if isinstance(given, dict) else {}
        numbers = {name: _number_in(cells, name) for name in ("merchant_no", "out_order_no", "payment_no")}
        words = {name: str(cells.get(name)) if cells.get(name) in known else "" for name, known in KNOWN_WORDS.items()}
        for row in (None,) if lines is None else lines[position]:
            yield LeftRow(position, row, **numbers, **words)


def _number_in(cells: Mapping[str, Any], name: str) -> str:
    text = cells.get(name)
    return text if isinstance(text, str) and NUMBER.fullmatch(text) and not ANY_CERT_ID.fullmatch(text) else ""


def leave_open(
    db: Session, batch_id: str, rows: Iterable[LeftRow], draft_id: str | None, by: Caller, now: datetime
) -> None:
    """Note the rows that a batch leaves behind; `draft_id`: the draft that keeps their cells."""
    noted = {"batch_id": batch_id, "draft_id": draft_id, "left_by_id": by.id, "left_by": by.name, "left_at": now}
    insert_many(db.connection(), OPEN_ROWS, (vars(one) | noted for one in rows))


def settle(db: Session, orders: Collection[Order]) -> set[str]:
    """Close the open rows whose orders are submitted now, whichever batch left them; returns those batches."""
    merchants = sorted({order.merchant_no for order in orders})
    of_merchants = (OpenRow.discarded_at.is_(None), in_list(db, OpenRow.merchant_no, merchants))
    if db.scalar(select(OpenRow.id).where(*of_merchants).limit(1)) is None:
        return set()
    by_number = {(order.merchant_no, order.out_order_no): order for order in orders}
    by_payment = {(order.merchant_no, order.payment_no): order for order in orders}
    numbers = in_list(db, OpenRow.out_order_no, {"", *(number for _, number in by_number)})
    settled = []
    for row in db.scalars(select(OpenRow).where(*of_merchants, numbers).order_by(OpenRow.id).with_for_update()):
        known, number = (by_number, row.out_order_no) if row.out_order_no else (by_payment, row.payment_no)
        order = known.get((row.merchant_no, number))
        # A word that names no channel or office there is was what kept the row back.
        if order and row.channel in ("", order.channel) and row.office in ("", order.office):
            settled.append(row)
    return _closed(db, settled)


def take_up(db: Session, draft_id: str) -> set[int] | None:
    """Close the rows that a draft left open before: it brings them again; None when it left none yet.

    Returns the numbers of those that are still to be submitted: others were discarded meanwhile, or their orders
    submitted another way.
    """
    kept = db.scalars(select(OpenRow).where(OpenRow.draft_id == draft_id).order_by(OpenRow.id).with_for_update()).all()
    if not kept:
        return None
    still_open = [row for row in kept if row.discarded_at is None]
    _closed(db, still_open)
    return {row.row for row in still_open if row.row is not None}


def _closed(db: Session, rows: Sequence[OpenRow]) -> set[str]:
    for row in rows:
        db.delete(row)
    db.flush()
    return {row.batch_id for row in rows}


def discard_rows(
    db: Session,
    batch_id: str,
    ids: Collection[int] | None,
    by: Caller,
    why: str,
    audit: AuditTrail,
    now: datetime,
) -> int:
    """Let somebody decide that open rows of a batch are never submitted (`ids`: None means all of them); how many.

    Raises NotFound for another's batch, ValidationFailed when none of these is open.
    """
    batch_of(db, batch_id, by)
    chosen = [OpenRow.batch_id == batch_id] + ([] if ids is None else [OpenRow.id.in_(sorted(ids))])
    count = _discarded(db, chosen, by, why, audit, now)
    if not count:
        nothing = "none of these rows is open any more"
        raise ValidationFailed(nothing, errors=[ErrorDetail("/rows", "rows_not_open", nothing)])
    return count


def discard_rows_of_draft(
    db: Session,
    draft_id: str,
    numbers: Collection[int] | None,
    by: Caller,
    why: str | None,
    audit: AuditTrail,
    now: datetime,
) -> int:
    """Discard rows that a draft left open, by their numbers in its file; return how many there were."""
    chosen = [OpenRow.draft_id == draft_id] + ([] if numbers is None else [OpenRow.row.in_(sorted(numbers))])
    return _discarded(db, chosen, by, why, audit, now)


def _discarded(
    db: Session,
    chosen: Sequence[ColumnElement[bool]],
    by: Caller,
    why: str | None,
    audit: AuditTrail,
    now: datetime,
) -> int:
    reason = None if why is None else mask_free_text(why)
    wanted = select(OpenRow).where(OpenRow.discarded_at.is_(None), *chosen)
    rows = db.scalars(wanted.order_by(OpenRow.id).with_for_update()).all()
    for row in rows:
        row.discarded_by, row.discarded_at, row.why = by.name, now, reason
    db.flush()
    if rows:
        (batch_id,) = {row.batch_id for row in rows}
        mark_moved(db, [batch_id])
        merchants = {row.merchant_no for row in rows}
        merchant_no = merchants.pop() if len(merchants) == 1 else ""
        counted = {"rows": str(len(rows))}
        entry = audit_event(
            by, AuditAction.BATCH_DISCARD_ROWS, batch_id, merchant_no=merchant_no or None, reason=reason, **counted
        )
        audit.append(db, entry, now)
    return len(rows)


def is_left_in(db: Session, draft_id: str) -> bool:
    """Return whether a draft has rows that a batch left open."""
    kept = select(OpenRow.id).where(OpenRow.draft_id == draft_id, OpenRow.discarded_at.is_(None))
    return db.scalar(kept.limit(1)) is not None


def numbers_left_in(db: Session, draft_id: str, *, lock: bool = False) -> frozenset[int]:
    """The rows of a draft that are still to be submitted, by their numbers; `lock`: nobody discards one meanwhile."""
    kept = select(OpenRow.row).where(OpenRow.draft_id == draft_id, OpenRow.discarded_at.is_(None)).order_by(OpenRow.id)
    return frozenset(row for row in db.scalars(kept.with_for_update() if lock else kept) if row is not None)


def positions_left_in(db: Session, batch_id: str) -> set[int]:
    """The places of the orders of which a batch left rows, open or discarded, among its findings."""
    return set(db.scalars(select(OpenRow.position).where(OpenRow.batch_id == batch_id).distinct()))


def open_rows_of(db: Session, batch_id: str, limit: int) -> Sequence[OpenRow]:
    """The rows that a batch left open, in the order in which they came."""
    wanted = select(OpenRow).where(OpenRow.batch_id == batch_id, OpenRow.discarded_at.is_(None))
    return db.scalars(wanted.order_by(OpenRow.id).limit(limit)).all()


def order_no_shown(row: OpenRow, caller: Caller) -> str:
    """The order number of a row, for whoever may touch its merchant or handed it in; "" for others."""
    return row.out_order_no if row.left_by_id == caller.id or caller.may_touch(row.merchant_no) else ""


@dataclass(frozen=True)
class Discarded:
    """Rows that somebody discarded in one go, and why; None for rows that were deleted from their draft."""

    rows: int
    by: str
    at: datetime
    why: str | None


def discardings_of(db: Session, batch_id: str, limit: int) -> Sequence[Discarded]:
    """Return what was discarded of a batch, the newest first."""
    columns = (OpenRow.discarded_by, OpenRow.discarded_at, OpenRow.why)
    wanted = select(func.count(), *columns).where(OpenRow.batch_id == batch_id, OpenRow.discarded_at.is_not(None))
    found = db.execute(wanted.group_by(*columns).order_by(OpenRow.discarded_at.desc()).limit(limit)).all()
    return [Discarded(rows, by or "", at, why) for rows, by, at, why in found if at is not None]


def batches_with_open_rows(db: Session, caller: Caller, limit: int) -> Sequence[tuple[Batch, int]]:
    """The newest batches that left rows open, of those that the caller sees, and how many they left."""
    is_open = OpenRow.discarded_at.is_(None)
    wanted = select(Batch).where(Batch.id.in_(select(OpenRow.batch_id).where(is_open).distinct()), sees_batch(caller))
    batches = db.scalars(wanted.order_by(Batch.created_at.desc(), Batch.id.desc()).limit(limit)).all()
    counted = select(OpenRow.batch_id, func.count().label("rows")).where(is_open)
    of_these = counted.where(OpenRow.batch_id.in_([one.id for one in batches]))
    counts = {row.batch_id: row.rows for row in db.execute(of_these.group_by(OpenRow.batch_id))}
    return [(one, counts[one.id]) for one in batches]
