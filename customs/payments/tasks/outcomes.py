"""Outcomes of calls: what each means for a task, and what is due next, as rules on plain values, no database, no clock.

The table of `reliability.md`, for calls that move money: what may have been done is asked for, never repeated blindly.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from customs.gateway.errors import (
    Busy,
    ClockSkew,
    Credentials,
    GatewayError,
    Misuse,
    NotFound,
    NotSent,
    OtherRecord,
    Refused,
)
from customs.gateway.messages import OrderReply, RefundReply, SaleReply
from customs.jobs.leases import backing_off, growing
from customs.payments.states import PaymentCase
from customs.payments.tasks.task import TaskAction

ROUNDS_OF_DOUBT = 20
POLLING_BUDGET = timedelta(hours=24)
# A link that nobody opened makes no order that could expire.
OPENING_BUDGET = timedelta(hours=2)
UNHEARD_OF = "the gateway knows nothing of it"
# One answer may have been mixed up on its way; as many in a row are the gateway's own.
OTHERS_ANSWERS = 3

Outcome = SaleReply | OrderReply | RefundReply | GatewayError


@dataclass(frozen=True)
class TaskState:
    """The state of one task: the columns of TaskColumns that an outcome may change.

    `explanation`: why it failed; `case_kind`: why a person should look at it, until the gateway has answered.
    """

    next_action: TaskAction | None
    due_at: datetime | None
    in_doubt: bool
    sent_at: datetime | None
    failed_attempts: int
    poll_count: int
    unknown_rounds: int
    strays: int
    case_kind: PaymentCase | None
    case_detail: Mapping[str, str] | None
    explanation: str | None


@dataclass(frozen=True)
class RetryPolicy:
    """How fast to go, in seconds; `repeatable`: it may be sent again after the gateway knew nothing of it.

    `since` is when it was asked for, `patient`: it is asked for as long as it takes.
    """

    poll_seconds: float
    grace_seconds: float
    repeatable: bool
    patient: bool
    since: datetime


@dataclass(frozen=True)
class Transition:
    """The state of a task after an outcome; `failed`: it will never be done. `outcome` is the timeline's word."""

    after: TaskState
    outcome: str
    failed: bool = False


def handle_error(
    before: TaskState, action: TaskAction, error: GatewayError, now: datetime, policy: RetryPolicy
) -> Transition:
    """Handle a call that brought no answer about the task."""
    if isinstance(error, NotFound):
        before = replace(before, strays=0)
    for kind, word, of_send, of_query in OUTCOME_HANDLERS:
        if isinstance(error, kind):
            after = (of_query if action is TaskAction.QUERY else of_send)(before, error, now, policy)
            failed = after.next_action is None and after.explanation is not None
            return Transition(after, word, failed)
    raise TypeError(f"no rule for {type(error).__name__}")


def handle_reply(before: TaskState, ended: bool, now: datetime, policy: RetryPolicy) -> Transition:
    """Handle an answer about the task: it was done, and it has ended or is asked for again."""
    done = replace(
        _without_case(before), in_doubt=False, failed_attempts=0, unknown_rounds=0, strays=0, explanation=None
    )
    if ended:
        return Transition(_ended(done), "answered")
    return Transition(_poll(done, now, policy), "answered")


def _ended(before: TaskState) -> TaskState:
    return replace(_without_case(before), next_action=None, due_at=None, in_doubt=False)


def _without_case(before: TaskState) -> TaskState:
    return replace(before, case_kind=None, case_detail=None)


def _open_case(before: TaskState, kind: PaymentCase, **detail: str) -> TaskState:
    """Put it before a person; the first case stays until the gateway has answered."""
    return before if before.case_kind else replace(before, case_kind=kind, case_detail=detail)


def _poll(before: TaskState, now: datetime, policy: RetryPolicy) -> TaskState:
    if not policy.patient and not before.in_doubt and now - policy.since > POLLING_BUDGET:
        # Nobody pays an order of yesterday; a notification or a person has it asked for once more.
        return _ended(before)
    if now - max(policy.since, before.sent_at or policy.since) > POLLING_BUDGET:
        before = _open_case(before, PaymentCase.NO_ANSWER if before.in_doubt else PaymentCase.NO_END)
    wait = growing(policy.poll_seconds, before.poll_count)
    return replace(
        before, next_action=TaskAction.QUERY, due_at=now + timedelta(seconds=wait), poll_count=before.poll_count + 1
    )


def _not_done(before: TaskState, error: GatewayError, now: datetime, policy: RetryPolicy) -> TaskState:
    wait = backing_off(before.failed_attempts, error.retry_after if isinstance(error, Busy) else None)
    return replace(before, failed_attempts=before.failed_attempts + 1, due_at=now + timedelta(seconds=wait))


def _send_not_done(before: TaskState, error: GatewayError, now: datetime, policy: RetryPolicy) -> TaskState:
    if not policy.repeatable:
        # The payer showed a code that is good for a moment: charging it later would surprise them.
        return replace(_ended(before), explanation=error.message or "the gateway could not be reached")
    return replace(_not_done(before, error, now, policy), next_action=TaskAction.SEND, in_doubt=False)


def _send_refused(before: TaskState, error: GatewayError, now: datetime, policy: RetryPolicy) -> TaskState:
    """A permanent no. After a round of doubt it may mean "already done": ask first."""
    refused = replace(before, explanation=error.message or "refused without a reason")
    return _poll(replace(refused, failed_attempts=0), now, policy) if before.unknown_rounds else _ended(refused)


def _send_unknown(before: TaskState, error: GatewayError, now: datetime, policy: RetryPolicy) -> TaskState:
    # The grace counts from now, for it left after it was marked.
    due_at = now + timedelta(seconds=backing_off(before.unknown_rounds))
    return replace(
        before,
        next_action=TaskAction.QUERY,
        due_at=due_at,
        unknown_rounds=before.unknown_rounds + 1,
        failed_attempts=0,
        sent_at=now,
    )


def _absent(before: TaskState, error: GatewayError, now: datetime, policy: RetryPolicy) -> TaskState:
    """A query was answered with "not found"; that counts only for a send in doubt, and only after the grace."""
    if not before.in_doubt:
        if not policy.patient and now - policy.since > OPENING_BUDGET:
            return replace(_ended(before), explanation=UNHEARD_OF)
        return _poll(replace(before, failed_attempts=0), now, policy)
    counts_from = (before.sent_at or now) + timedelta(seconds=policy.grace_seconds)
    if now < counts_from:
        soon = now + timedelta(seconds=backing_off(before.poll_count))
        # Once more before the grace is over, for whoever waits, and once it is.
        return replace(
            before, due_at=min(max(soon, now), counts_from), poll_count=before.poll_count + 1, failed_attempts=0
        )
    if before.unknown_rounds > ROUNDS_OF_DOUBT and policy.patient:
        return _poll(_open_case(before, PaymentCase.NO_EFFECT, count=str(before.unknown_rounds)), now, policy)
    if before.explanation or not policy.repeatable or before.unknown_rounds > ROUNDS_OF_DOUBT:
        return replace(_ended(before), explanation=before.explanation or UNHEARD_OF)
    return replace(
        before,
        next_action=TaskAction.SEND,
        due_at=now,
        in_doubt=False,
        unknown_rounds=max(before.unknown_rounds, 1),
        failed_attempts=0,
    )


def _ask_later(before: TaskState, error: GatewayError, now: datetime, policy: RetryPolicy) -> TaskState:
    asked = _poll(replace(before, failed_attempts=0), now, policy)
    # Nobody asks any more, and the last answer brought nothing.
    if asked.next_action:
        return asked
    return _open_case(replace(asked, case_kind=before.case_kind, case_detail=before.case_detail), PaymentCase.NO_ANSWER)


def _asked_about_another(before: TaskState, error: GatewayError, now: datetime, policy: RetryPolicy) -> TaskState:
    """Ask again where the number is somebody else's; a person gets it once that is certain."""
    before = replace(before, strays=before.strays + 1)
    if before.strays >= OTHERS_ANSWERS:
        before = _open_case(before, PaymentCase.ANOTHERS_NUMBER)
    return _ask_later(before, error, now, policy)


def case_of(row: Mapping[str, Any], after: TaskState, now: datetime) -> dict[str, Any]:
    """Since when a person should look at it."""
    return {"case_since": (row["case_since"] or now) if after.case_kind else None}


Handler = Callable[[TaskState, GatewayError, datetime, RetryPolicy], TaskState]

# The error's class; its word; what follows a send; and a query. An exact child stands before its parent.
OUTCOME_HANDLERS: tuple[tuple[type[GatewayError], str, Handler, Handler], ...] = (
    (NotSent, "not_sent", _send_not_done, _not_done),
    (Busy, "busy", _send_not_done, _not_done),
    (Credentials, "credentials", _send_not_done, _not_done),
    (ClockSkew, "clock", _send_not_done, _not_done),
    (NotFound, "not_found", _send_refused, _absent),
    (Refused, "refused", _send_refused, _ask_later),
    (Misuse, "misuse", _send_refused, _ask_later),
    (OtherRecord, "another_record", _send_unknown, _asked_about_another),
    (GatewayError, "unknown", _send_unknown, _ask_later),
)
