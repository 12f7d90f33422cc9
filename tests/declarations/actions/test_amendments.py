"""What a form of corrections says: only what differs, and each error back at its field."""

from decimal import Decimal
from typing import Any

import pytest

from customs.declarations.actions.amendments import changes_typed, field_at
from customs.declarations.models import Declaration, SubOrder


def declaration() -> Declaration:
    """A split order as it is stored."""
    parts = [
        SubOrder(
            sub_order_no=number,
            amount=Decimal("10.00"),
            transport_amount=Decimal("1.00"),
            product_amount=Decimal("9.00"),
        )
        for number in ("S1", "S2")
    ]
    return Declaration(mch_customs_no="X1", merchant_customs_name=None, duty=88, sub_orders=parts)


TABLE: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "nothing typed": ({}, {}),
    "what was there already": ({"mch_customs_no": "X1", "duty": "88", "amount:S1": "10.00"}, {}),
    "empty fields": ({"mch_customs_no": " ", "duty": "", "buyer_name": "", "amount:S1": ""}, {}),
    "a number and a duty": ({"mch_customs_no": " X2 ", "duty": "90"}, {"mch_customs_no": "X2", "duty": 90}),
    "a duty that is none": ({"duty": "much"}, {"duty": "much"}),
    "one half of the buyer": ({"cert_id": "11010519491231002X"}, {"buyer": {"cert_id": "11010519491231002X"}}),
    "an amount": (
        {"amount:S2": "11.00", "product_amount:S2": "10.00", "transport_amount:S2": "1.00"},
        {
            "sub_orders": [
                {"sub_order_no": "S1"},
                {"sub_order_no": "S2", "amount": "11.00", "product_amount": "10.00"},
            ]
        },
    ),
    "what nobody asked for": ({"out_order_no": "O2", "reason": "because"}, {}),
}


@pytest.mark.parametrize(("typed", "changes"), TABLE.values(), ids=TABLE)
def test_only_what_differs_is_a_change(typed: dict[str, str], changes: dict[str, Any]):
    assert changes_typed(declaration(), typed) == changes


@pytest.mark.parametrize(
    ("pointer", "field"),
    [
        ("/duty", "duty"),
        ("/buyer/name", "buyer_name"),
        ("/buyer/cert_id", "cert_id"),
        ("/sub_orders/1/product_amount", "product_amount:S2"),
        ("/sub_orders", "sub_orders"),
        ("/sub_orders/7/amount", "sub_orders"),
        ("", ""),
    ],
)
def test_a_fault_goes_back_to_its_field(pointer: str, field: str):
    assert field_at(declaration(), pointer) == field
