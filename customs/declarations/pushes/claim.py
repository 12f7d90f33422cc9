"""Claim: reserve due pushes for this process, first submissions and repeats by halves, merchants in turn.

The statements are built once: building them anew for every claim costs more than running them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, and_, bindparam, exists, func, or_, select, text, tuple_

from customs.db.database import Base
from customs.declarations.channels import ONE_AT_A_TIME
from customs.declarations.fields import AMOUNT_NAMES, CONTENT_NAMES
from customs.declarations.models import Declaration, Push, SubOrder
from customs.declarations.states import Action, State
from customs.gateway import Channel, Filing, SubOrderPart
from customs.jobs.leases import Leases, is_claimable

MERCHANTS_A_TURN = 8
RUNNING = [state for state in State if not state.is_final]

PUSHES = Base.metadata.tables[Push.__tablename__]
DECLARATIONS = Base.metadata.tables[Declaration.__tablename__]
SUB_ORDERS = Base.metadata.tables[SubOrder.__tablename__]
push, declaration, part = PUSHES.c, DECLARATIONS.c, SUB_ORDERS.c
before, other = PUSHES.alias("before").c, PUSHES.alias("other").c

NOW = bindparam("now", type_=push.due_at.type)

is_due = and_(push.fresh == bindparam("fresh"), is_claimable(push, NOW))

# Another push of the same payment and sub-order. Where a query names no customs code, as Alipay's (9.6), with two of
# them under way an answer could not be told apart.
is_sibling = and_(
    other.merchant_no == push.merchant_no,
    other.channel == push.channel,
    other.payment_no == push.payment_no,
    other.sub_order_no == push.sub_order_no,
    # As the partial index spells it, or neither database would use that.
    text("NOT other.cancelled"),
    other.id != push.id,
)
is_at_the_gateway = or_(
    other.in_doubt.is_not(None), and_(other.accepted, other.state.in_(RUNNING), other.next_action == Action.QUERY)
)
sibling_under_way = exists().where(
    is_sibling,
    or_(
        is_at_the_gateway,
        and_(other.next_action != Action.QUERY, other.lease_until > NOW),
        and_(
            other.due_at.is_not(None),
            other.blocked_by.is_distinct_from(push.id),
            tuple_(other.due_at, other.id) < tuple_(push.due_at, push.id),
        ),
    ),
)

# A query may always go out; anything else only when the code before it is SUCCESS and, of ONE_AT_A_TIME, alone.
is_its_turn = or_(
    push.blocked_by.is_(None), exists().where(before.id == push.blocked_by, before.state == State.SUCCESS)
)
may_be_sent = or_(
    push.next_action == Action.QUERY, and_(is_its_turn, or_(push.channel.not_in(ONE_AT_A_TIME), ~sibling_under_way))
)
# What was reserved before the others were may find one of them under way by the time it leaves.
may_still_be_sent = and_(
    is_its_turn, or_(push.channel.not_in(ONE_AT_A_TIME), ~exists().where(is_sibling, is_at_the_gateway))
)

NEXT_MERCHANT = select(func.min(push.merchant_no)).where(is_due, push.merchant_no > bindparam("last"))

DUE_OF_MERCHANT = (
    select(push.id)
    .where(is_due, push.merchant_no == bindparam("merchant_no"), may_be_sent)
    .order_by(push.due_at)
    .limit(bindparam("room"))
    .with_for_update(skip_locked=True, of=PUSHES)
)

LEASES = Leases(PUSHES, in_doubt=push.in_doubt.is_not(None))

TASKS = (
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
        *(declaration[name] for name in CONTENT_NAMES),
        declaration.buyer,
        push.sub_order_no,
        *(part[name] for name in AMOUNT_NAMES),
    )
    .join_from(PUSHES, DECLARATIONS, declaration.id == push.declaration_id)
    .outerjoin(SUB_ORDERS, and_(part.declaration_id == push.declaration_id, part.sub_order_no == push.sub_order_no))
    .where(push.id.in_(bindparam("ids", expanding=True)))
    .order_by(push.due_at, push.id)
)


@dataclass(frozen=True, eq=False)
class Task:
    """One claimed push: what to send, and the fence and epoch under which its answer may be recorded.

    `filing` is without the buyer, who stays sealed in `buyer` until the call is made.
    """

    push_id: str
    declaration_id: str
    merchant_no: str
    channel: Channel
    action: Action
    filing: Filing
    buyer: str | None
    fence: int
    epoch: int

    @property
    def lease(self) -> tuple[str, int]:
        return self.push_id, self.fence


class Turn:
    """Whose turn it is: each half goes on with the merchant after the last one it served."""

    def __init__(self) -> None:
        self.last = {True: "", False: ""}


def claim(db: Connection, turn: Turn, *, room: int, now: datetime, holder: str, lease: timedelta) -> list[Task]:
    """Reserve at most `room` due pushes. Half is for first submissions; what one half leaves, the other takes."""
    ids: list[str] = []
    for fresh, most in ((True, (room + 1) // 2), (False, room), (True, room)):
        found = _due_ids(db, turn, fresh=fresh, room=most - len(ids), now=now)
        LEASES.claim(db, found, holder, now + lease)
        ids += found
    if not ids:
        return []
    return [_task(row) for row in db.execute(TASKS, {"ids": ids}).mappings()]


def _due_ids(db: Connection, turn: Turn, *, fresh: bool, room: int, now: datetime) -> list[str]:
    due = {"fresh": fresh, "now": now}
    merchants = _merchants_in_turn(db, turn.last[fresh], due) if room > 0 else []
    ids: list[str] = []
    for merchant_no in merchants:
        share = min(-(-room // len(merchants)), room - len(ids))
        if share == 0:
            break
        ids += db.scalars(DUE_OF_MERCHANT, due | {"merchant_no": merchant_no, "room": share})
        turn.last[fresh] = merchant_no
    return ids


def _merchants_in_turn(db: Connection, last: str, due: dict[str, object]) -> list[str]:
    """Merchants with something due, from `last` on and round: one index probe each, however long their queues are."""
    merchants: list[str] = []
    reached = last
    wrapped = not last
    while len(merchants) < MERCHANTS_A_TURN:
        found = db.scalar(NEXT_MERCHANT, due | {"last": reached})
        if found is None and not wrapped:
            reached, wrapped = "", True
            continue
        if found is None or found in merchants:
            break
        merchants.append(found)
        reached = found
    return merchants


def _task(row: RowMapping) -> Task:
    sub_order = row["sub_order_no"] and SubOrderPart(row["sub_order_no"], **{name: row[name] for name in AMOUNT_NAMES})
    return Task(
        push_id=row["id"],
        declaration_id=row["declaration_id"],
        merchant_no=row["merchant_no"],
        channel=row["channel"],
        action=row["next_action"],
        fence=row["fence"],
        epoch=row["epoch"],
        buyer=row["buyer"],
        filing=Filing(
            out_order_no=row["out_order_no"],
            payment_no=row["payment_no"],
            customs=row["customs"],
            **{name: row[name] for name in CONTENT_NAMES},
            sub_order=sub_order or None,
        ),
    )
