"""Record: what came back, judged on the row as it is now and written under the fence, with everything it moves."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from customs.db.bulk import insert_many, pipeline, update_many
from customs.db.database import Base, pad_to_power_of_two
from customs.declarations.cases import CauseKey, case_entry, cause_of, remember
from customs.declarations.contents import Content, Echo, echo_of
from customs.declarations.events import count_new_runs, event_types, goes_on, may_publish, new_events
from customs.declarations.fields import PUBLISHED_NAMES
from customs.declarations.models import Declaration, Push
from customs.declarations.pushes.claim import LEASES, Task
from customs.declarations.pushes.outcomes import Outcome, PushState, RetryPolicy, Transition, handle_outcome
from customs.declarations.states import Action, State, roll_up
from customs.declarations.statistics import difference, total
from customs.events.outbox import NewEvent, publish
from customs.events.timeline import Event
from customs.gateway import DeclarationReply, GatewayError
from customs.jobs.leases import RELEASED, is_current, overdue_since
from customs.lanes.breaker import is_answer
from customs.stats.tallies import apply_deltas

CASE = ("case_kind", "case_detail")
PUSH_STATE = [field.name for field in fields(PushState)]
GATEWAY = "gateway"

PUSHES = Base.metadata.tables[Push.__tablename__]
DECLARATIONS = Base.metadata.tables[Declaration.__tablename__]
EVENTS = Base.metadata.tables[Event.__tablename__]
push, declaration = PUSHES.c, DECLARATIONS.c

# Declarations come first, in order: they are locked before their pushes, as a person's action locks them, and
# folds of one declaration queue up. The siblings come along for the fold.
LOCK = (
    select(
        push.id,
        push.declaration_id,
        push.blocked_by,
        push.cancelled,
        push.withheld,
        push.fence,
        push.epoch,
        push.holder,
        push.case_since,
        push.cause_id,
        push.overdue_since,
        push.customs,
        *(push[name] for name in PUSH_STATE),
        # What is announced names the order; what is tallied, its office and its day.
        declaration.batch_id,
        declaration.merchant_no,
        declaration.created_at,
        *(declaration[name] for name in dict.fromkeys(("channel", "office", *PUBLISHED_NAMES))),
    )
    .join_from(DECLARATIONS, PUSHES, push.declaration_id == declaration.id)
    .where(declaration.id.in_(bindparam("ids", expanding=True)))
    .order_by(declaration.id, push.id)
    .with_for_update()
)
WAKE = update(PUSHES).where(push.id.in_(bindparam("ids", expanding=True))).values(due_at=bindparam("moment"))


@dataclass(frozen=True)
class Recorded:
    """One answer after recording; `transition` is None when it came under a fence or epoch that is over."""

    task: Task
    outcome: Outcome
    transition: Transition | None


def record(
    db: Connection, answered: Sequence[tuple[Task, Outcome]], now: datetime, policy: RetryPolicy
) -> list[Recorded]:
    """Apply a group of answers: states, next steps, timeline, folds, and whatever waited for a SUCCESS."""
    owners = sorted({task.declaration_id for task, _ in answered})
    locked: dict[str, Mapping[str, Any]] = {
        row["id"]: dict(row) for row in db.execute(LOCK, {"ids": pad_to_power_of_two(owners)}).mappings()
    }
    recorded = [_handled(locked[task.push_id], task, outcome, now, policy) for task, outcome in answered]
    LEASES.release(db, [done.task for done in recorded if done.transition is None])
    changes = {
        done.task.push_id: _change(locked[done.task.push_id], done.transition.after, done.outcome, now)
        for done in recorded
        if done.transition
    }
    _line_up(locked, changes)
    woken = _woken(locked, changes)
    if woken:
        db.execute(WAKE, {"ids": pad_to_power_of_two(woken), "moment": now})
    remember(db, _name_causes(locked, changes), now)
    count_new_runs(db, _set_going(locked, changes, woken))
    turned = _turned(locked, changes)
    with pipeline(db):
        insert_many(db, EVENTS, [_event(locked[done.task.push_id], done, now) for done in recorded])
        update_many(db, PUSHES, list(changes.values()))
        update_many(db, DECLARATIONS, [{"id": one.id, **roll_up(one.after)} for one in turned])
        publish(db, _news(locked, changes, woken, now), now)
        apply_deltas(db, total(difference(one.before[0], one.before, one.after, now) for one in turned))
    return recorded


def _handled(row: Mapping[str, Any], task: Task, outcome: Outcome, now: datetime, policy: RetryPolicy) -> Recorded:
    if not is_current(row, task) or row["epoch"] != task.epoch:
        return Recorded(task, outcome, None)
    before = PushState(**{name: row[name] for name in PUSH_STATE})
    echo = Echo.SILENT
    if isinstance(outcome, DeclarationReply):
        echo = echo_of(outcome, task.filing.sub_order, before.accepted_content)
    return Recorded(task, outcome, handle_outcome(before, task.action, outcome, now, policy, echo))


def _change(row: Mapping[str, Any], after: PushState, outcome: Outcome, now: datetime) -> dict[str, Any]:
    return {
        "id": row["id"],
        **{name: getattr(after, name) for name in PUSH_STATE},
        "case_since": (row["case_since"] or now) if after.case_kind else None,
        "cause_id": row["cause_id"],
        "overdue_since": overdue_since(row, after.due_at, answered=is_answer(outcome)),
        "fresh": False,
        **RELEASED,
    }


def _woken(locked: Mapping[str, Mapping[str, Any]], changes: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The codes that waited for one of these to be SUCCESS: they are due now."""
    succeeded = {key for key, change in changes.items() if change["state"] is State.SUCCESS}
    return [row["id"] for row in locked.values() if row["blocked_by"] in succeeded and _waits(row)]


def _name_causes(locked: Mapping[str, Mapping[str, Any]], changes: Mapping[str, dict[str, Any]]) -> list[CauseKey]:
    """Whatever opened or closed a case has another cause, or none; returns those for which one was opened."""
    opened: list[CauseKey] = []
    for key, change in changes.items():
        row, kind = locked[key], change["case_kind"]
        if any(change[name] != row[name] for name in CASE):
            cause = cause_of(row["channel"], row["customs"], kind, change["case_detail"]) if kind else None
            change["cause_id"] = cause.id if cause else None
            opened += [cause] if cause else []
    return opened


class Turned(NamedTuple):
    """A declaration in which something turned: its pushes before and after."""

    id: str
    before: Sequence[Mapping[str, Any]]
    after: Sequence[Mapping[str, Any]]


def _set_going(
    locked: Mapping[str, Mapping[str, Any]], changes: Mapping[str, Mapping[str, Any]], woken: Sequence[str]
) -> list[str]:
    """The declarations that stood still before a reviewer and go on by themselves now."""
    in_review = {locked[key]["declaration_id"] for key in changes if locked[key]["case_kind"]}
    if not in_review:
        return []
    before = [row for row in locked.values() if row["declaration_id"] in in_review]
    after = [{**row, **changes.get(row["id"], {})} for row in before]
    stopped = in_review - {row["declaration_id"] for row in before if goes_on([row])}
    goes = {row["declaration_id"] for row in after if row["id"] in woken or goes_on([row])}
    return sorted(stopped & goes)


def _turned(locked: Mapping[str, Mapping[str, Any]], changes: Mapping[str, Mapping[str, Any]]) -> list[Turned]:
    turned = {
        locked[key]["declaration_id"]
        for key, change in changes.items()
        if any(change[name] != locked[key][name] for name in ("state", "identity", *CASE))
    }
    groups = [(owner, list(rows)) for owner, rows in groupby(locked.values(), itemgetter("declaration_id"))]
    return [
        Turned(owner, rows, [{**row, **changes.get(row["id"], {})} for row in rows])
        for owner, rows in groups
        if owner in turned
    ]


def _news(
    locked: Mapping[str, Mapping[str, Any]],
    changes: Mapping[str, Mapping[str, Any]],
    woken: Sequence[str],
    now: datetime,
) -> list[NewEvent]:
    """What to announce of the declarations that were answered."""
    after = {**changes, **{key: {**locked[key], "due_at": now} for key in woken}}
    news: list[NewEvent] = []
    for _, group in groupby(locked.values(), itemgetter("declaration_id")):
        before = list(group)
        if not any(may_publish(changes[row["id"]]) for row in before if row["id"] in changes):
            continue
        pushes = [after.get(row["id"], row) for row in before]
        fold = roll_up(pushes)
        if types := event_types(before, pushes, fold):
            news += new_events(before[0], types, fold)
    return news


def _line_up(locked: Mapping[str, Mapping[str, Any]], changes: Mapping[str, dict[str, Any]]) -> None:
    """What waits has no due time: a code whose predecessor is no longer SUCCESS, and whatever was withheld."""
    for key, change in changes.items():
        before = changes.get(locked[key]["blocked_by"]) or locked.get(locked[key]["blocked_by"])
        is_to_send = change["next_action"] not in (None, Action.QUERY)
        waits = locked[key]["withheld"] or (before is not None and before["state"] is not State.SUCCESS)
        if is_to_send and waits:
            change["due_at"] = change["overdue_since"] = None


def _waits(row: Mapping[str, Any]) -> bool:
    return row["due_at"] is None and row["next_action"] is not None and not (row["cancelled"] or row["withheld"])


def in_time(recorded: Iterable[Recorded]) -> list[Outcome]:
    """The outcomes that were recorded: one that came too late says nothing of the lane either."""
    return [done.outcome for done in recorded if done.transition]


def _event(row: Mapping[str, Any], done: Recorded, now: datetime) -> dict[str, Any]:
    exchange = done.outcome.exchange
    detail: dict[str, Any] = {
        "action": str(done.task.action),
        "outcome": done.transition.outcome if done.transition else "superseded",
    }
    if isinstance(done.outcome, GatewayError):
        detail["message"] = done.outcome.message
    if done.transition and row["state"] != done.transition.after.state:
        detail |= {"from": str(row["state"]), "to": str(done.transition.after.state)}
    if done.transition and done.transition.after.case_kind and not row["case_kind"]:
        detail["cases"] = [case_entry(done.transition.after.case_kind, done.transition.after.case_detail)]
        if kept := done.transition.after.accepted_content:
            detail["accepted"] = Content.read(kept).text()
    return {
        "merchant_no": done.task.merchant_no,
        "declaration_id": done.task.declaration_id,
        "push_id": done.task.push_id,
        "at": now,
        "kind": "call",
        "actor": GATEWAY,
        "detail": detail,
        "request": dict(exchange.params) if exchange else None,
        "reply": exchange.reply if exchange else None,
        "duration_ms": exchange.duration_ms if exchange else None,
    }
