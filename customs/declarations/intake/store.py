"""Store: a batch's good orders as rows, all in one transaction, and few statements however many there are."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from customs.auth.principal import Caller
from customs.db.bulk import in_list, insert_many
from customs.db.database import Base
from customs.declarations.fields import AMOUNT_NAMES, ORDER_NAMES
from customs.declarations.identity import Identity
from customs.declarations.intake.orders import Finding, Order, Severity
from customs.declarations.intake.payment_holds import PAYMENT
from customs.declarations.models import Batch, BatchMerchant, BatchReplay, Declaration, Push, SubOrder
from customs.declarations.offices import plan_pushes
from customs.declarations.open_rows import LeftRow, leave_open, positions_left_in
from customs.declarations.states import Action, State
from customs.declarations.statistics import difference
from customs.ids import new_id
from customs.privacy.masking import mask_free_text
from customs.privacy.vault import Vault
from customs.stats.tallies import TallyKey, apply_deltas

DECLARATIONS = Base.metadata.tables[Declaration.__tablename__]
SUB_ORDERS = Base.metadata.tables[SubOrder.__tablename__]
PUSHES = Base.metadata.tables[Push.__tablename__]
# What a push that nobody has sent brings to the tallies.
FRESH = {
    "id": "",
    "state": State.UNDECLARED,
    "case_kind": None,
    "cause_id": None,
    "cancelled": False,
    "next_action": Action.SUBMIT,
    "blocked_by": None,
}


@dataclass(frozen=True)
class Prepared:
    """One order ready to be stored: its id, and its buyer sealed under that id."""

    id: str
    order: Order
    buyer: str | None
    cert_index: str | None


def prepare(order: Order, vault: Vault) -> Prepared:
    declaration_id = new_id("decl")
    if order.buyer is None:
        return Prepared(declaration_id, order, None, None)
    sealed = vault.seal_buyer(order.buyer, declaration_id)
    return Prepared(declaration_id, order, sealed, vault.index(order.buyer.cert_id))


def store(
    db: Session,
    prepared: Sequence[Prepared],
    replayed: Sequence[str],
    *,
    waiting: Collection[str],
    findings: Sequence[Finding],
    merchants: Sequence[str],
    name: str,
    sender: Caller,
    now: datetime,
    left: Sequence[LeftRow] = (),
    draft_id: str | None = None,
    batch: Batch | None = None,
) -> Batch:
    """Insert the batch, its declarations, sub-orders and pushes; the pushes that wait for nothing are due at once.

    `waiting`: the ids of declarations that wait for their payment. `left`: the rows that stay open, their cells in
    the draft `draft_id`. `batch`: the one that all this joins.
    """
    if batch is None:
        batch = Batch(
            id=new_id("bat"),
            name=mask_free_text(name),
            sender_id=sender.id,
            sender=sender.name,
            created_at=now,
            findings=[finding.as_dict() for finding in findings],
        )
        db.add(batch)
        db.flush()
        db.add_all(BatchMerchant(batch_id=batch.id, merchant_no=merchant_no) for merchant_no in merchants)
        db.add_all(BatchReplay(batch_id=batch.id, declaration_id=declaration_id) for declaration_id in replayed)
        db.flush()
        leave_open(db, batch.id, left, draft_id, sender, now)
    else:
        past = join(db, batch, replayed, findings, merchants, goes_on=bool(prepared))
        leave_open(db, batch.id, [one.behind(past) for one in left], draft_id, sender, now)
    connection = db.connection()
    insert_many(connection, DECLARATIONS, (_declaration_row(one, batch.id, one.id in waiting, now) for one in prepared))
    insert_many(connection, SUB_ORDERS, (row for one in prepared for row in _part_rows(one)))
    insert_many(connection, PUSHES, (row for one in prepared for row in _push_rows(one, one.id in waiting, now)))
    apply_deltas(connection, _deltas(prepared, now))
    return batch


def _deltas(prepared: Sequence[Prepared], now: datetime) -> Counter[TallyKey]:
    """What the tallies grow by: those of one merchant, channel and office are all alike."""
    deltas: Counter[TallyKey] = Counter()
    alike = Counter((one.order.merchant_no, one.order.channel, one.order.office) for one in prepared)
    for owner, count in alike.items():
        named = dict(zip(("merchant_no", "channel", "office"), owner, strict=True), created_at=now)
        for key, delta in difference(named, (), [FRESH], now).items():
            deltas[key] += count * delta
    return deltas


def _declaration_row(one: Prepared, batch_id: str, waits: bool, now: datetime) -> dict[str, Any]:
    order = one.order
    return {
        "id": one.id,
        "batch_id": batch_id,
        **{name: getattr(order, name) for name in ORDER_NAMES},
        "buyer": one.buyer,
        "cert_index": one.cert_index,
        "state": State.UNDECLARED,
        "identity": Identity.UNCHECKED,
        "needs_review": False,
        "case_kind": None,
        "case_since": None,
        "waiting_for": PAYMENT if waits else None,
        "cancelled": False,
        "created_at": now,
    }


def _part_rows(one: Prepared) -> Iterator[dict[str, Any]]:
    for position, part in enumerate(one.order.sub_orders):
        yield {
            "declaration_id": one.id,
            "sub_order_no": part.sub_order_no,
            "merchant_no": one.order.merchant_no,
            "position": position,
            **{name: getattr(part, name) for name in AMOUNT_NAMES},
        }


def _push_rows(one: Prepared, waits: bool, now: datetime) -> Iterator[dict[str, Any]]:
    order = one.order
    planned = plan_pushes(order.channel, order.office, order.sub_order_nos)
    ids = [new_id("push") for _ in planned]
    for plan in planned:
        yield {
            "id": ids[plan.position],
            "declaration_id": one.id,
            "merchant_no": order.merchant_no,
            "channel": order.channel,
            "payment_no": order.payment_no,
            "customs": plan.customs,
            "sub_order_no": plan.sub_order_no,
            "position": plan.position,
            "blocked_by": None if plan.waits_for is None else ids[plan.waits_for],
            "state": State.UNDECLARED,
            "next_action": Action.SUBMIT,
            "due_at": now if plan.waits_for is None and not waits else None,
        }


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
    kept = _still_stated(batch.findings, positions_left_in(db, batch.id))
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
    own = select(Declaration.id).where(in_list(db, Declaration.id, replayed), Declaration.batch_id == batch.id)
    again = select(BatchReplay.declaration_id).where(BatchReplay.batch_id == batch.id)
    return {*db.scalars(own), *db.scalars(again)}


def _still_stated(findings: Sequence[Stored], left: Collection[int]) -> list[Stored]:
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
