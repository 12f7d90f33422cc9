"""The push matrix: what goes to which customs code under which number, and whether the parts add up (R3, R4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from customs.declarations.models import Declaration, Push, SubOrder
from customs.declarations.offices import waits_for_the_one_before
from customs.gateway import Channel


@dataclass(frozen=True)
class Row:
    """One sub-order, or the whole order when it is not split, with one cell for each customs code.

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
        """Whether freight and goods make the amount; None where they were not given."""
        if self.amount is None or self.transport_amount is None or self.product_amount is None:
            return None
        return self.transport_amount + self.product_amount == self.amount


@dataclass(frozen=True)
class Matrix:
    """All pushes of one declaration. `ordered`: each code waits for the one before it."""

    codes: tuple[str, ...]
    ordered: bool
    rows: tuple[Row, ...]

    @property
    def is_split(self) -> bool:
        return any(row.is_sub_order for row in self.rows)


@dataclass(frozen=True)
class SumCheck:
    """What is declared of one payment at one customs code beside what was paid less what was refunded, in yuan.

    `declared` counts every declaration of the payment, `here` this one alone. `paid` is None where nobody knows.
    """

    customs: str
    here: Decimal
    declared: Decimal
    paid: Decimal | None

    @property
    def left(self) -> Decimal | None:
        """What may still be declared; below zero when it is too much already."""
        return None if self.paid is None else self.paid - self.declared

    @property
    def is_over(self) -> bool:
        return self.left is not None and self.left < 0


def matrix_of(declaration: Declaration, sub_orders: Sequence[SubOrder], pushes: Sequence[Push]) -> Matrix:
    """The pushes by sub-order and customs code, both in the order in which they go out."""
    codes = tuple(dict.fromkeys(push.customs for push in pushes))
    at = {(push.sub_order_no, push.customs): push for push in pushes}
    rows = [
        Row(
            part.sub_order_no,
            True,
            tuple(at.get((part.sub_order_no, code)) for code in codes),
            part.amount,
            part.transport_amount,
            part.product_amount,
        )
        for part in sub_orders
    ]
    whole = Row(declaration.payment_no, False, tuple(at.get(("", code)) for code in codes))
    ordered = len(codes) > 1 and waits_for_the_one_before(Channel(declaration.channel), declaration.office)
    return Matrix(codes, ordered, tuple(rows or [whole]))


def sum_checks(matrix: Matrix, declared: Mapping[str, Decimal], paid: Decimal | None) -> tuple[SumCheck, ...]:
    """The check of each code; none when the order is not split, for then the whole payment is declared (R3).

    `declared` is what all declarations of the payment come to by code.
    """
    if not matrix.is_split:
        return ()
    here = sum((row.amount or Decimal() for row in matrix.rows), Decimal())
    return tuple(SumCheck(code, here, declared.get(code, here), paid) for code in matrix.codes)
