"""Store: a batch's good orders as rows, all in one transaction, and few statements however many there are."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from customs.access.callers import Caller
from customs.database import Base
from customs.declarations.counting import difference
from customs.declarations.findings import Finding
from customs.declarations.identity import Identity
from customs.declarations.joining import join
from customs.declarations.models import Batch, BatchMerchant, BatchReplay, Declaration, Push, SubOrder
from customs.declarations.open_rows import LeftRow, leave_open
from customs.declarations.orders import Order
from customs.declarations.planning import plan_pushes
from customs.declarations.states import Action, State
from customs.declarations.withholding import PAYMENT
from customs.history.tallying import TallyKey, tally
from customs.history.vault import Vault
from customs.ids import new_id
from customs.many_rows import insert_many

DECLARATIONS = Base.metadata.tables[Declaration.__tablename__]
SUB_ORDERS = Base.metadata.tables[SubOrder.__tablename__]
PUSHES = Base.metadata.tables[Push.__tablename__]
# What a push that nobody has sent brings to the tallies.
FRESH = {
    "id": "",
    "state": State.UNDECLARED,
    "case_reason": None,
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
            name=name,
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
    tally(connection, _deltas(prepared, now))
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
        "merchant_no": order.merchant_no,
        "channel": order.channel,
        "office": order.office,
        "out_order_no": order.out_order_no,
        "payment_no": order.payment_no,
        "mch_customs_no": order.mch_customs_no,
        "merchant_customs_name": order.merchant_customs_name,
        "duty": order.duty,
        "buyer": one.buyer,
        "cert_index": one.cert_index,
        "state": State.UNDECLARED,
        "identity": Identity.UNCHECKED,
        "needs_review": False,
        "case_reason": None,
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
            "amount": part.amount,
            "transport_amount": part.transport_amount,
            "product_amount": part.product_amount,
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
