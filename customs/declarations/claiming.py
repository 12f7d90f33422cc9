"""Claim: reserve due pushes for this process, first submissions and repeats by halves, merchants in turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select, true, tuple_, update
from sqlalchemy.orm import Session, aliased

from customs.declarations.models import Declaration, Push, SubOrder
from customs.declarations.states import Action, State
from customs.gateway import Channel, Filing, SubOrderPart
from customs.history.vault import Vault

MERCHANTS_A_TURN = 8
RUNNING = [state.value for state in State if not state.is_final]


@dataclass(frozen=True, eq=False)
class Task:
    """One claimed push: what to send, and the fence and epoch under which its answer may be recorded."""

    push_id: str
    declaration_id: str
    merchant_no: str
    channel: Channel
    action: Action
    filing: Filing
    fence: int
    epoch: int

    @property
    def key(self) -> tuple[str, int, int]:
        return self.push_id, self.fence, self.epoch


class Turn:
    """Whose turn it is: claims go on with the merchant after the last one served."""

    def __init__(self) -> None:
        self.last = ""


def claim(
    db: Session, vault: Vault, turn: Turn, *, room: int, now: datetime, holder: str, lease: timedelta
) -> list[Task]:
    """Reserve at most `room` due pushes. Half is for first submissions; what one half leaves, the other takes."""
    fresh = _due_ids(db, turn, fresh=True, room=room, now=now)
    repeats = _due_ids(db, turn, fresh=False, room=room, now=now)
    half = (room + 1) // 2
    kept_fresh = max(half, room - len(repeats))
    ids = (fresh[:kept_fresh] + repeats)[:room]
    if not ids:
        return []
    db.execute(
        update(Push)
        .where(Push.id.in_(ids))
        .values(holder=holder, lease_until=now + lease, fence=Push.fence + 1)
        .execution_options(synchronize_session=False)
    )
    return _tasks(db, vault, ids)


def _due_ids(db: Session, turn: Turn, *, fresh: bool, room: int, now: datetime) -> list[str]:
    merchants = _merchants_in_turn(db, turn.last, fresh=fresh, now=now)
    if not merchants:
        return []
    turn.last = merchants[-1]
    share = -(-room // len(merchants))
    ids: list[str] = []
    for merchant_no in merchants:
        ids += db.scalars(
            select(Push.id)
            .where(*_is_due(fresh, now), Push.merchant_no == merchant_no, _may_be_sent(now))
            .order_by(Push.due_at)
            .limit(min(share, room - len(ids)))
            .with_for_update(skip_locked=True)
        )
    return ids


def _merchants_in_turn(db: Session, last: str, *, fresh: bool, now: datetime) -> list[str]:
    """Merchants with something due, starting after `last`: one index probe each, however long their queues are."""
    merchants: list[str] = []
    for beyond in (Push.merchant_no > last, Push.merchant_no <= last):
        reached = ""
        while len(merchants) < MERCHANTS_A_TURN:
            found = db.scalar(
                select(func.min(Push.merchant_no)).where(*_is_due(fresh, now), beyond, Push.merchant_no > reached)
            )
            if found is None:
                break
            merchants.append(found)
            reached = found
    return merchants


def _is_due(fresh: bool, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Push.fresh == (true() if fresh else false()),
        Push.due_at.is_not(None),
        Push.due_at <= now,
        or_(Push.lease_until.is_(None), Push.lease_until < now),
    )


def _may_be_sent(now: datetime) -> ColumnElement[bool]:
    """A query may always go out; anything else only when the code before it is SUCCESS and, for Alipay, alone."""
    before = aliased(Push)
    its_turn = or_(
        Push.blocked_by.is_(None),
        exists().where(before.id == Push.blocked_by, before.state == State.SUCCESS),
    )
    return or_(
        Push.next_action == Action.QUERY, and_(its_turn, or_(Push.channel != Channel.ALIPAY, ~_sibling_under_way(now)))
    )


def _sibling_under_way(now: datetime) -> ColumnElement[bool]:
    """Another Alipay push of the same payment and sub-order, not ended or due earlier.

    Alipay's query names no customs code (9.6): with two under way, an answer could not be told apart.
    """
    other = aliased(Push)
    has_begun = or_(
        other.in_doubt.is_not(None),
        and_(other.accepted, other.state.in_(RUNNING), other.next_action == Action.QUERY),
        and_(other.next_action != Action.QUERY, other.lease_until > now),
    )
    comes_first = and_(
        other.due_at.is_not(None),
        other.blocked_by.is_distinct_from(Push.id),
        tuple_(other.due_at, other.id) < tuple_(Push.due_at, Push.id),
    )
    return exists().where(
        other.merchant_no == Push.merchant_no,
        other.channel == Push.channel,
        other.payment_no == Push.payment_no,
        other.sub_order_no == Push.sub_order_no,
        other.cancelled == false(),
        other.id != Push.id,
        or_(has_begun, comes_first),
    )


def _tasks(db: Session, vault: Vault, ids: Sequence[str]) -> list[Task]:
    push, declaration, part = Push.__table__.c, Declaration.__table__.c, SubOrder.__table__.c
    rows = db.execute(
        select(
            push.id,
            push.declaration_id,
            push.merchant_no,
            push.channel,
            push.next_action,
            push.customs,
            push.fence,
            push.epoch,
            declaration.out_order_no,
            declaration.payment_no,
            declaration.mch_customs_no,
            declaration.merchant_customs_name,
            declaration.duty,
            declaration.buyer,
            part.sub_order_no,
            part.amount,
            part.transport_amount,
            part.product_amount,
        )
        .join_from(Push, Declaration, Declaration.id == Push.declaration_id)
        .outerjoin(SubOrder, SubOrder.id == Push.sub_order_id)
        .where(push.id.in_(ids))
        .order_by(push.due_at, push.id)
    )
    return [
        Task(
            push_id=row.id,
            declaration_id=row.declaration_id,
            merchant_no=row.merchant_no,
            channel=Channel(row.channel),
            action=Action(row.next_action),
            fence=row.fence,
            epoch=row.epoch,
            filing=Filing(
                out_order_no=row.out_order_no,
                payment_no=row.payment_no,
                customs=row.customs,
                mch_customs_no=row.mch_customs_no,
                merchant_customs_name=row.merchant_customs_name,
                duty=row.duty,
                buyer=vault.open_buyer(row.buyer, row.declaration_id),
                sub_order=row.sub_order_no
                and SubOrderPart(row.sub_order_no, row.amount, row.transport_amount, row.product_amount),
            ),
        )
        for row in rows
    ]
