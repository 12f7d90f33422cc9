"""What a payment's fate does to its declarations: they go out once it is PAID, end with it, wait when refunded."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, exists, func, insert, select, text, update
from sqlalchemy.orm import Session

from customs.db.bulk import in_list
from customs.db.database import Base
from customs.declarations.cases import CaseKind, Detail, case_entry, cause_of, remember
from customs.declarations.events import mark_declarations_moved, publish_declarations
from customs.declarations.models import Declaration, Push, SubOrder
from customs.declarations.states import Action, roll_up
from customs.declarations.statistics import difference, total
from customs.events.outbox import EventType
from customs.events.timeline import Event
from customs.payments_port import PaymentKey, RefundNotice
from customs.stats.tallies import apply_deltas

PAYMENT = "payment"
Owners = Mapping[str, Mapping[str, Any]]
# The timeline's word for a call that the gateway took.
ANSWERED = "answered"

PUSHES = Base.metadata.tables[Push.__tablename__]
DECLARATIONS = Base.metadata.tables[Declaration.__tablename__]
EVENTS = Base.metadata.tables[Event.__tablename__]
SUB_ORDERS = Base.metadata.tables[SubOrder.__tablename__]
push, declaration, part = PUSHES.c, DECLARATIONS.c, SUB_ORDERS.c

OF_PAYMENT = (
    declaration.merchant_no == bindparam("merchant_no"),
    declaration.channel == bindparam("channel", type_=declaration.channel.type),
    declaration.payment_no == bindparam("payment_no"),
    declaration.cancelled.is_(False),
)
# Declarations before pushes, each in order: as everybody locks them. The rest is what tallies name.
LOCK = (
    select(declaration.id, declaration.merchant_no, declaration.channel, declaration.office, declaration.created_at)
    .where(*OF_PAYMENT)
    .order_by(declaration.id)
    .with_for_update()
)
LOCK_WAITING = LOCK.where(declaration.waiting_for == PAYMENT)
DECLARED_BY_CODE = (
    select(push.customs, func.sum(part.amount, type_=part.amount.type))
    .join_from(DECLARATIONS, PUSHES, push.declaration_id == declaration.id)
    .join(SUB_ORDERS, and_(part.declaration_id == push.declaration_id, part.sub_order_no == push.sub_order_no))
    .where(*OF_PAYMENT)
    .group_by(push.customs)
    .order_by(push.customs)
)
PUSHES_OF = (
    select(PUSHES)
    .where(push.declaration_id.in_(bindparam("ids", expanding=True)))
    .order_by(push.declaration_id, push.id)
    .with_for_update()
)


class DeclarationHolds:
    """The declarations' side of the port between payments and declarations: hold, release, cancel, case."""

    def withhold(self, db: Session | Connection, key: PaymentKey, refund: RefundNotice, now: datetime) -> int:
        """Put a refunded payment's declarations before a reviewer (R18); what was not sent waits."""
        owners = _locked(db, LOCK, key)
        if owners:
            _withhold(db, key, owners, CaseKind.REFUND, refund.detail(), now)
        return len(owners)

    def hold(self, db: Session | Connection, key: PaymentKey, reason: str, now: datetime) -> int:
        """Put a payment's declarations before a reviewer for a reason of ours; what was not sent waits."""
        owners = _locked(db, LOCK, key)
        if owners:
            _withhold(db, key, owners, CaseKind.OTHER, {"reason": reason}, now)
        return len(owners)

    def release(self, db: Session | Connection, key: PaymentKey, net_cny: Decimal | None, now: datetime) -> int:
        """The payment is PAID: what waited for it is due, but for codes that wait for an earlier one.

        What declares more than was paid goes before a reviewer instead: the rate was not known before (R4).
        """
        owners = _locked(db, LOCK_WAITING, key)
        ids = list(owners)
        if ids and (over := _over(db, key, net_cny)):
            db.execute(update(DECLARATIONS).where(declaration.id.in_(ids)).values(waiting_for=None))
            _withhold(db, key, owners, CaseKind.OVER_PAID, over, now)
        elif ids:
            due = (push.blocked_by.is_(None), push.next_action == Action.SUBMIT, push.due_at.is_(None))
            db.execute(update(PUSHES).where(push.declaration_id.in_(ids), *due).values(due_at=now))
            db.execute(update(DECLARATIONS).where(declaration.id.in_(ids)).values(waiting_for=None))
            _note(db, key, ids, {"action": "release", "reason": "the payment is PAID"}, now)
            mark_declarations_moved(db, ids)
        return len(ids)

    def abandon(self, db: Session | Connection, key: PaymentKey, status: str | None, now: datetime) -> int:
        """The payment will never be PAID: what waited for it is cancelled, with a case that says so."""
        owners = _locked(db, LOCK_WAITING, key)
        ids = list(owners)
        if ids:
            before = _pushes(db, ids)
            detail = {} if status is None else {"status": status}
            case = {"case_kind": CaseKind.PAYMENT_ENDED, "case_detail": detail, "case_since": now}
            ended = {"cancelled": True, "next_action": None, **case}
            db.execute(update(DECLARATIONS).where(declaration.id.in_(ids)).values(cancelled=True, waiting_for=None))
            _write(db, owners, before, [row | ended for row in before], tuple(ended), now)
            _note(db, key, ids, {"action": "cancel", "cases": [case_entry(CaseKind.PAYMENT_ENDED, detail)]}, now)
            publish_declarations(db, ids, EventType.DECLARATION_CANCELLED, now)
        return len(ids)

    def in_flight(
        self, merchant_no: ColumnElement[Any], channel: ColumnElement[Any], payment_no: ColumnElement[Any]
    ) -> ColumnElement[bool]:
        """Whether a declaring call for this payment is under way, or in doubt and nobody has let refunds go."""
        return exists().where(
            push.merchant_no == merchant_no,
            push.channel == channel,
            push.payment_no == payment_no,
            # As the partial index spells it, or neither database would use that.
            text("NOT pushes.cancelled"),
            push.in_doubt.is_not(None),
            push.refund_allowed.is_(False),
        )

    def declared(self, db: Session, keys: Collection[PaymentKey]) -> Mapping[PaymentKey, datetime | None]:
        """Those of these payments of which the gateway took a push, with the time of its first answer to one."""
        wanted = set(keys)
        owner = (Declaration.merchant_no, Declaration.channel, Declaration.payment_no)
        answered = and_(
            Event.declaration_id == Declaration.id,
            Event.push_id == Push.id,
            Event.detail["outcome"].as_string() == ANSWERED,
        )
        found = db.execute(
            select(*owner, func.min(Event.at, type_=Event.at.type))
            .join(Push, and_(Push.declaration_id == Declaration.id, Push.accepted, Push.cancelled.is_(False)))
            .outerjoin(Event, answered)
            .where(in_list(db, Declaration.payment_no, {key.payment_no for key in wanted}))
            .group_by(*owner)
        )
        first = {PaymentKey(merchant_no, channel, number): at for merchant_no, channel, number, at in found}
        return {key: at for key, at in first.items() if key in wanted}


def _withhold(
    db: Session | Connection, key: PaymentKey, owners: Owners, kind: CaseKind, detail: Detail, now: datetime
) -> None:
    """Open a case for every push of these declarations; but for questions nothing more goes out."""
    before = _pushes(db, list(owners))
    in_review = {row["declaration_id"] for row in before if row["case_kind"]}
    after = [
        row
        | {
            "withheld": True,
            **({} if row["case_kind"] else {"case_kind": kind, "case_detail": detail, "case_since": now}),
            "due_at": row["due_at"] if row["next_action"] is Action.QUERY else None,
            "overdue_since": None,
        }
        for row in before
    ]
    written = ("withheld", "due_at", "overdue_since", "case_kind", "case_detail", "case_since")
    _write(db, owners, before, after, written, now)
    _note(db, key, list(owners), {"action": "withhold", "cases": [case_entry(kind, detail)]}, now)
    news = [one for one in owners if one not in in_review]
    publish_declarations(db, news, EventType.DECLARATION_NEEDS_REVIEW, now)
    # What was in review already may have been the last that went on.
    mark_declarations_moved(db, list(owners))


def _over(db: Session | Connection, key: PaymentKey, net_cny: Decimal | None) -> Detail | None:
    """Why a payment's sub-orders are more than was paid; None when they are not, or nobody can tell."""
    if net_cny is None:
        return None
    for customs, declared in db.execute(DECLARED_BY_CODE, key._asdict()):
        if declared > net_cny:
            return {"customs": customs, "declared": str(declared), "paid": str(net_cny)}
    return None


def _locked(db: Session | Connection, statement: Any, key: PaymentKey) -> Owners:
    return {row["id"]: dict(row) for row in db.execute(statement, key._asdict()).mappings()}


def _pushes(db: Session | Connection, ids: Sequence[str]) -> list[dict[str, Any]]:
    return [dict(row) for row in db.execute(PUSHES_OF, {"ids": ids}).mappings()]


def _write(
    db: Session | Connection,
    owners: Owners,
    before: Sequence[dict[str, Any]],
    after: Sequence[dict[str, Any]],
    names: Sequence[str],
    now: datetime,
) -> None:
    """Write these columns of the pushes, and whatever follows: causes, folds, tallies."""
    opened = []
    for old, row in zip(before, after, strict=True):
        if row["case_kind"] and not old["case_kind"]:
            opened.append(cause_of(row["channel"], row["customs"], row["case_kind"], row["case_detail"]))
            row["cause_id"] = opened[-1].id
        written = {name: row[name] for name in (*names, "cause_id")}
        db.execute(update(PUSHES).where(push.id == row["id"]).values(written))
    groups = [groupby(rows, itemgetter("declaration_id")) for rows in (before, after)]
    differences = []
    for (owner, old_rows), (_, rows) in zip(*groups, strict=True):
        pushes = list(rows)
        db.execute(update(DECLARATIONS).where(declaration.id == owner).values(roll_up(pushes)))
        differences.append(difference(owners[owner], list(old_rows), pushes, now))
    remember(db, opened, now)
    apply_deltas(db, total(differences))


def _note(
    db: Session | Connection, key: PaymentKey, ids: Sequence[str], detail: Mapping[str, Any], now: datetime
) -> None:
    event = {"merchant_no": key.merchant_no, "at": now, "kind": "action", "actor": "desk", "detail": detail}
    for one in ids:
        db.execute(insert(EVENTS).values(event | {"declaration_id": one}))
