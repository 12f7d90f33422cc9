"""Record: what came back, judged on the row as it is now and written under the fence; and the mark before a send."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, bindparam, insert, select, tuple_, update
from sqlalchemy.orm import Session

from customs.database import Base
from customs.declarations.claiming import Task
from customs.declarations.folding import fold
from customs.declarations.judging import Judgement, Outcome, Pace, Signal, Standing, judge
from customs.declarations.models import Declaration, Push
from customs.declarations.states import Action, State
from customs.gateway.errors import Busy, ClockSkew, GatewayError
from customs.history.masking import mask_params, mask_reply
from customs.history.models import Event
from customs.lanes.gate import LaneReport, is_open

STANDING = [field.name for field in fields(Standing)]
PUSHES = Base.metadata.tables[Push.__tablename__]
DECLARATIONS = Base.metadata.tables[Declaration.__tablename__]
EVENTS = Base.metadata.tables[Event.__tablename__]
GATEWAY = "gateway"

_write_push = (
    update(PUSHES)
    .where(PUSHES.c.id == bindparam("push_id"))
    .values({name: bindparam(name) for name in [*STANDING, "case_since", "fresh", "holder", "lease_until"]})
)


@dataclass(frozen=True)
class Recorded:
    """One answer after recording; `judgement` is None when it came under a fence or epoch that is over."""

    task: Task
    outcome: Outcome
    judgement: Judgement | None


def record(db: Session, answered: Sequence[tuple[Task, Outcome]], now: datetime, pace: Pace) -> list[Recorded]:
    """Apply a group of answers: states, next steps, timeline, folds, and whatever waited for a SUCCESS."""
    held = _lock(db, [task.push_id for task, _ in answered])
    recorded = [_judged(held[task.push_id], task, outcome, now, pace) for task, outcome in answered]
    events = [_event(held[done.task.push_id], done, now) for done in recorded]
    db.execute(insert(EVENTS), events)
    changes = [_change(held[done.task.push_id], done.judgement.standing, now) for done in recorded if done.judgement]
    if changes:
        db.execute(_write_push, changes)
    release(db, [done.task for done in recorded if done.judgement is None])
    turned = [done.task for done in recorded if done.judgement and _turned(held[done.task.push_id], done.judgement)]
    if turned:
        _wake(db, [task.push_id for task in turned], now)
        fold(db, sorted({task.declaration_id for task in turned}))
    return recorded


def mark(db: Session, leaving: Sequence[Task], lane: str, now: datetime, lease: timedelta) -> list[Task]:
    """Mark tasks as leaving now, where fence, epoch and lane still allow it; the others are let go.

    From here on a state-changing call is in doubt until its answer is understood: a crash asks the gateway first.
    """
    queries = [task for task in leaving if task.action is Action.QUERY]
    sends = [task for task in leaving if task.action is not Action.QUERY]
    departed = {"lease_until": now + lease}
    in_doubt = {
        "in_doubt": PUSHES.c.next_action,
        "next_action": Action.QUERY,
        "sent_at": now,
        "attempts": PUSHES.c.attempts + 1,
    }
    # After a commit that only looked lost, a send has become a query: it must not be marked a second time.
    is_query = PUSHES.c.next_action == Action.QUERY
    marked: set[str] = set()
    for tasks, as_claimed, values in ((queries, is_query, departed), (sends, ~is_query, departed | in_doubt)):
        if tasks:
            statement = update(PUSHES).where(_still_held(tasks), as_claimed, is_open(lane, now)).values(values)
            marked.update(db.scalars(statement.returning(PUSHES.c.id)))
    release(db, [task for task in leaving if task.push_id not in marked])
    return [task for task in leaving if task.push_id in marked]


def extend(db: Session, held: Sequence[Task], until: datetime) -> None:
    """Renew the leases of tasks that are reserved or in the air."""
    keys = [(task.push_id, task.fence) for task in held]
    db.execute(update(PUSHES).where(tuple_(PUSHES.c.id, PUSHES.c.fence).in_(keys)).values(lease_until=until))


def release(db: Session, tasks: Sequence[Task]) -> None:
    """End the leases under these fences; an epoch that began meanwhile can then be claimed at once."""
    if tasks:
        keys = [(task.push_id, task.fence) for task in tasks]
        statement = update(PUSHES).where(tuple_(PUSHES.c.id, PUSHES.c.fence).in_(keys))
        db.execute(statement.values(holder=None, lease_until=None))


def lane_report(outcomes: Iterable[Recorded], now: datetime) -> LaneReport:
    """What a group of outcomes says of the lane."""
    counts = dict.fromkeys(Signal, 0)
    retry_after, skew, reason = 0.0, None, ""
    for done in outcomes:
        if done.judgement is None:
            continue
        counts[done.judgement.signal] += 1
        if isinstance(done.outcome, Busy):
            retry_after = max(retry_after, done.outcome.retry_after or 0.0)
        if isinstance(done.outcome, ClockSkew) and done.outcome.server_time is not None:
            skew = (now - done.outcome.server_time).total_seconds()
        if done.judgement.signal in (Signal.STRUCK, Signal.SKEWED) and isinstance(done.outcome, GatewayError):
            reason = f"the gateway refused our signature or our right to call: {done.outcome.message}"
    return LaneReport(
        answered=counts[Signal.ANSWERED],
        held=counts[Signal.HELD],
        struck=counts[Signal.STRUCK] + counts[Signal.SKEWED],
        retry_after=retry_after,
        skew=skew,
        reason=reason,
    )


def _still_held(tasks: Sequence[Task]) -> Any:
    return tuple_(PUSHES.c.id, PUSHES.c.fence, PUSHES.c.epoch).in_([task.key for task in tasks])


def _lock(db: Session, push_ids: Sequence[str]) -> Mapping[str, RowMapping]:
    """The rows as they are now. Declarations are locked first and in order: folds of one declaration queue up."""
    columns = [PUSHES.c[name] for name in STANDING]
    owners = select(PUSHES.c.declaration_id).where(PUSHES.c.id.in_(push_ids))
    db.execute(
        select(DECLARATIONS.c.id).where(DECLARATIONS.c.id.in_(owners)).order_by(DECLARATIONS.c.id).with_for_update()
    )
    rows = db.execute(
        select(PUSHES.c.id, PUSHES.c.fence, PUSHES.c.epoch, PUSHES.c.fresh, PUSHES.c.case_since, *columns)
        .where(PUSHES.c.id.in_(push_ids))
        .order_by(PUSHES.c.id)
        .with_for_update()
    ).mappings()
    return {row["id"]: row for row in rows}


def _judged(row: RowMapping, task: Task, outcome: Outcome, now: datetime, pace: Pace) -> Recorded:
    if (row["fence"], row["epoch"]) != (task.fence, task.epoch):
        return Recorded(task, outcome, None)
    standing = Standing(**{name: row[name] for name in STANDING})
    return Recorded(task, outcome, judge(standing, task.action, outcome, now, pace))


def _change(row: RowMapping, standing: Standing, now: datetime) -> dict[str, Any]:
    case_since = row["case_since"] or now if standing.case_reason else None
    return {
        "push_id": row["id"],
        **{name: getattr(standing, name) for name in STANDING},
        "case_since": case_since,
        "fresh": False,
        "holder": None,
        "lease_until": None,
    }


def _turned(row: RowMapping, judgement: Judgement) -> bool:
    standing = judgement.standing
    return any(row[name] != getattr(standing, name) for name in ("state", "identity", "case_reason"))


def _wake(db: Session, push_ids: Sequence[str], now: datetime) -> None:
    """What waited for one of these to be SUCCESS is due now."""
    before = PUSHES.alias()
    succeeded = select(before.c.id).where(before.c.id.in_(push_ids), before.c.state == State.SUCCESS)
    db.execute(
        update(PUSHES)
        .where(
            PUSHES.c.blocked_by.in_(succeeded),
            PUSHES.c.due_at.is_(None),
            PUSHES.c.next_action.is_not(None),
            PUSHES.c.cancelled.is_(False),
        )
        .values(due_at=now)
    )


def _event(row: RowMapping, done: Recorded, now: datetime) -> dict[str, Any]:
    exchange = done.outcome.exchange
    detail = {"action": str(done.task.action), "outcome": done.judgement.outcome if done.judgement else "superseded"}
    if isinstance(done.outcome, GatewayError):
        detail["message"] = done.outcome.message
    if done.judgement and row["state"] != done.judgement.standing.state:
        detail |= {"from": str(row["state"]), "to": str(done.judgement.standing.state)}
    if done.judgement and done.judgement.standing.case_reason and not row["case_reason"]:
        detail["case"] = done.judgement.standing.case_reason
    return {
        "merchant_no": done.task.merchant_no,
        "declaration_id": done.task.declaration_id,
        "push_id": done.task.push_id,
        "at": now,
        "kind": "call",
        "actor": GATEWAY,
        "detail": detail,
        "request": mask_params(exchange.params) if exchange else None,
        "reply": mask_reply(exchange.reply, done.task.filing.buyer) if exchange else None,
        "duration_ms": exchange.duration_ms if exchange else None,
    }
