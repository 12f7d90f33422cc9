"""Who the buyer is: every bad ID number and name that was ever seen in a spreadsheet, and the gateway's verdicts."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customs.declarations.identity import (
    Identity,
    cert_id_shape_error,
    cert_id_truth_error,
    fold_identities,
    name_error,
    names_a_region,
    read_verdict,
)
from tests import make

TODAY = date(2026, 11, 23)
GOOD = make.cert_id()

MISSHAPEN = {
    "empty": "",
    "15 digits": "110105900307001",
    "17 digits": GOOD[:17],
    "19 digits": GOOD + "0",
    "lower x": "11010519491231002x",
    "full-width": "１１０１０５１９４９１２３１００２X",
    "full-width X": "11010519491231002Ｘ",
    "Excel's 5.10922E+17": "5.10922E+17",
    "blank before": f" {GOOD[1:]}",
    "X in the middle": f"{GOOD[:8]}X{GOOD[9:]}",
    "zero-width space": f"{GOOD[:6]}\u200b{GOOD[7:]}",
    "right-to-left mark": f"\u200f{GOOD[1:]}",
    "Arabic digits": "".join(chr(0x660 + int(digit)) for digit in "110105194912310021"),
    "superscript digit": f"{GOOD[:3]}²{GOOD[4:]}",
    "letters": "ABCDEFGHIJKLMNOPQR",
    "masked": "1101**********002X",
}
UNTRUE = {
    "wrong checksum": ("110105194912310020", "check character"),
    "the document's own sample": ("510921199308772318", "check character"),
    "two digits swapped": ("11010519491213002X", "check character"),
    "month 13": (make.cert_id(birthday="19901307"), "birth date"),
    "30 February": (make.cert_id(birthday="19900230"), "birth date"),
    "29 February of no leap year": (make.cert_id(birthday="20010229"), "birth date"),
    "year 0000": (make.cert_id(birthday="00000101"), "birth date"),
    "future birthday": (make.cert_id(birthday="20261124"), "future"),
    "born in 1395": (make.cert_id(birthday="13950312"), "as old"),
}
BAD_NAMES = {
    "empty": "",
    "101 characters": "李" * 101,
    "blank around": " 李雷",
    "ideographic space around": "李雷\u3000",
    "only blanks": "  ",
    "NUL": "李\x00雷",
    "tab": "李\t雷",
    "line break": "李\n雷",
    "zero-width joiner": "李\u200d雷",
    "byte order mark": "\ufeff李雷",
    "right-to-left override": "李\u202e雷",
    "private use": "李\ue000",
    "lone surrogate": "李\ud800",
    "unassigned": "李\u0378",
}
GOOD_NAMES = {
    "1 character": "李",
    "100 characters": "李" * 100,
    "middle dot": "买买提·吐尔逊",
    "outside the BMP": "𠮷田",
    "NFD": "José",
    "emoji": "李😀",
    "formula": "=cmd|' /C calc'!A0",
    "markup": "<script>alert(1)</script>",
    "tilde and blanks inside": "Ann ~ Lee",
}


@pytest.mark.parametrize("cert_id", MISSHAPEN.values(), ids=MISSHAPEN)
def test_the_shape_shows_what_cannot_be_an_id_number(cert_id: str):
    error = cert_id_shape_error(cert_id)

    assert error
    assert cert_id == "" or cert_id not in error


@pytest.mark.parametrize(("cert_id", "named"), UNTRUE.values(), ids=UNTRUE)
def test_a_well_shaped_number_that_is_nobodys_is_refused(cert_id: str, named: str):
    assert cert_id_shape_error(cert_id) is None
    assert named in (cert_id_truth_error(cert_id, TODAY) or "")


TRUE = {
    "the standard's own sample": "11010519491231002X",
    "born today": make.cert_id(birthday="20261123"),
    "a county younger than its people": "320219198405224152",
    "a county that no library has": "321119197303106324",
    "a county that is no more": make.cert_id(place="110103"),
    "born in 1896": make.cert_id(birthday="18960301"),
    "Hong Kong": "810000198806141134",
    "Macao": "820000199109232264",
    "Taiwan": "830000198503073393",
    "a foreigner in Beijing": "911276198305290265",
    "a foreigner in Shanghai": "931392197907030158",
}


@pytest.mark.parametrize("cert_id", TRUE.values(), ids=TRUE)
def test_a_true_number_has_no_fault_wherever_and_whenever_it_was_given_out(cert_id: str):
    assert (cert_id_shape_error(cert_id), cert_id_truth_error(cert_id, TODAY)) == (None, None)
    assert names_a_region(cert_id)


@given(st.integers(0, 999_999), st.dates(date(1900, 1, 1), TODAY))
def test_no_place_and_no_year_ends_in_anything_but_a_verdict(place: int, born: date):
    cert_id = make.cert_id(place=f"{place:06d}", birthday=f"{born:%Y%m%d}")

    assert cert_id_truth_error(cert_id, TODAY) is None


@pytest.mark.parametrize("place", ["000000", "160101", "809999", "840000"])
def test_a_region_that_there_is_not_is_worth_a_look(place: str):
    assert not names_a_region(make.cert_id(place=place))


@given(st.integers(0, 999), st.dates(date(1930, 1, 1), date(2020, 1, 1)), st.integers(0, 16))
def test_one_digit_mistyped_is_always_found(serial: int, born: date, place: int):
    cert_id = make.cert_id(serial, birthday=f"{born:%Y%m%d}")
    mistyped = cert_id[:place] + str((int(cert_id[place]) + 1) % 10) + cert_id[place + 1 :]

    assert cert_id_truth_error(cert_id, TODAY) is None
    assert cert_id_truth_error(mistyped, TODAY)


@pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES)
def test_a_name_that_no_id_card_holds_is_refused(name: str):
    assert name_error(name)


@pytest.mark.parametrize("name", GOOD_NAMES.values(), ids=GOOD_NAMES)
def test_a_name_that_can_be_written_is_let_pass(name: str):
    assert name_error(name) is None


@pytest.mark.parametrize(
    ("word", "verdict"),
    [
        ("SAME", Identity.MATCH),
        ("T", Identity.MATCH),
        ("DIFFERENT", Identity.MISMATCH),
        ("F", Identity.MISMATCH),
        ("UNCHECKED", Identity.UNCHECKED),
        (" same ", Identity.MATCH),
        ("PERHAPS", None),
        ("", None),
        (None, None),
    ],
)
def test_both_channels_words_give_one_verdict(word: str | None, verdict: Identity | None):
    assert read_verdict(word) is verdict


@given(st.lists(st.sampled_from(Identity)))
def test_of_several_verdicts_a_mismatch_wins_and_then_what_was_not_checked(verdicts: list[Identity]):
    order = [Identity.MISMATCH, Identity.UNCHECKED, Identity.MATCH]

    assert fold_identities(verdicts) is min(verdicts or [Identity.UNCHECKED], key=order.index)
