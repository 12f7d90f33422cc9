"""Shared corrections: one wrong value behind a whole group, looked at for each declaration before it is corrected."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from customs.auth.principal import Caller
from customs.declarations.actions.action_rules import (
    Policy,
    Refusal,
    Request,
    joined,
    modify_checks,
    refusal_of,
    touched_by_modify,
)
from customs.declarations.actions.amendments import PLAIN, changed_order
from customs.declarations.actions.bulk_actions import Rehearsal, chosen, payment_of, sorted_out
from customs.declarations.channels import CHANNELS
from customs.declarations.intake.existing import order_of
from customs.declarations.intake.rules import findings_of_change
from customs.declarations.intake.validate import Rules
from customs.declarations.models import Declaration
from customs.gateway import Channel
from customs.payments_port import PaymentFacts, Payments
from customs.privacy.vault import Vault
from customs.stats.tallies import day_of

# What several declarations may have wrong alike, by channel: a buyer and amounts are each one's own.
SHARED: Mapping[Channel, tuple[str, ...]] = {
    channel: tuple(name for name in PLAIN if name not in row.lacks) for channel, row in CHANNELS.items()
}


class SharedCorrection:
    """One change for many declarations, held against each as `Reviewing.modify` will."""

    def __init__(self, changes: Mapping[str, Any], vault: Vault, rules: Rules, policy: Policy, now: datetime) -> None:
        self._changes = changes
        self._vault = vault
        self._rules = rules
        self._now = now
        self._policy = policy

    def rehearse(self, db: Session, caller: Caller, ids: Sequence[str], payments: Payments) -> Rehearsal:
        """Which of them it would correct, and why not the others. Raises as `rehearsing.rehearse`; changes nothing."""
        found = chosen(db, caller, ids)
        facts = payments.facts(db, {payment_of(declaration) for declaration in found})
        refused = sorted_out(found, lambda one: self._refusal(one, facts.get(payment_of(one))))
        return Rehearsal(*refused, with_override=0)

    def _refusal(self, declaration: Declaration, facts: PaymentFacts | None) -> Refusal | None:
        before = order_of(declaration, self._vault)
        after = changed_order(before, self._changes)
        pushes = touched_by_modify(declaration.pushes, before, after)
        if not pushes:
            return Refusal("unchanged", "nothing in it differs from the declaration")
        for one in findings_of_change(before, after, day_of(self._now)):
            if self._rules.refuses(one):
                return Refusal(one.code, one.detail)
        request = Request.about(facts, self._now, self._policy)
        refusals = (refusal_of(push, modify_checks(push), request) for push in pushes)
        return joined([refusal for refusal in refusals if refusal])


def values_now(declarations: Sequence[Declaration], name: str) -> tuple[str, ...]:
    """What these declarations say in one field, each value once."""
    held = (getattr(declaration, name) for declaration in declarations)
    return tuple(sorted({str(value) for value in held if value is not None}))
