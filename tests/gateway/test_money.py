"""Amounts are written exactly, with their currency's places, or not at all."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customs.gateway import CURRENCY_PLACES, Misuse, amount_text, money_text

# Typed from 11.3 in its order; yen and won have no smaller unit.
CURRENCIES = "CNY GBP HKD USD JPY CAD AUD EUR NZD KRW THB"


def test_the_currencies_are_the_documents():
    assert " ".join(CURRENCY_PLACES) == CURRENCIES
    assert {currency for currency, places in CURRENCY_PLACES.items() if places == 0} == {"JPY", "KRW"}
    assert set(CURRENCY_PLACES.values()) == {0, 2}


@given(st.sampled_from(CURRENCIES.split()), st.integers(1, 10**15))
def test_any_number_of_smallest_units_is_written_with_the_places_and_is_the_same_amount(currency, units):
    places = CURRENCY_PLACES[currency]

    text = amount_text(Decimal(units).scaleb(-places), currency)

    assert len(text.partition(".")[2]) == places
    assert Decimal(text).scaleb(places) == units


@given(st.sampled_from(CURRENCIES.split()), st.integers(0, 10**9), st.integers(1, 9), st.integers(1, 6))
def test_half_a_smallest_unit_is_refused_in_any_currency(currency, units, rest, finer):
    places = CURRENCY_PLACES[currency]
    amount = Decimal(units).scaleb(-places) + Decimal(rest).scaleb(-places - finer)

    with pytest.raises(Misuse):
        amount_text(amount, currency)


@given(st.sampled_from(CURRENCIES.split()), st.decimals().filter(lambda one: not one.is_finite() or one <= 0))
def test_what_nobody_can_pay_is_refused_in_any_currency(currency, amount):
    with pytest.raises(Misuse):
        amount_text(amount, currency)


@pytest.mark.parametrize("currency", ["", "hkd", "BTC", "HKD "])
def test_another_currency_is_refused_and_the_known_ones_are_named(currency):
    with pytest.raises(Misuse) as caught:
        amount_text(Decimal(1), currency)

    assert ", ".join(CURRENCIES.split()) in caught.value.message


@pytest.mark.parametrize(
    ("amount", "places", "text"),
    [
        ("46.44", 2, "46.44"),
        ("46.4", 2, "46.40"),
        ("46.400", 2, "46.40"),
        ("0", 2, "0.00"),
        ("1E+2", 2, "100.00"),
        ("100", 0, "100"),
        ("99999999999999999999999999999999.99", 2, "99999999999999999999999999999999.99"),
    ],
)
def test_an_amount_is_written_exactly(amount, places, text):
    assert money_text(Decimal(amount), places) == text


@pytest.mark.parametrize(
    ("amount", "places"),
    [("0.001", 2), ("100.5", 0), ("-1", 2), ("-0", 2), ("NaN", 2), ("sNaN", 2), ("Infinity", 2), ("1E+90", 2)],
)
def test_what_is_no_amount_is_not_written(amount, places):
    with pytest.raises(ValueError, match="not an amount"):
        money_text(Decimal(amount), places)
