"""What an outcome means for a push, and what is due next: rules on plain values, no database, no clock of their own.

`reliability.md`'s table of outcomes is OUTCOME_HANDLERS below; R11 to R15 are the functions it names.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from customs.declarations.cases import CaseKind, Detail
from customs.declarations.contents import Echo
from customs.declarations.identity import Identity, read_verdict
from customs.declarations.states import Action, State, is_forward, read_state
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
from customs.gateway.messages import DeclarationReply
from customs.jobs.leases import backing_off, growing

ROUNDS_OF_DOUBT = 20
ROUNDS_OF_DOUBT_AFTER_ACCEPTANCE = 2
POLLING_BUDGET = timedelta(hours=24)
# What the gateway's clock may lag behind ours, and the end of a lease behind the call that it was for.
CLOCKS_DIFFER = timedelta(minutes=2)
# One answer may have been mixed up on its way; as many in a row are the gateway's own.
OTHERS_ANSWERS = 3
NO_REASON = "refused without a reason"


@dataclass(frozen=True)
class PushState:
    """Where one push stands: the columns of Push that an outcome may change."""

    state: State
    explanation: str | None
    identity: Identity | None
    modify_time: datetime | None
    accepted: bool
    accepted_content: str | None
    content_in_doubt: bool
    prior_state: State | None
    budget_from: datetime | None
    next_action: Action | None
    due_at: datetime | None
    in_doubt: Action | None
    refusal: str | None
    sent_at: datetime | None
    failed_attempts: int
    poll_count: int
    unknown_rounds: int
    strays: int
    case_kind: CaseKind | None
    case_detail: Detail | None


@dataclass(frozen=True)
class RetryPolicy:
    """How fast to go, in seconds: the first poll, the age at which "not found" counts."""

    poll_seconds: float
    grace_seconds: float


@dataclass(frozen=True)
class Transition:
    """Where the push stands after an outcome; `outcome` is the word the timeline and the metrics use."""

    after: PushState
    outcome: str


Outcome = DeclarationReply | GatewayError


def handle_outcome(
    before: PushState, action: Action, outcome: Outcome, now: datetime, policy: RetryPolicy, echo: Echo = Echo.SILENT
) -> Transition:
    """Handle the outcome of one call. For a state-changing `action`, `before.in_doubt` is that action.

    `echo`: what the content in an answer says of a correction.
    """
    before = replace(before, budget_from=before.budget_from or now)
    if isinstance(outcome, DeclarationReply | NotFound):
        before = replace(before, strays=0)
    for kind, word, of_submit, of_query in OUTCOME_HANDLERS:
        if isinstance(outcome, kind):
            handler = of_query if action is Action.QUERY else of_submit
            if isinstance(outcome, DeclarationReply):
                after = handler(before, outcome, now, policy, echo)
                word = word if read_state(outcome.state) in (None, after.state) else "stale"
            else:
                after = handler(before, outcome, now, policy)
            return Transition(after, word)
    raise TypeError(f"no rule for {type(outcome).__name__}")


def _answered(before: PushState, reply: DeclarationReply, now: datetime, policy: RetryPolicy, echo: Echo) -> PushState:
    """The gateway did what we asked, or shows that it had done so."""
    if _is_old_answer(before, reply) or (before.in_doubt and echo is Echo.OTHER):
        # Nothing was pushed (Alipay within five minutes, or a stale read): only a newer modify_time settles it.
        return _poll(replace(before, failed_attempts=0), now, policy)
    settled = replace(before, accepted=True, in_doubt=None, refusal=None, unknown_rounds=0, failed_attempts=0)
    if before.in_doubt:
        settled = replace(settled, accepted_content=None, content_in_doubt=False)
    return _observe(settled, reply, now, policy)


def _found(before: PushState, reply: DeclarationReply, now: datetime, policy: RetryPolicy, echo: Echo) -> PushState:
    """A query was answered with a record of ours."""
    if _is_stale(before, reply):
        # Read from a copy that lags behind: it says nothing about what was sent since.
        return _poll(replace(before, failed_attempts=0), now, policy)
    if before.in_doubt is Action.SUBMIT and before.accepted_content and echo is not Echo.WANTED:
        return _found_earlier(before, reply, now, policy, echo)
    if before.in_doubt and _proves_nothing(before, reply, echo):
        return _without_effect(_moved_on(before, reply), now, policy)
    return _answered(before, reply, now, policy, echo)


def _found_earlier(
    before: PushState, reply: DeclarationReply, now: datetime, policy: RetryPolicy, echo: Echo
) -> PushState:
    """An ADD was sent with other content than one before it, and one of the two is there: a person decides."""
    doubtful = echo is Echo.SILENT and before.refusal is None
    there = replace(
        before,
        accepted=True,
        in_doubt=None,
        refusal=None,
        unknown_rounds=0,
        failed_attempts=0,
        content_in_doubt=doubtful,
    )
    if before.refusal:
        return _observe(_open_case(there, CaseKind.REFUSED, explanation=before.refusal), reply, now, policy)
    return _observe(_open_case(there, CaseKind.NO_EFFECT), reply, now, policy)


def _proves_nothing(before: PushState, reply: DeclarationReply, echo: Echo) -> bool:
    """Whether a record leaves open if the call in doubt took effect (R13).

    An epoch that has not ended moves by itself, so that a newer time is no proof while one of before still runs; then
    only the new content is. Neither is a time from before the send.
    """
    if echo is not Echo.SILENT:
        return echo is Echo.OTHER
    if _is_old_answer(before, reply) or _predates(before, reply):
        return True
    return before.prior_state is not None and not before.prior_state.is_final


def _predates(before: PushState, reply: DeclarationReply) -> bool:
    """Whether what a record tells of happened before the re-push or MODIFY in doubt was sent.

    A time that never moves says nothing either way.
    """
    if before.prior_state is None or before.sent_at is None or reply.modify_time in (None, before.modify_time):
        return False
    return reply.modify_time < before.sent_at - CLOCKS_DIFFER


def _moved_on(before: PushState, reply: DeclarationReply) -> PushState:
    """The epoch before has moved: what it is now is what the call in doubt is judged against."""
    return replace(
        before,
        prior_state=before.prior_state and (read_state(reply.state) or before.prior_state),
        modify_time=reply.modify_time or before.modify_time,
    )


def _is_stale(before: PushState, reply: DeclarationReply) -> bool:
    """Whether a reply is older than what we hold (R12)."""
    if before.modify_time is None or reply.modify_time is None:
        return False
    return reply.modify_time < before.modify_time


def _is_old_answer(before: PushState, reply: DeclarationReply) -> bool:
    """Whether a reply still speaks of the epoch before the last re-push or MODIFY (R13)."""
    if before.prior_state is None or reply.modify_time is None:
        return False
    unchanged = reply.modify_time == before.modify_time and read_state(reply.state) is before.prior_state
    return unchanged or _is_stale(before, reply)


def _observe(before: PushState, reply: DeclarationReply, now: datetime, policy: RetryPolicy) -> PushState:
    """Take what the gateway reports; surprises are the gateway's truth and a reviewer's work (R12)."""
    if _is_stale(before, reply):
        return _poll(before, now, policy)
    reported = read_state(reply.state)
    identity = read_verdict(reply.cert_check_result) or before.identity
    # An answer without a time does not say which epoch it belongs to: the next one may still be an old one.
    prior_state = before.prior_state if reply.modify_time is None else None
    modify_time = reply.modify_time or before.modify_time
    seen = replace(before, identity=identity, prior_state=prior_state, modify_time=modify_time)
    if reported is None:
        return _poll(_open_case(seen, CaseKind.UNKNOWN_STATE, state=reply.state[:40]), now, policy)
    if not is_forward(before.state, reported):
        if reply.modify_time is None or before.modify_time is None or reply.modify_time == before.modify_time:
            # As old as what we hold and less advanced: read from a copy that lags behind.
            return _poll(seen, now, policy)
        seen = _open_case(seen, CaseKind.WENT_BACK, before=str(before.state), after=str(reported))
    failed = reported in (State.FAIL, State.EXCEPT)
    seen = replace(seen, state=reported, explanation=(reply.explanation or before.explanation) if failed else None)
    if not reported.is_final:
        return _poll(seen, now, policy)
    if failed:
        # That it took too long matters no more.
        seen = replace(seen, case_kind=None) if seen.case_kind is CaseKind.NO_END else seen
        explained = {"explanation": seen.explanation} if seen.explanation else {}
        seen = _open_case(seen, CaseKind(reported), **explained)
    if identity is Identity.MISMATCH:
        seen = _open_case(seen, CaseKind.IDENTITY)
    return replace(seen, next_action=None, due_at=None)


def _not_done(before: PushState, error: GatewayError, now: datetime, policy: RetryPolicy) -> PushState:
    """The call changed nothing and it was not the push's fault: the same again, later, at no cost to its budget."""
    wait = backing_off(before.failed_attempts, error.retry_after if isinstance(error, Busy) else None)
    return replace(before, failed_attempts=before.failed_attempts + 1, due_at=now + timedelta(seconds=wait))


def _send_not_done(before: PushState, error: GatewayError, now: datetime, policy: RetryPolicy) -> PushState:
    # What never left the machine was not sent: it may still be cancelled.
    never_left = isinstance(error, NotSent) and not before.accepted and not before.unknown_rounds
    sent_at = None if never_left else before.sent_at
    return replace(_not_done(before, error, now, policy), next_action=before.in_doubt, in_doubt=None, sent_at=sent_at)


def _send_refused(before: PushState, error: Refused | Misuse, now: datetime, policy: RetryPolicy) -> PushState:
    """A permanent no. After a round of doubt it may mean "already declared": ask first."""
    message = error.message or NO_REASON
    if before.unknown_rounds:
        return _poll(replace(before, refusal=message, failed_attempts=0), now, policy)
    return _give_up(_refused(before, message), now, policy)


def _absent(before: PushState, error: GatewayError, now: datetime, policy: RetryPolicy) -> PushState:
    """A query was answered with "not found"; that counts only for a send in doubt, and only after the grace."""
    return (
        _without_effect(before, now, policy)
        if before.in_doubt
        else _poll(replace(before, failed_attempts=0), now, policy)
    )


def _without_effect(before: PushState, now: datetime, policy: RetryPolicy) -> PushState:
    """The call in doubt shows no effect: send it again once the grace has passed, within the budget (R13)."""
    grace = timedelta(seconds=policy.grace_seconds)
    sent_at = before.sent_at or now
    if now - sent_at < grace:
        waiting = _poll(replace(before, failed_attempts=0), now, policy)
        return replace(waiting, due_at=min(waiting.due_at or now, sent_at + grace))
    if before.refusal:
        return _give_up(_refused(before, before.refusal), now, policy)
    rounds = ROUNDS_OF_DOUBT if before.in_doubt is Action.SUBMIT else ROUNDS_OF_DOUBT_AFTER_ACCEPTANCE
    if before.unknown_rounds + 1 >= rounds:
        sent = {"action": str(before.in_doubt), "count": str(before.unknown_rounds + 1)}
        return _give_up(_open_case(before, CaseKind.NO_EFFECT, **sent), now, policy)
    return replace(
        before,
        next_action=before.in_doubt,
        in_doubt=None,
        unknown_rounds=before.unknown_rounds + 1,
        failed_attempts=0,
        poll_count=0,
        due_at=now,
    )


def _send_unknown(before: PushState, _outcome: GatewayError, now: datetime, policy: RetryPolicy) -> PushState:
    """It may have been done: the grace counts from now, for it left after it was marked."""
    return _poll(replace(before, failed_attempts=0, sent_at=now), now, policy)


def _poll_later(before: PushState, _outcome: GatewayError, now: datetime, policy: RetryPolicy) -> PushState:
    return _poll(replace(before, failed_attempts=0), now, policy)


def _asked_about_another(before: PushState, _outcome: GatewayError, now: datetime, policy: RetryPolicy) -> PushState:
    """Somebody else has the number: it says nothing of ours, which comes before a person once that is certain."""
    before = replace(before, failed_attempts=0, strays=before.strays + 1)
    if before.strays >= OTHERS_ANSWERS:
        before = _open_case(before, CaseKind.ANOTHERS_NUMBER)
    return _poll(before, now, policy)


def _poll(before: PushState, now: datetime, policy: RetryPolicy) -> PushState:
    """Ask again, each time after longer; a day without an end opens a case while the asking goes on."""
    if now - (before.budget_from or now) > POLLING_BUDGET:
        before = _open_case(before, CaseKind.NO_END)
    due_at = now + timedelta(seconds=growing(policy.poll_seconds, before.poll_count))
    return replace(before, next_action=Action.QUERY, poll_count=before.poll_count + 1, due_at=due_at)


def _refused(before: PushState, explanation: str) -> PushState:
    """Open the case of a refusal, in the gateway's words."""
    return replace(_open_case(before, CaseKind.REFUSED, explanation=explanation), explanation=explanation)


def _give_up(before: PushState, now: datetime, policy: RetryPolicy) -> PushState:
    """Nothing more by ourselves: a person decides. What the gateway held before the action still stands.

    Where that had not ended it goes on without us, and is asked for.
    """
    state = before.prior_state or before.state
    given_up = replace(
        before,
        state=state,
        content_in_doubt=before.content_in_doubt or (before.accepted_content is not None and before.unknown_rounds > 0),
        prior_state=None,
        in_doubt=None,
        refusal=None,
        failed_attempts=0,
        next_action=None,
        due_at=None,
    )
    return _poll(given_up, now, policy) if before.accepted and not state.is_final else given_up


def _open_case(before: PushState, kind: CaseKind, /, **detail: str) -> PushState:
    """Put the push before a reviewer; the first case stays until somebody decides."""
    return before if before.case_kind else replace(before, case_kind=kind, case_detail=detail)


Handler = Callable[..., PushState]

# The outcome's class; its word; what follows a submit, re-push or MODIFY; and a query.
# The first row that fits counts: an exact child stands before its parent.
OUTCOME_HANDLERS: tuple[tuple[type[Outcome], str, Handler, Handler], ...] = (
    (DeclarationReply, "answered", _answered, _found),
    (NotSent, "not_sent", _send_not_done, _not_done),
    (Busy, "busy", _send_not_done, _not_done),
    (Credentials, "credentials", _send_not_done, _not_done),
    (ClockSkew, "clock", _send_not_done, _not_done),
    (NotFound, "not_found", _send_refused, _absent),
    (Refused, "refused", _send_refused, _poll_later),
    (Misuse, "misuse", _send_refused, _poll_later),
    (OtherRecord, "another_record", _send_unknown, _asked_about_another),
    (GatewayError, "unknown", _send_unknown, _poll_later),
)
