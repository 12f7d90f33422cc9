"""Review: what a person decides on a declaration — re-push, modify, cancel, dismiss — with a reason, on the record."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from customs.audit.actions import AuditAction, audit_event
from customs.audit.trail import AuditTrail
from customs.auth.principal import Caller, Scope
from customs.declarations.actions.action_rules import (
    UNCHANGED,
    Decision,
    Policy,
    Refusal,
    Request,
    action_of_modify,
    action_of_redeclare,
    errors_in,
    joined,
    refund_refusal,
    refused_pushes,
    taken_by_dismiss,
    taken_by_redeclare,
    touched_by_modify,
    was_sent,
)
from customs.declarations.actions.amendments import amended, write_order
from customs.declarations.cases import case_entry, entry_sentence
from customs.declarations.contents import Content
from customs.declarations.events import count_new_runs, goes_on, mark_declarations_moved, publish_declarations
from customs.declarations.intake.existing import lock_payment, order_of, pushes_of
from customs.declarations.intake.orders import Order, RuleFinding
from customs.declarations.intake.payment_rules import Case, over_payment
from customs.declarations.intake.validate import Rules
from customs.declarations.models import Declaration, Push
from customs.declarations.reading.queries import declaration_of, key_of
from customs.declarations.states import Action, State, roll_up
from customs.declarations.statistics import difference
from customs.errors import ActionNotAllowed, ErrorDetail, ValidationFailed
from customs.events.outbox import EventType
from customs.events.timeline import Event
from customs.payments_port import Payments
from customs.privacy.masking import mask_free_text
from customs.privacy.vault import Vault
from customs.stats.tallies import apply_deltas

# Decisions that are events themselves; what the others begin gives one when it ends.
ANNOUNCED = {
    AuditAction.DECLARATION_CANCEL: EventType.DECLARATION_CANCELLED,
    AuditAction.DECLARATION_DISMISS: EventType.DECLARATION_DISMISSED,
}


class ReviewService:
    """One person's decision in one transaction, which ends with it: who, when, by which policy, what payments allow."""

    def __init__(
        self, db: Session, by: Caller, now: datetime, policy: Policy, payments: Payments, audit: AuditTrail
    ) -> None:
        self._db = db
        self._by = by
        self._now = now
        self._policy = policy
        self._payments = payments
        self._audit = audit

    def redeclare(
        self, declaration_id: str, why: str, *, override: bool = False, push_ids: Sequence[str] = ()
    ) -> Declaration:
        """Push again: those named, else all that failed, else all that are SUCCESS.

        Raises ActionNotAllowed with the rule and `not_before` when one of them may not; then nothing changes.
        """
        if override:
            self._by.require(Scope.DECLARATIONS_REVIEW)
        declaration = self._locked(declaration_id)
        self._require_no_refund(declaration)
        pushes = self._chosen(declaration, push_ids)
        request = self._request(declaration, override=override)
        self._require(Decision.REDECLARE, pushes, request)
        for push in pushes:
            self._begin_epoch(push, action_of_redeclare(push))
        self._close(declaration, pushes)
        return self._done(declaration, AuditAction.DECLARATION_REDECLARE, why, pushes, override=str(override).lower())

    def modify(
        self, declaration_id: str, why: str, changes: Mapping[str, Any], vault: Vault, rules: Rules
    ) -> Declaration:
        """Change content and send what changed: MODIFY, a corrected re-push, or a fresh submission.

        Raises ValidationFailed for content that the rules of intake refuse, ActionNotAllowed as `redeclare` does.
        """
        declaration = self._locked(declaration_id)
        self._require_no_refund(declaration)
        request, change = self._request(declaration), amended(order_of(declaration, vault), changes)
        over = [one for one in self._over_payment(declaration, change.after) if rules.refuses(one)]
        errors = [*errors_in(change, rules, request), *over]
        if errors:
            raise ValidationFailed(
                f"the change is not valid: {errors[0].detail}",
                errors=[ErrorDetail(f"/{one.place}", one.code, f"{one.detail}; {one.action}") for one in errors],
            )
        pushes = touched_by_modify(declaration.pushes, change)
        if not pushes:
            raise ValidationFailed(UNCHANGED.why, errors=[ErrorDetail("", UNCHANGED.rule, "name a change")])
        self._require(Decision.MODIFY, pushes, request)
        for push in pushes:
            self._keep_accepted(declaration, push, change.after, vault)
        write_order(declaration, change.after, vault)
        for push in pushes:
            if was_sent(push):
                self._begin_epoch(push, action_of_modify(push))
            else:
                # Reserved by a worker or not: a new epoch makes it let go of the old content.
                push.epoch += 1
        self._close(declaration, pushes)
        contents = {"changed": ", ".join(sorted(set(changes)))}
        if kept := next((push.accepted_content for push in pushes if push.accepted_content), None):
            contents["accepted"] = Content.read(kept).text()
        return self._done(declaration, AuditAction.DECLARATION_MODIFY, why, pushes, (), **contents)

    def _keep_accepted(self, declaration: Declaration, push: Push, after: Order, vault: Vault) -> None:
        """Keep what the gateway accepted, or may have, apart from what is wanted from now on."""
        part = next((one for one in declaration.sub_orders if one.sub_order_no == push.sub_order_no), None)
        if push.accepted_content is None:
            if push.accepted or push.unknown_rounds:
                push.accepted_content = Content.of(declaration, part).kept()
            return
        accepted = Content.read(push.accepted_content)
        if not push.content_in_doubt and accepted.is_of(after, push.sub_order_no, vault, declaration.id):
            # Taken back to what customs holds.
            push.accepted_content = None

    def cancel(self, declaration_id: str, why: str) -> Declaration:
        """Take a declaration back before anything was sent; its numbers are free again."""
        declaration = self._locked(declaration_id)
        self._require(Decision.CANCEL, declaration.pushes, self._request(declaration))
        for push in declaration.pushes:
            push.cancelled = True
            push.epoch += 1
            push.next_action = push.due_at = None
        declaration.cancelled = True
        declaration.waiting_for = None
        self._close(declaration, declaration.pushes)
        return self._done(declaration, AuditAction.DECLARATION_CANCEL, why, ())

    def dismiss(self, declaration_id: str, why: str) -> Declaration:
        """Close the open case as it is; a budget that was spent starts anew.

        Where a refund has waited for a day for the outcome of a call, it is let go instead, and the case stays open.
        """
        self._by.require(Scope.DECLARATIONS_REVIEW)
        declaration = self._locked(declaration_id)
        request = self._request(declaration)
        open_cases = taken_by_dismiss(declaration.pushes, request)
        self._require(Decision.DISMISS, open_cases, request)
        if request.refunding:
            for push in open_cases:
                push.refund_allowed = True
            return self._done(declaration, AuditAction.DECLARATION_LET_REFUND_GO, why, open_cases)
        for push in open_cases:
            push.budget_from, push.strays = self._now, 0
        cases = {
            push.case_reason: case_entry(push.case_kind, push.case_detail) for push in open_cases if push.case_kind
        }
        self._close(declaration, open_cases)
        closed = [case for _, case in sorted(cases.items())]
        return self._done(declaration, AuditAction.DECLARATION_DISMISS, why, (), closed)

    def _locked(self, declaration_id: str) -> Declaration:
        """The declaration and its pushes, locked in the order the recording locks them, its payment before them."""
        key = key_of(self._db, declaration_id, self._by)
        lock_payment(self._db, key)
        self._facts = self._payments.facts(self._db, {key}, lock=True).get(key)
        declaration = declaration_of(self._db, declaration_id, self._by, lock=True)
        self._db.scalars(
            select(Push)
            .where(Push.declaration_id == declaration.id)
            .order_by(Push.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).all()
        self._before = [dict(vars(push)) for push in declaration.pushes]
        self._went_on = goes_on(self._before, declaration.waiting_for)
        return declaration

    def _require_no_refund(self, declaration: Declaration) -> None:
        """A refund and a declaration of one payment do not race (R18)."""
        if refusal := refund_refusal(self._request(declaration)):
            raise _not_allowed([(push, refusal) for push in declaration.pushes[:1]])

    def _request(self, declaration: Declaration, *, override: bool = False) -> Request:
        return Request.about(declaration, self._facts, self._now, self._policy, override=override)

    def _over_payment(self, declaration: Declaration, after: Order) -> Iterator[RuleFinding]:
        """R4: a modified amount replaces, it does not add."""
        if self._facts is not None:
            pushes = pushes_of(self._db, [after]).get(after.payment, ())
            others = [push for push in pushes if push.declaration_id != declaration.id]
            if found := over_payment(Case(after, self._facts, others, self._now)):
                yield found

    def _chosen(self, declaration: Declaration, push_ids: Sequence[str]) -> list[Push]:
        if push_ids:
            named = [push for push in declaration.pushes if push.id in set(push_ids)]
            if len(named) != len(set(push_ids)):
                raise ValidationFailed(
                    "a push of another declaration was named", errors=[ErrorDetail("/pushes", "push_unknown", "")]
                )
            return named
        return list(taken_by_redeclare(declaration.pushes))

    def _require(self, decision: Decision, pushes: Sequence[Push], request: Request) -> None:
        if refused := refused_pushes(decision, pushes, request):
            raise _not_allowed(refused)

    def _begin_epoch(self, push: Push, action: Action) -> None:
        """Begin a new epoch: only its answers count; the gateway's last state and time distinguish older ones."""
        push.epoch += 1
        push.prior_state = (push.prior_state or push.state) if push.accepted else None
        push.state = State.UNDECLARED
        push.explanation = push.refusal = push.in_doubt = push.budget_from = push.overdue_since = None
        # A gateway that answered "later" is not asked sooner because somebody decided something.
        push.due_at = max(self._now, push.due_at or self._now) if push.failed_attempts else self._now
        push.poll_count = push.failed_attempts = push.strays = 0
        # A push once in doubt and never seen accepted may be there all the same: a refusal then asks first.
        push.unknown_rounds = 0 if push.accepted else min(push.unknown_rounds, 1)
        push.next_action = action

    def _line_up(self, declaration: Declaration) -> None:
        """Whatever waits for a code that is not SUCCESS now has no due time of its own."""
        by_id = {push.id: push for push in declaration.pushes}
        for push in declaration.pushes:
            before = by_id.get(push.blocked_by or "")
            waiting = push.next_action not in (None, Action.QUERY) and not push.in_doubt
            if before is None or not waiting:
                continue
            if before.state is State.SUCCESS:
                push.due_at = push.due_at or self._now
            elif push.due_at is not None:
                push.due_at = push.overdue_since = None
                # A worker may have reserved it already: under a new epoch it cannot leave.
                push.epoch += 1

    def _close(self, declaration: Declaration, decided_on: Sequence[Push]) -> None:
        """Close the cases of what was decided on; a push that was left out stays before the reviewer."""
        for push in decided_on:
            push.case_kind = push.case_detail = push.case_since = push.cause_id = None
            if push.withheld:
                push.withheld = False
                push.due_at = push.due_at or (self._now if push.next_action else None)
        self._line_up(declaration)
        pushes = [vars(push) for push in declaration.pushes]
        for name, value in roll_up(pushes).items():
            setattr(declaration, name, value)
        if not self._went_on and goes_on(pushes, declaration.waiting_for):
            self._db.flush()
            count_new_runs(self._db, [declaration.id])
        apply_deltas(self._db, difference(vars(declaration), self._before, pushes, self._now))

    def _done(
        self,
        declaration: Declaration,
        act: AuditAction,
        why: str,
        pushes: Sequence[Push],
        closed: Sequence[Mapping[str, str]] = (),
        **facts: str,
    ) -> Declaration:
        if pushes:
            facts["pushes"] = ", ".join(push.id for push in pushes)
        cases = {"cases": closed} if closed else {}
        reason, owner = mask_free_text(why), {"merchant_no": declaration.merchant_no}
        detail = {"action": act.partition(".")[2], "reason": reason, **cases, **facts}
        event = Event(
            declaration_id=declaration.id, at=self._now, kind="action", actor=self._by.name, detail=detail, **owner
        )
        self._db.add(event)
        self._db.flush()
        if closed:
            facts["case"] = "; ".join(map(entry_sentence, closed))
        if act in ANNOUNCED:
            publish_declarations(self._db, [declaration.id], ANNOUNCED[act], self._now)
        mark_declarations_moved(self._db, [declaration.id])
        self._audit.append(
            self._db, audit_event(self._by, act, declaration.id, reason=reason, **owner, **facts), self._now
        )
        return declaration


def _not_allowed(refused: Sequence[tuple[Push, Refusal]]) -> ActionNotAllowed:
    errors = [ErrorDetail(f"/pushes/{push.id}", refusal.rule, refusal.why) for push, refusal in refused]
    refusal = joined([one for _, one in refused])
    return ActionNotAllowed(
        refusal.why if refusal else "", errors=errors, not_before=refusal.not_before if refusal else None
    )
