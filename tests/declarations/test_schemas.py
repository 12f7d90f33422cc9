"""The shapes that come in: amounts that are not exact text, and text that is not what it shows."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from customs.declarations.schemas import BatchIn, DeclarationIn, ModifyIn, RedeclareIn
from customs.gateway import money_text
from customs.validation import placed_errors
from tests import make

# Typed from reliability.md, and some neighbours.
NOT_MONEY = {
    "-1": "-1",
    "0.001": "0.001",
    "1e2": "1e2",
    "NaN": "NaN",
    "Infinity": "Infinity",
    "full-width": "０.１",
    "1,000.00": "1,000.00",
    "+1": "+1",
    "blank before": " 1",
    "blank after": "1 ",
    "line break after": "1.00\n",
    "1_000": "1_000",
    "0x10": "0x10",
    "empty": "",
    "no digits before the point": ".50",
    "no digits after the point": "1.",
    "leading zero": "01.00",
    "Arabic digits": "١.٠٠",
    "currency": "¥1.00",
    "eleven digits": "10000000000.00",
    "JSON integer": 1,
    "JSON float": 46.44,
    "true": True,
    "null": None,
    "list": ["1.00"],
    "object": {"amount": "1.00"},
}
NOT_TEXT = {
    "empty": "",
    "blank before": " O1",
    "blank after": "O1 ",
    "ideographic space": "\u3000O1",
    "NUL": "O\x001",
    "CR LF": "O1\r\nX: y",
    "zero-width": "O\u200b1",
    "right-to-left mark": "O1\u200f",
    "lone surrogate": "O\ud800",
    "too long": "O" * 201,
    "number": 18051893975650968,
    "true": True,
    "list": ["O1"],
    "null": None,
}
NOT_DUTY = {"text": "88", "float": 88.0, "true": True, "negative": -1, "too large": 2**31, "null": None, "list": [88]}


def faults_of(schema, body) -> set[tuple[str, str]]:
    with pytest.raises(ValidationError) as refused:
        schema.load(body)
    return {(place, error.code) for place, error in placed_errors(refused.value.messages)}


@pytest.mark.parametrize("field", ["amount", "transport_amount", "product_amount"])
@pytest.mark.parametrize("value", NOT_MONEY.values(), ids=NOT_MONEY)
def test_what_is_not_exact_money_is_refused_at_its_place(field: str, value):
    part = make.sub_order_row() | {field: value}

    ((place, code),) = faults_of(DeclarationIn(), make.declaration_row(sub_orders=[part]))

    assert place == f"sub_orders/0/{field}"
    assert code in {"amount_invalid", "amount_is_number", "null"}


def test_a_json_number_is_refused_with_a_hint():
    part = make.sub_order_row() | {"amount": 46.44}

    with pytest.raises(ValidationError) as refused:
        DeclarationIn().load(make.declaration_row(sub_orders=[part]))

    ((_, error),) = placed_errors(refused.value.messages)
    assert (error.code, error.action) == ("amount_is_number", 'write it as "46.44"')


@given(st.decimals("0", "9999999999.99", places=2, allow_nan=False, allow_infinity=False))
def test_any_amount_with_two_places_is_read_and_written_exactly(amount: Decimal):
    order = make.order(sub_orders=[make.sub_order_row() | {"amount": f"{amount:f}"}])

    assert order.sub_orders[0].amount == amount
    assert money_text(order.sub_orders[0].amount) == f"{amount:f}"


@pytest.mark.parametrize(("text", "amount"), [("0", "0.00"), ("7", "7.00"), ("7.5", "7.50"), ("0.10", "0.10")])
def test_fewer_places_are_the_same_amount(text: str, amount: str):
    order = make.order(sub_orders=[make.sub_order_row() | {"amount": text}])

    assert money_text(order.sub_orders[0].amount) == amount


@pytest.mark.parametrize("field", ["channel", "office", "merchant_no", "out_order_no", "payment_no", "mch_customs_no"])
@pytest.mark.parametrize("value", NOT_TEXT.values(), ids=NOT_TEXT)
def test_what_is_not_plain_text_is_refused_at_its_place(field: str, value):
    errors = faults_of(DeclarationIn(), make.declaration_row() | {field: value})

    assert {place for place, _ in errors} == {field}


@pytest.mark.parametrize("value", NOT_DUTY.values(), ids=NOT_DUTY)
def test_duty_is_a_whole_json_number(value):
    assert {place for place, _ in faults_of(DeclarationIn(), make.declaration_row() | {"duty": value})} == {"duty"}


@pytest.mark.parametrize("field", ["channel", "office", "merchant_no", "out_order_no", "payment_no"])
def test_what_is_required_and_missing_is_named(field: str):
    assert faults_of(DeclarationIn(), make.declaration_row(**{field: None})) == {(field, "required")}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"dutty": 1}, "dutty"),
        ({"buyer": make.buyer_row() | {"age": 1}}, "buyer/age"),
        ({"sub_orders": [make.sub_order_row() | {"weight": "1"}]}, "sub_orders/0/weight"),
        ({"a/b~c": 1}, "a~1b~0c"),
    ],
)
def test_a_field_that_nobody_knows_is_refused_wherever_it_stands(change, place: str):
    assert faults_of(DeclarationIn(), make.declaration_row() | change) == {(place, "unknown_field")}


@pytest.mark.parametrize("missing", ["name", "cert_id"])
def test_a_buyer_is_named_and_numbered_or_left_out(missing: str):
    assert faults_of(DeclarationIn(), make.declaration_row(buyer=make.buyer_row(**{missing: None}))) == {
        (f"buyer/{missing}", "buyer_incomplete")
    }


@pytest.mark.parametrize("how_many", [0, 201])
def test_a_split_has_1_to_200_parts(how_many: int):
    row = make.declaration_row() | {"sub_orders": [make.sub_order_row()] * how_many}

    assert faults_of(DeclarationIn(), row) == {("sub_orders", "length")}


@pytest.mark.parametrize("how_many", [0, 10_001])
def test_a_batch_has_1_to_10000_declarations(how_many: int):
    assert faults_of(BatchIn(), {"declarations": [{}] * how_many}) == {("declarations", "batch_size")}


@pytest.mark.parametrize("field", ["out_order_no", "payment_no", "office", "channel", "merchant_no", "customs"])
def test_what_may_never_change_cannot_be_modified(field: str):
    assert faults_of(ModifyIn(), {"reason": "x", field: "Y"}) == {(field, "unknown_field")}


@pytest.mark.parametrize("schema", [ModifyIn(), RedeclareIn()], ids=["modify", "redeclare"])
def test_nobody_decides_without_a_reason(schema):
    assert faults_of(schema, {}) == {("reason", "required")}
    assert faults_of(schema, {"reason": " "}) == {("reason", "blanks")}


@pytest.mark.parametrize("value", [1, "true", None, []])
def test_an_override_is_true_or_false_and_no_number(value):
    assert {place for place, _ in faults_of(RedeclareIn(), {"reason": "x", "override": value})} == {"override"}
