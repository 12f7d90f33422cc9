"""Rehearsing: which of many declarations a re-push would take, and which rules keep the others back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from customs.auth.principal import Caller
from customs.db.pagination import newest_first
from customs.declarations.actions.action_rules import Policy, Refusal, Request, joined, refusals_of
from customs.declarations.models import Declaration
from customs.declarations.reading.queries import DECLARATIONS_BY
from customs.errors import ActionNotAllowed, ConcurrentUpdate, ErrorDetail, NotFound, ValidationFailed
from customs.payments_port import PaymentKey, Payments

MOST_AT_ONCE = 200
REDECLARE = "redeclare"


@dataclass(frozen=True)
class KeptBack:
    """The declarations that one rule keeps back. `not_before`: from when all of them may; None: waiting helps none."""

    rule: str
    declarations: tuple[Declaration, ...]
    not_before: datetime | None


@dataclass(frozen=True)
class Rehearsal:
    """What a re-push would do. `with_override`: how many of those kept back an override would let out."""

    allowed: tuple[Declaration, ...]
    kept_back: tuple[KeptBack, ...]
    with_override: int

    @property
    def total(self) -> int:
        return len(self.allowed) + sum(len(group.declarations) for group in self.kept_back)


@dataclass(frozen=True)
class Performed:
    """What became of a decision on many: the ids that went out, and those that were refused meanwhile."""

    done: tuple[str, ...]
    refused: tuple[str, ...]


def rehearse(
    db: Session,
    caller: Caller,
    ids: Sequence[str],
    policy: Policy,
    payments: Payments,
    now: datetime,
    *,
    override: bool = False,
) -> Rehearsal:
    """Look at each declaration as `Reviewing.redeclare` will, and change nothing; newest first.

    Raises ValidationFailed for no ids or more than MOST_AT_ONCE, NotFound when one of them is not the caller's.
    """
    found = chosen(db, caller, ids)
    facts = payments.facts(db, {payment_of(declaration) for declaration in found})

    def refusal(declaration: Declaration, *, override: bool) -> Refusal | None:
        request = Request.about(facts.get(payment_of(declaration)), now, policy, override=override)
        return refusals_of(declaration.pushes, request)[REDECLARE]

    allowed, kept_back = sorted_out(found, lambda declaration: refusal(declaration, override=override))
    held = [declaration for group in kept_back for declaration in group.declarations]
    return Rehearsal(allowed, kept_back, sum(refusal(declaration, override=True) is None for declaration in held))


def sorted_out(
    found: Sequence[Declaration], refusal_of: Callable[[Declaration], Refusal | None]
) -> tuple[tuple[Declaration, ...], tuple[KeptBack, ...]]:
    """Those that nothing refuses, and the others by the rule that does, the largest group first."""
    allowed: list[Declaration] = []
    kept_back: dict[str, list[tuple[Declaration, Refusal]]] = {}
    for declaration in found:
        refusal = refusal_of(declaration)
        if refusal is None:
            allowed.append(declaration)
        else:
            kept_back.setdefault(refusal.rule, []).append((declaration, refusal))
    groups = [_group(rule, held) for rule, held in kept_back.items()]
    return tuple(allowed), tuple(sorted(groups, key=lambda group: -len(group.declarations)))


def perform(ids: Sequence[str], deed: Callable[[str], object]) -> Performed:
    """Do something to one declaration after the other; what was changed meanwhile is left alone. `deed` does one."""
    done, refused = [], []
    for declaration_id in ids:
        try:
            deed(declaration_id)
        except (ActionNotAllowed, ConcurrentUpdate, ValidationFailed):
            refused.append(declaration_id)
        else:
            done.append(declaration_id)
    return Performed(tuple(done), tuple(refused))


def chosen(db: Session, caller: Caller, ids: Sequence[str]) -> Sequence[Declaration]:
    """The declarations with these ids, newest first. Raises ValidationFailed, and NotFound, as `rehearse` does."""
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


def payment_of(declaration: Declaration) -> PaymentKey:
    """The payment that a declaration declares."""
    return PaymentKey(declaration.merchant_no, declaration.channel, declaration.payment_no)


def _group(rule: str, held: Sequence[tuple[Declaration, Refusal]]) -> KeptBack:
    together = joined([refusal for _, refusal in held])
    not_before = together.not_before if together else None
    return KeptBack(rule, tuple(declaration for declaration, _ in held), not_before)
