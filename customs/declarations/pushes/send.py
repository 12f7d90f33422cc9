"""The mark before a send, and the lease behind it: from here on a crash asks the gateway first."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, bindparam, select, text, tuple_, update

from customs.db.database import Base, pad_to_power_of_two
from customs.declarations.channels import ONE_AT_A_TIME
from customs.declarations.models import Push
from customs.declarations.pushes.claim import LEASES, Task, may_still_be_sent
from customs.declarations.states import Action
from customs.lanes.breaker import is_open

PUSHES = Base.metadata.tables[Push.__tablename__]
push = PUSHES.c
UNTIL = bindparam("until", type_=push.lease_until.type)
MOMENT = bindparam("moment", type_=push.due_at.type)

under_epoch = tuple_(push.id, push.fence, push.epoch).in_(bindparam("keys", expanding=True))
may_leave = and_(under_epoch, is_open(bindparam("lane"), MOMENT))

# After a commit that only looked lost, a send has become a query: it must not be marked a second time.
MARK_QUERY = (
    update(PUSHES)
    .where(may_leave, push.next_action == Action.QUERY)
    .values(lease_until=UNTIL)
    .returning(push.id, push.fence)
)
MARK_SEND = (
    update(PUSHES)
    .where(may_leave, push.next_action != Action.QUERY, push.withheld.is_(False), may_still_be_sent)
    .values(
        lease_until=UNTIL,
        in_doubt=push.next_action,
        refund_allowed=False,
        next_action=Action.QUERY,
        sent_at=MOMENT,
        attempts=push.attempts + 1,
    )
    .returning(push.id, push.fence)
)

# Two processes that mark pushes of one payment come one after the other.
LOCK_SIBLINGS = (
    select(push.id)
    .where(
        tuple_(push.merchant_no, push.channel, push.payment_no).in_(bindparam("payments", expanding=True)),
        text("NOT pushes.cancelled"),
    )
    .order_by(push.id)
    .with_for_update()
)


def mark(db: Connection, leaving: Sequence[Task], lane: str, now: datetime, lease: timedelta) -> list[Task]:
    """Mark tasks as leaving now, where fence, epoch and lane still allow it; the others are let go.

    From here on a state-changing call is in doubt until its answer is understood.
    """
    marked: set[tuple[str, int]] = set()
    sends = _one_of_each(db, [task for task in leaving if task.action is not Action.QUERY])
    queries = [task for task in leaving if task.action is Action.QUERY]
    for statement, tasks in ((MARK_QUERY, queries), (MARK_SEND, sends)):
        if tasks:
            keys = pad_to_power_of_two([(*task.lease, task.epoch) for task in tasks])
            values = {"keys": keys, "lane": lane, "moment": now, "until": now + lease}
            marked.update((row.id, row.fence) for row in db.execute(statement, values))
    return LEASES.keep(db, leaving, marked)


def _one_of_each(db: Connection, sends: Sequence[Task]) -> list[Task]:
    """The sends without those whose sibling of ONE_AT_A_TIME is among them too; the siblings' rows are locked."""
    alone = [task for task in sends if task.channel in ONE_AT_A_TIME]
    if alone and db.dialect.name == "postgresql":
        payments = [(task.merchant_no, task.channel, task.filing.payment_no) for task in alone]
        db.execute(LOCK_SIBLINGS, {"payments": pad_to_power_of_two(payments)})
    # The newest fence of a push counts, whatever was reserved before it.
    newest = {(task.push_id): task for task in sorted(sends, key=lambda task: task.fence)}
    first: dict[object, Task] = {}
    for task in newest.values():
        same = (task.merchant_no, task.filing.payment_no, task.filing.sub_order_no)
        first.setdefault(same if task.channel in ONE_AT_A_TIME else task.push_id, task)
    return list(first.values())
