"""Next steps of a declaration, by whom and when: rules on plain values, of which a page makes sentences."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from customs.declarations.actions.action_rules import Decision, Request, refusal_to
from customs.declarations.cases import CaseKind
from customs.declarations.models import Push
from customs.declarations.states import Action, State


class StepKind(StrEnum):
    """Kinds of next steps, in the order in which a page shows them."""

    TO_DECIDE = "to_decide"
    CANCELLED = "cancelled"
    WAITS_FOR_PAYMENT = "waits_for_payment"
    CALLING = "calling"
    ASKING_WHETHER = "asking_whether"
    AT_CUSTOMS = "at_customs"
    ASKING = "asking"
    SUBMITTING = "submitting"
    REPUSHING = "repushing"
    MODIFYING = "modifying"
    TRYING_AGAIN = "trying_again"
    WAITS_FOR_CODE = "waits_for_code"
    WITHHELD = "withheld"
    ACCEPTED = "accepted"
    STANDS_STILL = "stands_still"
    MAY_REPUSH = "may_repush"
    MAY_REPUSH_FROM = "may_repush_from"
    TO_CORRECT = "to_correct"
    TO_CORRECT_BUYER = "to_correct_buyer"
    TO_COMPARE = "to_compare"
    TO_CLOSE = "to_close"


@dataclass(frozen=True)
class NextStep:
    """One thing to say, of `count` pushes. `customs`: their code, where all have the same; `after`: what it waits for.

    `at` is None for what happens at once, or at nobody knows what time. `case`: what it is about.
    """

    what: StepKind
    count: int = 1
    customs: str | None = None
    after: str | None = None
    at: datetime | None = None
    case: CaseKind | None = None


SENDING = {
    Action.SUBMIT: StepKind.SUBMITTING,
    Action.REDECLARE: StepKind.REPUSHING,
    Action.MODIFY: StepKind.MODIFYING,
    Action.QUERY: StepKind.ASKING,
}
# What ends a case, where it is not a re-push.
WAYS_OUT = {
    CaseKind.FAIL: StepKind.TO_CORRECT,
    CaseKind.REFUSED: StepKind.TO_CORRECT,
    CaseKind.IDENTITY: StepKind.TO_CORRECT_BUYER,
    CaseKind.REFUND: StepKind.TO_COMPARE,
    CaseKind.OVER_PAID: StepKind.TO_COMPARE,
    CaseKind.PAYMENT_ENDED: StepKind.TO_CLOSE,
}
ORDER = {what: place for place, what in enumerate(StepKind)}


def next_steps(
    pushes: Sequence[Push], request: Request, *, cancelled: bool = False, waits_for_payment: bool = False
) -> tuple[NextStep, ...]:
    """Return the next steps of a declaration's pushes, the most important first."""
    steps = list(_of_case(pushes, request))
    if cancelled:
        steps.append(NextStep(StepKind.CANCELLED, len(pushes)))
    elif waits_for_payment:
        steps.append(NextStep(StepKind.WAITS_FOR_PAYMENT, len(pushes)))
    else:
        steps += _of_each(pushes, request.now)
    if not steps:
        steps += _of_the_end(pushes, request)
    return tuple(sorted(steps, key=lambda one: ORDER[one.what]))


def is_moving(pushes: Sequence[Push], now: datetime) -> bool:
    """Return whether anything changes by itself before somebody does something."""
    return any(push.due_at is not None or is_called(push, now) for push in pushes if not push.cancelled)


def is_called(push: Push, now: datetime) -> bool:
    """Return whether a call that changes something is under way."""
    return push.in_doubt is not None and push.lease_until is not None and push.lease_until > now


def _of_case(pushes: Sequence[Push], request: Request) -> Iterator[NextStep]:
    """Yield that somebody has to decide, and what helps: the oldest case counts."""
    cases = sorted((push for push in pushes if push.case_kind), key=lambda push: push.case_since or request.now)
    if cases:
        kind = cases[0].case_kind
        yield NextStep(StepKind.TO_DECIDE, len(cases), case=kind)
        if kind in WAYS_OUT:
            yield NextStep(WAYS_OUT[kind])
        else:
            yield from _of_repush(pushes, request)


def _of_repush(pushes: Sequence[Push], request: Request) -> Iterator[NextStep]:
    refusal = refusal_to(Decision.REDECLARE, pushes, request)
    if refusal is None:
        yield NextStep(StepKind.MAY_REPUSH)
    elif refusal.rule == "too_early":
        yield NextStep(StepKind.MAY_REPUSH_FROM, at=refusal.not_before)


def _of_the_end(pushes: Sequence[Push], request: Request) -> Iterator[NextStep]:
    """Yield the steps of a declaration at which nothing goes on and nobody has to decide."""
    if all(push.state is State.SUCCESS for push in pushes):
        yield NextStep(StepKind.ACCEPTED, len(pushes))
        return
    yield NextStep(StepKind.STANDS_STILL, len(pushes))
    yield from _of_repush(pushes, request)


def _of_each(pushes: Sequence[Push], now: datetime) -> Iterator[NextStep]:
    """Yield what each push does next; those that do the same at the same code are one step, due with the first."""
    by_id = {push.id: push for push in pushes}
    alike: dict[NextStep, list[datetime | None]] = {}
    for push in pushes:
        if one := next_of(push, by_id.get(push.blocked_by or ""), now):
            alike.setdefault(replace(one, at=None), []).append(one.at)
    for one, times in alike.items():
        soonest = None if None in times else min(at for at in times if at)
        yield replace(one, count=len(times), at=soonest)


def next_of(push: Push, before: Push | None, now: datetime) -> NextStep | None:
    """Return the next step of one push; None for one that has ended. `before`: the push that it waits for."""
    at = push.due_at if push.due_at is not None and push.due_at > now else None
    if is_called(push, now):
        return NextStep(StepKind.CALLING, customs=push.customs)
    if push.in_doubt is not None:
        return NextStep(StepKind.ASKING_WHETHER, customs=push.customs, at=at)
    if push.next_action is None or push.cancelled:
        return None
    if push.withheld and push.next_action is not Action.QUERY:
        return NextStep(StepKind.WITHHELD, customs=push.customs)
    if push.due_at is None and before is not None:
        return NextStep(StepKind.WAITS_FOR_CODE, customs=push.customs, after=before.customs)
    if push.failed_attempts and push.next_action is not Action.QUERY:
        return NextStep(StepKind.TRYING_AGAIN, customs=push.customs, at=at)
    if push.next_action is Action.QUERY and push.state is State.PROCESSING:
        return NextStep(StepKind.AT_CUSTOMS, customs=push.customs, at=at)
    return NextStep(SENDING[push.next_action], customs=push.customs, at=at)
