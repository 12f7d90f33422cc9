"""The detail of one declaration: everything that is known of it, read in one snapshot for the page that shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from customs.auth.principal import Caller
from customs.db.pagination import Page
from customs.declarations.actions.action_rules import Decision, Permission, Policy, Request, permissions_of
from customs.declarations.channels import CHANNELS, ChannelRow
from customs.declarations.contents import Difference, differences
from customs.declarations.fields import CONTENT, Field
from customs.declarations.intake.payment_holds import DECLARED_BY_CODE
from customs.declarations.models import Batch, Declaration, Push, SubOrder
from customs.declarations.offices import waits_for_the_one_before
from customs.declarations.reading.next_steps import NextStep, is_moving, next_steps
from customs.declarations.reading.queries import batch_of, declaration_of, shown
from customs.errors import DecryptionKeyMissing, NotFound
from customs.events.timeline import Event
from customs.gateway import Channel
from customs.payments_port import PaymentFacts, PaymentKey, Payments
from customs.privacy.masking import mask_buyer
from customs.privacy.vault import Vault


@dataclass(frozen=True)
class MatrixRow:
    """One sub-order, or the order itself when it is not split, with one cell for each customs code.

    `number` is the one that customs matches on. The amounts are those of a sub-order, in yuan.
    """

    number: str
    is_sub_order: bool
    cells: tuple[Push | None, ...]
    amount: Decimal | None = None
    transport_amount: Decimal | None = None
    product_amount: Decimal | None = None

    @property
    def adds_up(self) -> bool | None:
        """Return whether freight and goods make the amount; None where they were not given."""
        if self.amount is None or self.transport_amount is None or self.product_amount is None:
            return None
        return self.transport_amount + self.product_amount == self.amount


@dataclass(frozen=True)
class Matrix:
    """All pushes of one declaration. `ordered`: each code waits for the one before it."""

    codes: tuple[str, ...]
    ordered: bool
    rows: tuple[MatrixRow, ...]

    @property
    def is_split(self) -> bool:
        return any(row.is_sub_order for row in self.rows)


@dataclass(frozen=True)
class SumCheck:
    """The declared amount of one payment at one customs code, and what was paid less what was refunded, in yuan.

    `declared` counts every declaration of the payment, `here` this one alone. `paid` is None where nobody knows.
    """

    customs: str
    here: Decimal
    declared: Decimal
    paid: Decimal | None

    @property
    def left(self) -> Decimal | None:
        """Return what may still be declared; below zero when it is too much already."""
        return None if self.paid is None else self.paid - self.declared

    @property
    def is_over(self) -> bool:
        return self.left is not None and self.left < 0


@dataclass(frozen=True)
class DeclarationDetail:
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
    next_steps: tuple[NextStep, ...]
    moving: bool
    permissions: Mapping[Decision, Permission]
    differences: Mapping[str, Sequence[Difference]]

    @property
    def channel(self) -> ChannelRow:
        return CHANNELS[self.declaration.channel]

    @property
    def content(self) -> Sequence[tuple[Field, str | int | None]]:
        """What is declared beside the numbers, field by field."""
        return [(field, getattr(self.declaration, field.name)) for field in CONTENT]


def declaration_detail(
    db: Session, caller: Caller, declaration_id: str, vault: Vault, policy: Policy, payments: Payments, now: datetime
) -> DeclarationDetail:
    """Read everything; NotFound also for another merchant's."""
    declaration = declaration_of(db, declaration_id, caller)
    key = declaration.payment
    facts = payments.facts(db, {key}).get(key)
    pushes = declaration.pushes
    request = Request.about(declaration, facts, now, policy)
    matrix = matrix_of(declaration, declaration.sub_orders, pushes)
    buyer, buyer_locked = _buyer(declaration, vault)
    return DeclarationDetail(
        declaration=declaration,
        batch=_batch(db, declaration.batch_id, caller),
        buyer=buyer,
        buyer_locked=buyer_locked,
        matrix=matrix,
        sums=sum_checks(matrix, _declared(db, key) if matrix.is_split else {}, facts.net_cny if facts else None),
        payment=facts,
        next_steps=next_steps(
            pushes,
            request,
            cancelled=declaration.cancelled,
            waits_for_payment=declaration.waiting_for is not None,
        ),
        moving=is_moving(pushes, now),
        permissions=permissions_of(pushes, request),
        differences={
            push.id: found
            for push in pushes
            if (found := differences(push, declaration, declaration.sub_orders, vault))
        },
    )


def timeline_of(db: Session, declaration_id: str, *, limit: int, before: int = 0) -> Page:
    """Return a page of a declaration's events, newest first; `before`: the number of the last event already shown."""
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
    except DecryptionKeyMissing:
        return None, True


def _declared(db: Session, key: PaymentKey) -> dict[str, Decimal]:
    """Return what all declarations of a payment come to at each customs code."""
    return {row.customs: row[1] for row in db.execute(DECLARED_BY_CODE, key._asdict())}


def matrix_of(declaration: Declaration, sub_orders: Sequence[SubOrder], pushes: Sequence[Push]) -> Matrix:
    """Arrange pushes by sub-order and customs code, both in the order in which they go out."""
    codes = tuple(dict.fromkeys(push.customs for push in pushes))
    at = {(push.sub_order_no, push.customs): push for push in pushes}
    rows = [
        MatrixRow(
            part.sub_order_no,
            True,
            tuple(at.get((part.sub_order_no, code)) for code in codes),
            part.amount,
            part.transport_amount,
            part.product_amount,
        )
        for part in sub_orders
    ]
    unsplit = MatrixRow(declaration.payment_no, False, tuple(at.get(("", code)) for code in codes))
    ordered = len(codes) > 1 and waits_for_the_one_before(Channel(declaration.channel), declaration.office)
    return Matrix(codes, ordered, tuple(rows or [unsplit]))


def sum_checks(matrix: Matrix, declared: Mapping[str, Decimal], paid: Decimal | None) -> tuple[SumCheck, ...]:
    """Return the check of each code; none when the order is not split, for then all of the payment is declared (R3).

    `declared` is what all declarations of the payment come to by code.
    """
    if not matrix.is_split:
        return ()
    here = sum((row.amount or Decimal() for row in matrix.rows), Decimal())
    return tuple(SumCheck(code, here, declared.get(code, here), paid) for code in matrix.codes)
