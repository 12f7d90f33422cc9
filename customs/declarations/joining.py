"""Joining: rows that were mended go to the batch that their file began, and its findings are those still open."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from customs.declarations.findings import Finding, Severity
from customs.declarations.models import Batch, BatchMerchant, BatchReplay, Declaration
from customs.declarations.open_rows import positions_left_in
from customs.many_rows import one_of

Stored = dict[str, Any]
# A pointer below it is about a row, any other one about the file as a whole.
ROWS = "/declarations/"


def join(
    db: Session,
    batch: Batch,
    replayed: Sequence[str],
    findings: Sequence[Finding],
    merchants: Sequence[str],
    *,
    goes_on: bool,
) -> int:
    """Add a submission's replays and merchants to a batch, which `goes_on` where it has declarations too.

    Of the batch's findings the warnings about what was taken stay, and what is wrong with rows that it left and that
    did not come again. Returns how many orders these findings count: those of the submission come behind them.
    """
    db.refresh(batch, with_for_update=True)
    kept = _still_said(batch.findings, positions_left_in(db, batch.id))
    past = 1 + max((_number(one["pointer"]) for one in kept), default=-1)
    batch.findings = [*kept, *(finding.as_dict() for finding in _counted_on(findings, past))]
    batch.runs += goes_on
    known = set(db.scalars(select(BatchMerchant.merchant_no).where(BatchMerchant.batch_id == batch.id)))
    db.add_all(BatchMerchant(batch_id=batch.id, merchant_no=one) for one in merchants if one not in known)
    counted = _counted(db, batch, replayed)
    db.add_all(BatchReplay(batch_id=batch.id, declaration_id=one) for one in replayed if one not in counted)
    db.flush()
    return past


def _counted(db: Session, batch: Batch, replayed: Sequence[str]) -> set[str]:
    """Those of these declarations that the batch brought itself, or named again before."""
    if not replayed:
        return set()
    own = select(Declaration.id).where(one_of(db, Declaration.id, replayed), Declaration.batch_id == batch.id)
    again = select(BatchReplay.declaration_id).where(BatchReplay.batch_id == batch.id)
    return {*db.scalars(own), *db.scalars(again)}


def _still_said(findings: Sequence[Stored], left: Collection[int]) -> list[Stored]:
    """The warnings about declarations without an error, and everything about those that are still `left`."""
    faulty = {_number(one["pointer"]) for one in findings if one["severity"] == Severity.ERROR} - {*left}
    return [one for one in findings if one["pointer"].startswith(ROWS) and _number(one["pointer"]) not in faulty]


def _counted_on(findings: Sequence[Finding], past: int) -> Iterator[Finding]:
    """The findings, with so many added to the numbers of their declarations."""
    for finding in findings:
        if finding.pointer.startswith(ROWS):
            number = _number(finding.pointer)
            rest = finding.pointer.removeprefix(f"{ROWS}{number}")
            yield replace(finding, pointer=f"{ROWS}{number + past}{rest}")
        else:
            yield finding


def _number(pointer: str) -> int:
    """The declaration that a pointer is about; -1 for the file as a whole."""
    return int(pointer.split("/")[2]) if pointer.startswith(ROWS) else -1
