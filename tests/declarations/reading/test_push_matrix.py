"""The push matrix and the sum check, on plain values."""

from decimal import Decimal
from typing import Any

import pytest

from customs.declarations.models import Declaration, Push, SubOrder
from customs.declarations.reading.detail import Matrix, matrix_of, sum_checks
from customs.gateway import Channel


def declaration(channel: Channel = Channel.ALIPAY, office: str = "SHENZHEN") -> Declaration:
    return Declaration(channel=channel, office=office, payment_no="P1", out_order_no="O1")


def part(number: str, amount: str, transport: str | None = None, product: str | None = None) -> SubOrder:
    values: dict[str, Any] = {"transport_amount": transport, "product_amount": product}
    given = {name: value and Decimal(value) for name, value in values.items()}
    return SubOrder(sub_order_no=number, amount=Decimal(amount), **given)


def pushes(*filings: tuple[str, str]) -> list[Push]:
    return [Push(id=f"{number}/{code}", sub_order_no=number, customs=code) for number, code in filings]


def split(*amounts: str) -> Matrix:
    parts = [part(f"S{number}", amount) for number, amount in enumerate(amounts)]
    return matrix_of(declaration(), parts, pushes(*((one.sub_order_no, "SHENZHEN_ZS") for one in parts)))


def test_an_order_that_is_not_split_is_one_row_matched_by_its_payment():
    matrix = matrix_of(declaration(), [], pushes(("", "SHENZHEN_ZS"), ("", "ZONGSHU")))

    (row,) = matrix.rows
    assert (matrix.codes, matrix.ordered, matrix.is_split) == (("SHENZHEN_ZS", "ZONGSHU"), True, False)
    assert (row.number, [cell.id for cell in row.cells if cell]) == ("P1", ["/SHENZHEN_ZS", "/ZONGSHU"])


def test_a_split_order_has_a_row_for_each_part_matched_by_its_own_number():
    filings = [(number, code) for number in ("S1", "S2") for code in ("GUANGZHOU_ZS", "GUANGZHOU_HP_GJ")]

    matrix = matrix_of(
        declaration(Channel.WECHATPAY, "GUANGZHOU_HUANGPU"), [part("S1", "1"), part("S2", "2")], pushes(*filings)
    )

    assert (matrix.ordered, matrix.is_split) == (False, True)
    assert [(row.number, [cell and cell.id for cell in row.cells]) for row in matrix.rows] == [
        ("S1", ["S1/GUANGZHOU_ZS", "S1/GUANGZHOU_HP_GJ"]),
        ("S2", ["S2/GUANGZHOU_ZS", "S2/GUANGZHOU_HP_GJ"]),
    ]


@pytest.mark.parametrize(
    ("amounts", "adds_up"),
    [(("10.00", "1.00", "9.00"), True), (("10.00", "1.00", "9.01"), False), (("10.00", None, None), None)],
)
def test_freight_and_goods_make_the_amount(amounts: tuple[str, str | None, str | None], adds_up: bool | None):
    matrix = matrix_of(declaration(), [part("S1", *amounts)], pushes(("S1", "SHENZHEN_ZS")))

    assert matrix.rows[0].adds_up is adds_up


@pytest.mark.parametrize(
    ("paid", "left", "is_over"),
    [("30.00", "0.00", False), ("31.50", "1.50", False), ("29.99", "-0.01", True), (None, None, False)],
)
def test_the_parts_are_compared_with_what_was_paid(paid: str | None, left: str | None, is_over: bool):
    matrix = split("10.00", "20.00")

    (check,) = sum_checks(matrix, {"SHENZHEN_ZS": Decimal("30.00")}, paid and Decimal(paid))

    assert (check.here, check.left, check.is_over) == (Decimal("30.00"), left and Decimal(left), is_over)


def test_what_another_declaration_of_the_payment_declares_counts_too():
    (check,) = sum_checks(split("10.00"), {"SHENZHEN_ZS": Decimal("25.00")}, Decimal("20.00"))

    assert (check.here, check.declared, check.left, check.is_over) == (10, 25, -5, True)


def test_an_order_that_is_not_split_declares_all_of_the_payment():
    complete = matrix_of(declaration(), [], pushes(("", "SHENZHEN_ZS")))

    assert sum_checks(complete, {}, Decimal("20.00")) == ()
