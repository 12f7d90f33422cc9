"""Bulk actions: a dry run says which of many declarations would be pushed again or corrected, then each is done."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from customs.auth.principal import Caller
from customs.db.pagination import newest_first
from customs.declarations.actions.action_rules import (
    Decision,
    Policy,
    Refusal,
    Request,
    joined,
    refusal_to,
    refusal_to_modify,
)
from customs.declarations.actions.amendments import amended
from customs.declarations.intake.existing import order_of
from customs.declarations.intake.validate import Rules
from customs.declarations.models import Declaration
from customs.declarations.reading.queries import DECLARATIONS_BY
from customs.errors import ActionNotAllowed, ConcurrentUpdate, ErrorDetail, NotFound, ValidationFailed
from customs.payments_port import Payments
from customs.privacy.vault import Vault

MOST_AT_ONCE = 200


@dataclass(frozen=True)
class Blocked:
    """The declarations that one rule blocks. `not_before`: from when all of them may; None: waiting helps none."""

    rule: str
    declarations: tuple[Declaration, ...]
    not_before: datetime | None


@dataclass(frozen=True)
class BulkPlan:
    """What a bulk action would do. `with_override`: how many of the blocked ones an override would let out."""

    allowed: tuple[Declaration, ...]
    blocked: tuple[Blocked, ...]
    with_override: int = 0

    @property
    def total(self) -> int:
        return len(self.allowed) + sum(len(group.declarations) for group in self.blocked)


@dataclass(frozen=True)
class BulkResult:
    """What became of a bulk action: the ids that went out, and those that were refused meanwhile."""

    done: tuple[str, ...]
    refused: tuple[str, ...]


def dry_run_redeclare(
    db: Session,
    caller: Caller,
    ids: Sequence[str],
    policy: Policy,
    payments: Payments,
    now: datetime,
    *,
    override: bool = False,
) -> BulkPlan:
    """Look at each declaration as `ReviewService.redeclare` will, and change nothing; newest first.

    Raises as `declarations_with_ids` does.
    """
    found = declarations_with_ids(db, caller, ids)
    facts = payments.facts(db, {one.payment for one in found})
    requests = {one.id: Request.about(one, facts.get(one.payment), now, policy, override=override) for one in found}
    refusals = {one.id: refusal_to(Decision.REDECLARE, one.pushes, requests[one.id]) for one in found}
    allowed, blocked = _sort_out(found, refusals)
    with_override = [
        one
        for one in found
        if refusals[one.id] and not refusal_to(Decision.REDECLARE, one.pushes, requests[one.id].overridden())
    ]
    return BulkPlan(allowed, blocked, len(with_override))


def dry_run_modify(
    db: Session,
    caller: Caller,
    ids: Sequence[str],
    changes: Mapping[str, Any],
    policy: Policy,
    payments: Payments,
    now: datetime,
    vault: Vault,
    rules: Rules,
) -> BulkPlan:
    """Look at one change of each declaration as `ReviewService.modify` will; raises as `declarations_with_ids` does."""
    found = declarations_with_ids(db, caller, ids)
    facts = payments.facts(db, {one.payment for one in found})
    refusals = {}
    for one in found:
        request = Request.about(one, facts.get(one.payment), now, policy)
        refusals[one.id] = refusal_to_modify(one.pushes, amended(order_of(one, vault), changes), request, rules)
    return BulkPlan(*_sort_out(found, refusals))


def execute(ids: Sequence[str], act: Callable[[str], object]) -> BulkResult:
    """Let `act` do one declaration after the other; what was changed meanwhile is left alone."""
    done, refused = [], []
    for declaration_id in ids:
        try:
            act(declaration_id)
        except (ActionNotAllowed, ConcurrentUpdate, ValidationFailed):
            refused.append(declaration_id)
        else:
            done.append(declaration_id)
    return BulkResult(tuple(done), tuple(refused))


def declarations_with_ids(db: Session, caller: Caller, ids: Sequence[str]) -> Sequence[Declaration]:
    """Return the declarations with these ids, newest first.

    Raises ValidationFailed for no ids or more than MOST_AT_ONCE, NotFound when one of them is not the caller's.
    """
    wanted = set(ids)
    if any("\x00" in one for one in wanted):
        # PostgreSQL knows no such text, and no id holds it.
        raise NotFound
    if not 1 <= len(wanted) <= MOST_AT_ONCE:
        detail = f"choose 1 to {MOST_AT_ONCE} declarations"
        raise ValidationFailed(detail, errors=[ErrorDetail("/ids", "length", detail)])
    found = db.scalars(
        select(Declaration)
        .where(Declaration.id.in_(sorted(wanted)), caller.sees(Declaration.merchant_no))
        .options(selectinload(Declaration.pushes), selectinload(Declaration.sub_orders))
        .order_by(*newest_first(DECLARATIONS_BY))
    ).all()
    if len(found) != len(wanted):
        raise NotFound
    return found


def _sort_out(
    found: Sequence[Declaration], refusals: Mapping[str, Refusal | None]
) -> tuple[tuple[Declaration, ...], tuple[Blocked, ...]]:
    """Part those that nothing refuses from the others, by the rule that does, the largest group first."""
    groups: dict[str, list[tuple[Declaration, Refusal]]] = {}
    for declaration in found:
        if refusal := refusals[declaration.id]:
            groups.setdefault(refusal.rule, []).append((declaration, refusal))
    blocked = [_group(rule, group) for rule, group in groups.items()]
    allowed = tuple(declaration for declaration in found if refusals[declaration.id] is None)
    return allowed, tuple(sorted(blocked, key=lambda group: -len(group.declarations)))


def _group(rule: str, group: Sequence[tuple[Declaration, Refusal]]) -> Blocked:
    all_of_them = joined([refusal for _, refusal in group])
    not_before = all_of_them.not_before if all_of_them else None
    return Blocked(rule, tuple(declaration for declaration, _ in group), not_before)
