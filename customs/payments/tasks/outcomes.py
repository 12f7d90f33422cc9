"""What an outcome means for an errand, and what is due next: rules on plain values, no database, no clock.

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
from customs.jobs.leases import LONGEST_RETRY_AFTER_SECONDS, growing
from customs.payments.states import PaymentCase
from customs.payments.tasks.task import Deed

LONGEST_BACKOFF_SECONDS = 60.0
ROUNDS_OF_DOUBT = 20
POLLING_BUDGET = timedelta(hours=24)
# A link that nobody opened makes no order that could expire.
OPENING_BUDGET = timedelta(hours=2)
UNHEARD_OF = "the gateway knows nothing of it"
# One answer may have been mixed up on its way; as many in a row are the gateway's own.
OTHERS_ANSWERS = 3

Outcome = SaleReply | OrderReply | RefundReply | GatewayError


@dataclass(frozen=True)
class Standing:
    """Where one errand stands: the columns of Errand that an outcome may change.

    `explanation`: why it failed; `case_kind`: why a person should look at it, until the gateway has answered.
    """

    next_action: Deed | None
    due_at: datetime | None
    in_doubt: bool
    sent_at: datetime | None
    tries: int
    polls: int
    doubts: int
    strays: int
    case_kind: PaymentCase | None
    case_detail: Mapping[str, str] | None
    explanation: str | None


@dataclass(frozen=True)
class Pace:
    """How fast to go, in seconds; `repeatable`: it may be sent again after the gateway knew nothing of it.

    `since` is when it was asked for, `patient`: it is asked for as long as it takes.
    """

    poll_seconds: float
    grace_seconds: float
    repeatable: bool
    patient: bool
    since: datetime


@dataclass(frozen=True)
class Judgement:
    """Where the errand stands after an outcome; `failed`: it will never be done. `outcome` is the timeline's word."""

    standing: Standing
    outcome: str
    failed: bool = False


def judge_error(held: Standing, deed: Deed, error: GatewayError, now: datetime, pace: Pace) -> Judgement:
    """Judge a call that brought no answer about the errand."""
    if isinstance(error, NotFound):
        held = replace(held, strays=0)
    for kind, word, of_send, of_query in JUDGES:
        if isinstance(error, kind):
            standing = (of_query if deed is Deed.QUERY else of_send)(held, error, now, pace)
            failed = standing.next_action is None and standing.explanation is not None
            return Judgement(standing, word, failed)
    raise TypeError(f"no rule for {type(error).__name__}")


def judge_reply(held: Standing, ended: bool, now: datetime, pace: Pace) -> Judgement:
    """Judge an answer about the errand: it was done, and it has ended or is asked for again."""
    done = replace(_without_case(held), in_doubt=False, tries=0, doubts=0, strays=0, explanation=None)
    if ended:
        return Judgement(_ended(done), "answered")
    return Judgement(_poll(done, now, pace), "answered")


def _ended(held: Standing) -> Standing:
    return replace(_without_case(held), next_action=None, due_at=None, in_doubt=False)


def _without_case(held: Standing) -> Standing:
    return replace(held, case_kind=None, case_detail=None)


def _open_case(held: Standing, kind: PaymentCase, **detail: str) -> Standing:
    """Put it before a person; the first case stays until the gateway has answered."""
    return held if held.case_kind else replace(held, case_kind=kind, case_detail=detail)


def _poll(held: Standing, now: datetime, pace: Pace) -> Standing:
    if not pace.patient and not held.in_doubt and now - pace.since > POLLING_BUDGET:
        # Nobody pays an order of yesterday; a notification or a person has it asked for once more.
        return _ended(held)
    if now - max(pace.since, held.sent_at or pace.since) > POLLING_BUDGET:
        held = _open_case(held, PaymentCase.NO_ANSWER if held.in_doubt else PaymentCase.NO_END)
    wait = growing(pace.poll_seconds, held.polls)
    return replace(held, next_action=Deed.QUERY, due_at=now + timedelta(seconds=wait), polls=held.polls + 1)


def _not_done(held: Standing, error: GatewayError, now: datetime, pace: Pace) -> Standing:
    wait = growing(1.0, held.tries, factor=2.0, most=LONGEST_BACKOFF_SECONDS)
    if isinstance(error, Busy) and error.retry_after is not None:
        wait = min(max(error.retry_after, 0.0), LONGEST_RETRY_AFTER_SECONDS)
    return replace(held, tries=held.tries + 1, due_at=now + timedelta(seconds=wait))


def _send_not_done(held: Standing, error: GatewayError, now: datetime, pace: Pace) -> Standing:
    if not pace.repeatable:
        # The payer showed a code that is good for a moment: charging it later would surprise them.
        return replace(_ended(held), explanation=error.message or "the gateway could not be reached")
    return replace(_not_done(held, error, now, pace), next_action=Deed.SEND, in_doubt=False)


def _send_refused(held: Standing, error: GatewayError, now: datetime, pace: Pace) -> Standing:
    """A permanent no. After a round of doubt it may mean "already done": ask first."""
    refused = replace(held, explanation=error.message or "refused without a reason")
    return _poll(replace(refused, tries=0), now, pace) if held.doubts else _ended(refused)


def _send_unknown(held: Standing, error: GatewayError, now: datetime, pace: Pace) -> Standing:
    # The grace counts from now, for it left after it was marked.
    due_at = now + timedelta(seconds=growing(1.0, held.doubts, factor=2.0, most=LONGEST_BACKOFF_SECONDS))
    return replace(held, next_action=Deed.QUERY, due_at=due_at, doubts=held.doubts + 1, tries=0, sent_at=now)


def _absent(held: Standing, error: GatewayError, now: datetime, pace: Pace) -> Standing:
    """A query was answered with "not found"; that counts only for a send in doubt, and only after the grace."""
    if not held.in_doubt:
        if not pace.patient and now - pace.since > OPENING_BUDGET:
            return replace(_ended(held), explanation=UNHEARD_OF)
        return _poll(replace(held, tries=0), now, pace)
    counts_from = (held.sent_at or now) + timedelta(seconds=pace.grace_seconds)
    if now < counts_from:
        soon = now + timedelta(seconds=growing(1.0, held.polls, factor=2.0, most=LONGEST_BACKOFF_SECONDS))
        # Once more before the grace is over, for whoever waits, and once it is.
        return replace(held, due_at=min(max(soon, now), counts_from), polls=held.polls + 1, tries=0)
    if held.doubts > ROUNDS_OF_DOUBT and pace.patient:
        return _poll(_open_case(held, PaymentCase.NO_EFFECT, count=str(held.doubts)), now, pace)
    if held.explanation or not pace.repeatable or held.doubts > ROUNDS_OF_DOUBT:
        return replace(_ended(held), explanation=held.explanation or UNHEARD_OF)
    return replace(held, next_action=Deed.SEND, due_at=now, in_doubt=False, doubts=max(held.doubts, 1), tries=0)


def _ask_later(held: Standing, error: GatewayError, now: datetime, pace: Pace) -> Standing:
    asked = _poll(replace(held, tries=0), now, pace)
    # Nobody asks any more, and the last answer said nothing.
    if asked.next_action:
        return asked
    return _open_case(replace(asked, case_kind=held.case_kind, case_detail=held.case_detail), PaymentCase.NO_ANSWER)


def _asked_about_another(held: Standing, error: GatewayError, now: datetime, pace: Pace) -> Standing:
    """Somebody else has the number: it says nothing of ours, which comes before a person once that is certain."""
    held = replace(held, strays=held.strays + 1)
    if held.strays >= OTHERS_ANSWERS:
        held = _open_case(held, PaymentCase.ANOTHERS_NUMBER)
    return _ask_later(held, error, now, pace)


def case_of(row: Mapping[str, Any], standing: Standing, now: datetime) -> dict[str, Any]:
    """Since when a person should look at it."""
    return {"case_since": (row["case_since"] or now) if standing.case_kind else None}


Handler = Callable[[Standing, GatewayError, datetime, Pace], Standing]

# The error's class; its word; what follows a send; and a query. An exact child stands before its parent.
JUDGES: tuple[tuple[type[GatewayError], str, Handler, Handler], ...] = (
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
