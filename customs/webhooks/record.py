"""Record: what attempts came to, under their fences, with what they say of each endpoint."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, select, update

from customs.db.bulk import insert_many, update_many
from customs.db.database import Base
from customs.jobs.leases import RELEASED, is_current, overdue_since
from customs.webhooks.claim import DELIVERIES, ENDPOINTS, LEASES, Task, delivery, endpoint
from customs.webhooks.http_sender import Answer
from customs.webhooks.models import Attempt, DeliveryState
from customs.webhooks.retry_policy import handle_outcome, is_success, throttled_until, why_paused

ATTEMPTS = Base.metadata.tables[Attempt.__tablename__]
HEALTHY = {"failures": 0, "failing_since": None, "held_until": None}


def record(db: Connection, answered: Sequence[tuple[Task, Answer]], now: datetime) -> list[Task]:
    """Apply a group of answers; returns the tasks whose answers came too late, under a fence that is over."""
    endpoints = _locked(db, ENDPOINTS, [task.endpoint_id for task, _ in answered])
    rows = _locked(db, DELIVERIES, [task.id for task, _ in answered])
    late = [task for task, _ in answered if not is_current(rows[task.id], task)]
    in_time = [(task, answer) for task, answer in answered if task not in late]
    LEASES.release(db, [*late, *(task for task, answer in in_time if not answer.was_sent)])
    sent = [(task, answer) for task, answer in in_time if answer.was_sent]
    insert_many(db, ATTEMPTS, [_attempt(task, answer, now) for task, answer in sent])
    update_many(db, DELIVERIES, [_change(rows[task.id], answer, now) for task, answer in sent])
    by_endpoint = sorted(sent, key=lambda pair: pair[0].endpoint_id)
    for endpoint_id, group in groupby(by_endpoint, lambda pair: pair[0].endpoint_id):
        _update_endpoint(db, endpoints[endpoint_id], [answer for _, answer in group], now)
    return late


def _locked(db: Connection, table: Any, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    found = select(table).where(table.c.id.in_(sorted(set(ids)))).order_by(table.c.id).with_for_update()
    return {row["id"]: dict(row) for row in db.execute(found).mappings()}


def _attempt(task: Task, answer: Answer, now: datetime) -> dict[str, Any]:
    return {
        "delivery_id": task.id,
        "at": now,
        "url": task.url,
        "status": answer.status,
        "duration_ms": answer.duration_ms,
        "response": answer.response,
        "error": answer.error,
    }


def _change(row: Mapping[str, Any], answer: Answer, now: datetime) -> dict[str, Any]:
    verdict = handle_outcome(answer, row["attempt_count"] + 1, now)
    # Whoever has it sent once more begins anew, and so does this.
    before = row if row["attempt_count"] else {**row, "overdue_since": None}
    return {
        "id": row["id"],
        "state": verdict.state,
        "due_at": verdict.due_at,
        "overdue_since": overdue_since(before, verdict.due_at, answered=is_success(answer)),
        "attempt_count": row["attempt_count"] + 1,
        "ended_at": None if verdict.state is DeliveryState.WAITING else now,
        **RELEASED,
    }


def _update_endpoint(db: Connection, row: Mapping[str, Any], answers: Sequence[Answer], now: datetime) -> None:
    """One success makes an endpoint healthy; answers of one group that all fail count as one failure."""
    if any(map(is_success, answers)):
        if row["failures"]:
            _write(db, row["id"], HEALTHY)
        return
    since = row["failing_since"] or now
    failures = row["failures"] + 1
    until = max(throttled_until(answer, failures, now) for answer in answers)
    _write(db, row["id"], {"failures": failures, "failing_since": since, "held_until": until})
    reasons = [why for answer in answers if (why := why_paused(answer, since, now))]
    if reasons and row["paused_at"] is None:
        pause(db, row["id"], reasons[0], now)


def pause(db: Connection, endpoint_id: str, why: str, now: datetime) -> None:
    """Send nothing more to an endpoint; what waits for it has no due time until it is resumed."""
    _write(db, endpoint_id, {"paused_at": now, "paused_why": why})
    waiting = (delivery.endpoint_id == endpoint_id, delivery.due_at.is_not(None))
    db.execute(update(DELIVERIES).where(*waiting).values(due_at=None))


def _write(db: Connection, endpoint_id: str, values: Mapping[str, Any]) -> None:
    db.execute(update(ENDPOINTS).where(endpoint.id == endpoint_id).values(values))
