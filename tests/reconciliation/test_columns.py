"""Amounts in the odd ways bills write them: read exactly, or not at all."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customs.reconciliation.columns import NoAmount, amount_in, currency_in

AMOUNTS = st.decimals(min_value=0, max_value=Decimal("9999999999.99"), places=2)
GROUPED = st.sampled_from(["", ",", "'", " "])
SIGNS = st.sampled_from(["", "+", "-", "−", "－", "()"])
MARKS = st.sampled_from(["", "¥", "￥", "$", "CNY ", "RMB", "HKD "])
AROUND = st.sampled_from(["", "`", " ", '"', "\t", "　"])
ENDS = st.sampled_from(["", "元", " CNY", "USD"])
WIDE = str.maketrans("0123456789.,", "０１２３４５６７８９．，")


@given(AMOUNTS, SIGNS, MARKS, GROUPED, AROUND, ENDS, st.booleans())
def test_an_amount_is_read_exactly_however_it_is_written(
    amount: Decimal, sign: str, mark: str, by: str, around: str, end: str, wide: bool
) -> None:
    written = f"{amount:,f}".replace(",", by)
    written = written.translate(WIDE) if wide else written
    before, after = ("(", ")") if sign == "()" else (sign, "")

    read = amount_in(f"{around}{before}{mark}{written}{end}{after}{around}")

    assert read == (amount if sign in ("", "+") else -amount)
    assert str(read.copy_abs()) == str(amount)


@given(st.decimals(min_value=0, max_value=Decimal("999999999999999999"), allow_nan=False).map(lambda one: f"{one:f}"))
def test_no_place_is_lost_or_invented(text: str) -> None:
    if len(text.partition(".")[2]) > 18:
        return

    assert str(amount_in(text)) == str(Decimal(text))


@pytest.mark.parametrize("text", ["", " ", "-", "--", "/", "`", "无", "null", "N/A", "　"])
def test_a_blank_is_no_amount_and_no_fault(text: str) -> None:
    assert amount_in(text) is None


@pytest.mark.parametrize(
    "text",
    [
        *("NaN", "Infinity", "1e2", "1E+2", "0x10", "1_000", "1,23", "1,2345", "12,34,567", "1.234,56", "1.2.3", "abc"),
        *("--5", "-(5)", "(5", "5)", "1,000 000", "5.", "¥", "12 34", "٣", "五", "1,000,00", "9" * 19, "EURO 5"),
    ],
)
def test_what_is_no_plain_number_is_never_guessed(text: str) -> None:
    with pytest.raises(NoAmount):
        amount_in(text)


@pytest.mark.parametrize(
    ("written", "currency"),
    [("CNY", "CNY"), ("rmb", "CNY"), ("人民币", "CNY"), ("港币", "HKD"), (" jpy ", "JPY"), ("", None), ("SGD", "SGD")],
)
def test_a_currency_is_known_by_code_and_by_name(written: str, currency: str | None) -> None:
    assert currency_in(written) == currency
