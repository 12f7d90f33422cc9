"""The dossier of one declaration: everything that is known of it, read in one snapshot for the page that shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from customs.access.callers import Caller
from customs.declarations.allowing import Policy, Refusal, Request, refusals_of
from customs.declarations.contents import Difference, differences
from customs.declarations.foretelling import Foretold, foretell, is_moving
from customs.declarations.matrix import Matrix, SumCheck, matrix_of, sum_checks
from customs.declarations.models import Batch, Declaration
from customs.declarations.queries import batch_of, declaration_of, shown
from customs.declarations.withholding import DECLARED_BY_CODE
from customs.errors import NotFound, VaultLocked
from customs.history.masking import mask_buyer
from customs.history.models import Event
from customs.history.vault import Vault
from customs.paging import Page
from customs.payment_facts import PaymentFacts, PaymentKey, Payments


@dataclass(frozen=True)
class Decision:
    """Something a person may decide now, or why not. `may_override`: a reviewer may let it out as it is."""

    refusal: Refusal | None
    may_override: bool = False


@dataclass(frozen=True)
class Dossier:
    """One declaration with all that belongs to it.

    `batch` is None where other merchants' rows keep it from the caller, `buyer` masked, and None besides where
    `buyer_locked`: the key of its encryption is missing. `differences`: by push, what the gateway accepted otherwise.
    """

    declaration: Declaration
    batch: Batch | None
    buyer: Mapping[str, str] | None
    buyer_locked: bool
    matrix: Matrix
    sums: tuple[SumCheck, ...]
    payment: PaymentFacts | None
    foretold: tuple[Foretold, ...]
    moving: bool
    decisions: Mapping[str, Decision]
    differences: Mapping[str, Sequence[Difference]]


def dossier_of(
    db: Session, caller: Caller, declaration_id: str, vault: Vault, policy: Policy, payments: Payments, now: datetime
) -> Dossier:
    """Read everything; NotFound also for another merchant's."""
    declaration = declaration_of(db, declaration_id, caller)
    key = PaymentKey(declaration.merchant_no, declaration.channel, declaration.payment_no)
    facts = payments.facts(db, {key}).get(key)
    pushes = declaration.pushes
    matrix = matrix_of(declaration, declaration.sub_orders, pushes)
    buyer, buyer_locked = _buyer(declaration, vault)
    return Dossier(
        declaration=declaration,
        batch=_batch(db, declaration.batch_id, caller),
        buyer=buyer,
        buyer_locked=buyer_locked,
        matrix=matrix,
        sums=sum_checks(matrix, _declared(db, key) if matrix.is_split else {}, facts.net_cny if facts else None),
        payment=facts,
        foretold=foretell(
            pushes,
            Request.about(facts, now, policy),
            cancelled=declaration.cancelled,
            waits_for_payment=declaration.waiting_for is not None,
        ),
        moving=is_moving(pushes, now),
        decisions=decisions_on(declaration, facts, policy, now),
        differences={
            push.id: found
            for push in pushes
            if (found := differences(push, declaration, declaration.sub_orders, vault))
        },
    )


def decisions_on(
    declaration: Declaration, facts: PaymentFacts | None, policy: Policy, now: datetime
) -> dict[str, Decision]:
    """What may be decided on a declaration now: redeclare, modify, cancel, dismiss."""
    overridden = refusals_of(declaration.pushes, Request.about(facts, now, policy, override=True))
    decisions = {}
    for name, refusal in refusals_of(declaration.pushes, Request.about(facts, now, policy)).items():
        lets_out = name == "redeclare" and refusal is not None and overridden[name] is None
        decisions[name] = Decision(refusal, lets_out)
    return decisions


def timeline_of(db: Session, declaration_id: str, *, limit: int, before: int = 0) -> Page:
    """What happened to a declaration, newest first; `before`: the number of the last event of the page before."""
    statement = select(Event).where(Event.declaration_id == declaration_id)
    if before:
        statement = statement.where(Event.id < before)
    rows = shown(db, db.scalars(statement.order_by(Event.id.desc()).limit(limit + 1)).all())
    return Page(rows[:limit], str(rows[limit - 1].id) if len(rows) > limit else None)


def _batch(db: Session, batch_id: str, caller: Caller) -> Batch | None:
    try:
        return batch_of(db, batch_id, caller)
    except NotFound:
        return None


def _buyer(declaration: Declaration, vault: Vault) -> tuple[Mapping[str, str] | None, bool]:
    try:
        return mask_buyer(vault.open_buyer(declaration.buyer, declaration.id)), False
    except VaultLocked:
        return None, True


def _declared(db: Session, key: PaymentKey) -> dict[str, Decimal]:
    """What all declarations of a payment come to at each customs code."""
    return {row.customs: row[1] for row in db.execute(DECLARED_BY_CODE, key._asdict())}
