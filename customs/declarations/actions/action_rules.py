"""May I: what a person may do with a declaration now, and if not, why and from when (R11, R14).

The API's allowed_actions, the buttons of pages, dry runs and the refusal itself all ask here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from customs.declarations.actions.amendments import Amendment, changed_sub_orders
from customs.declarations.channels import CHANNELS
from customs.declarations.intake.orders import RuleFinding
from customs.declarations.intake.rules import findings_of_change
from customs.declarations.intake.validate import Rules
from customs.declarations.models import Declaration, Push
from customs.declarations.offices import customs_code
from customs.declarations.pushes.outcomes import POLLING_BUDGET
from customs.declarations.states import Action, State
from customs.gateway import Channel
from customs.payments_port import PaymentFacts
from customs.stats.tallies import day_of


class Decision(StrEnum):
    """A decision that a person may take on a declaration, named as the API's call is."""

    REDECLARE = "redeclare"
    MODIFY = "modify"
    CANCEL = "cancel"
    DISMISS = "dismiss"


@dataclass(frozen=True)
class Refusal:
    """A reason why an action is not allowed; `not_before` when waiting helps."""

    rule: str
    why: str
    not_before: datetime | None = None


@dataclass(frozen=True)
class Permission:
    """Permission for a decision now; `refusal` is None where it is given. `may_override`: reviewers may override it."""

    refusal: Refusal | None
    may_override: bool = False


@dataclass(frozen=True)
class Policy:
    """The switches and waits that decide."""

    repush_seconds: float
    redeclare_failed: str


@dataclass(frozen=True)
class Request:
    """The circumstances of a decision. `override`: a reviewer lets it out as it is.

    `refunding`: a refund of its payment has not ended. `buyer_erased`: who the buyer was is not known any more.
    """

    now: datetime
    policy: Policy
    override: bool = False
    refunding: bool = False
    buyer_erased: bool = False

    @classmethod
    def about(
        cls,
        declaration: Declaration,
        facts: PaymentFacts | None,
        now: datetime,
        policy: Policy,
        *,
        override: bool = False,
    ) -> "Request":
        """A request for a declaration, with what is known of its payment."""
        refunding = facts is not None and facts.refunding
        return cls(now, policy, override, refunding, declaration.buyer_erased_at is not None)

    def overridden(self) -> "Request":
        """Return the same request from a reviewer who lets it out as it is."""
        return replace(self, override=True)


UNCHANGED = Refusal("unchanged", "nothing in it differs from the declaration")
Check = Callable[[Push, Request], Refusal | None]


def was_sent(push: Push) -> bool:
    """Return whether a call for a push ever reached the gateway, or may have."""
    return push.sent_at is not None


def taken_by_redeclare(pushes: Sequence[Push]) -> Sequence[Push]:
    """Return the pushes that a re-push takes by itself: all that failed, else those given up, else all SUCCESS.

    What was given up, or lags behind its content, comes before what is SUCCESS.
    """
    for belongs in (_has_failed, _was_given_up, _has_succeeded):
        if taken := [push for push in pushes if belongs(push)]:
            return taken
    return pushes


def taken_by_dismiss(pushes: Sequence[Push], request: Request) -> Sequence[Push]:
    """Return the pushes with an open case; while a refund is under way, those whose outcome it has waited a day for."""
    doubted = [push for push in pushes if _keeps_a_refund(push, request)]
    return doubted or [push for push in pushes if push.case_kind] or pushes[:1]


def touched_by_modify(pushes: Sequence[Push], change: Amendment) -> Sequence[Push]:
    """Return the pushes whose content changes; without a change, those that customs accepted with other content."""
    numbers = changed_sub_orders(change)
    return [push for push in pushes if push.sub_order_no in numbers] or [push for push in pushes if lags(push)]


def _keeps_a_refund(push: Push, request: Request) -> bool:
    """Return whether a refund has waited for the outcome of this push's call for a day."""
    if not request.refunding or push.refund_allowed or push.in_doubt is None or _is_called(push, request):
        return False
    return push.budget_from is not None and request.now - push.budget_from > POLLING_BUDGET


def _is_called(push: Push, request: Request) -> bool:
    return push.in_doubt is not None and push.lease_until is not None and push.lease_until > request.now


def _has_failed(push: Push) -> bool:
    return push.state in (State.FAIL, State.EXCEPT)


def _was_given_up(push: Push) -> bool:
    """Return whether a push was sent and has no outcome: refused, out of budget, or accepted with other content."""
    return lags(push) or (was_sent(push) and push.next_action is None and not push.state.is_final)


def _has_succeeded(push: Push) -> bool:
    return push.state is State.SUCCESS


def joined(refusals: Sequence[Refusal]) -> Refusal | None:
    """Join refusals into one: the reason is the first one's, and waiting helps only when it helps all of them."""
    if not refusals:
        return None
    times = [refusal.not_before for refusal in refusals]
    not_before = None if None in times else max(moment for moment in times if moment)
    return replace(refusals[0], not_before=not_before)


def refused_pushes(decision: Decision, pushes: Sequence[Push], request: Request) -> list[tuple[Push, Refusal]]:
    """Return those of these pushes that may not be decided on, each with the first rule against it."""
    refused = []
    for push in pushes:
        found = (check(push, request) for check in CHECKS[decision](push))
        if refusal := next(filter(None, found), None):
            refused.append((push, refusal))
    return refused


def refusal_to(decision: Decision, pushes: Sequence[Push], request: Request) -> Refusal | None:
    """Return why a person may not decide this on a declaration with these pushes; None where they may.

    Re-push and dismiss speak of the pushes they would take by themselves.
    """
    refused = refused_pushes(decision, TAKES[decision](pushes, request), request)
    return joined([refusal for _, refusal in refused])


def refusals_of(pushes: Sequence[Push], request: Request) -> dict[Decision, Refusal | None]:
    """Return every decision with the reason against it, if there is one."""
    return {decision: refusal_to(decision, pushes, request) for decision in Decision}


def permissions_of(pushes: Sequence[Push], request: Request) -> dict[Decision, Permission]:
    """Return every decision with the reason against it, and whether a reviewer may override that."""
    overridden = refusals_of(pushes, request.overridden())
    return {
        decision: Permission(refusal, decision is Decision.REDECLARE and bool(refusal and not overridden[decision]))
        for decision, refusal in refusals_of(pushes, request).items()
    }


def errors_in(change: Amendment, rules: Rules, request: Request) -> list[RuleFinding]:
    """Return what the rules of intake refuse in changed content."""
    found = findings_of_change(change.before, change.after, day_of(request.now))
    return [one for one in found if rules.refuses(one)]


def refusal_to_modify(pushes: Sequence[Push], change: Amendment, request: Request, rules: Rules) -> Refusal | None:
    """Return why a declaration with these pushes may not be changed in this way; None where it may."""
    touched = touched_by_modify(pushes, change)
    if not touched:
        return UNCHANGED
    for one in errors_in(change, rules, request):
        return Refusal(one.code, one.detail)
    return joined([refusal for _, refusal in refused_pushes(Decision.MODIFY, touched, request)])


def lags(push: Push) -> bool:
    """Return whether the gateway accepted other content than is wanted, and nothing is under way to correct it."""
    return push.accepted_content is not None and push.in_doubt is None and push.next_action in (None, Action.QUERY)


def action_of_redeclare(push: Push) -> Action:
    """Return how a push is pushed again: sent anew where it was never accepted, corrected where its content differs.

    A re-push names numbers only: it would end well while customs holds the old content.
    """
    if push.accepted_content is not None:
        return action_of_modify(push)
    return Action.REDECLARE if push.accepted else Action.SUBMIT


def action_of_modify(push: Push) -> Action:
    """Without MODIFY, corrected fields go with the re-push (9.5); what was never taken is sent anew."""
    if not push.accepted:
        return Action.SUBMIT
    return Action.MODIFY if CHANNELS[push.channel].has_modify else Action.REDECLARE


def _not_cancelled(push: Push, _request: Request) -> Refusal | None:
    return Refusal("cancelled", "the declaration was cancelled") if push.cancelled else None


def _has_its_buyer(_push: Push, request: Request) -> Refusal | None:
    """A push without the buyer it had is another content, which the gateway refuses."""
    return (
        Refusal("buyer_erased", "the buyer's data was erased when its retention ended")
        if request.buyer_erased
        else None
    )


def _nothing_in_doubt(push: Push, request: Request) -> Refusal | None:
    """R14."""
    if push.in_doubt is None:
        return None
    if _is_called(push, request):
        return Refusal("in_flight", "a call for this push is under way", push.lease_until)
    return Refusal(
        "outcome_unknown", "the outcome of the last call is not known yet; it is being asked for", push.due_at
    )


def _has_ended(push: Push, _request: Request) -> Refusal | None:
    """A re-push follows SUCCESS, FAIL or EXCEPT; or a case in which we gave up or it never ended."""
    if push.state.is_final or push.case_kind is not None or _was_given_up(push):
        return None
    return Refusal("still_running", f"the push is {push.state} and goes on by itself", push.due_at)


def _fail_needs_override(push: Push, request: Request) -> Refusal | None:
    if push.state is not State.FAIL or request.override or request.policy.redeclare_failed == "allow":
        return None
    if push.accepted_content is not None:
        # What goes out is the correction.
        return None
    return Refusal(
        "fail_needs_correction", "a FAIL is corrected with modify first, or let out with an override and a reason"
    )


def _takes_repush(push: Push, _request: Request) -> Refusal | None:
    if action_of_redeclare(push) is not Action.REDECLARE or customs_code(Channel(push.channel), push.customs).repush:
        return None
    return Refusal("no_repush", f"{push.customs} takes no re-push")


def _has_cooled_down(push: Push, request: Request) -> Refusal | None:
    """Within five minutes Alipay answers with the old result and pushes nothing."""
    channel = CHANNELS[push.channel]
    if not channel.has_cool_down or not push.accepted or push.sent_at is None:
        return None
    not_before = push.sent_at + timedelta(seconds=request.policy.repush_seconds)
    if request.now >= not_before:
        return None
    return Refusal("too_early", f"{channel.name} ignores a re-push so soon after the last push", not_before)


def _never_sent(push: Push, _request: Request) -> Refusal | None:
    return Refusal("already_sent", "something was sent to the gateway already") if was_sent(push) else None


def _has_case(push: Push, _request: Request) -> Refusal | None:
    return None if push.case_kind else Refusal("no_case", "no case is open")


def _no_refund(_push: Push, request: Request) -> Refusal | None:
    return refund_refusal(request)


def _no_refund_that_moves(push: Push, request: Request) -> Refusal | None:
    """Refuse during a refund, unless the refund waits for this push: somebody has to let it go."""
    return None if _keeps_a_refund(push, request) else _no_refund(push, request)


def refund_refusal(request: Request) -> Refusal | None:
    """R18: while a refund has not ended, nothing is decided on a declaration of its payment."""
    return Refusal("refund_under_way", "a refund of its payment is under way") if request.refunding else None


REDECLARE: tuple[Check, ...] = (
    _no_refund,
    _not_cancelled,
    _has_its_buyer,
    _nothing_in_doubt,
    _has_ended,
    _fail_needs_override,
    _takes_repush,
    _has_cooled_down,
)
CANCEL: tuple[Check, ...] = (_not_cancelled, _never_sent)
DISMISS: tuple[Check, ...] = (_no_refund_that_moves, _has_case)


def _modify_checks(push: Push) -> tuple[Check, ...]:
    """MODIFY may follow any known outcome; where it goes as a re-push, the re-push's rules hold too."""
    if not was_sent(push) or action_of_modify(push) is not Action.REDECLARE:
        return (_no_refund, _not_cancelled, _has_its_buyer, _nothing_in_doubt)
    return (_no_refund, _not_cancelled, _has_its_buyer, _nothing_in_doubt, _has_ended, _takes_repush, _has_cooled_down)


# The rules against each decision on one push; and the pushes that it takes of a declaration's.
CHECKS: Mapping[Decision, Callable[[Push], tuple[Check, ...]]] = {
    Decision.REDECLARE: lambda _push: REDECLARE,
    Decision.MODIFY: _modify_checks,
    Decision.CANCEL: lambda _push: CANCEL,
    Decision.DISMISS: lambda _push: DISMISS,
}
TAKES: Mapping[Decision, Callable[[Sequence[Push], Request], Sequence[Push]]] = {
    Decision.REDECLARE: lambda pushes, _request: taken_by_redeclare(pushes),
    Decision.MODIFY: lambda pushes, _request: pushes,
    Decision.CANCEL: lambda pushes, _request: pushes,
    Decision.DISMISS: taken_by_dismiss,
}
