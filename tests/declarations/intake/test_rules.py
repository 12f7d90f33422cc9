"""The rules an order must pass, one after the other as domain.md numbers them, and the place each found names."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customs.declarations.intake.comparison_rules import Existing, ExistingPush, NumberOwner, conflicts_with_existing
from customs.declarations.intake.orders import Severity
from customs.declarations.intake.rules import findings_of_change, preflight_findings
from customs.declarations.intake.validate import Rules, check, shape
from customs.declarations.registrations import Registrations
from customs.gateway import Buyer, Channel, SubOrderPart
from tests import make

TODAY = date(2026, 11, 23)
ERROR, WARNING = Severity.ERROR, Severity.WARNING
amounts = st.decimals("0", "99999.99", places=2)


def founds(order) -> list[tuple[str, str, Severity]]:
    return [(one.place, one.code, one.severity) for one in preflight_findings(order, TODAY)]


def conflicts(order, existing: Existing, cert_index: str | None = None) -> list[tuple[str, str, Severity]]:
    return [(one.place, one.code, one.severity) for one in conflicts_with_existing(order, existing, cert_index)]


def errors_of(*rows, warn_only=frozenset(), caller=None) -> list[tuple[str, str]]:
    checked = check(shape(rows), caller or make.caller(), Registrations({}), Rules(warn_only), TODAY)
    return [(finding.pointer, finding.code) for finding in checked.errors]


def part(amount: str, transport: str | None = None, product: str | None = None, number: str = "S1") -> SubOrderPart:
    return SubOrderPart(number, Decimal(amount), transport and Decimal(transport), product and Decimal(product))


def split(channel: Channel, *parts: SubOrderPart):
    return replace(make.order(channel), sub_orders=parts)


def existing_push(order, customs: str = "HANGZHOU_ZS", sub_order_no: str = "") -> Existing:
    push = ExistingPush("decl_1", "SOMEWHERE", customs, sub_order_no)
    return Existing(pushes={order.payment: [push]})


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("parts", [0, 1, 3])
def test_a_good_order_passes_every_rule(channel: Channel, parts: int):
    order = make.order(channel, parts=parts, buyer=make.buyer_row())

    assert founds(order) == []
    assert conflicts(order, Existing()) == []


# R1: one filing, one push.


def test_a_sub_order_stands_once_in_an_order():
    parts = [part("1.00", "0.00", "1.00")] * 2

    assert founds(split(Channel.WECHATPAY, *parts)) == [("sub_orders/1/sub_order_no", "sub_order_repeated", ERROR)]


def test_a_filing_that_another_office_made_is_declared_elsewhere():
    order = make.order()

    assert conflicts(order, existing_push(order)) == [("office", "declared_elsewhere", ERROR)]


@pytest.mark.parametrize("second", [{"duty": 5}, {"office": "HANGZHOU"}], ids=["other content", "the same again"])
def test_a_batch_holds_each_filing_once(second):
    row = make.declaration_row()

    assert errors_of(row, row | second) == [("/declarations/1", "repeated_in_batch")]


def test_offices_that_share_a_code_share_the_filing_within_a_batch_too():
    row = make.declaration_row("alipay", office="GUANGZHOU")

    assert errors_of(row, row | {"office": "TIANJIN"}) == [("/declarations/1", "repeated_in_batch")]


# R2 and R3: amounts.


@given(amounts, amounts)
def test_of_wechat_amount_is_transport_and_product_to_the_fen(transport: Decimal, product: Decimal):
    complete = SubOrderPart("S1", transport + product, transport, product)
    off = replace(complete, amount=complete.amount + Decimal("0.01"))

    assert ("sub_orders/0/amount", "amount_sum", ERROR) not in founds(split(Channel.WECHATPAY, complete))
    assert ("sub_orders/0/amount", "amount_sum", ERROR) in founds(split(Channel.WECHATPAY, off))
    assert ("sub_orders/0/amount", "amount_sum", ERROR) in founds(split(Channel.ALIPAY, off))


@pytest.mark.parametrize("channel", Channel)
def test_a_sub_order_over_nothing_is_refused(channel: Channel):
    assert founds(split(channel, part("0.00", "0.00", "0.00"))) == [("sub_orders/0/amount", "amount_zero", ERROR)]


@pytest.mark.parametrize(
    ("given_part", "place"),
    [
        (part("1.00"), "transport_amount"),
        (part("1.00", None, "1.00"), "transport_amount"),
        (part("1.00", "0.00"), "product_amount"),
    ],
)
def test_wechat_needs_both_parts_of_the_amount_and_alipay_neither(given_part: SubOrderPart, place: str):
    missing = (f"sub_orders/0/{place}", "amount_part_missing", ERROR)

    assert founds(split(Channel.WECHATPAY, given_part)) == [missing]
    assert founds(split(Channel.ALIPAY, given_part)) == []


@pytest.mark.parametrize(("duty", "expected"), [(88, [("duty", "duty_not_for_alipay", ERROR)]), (0, [])])
def test_duty_is_wechats(duty: int, expected):
    assert founds(make.order("alipay", duty=duty)) == expected
    assert founds(make.order("wechatpay", duty=duty)) == []


# R5: split and unsplit.


@pytest.mark.parametrize(("kept_number", "parts"), [("S9", 0), ("", 2)], ids=["split before", "whole before"])
def test_split_and_unsplit_do_not_mix_at_one_code(kept_number: str, parts: int):
    order = make.order(parts=parts)

    assert conflicts(order, existing_push(order, sub_order_no=kept_number)) == [("sub_orders", "split_mixed", ERROR)]


def test_other_parts_of_the_same_payment_are_no_conflict():
    order = make.order(parts=2)

    assert conflicts(order, existing_push(order, sub_order_no="S9")) == []


def test_another_code_is_no_conflict():
    order = make.order()

    assert conflicts(order, existing_push(order, customs="SHENZHEN")) == []


# R6a: numbers of other payments.


@pytest.mark.parametrize("seen", ["decl_1", None], ids=["seen", "unseen"])
def test_a_number_of_another_payment_is_refused_and_named_to_who_may_see_it(seen: str | None):
    order = make.order(parts=1)
    existing = Existing(
        owners_of_number={(order.channel, order.sub_order_nos[0]): [NumberOwner("M999", "ANOTHER", seen)]}
    )

    (found,) = conflicts_with_existing(order, existing, None)

    assert (found.place, found.code) == ("sub_orders/0/sub_order_no", "order_number_in_use")
    assert ("decl_1" in found.detail, "ANOTHER" in found.detail) == (seen is not None, seen is not None)
    assert "M999" not in found.detail


# R6: numbers.


@pytest.mark.parametrize("good", ["7", "A" * 32, "a_b-c|d*e@f"])
def test_a_number_of_allowed_characters_passes(good: str):
    assert founds(replace(make.order(), out_order_no=good)) == []


@pytest.mark.parametrize(
    "bad",
    ["", "A" * 33, "a~b", "a+b", "a%b", "a&b", "a=b", "a#b", "a b", "a\r\nb", "a\n", "../a", "\ud800", "订单", "１２"],
    ids=ascii,
)
@pytest.mark.parametrize("place", ["out_order_no", "payment_no", "sub_orders/0/sub_order_no"])
def test_a_number_of_other_characters_is_refused(place: str, bad: str):
    order = make.order(parts=1)
    if "/" in place:
        order = replace(order, sub_orders=(replace(order.sub_orders[0], sub_order_no=bad),))
    else:
        order = replace(order, **{place: bad})

    assert founds(order) == [(place, "number_invalid", ERROR)]


def test_a_rule_can_be_switched_to_warn():
    row = make.declaration_row(out_order_no="a+b")

    assert errors_of(row) == [("/declarations/0/out_order_no", "number_invalid")]
    assert errors_of(row, warn_only=frozenset({"number_invalid"})) == []


def test_no_switch_lets_a_row_pass_that_is_another_merchants_or_misshapen():
    anothers, misshapen = make.declaration_row(merchant_no="M200"), make.declaration_row(merchant_no=None)
    switches = frozenset({"merchant_unknown", "required"})

    found = errors_of(anothers, misshapen, warn_only=switches, caller=make.caller("M100"))

    assert found == [("/declarations/0/merchant_no", "merchant_unknown"), ("/declarations/1/merchant_no", "required")]


# R6b: what no number and no name is.


@pytest.mark.parametrize(
    ("numbers", "doubtful"),
    [
        (["2611230912345670", "2611230912345680"], 2),
        (["26112309123456700", "2611230912345680"], 2),
        (["2611230912345670", "2611230912345681"], 0),
        (["2611230912345670", "D26"], 1),
    ],
)
def test_a_zero_at_the_end_counts_where_every_long_number_of_a_column_has_it(numbers: list[str], doubtful: int):
    rows = [make.declaration_row(out_order_no=number) for number in numbers]

    checked = check(shape(rows), make.caller(), Registrations({}), Rules(frozenset()), TODAY)

    assert [finding.code for finding in checked.findings] == ["digits_doubtful"] * doubtful
    assert len(checked.orders) == len(rows)


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"duty": 5}, []),
        ({"mch_customs_no": "110396T0002"}, []),
        ({"mch_customs_no": "待定"}, ["placeholder"]),
        ({"buyer": Buyer("周**", make.cert_id())}, ["masked"]),
        ({"buyer": Buyer("周以宁", make.cert_id())}, []),
    ],
)
def test_a_correction_is_held_against_the_rules_where_it_changes_something(changes, codes: list[str]):
    taken_before_the_rules = replace(make.order(buyer=make.buyer_row(name="林**")), out_order_no="0")

    found = findings_of_change(taken_before_the_rules, replace(taken_before_the_rules, **changes), TODAY)

    assert [one.code for one in found] == codes


# R7: identity.


@pytest.mark.parametrize(
    ("buyer", "place", "code"),
    [
        ({"cert_id": "11010519491231002x"}, "buyer/cert_id", "cert_id_shape"),
        ({"cert_id": "510921199308772318"}, "buyer/cert_id", "cert_id_invalid"),
        ({"name": "李\u200b雷"}, "buyer/name", "name_invalid"),
    ],
)
def test_a_buyer_is_somebody_and_the_found_names_nobody(buyer, place: str, code: str):
    order = make.order(buyer=make.buyer_row(**buyer))

    (found,) = preflight_findings(order, TODAY)

    assert (found.place, found.code) == (place, code)
    assert order.buyer.cert_id not in found.detail + found.action
    assert order.buyer.name not in found.detail + found.action


def test_only_a_well_shaped_number_may_be_let_pass_by_the_setting():
    rules = frozenset({"cert_id_invalid"})
    wrong = make.declaration_row(buyer=make.buyer_row(cert_id="510921199308772318"))
    misshapen = make.declaration_row(buyer=make.buyer_row(cert_id="51092219930877231"))

    assert errors_of(wrong, misshapen, warn_only=rules) == [("/declarations/1/buyer/cert_id", "cert_id_shape")]


# R9: eligibility.


def test_an_office_nobody_knows_is_refused_with_the_list():
    order = replace(make.order(), office="ATLANTIS")

    (found,) = preflight_findings(order, TODAY)

    assert (found.place, found.code) == ("office", "office_unknown")
    assert "SHENZHEN" in found.action


@pytest.mark.parametrize(
    ("channel", "office", "instead"), [("alipay", "BEIJING", "HEFEI"), ("wechatpay", "HEFEI", "XIAN")]
)
def test_an_office_without_codes_names_the_offices_that_have_them(channel: str, office: str, instead: str):
    (found,) = preflight_findings(make.order(channel, office=office), TODAY)

    assert (found.place, found.code) == ("office", "office_without_codes")
    assert instead in found.action


@pytest.mark.parametrize(
    ("channel", "missing", "code"),
    [
        ("wechatpay", "mch_customs_no", "registration_missing"),
        ("alipay", "mch_customs_no", "registration_missing"),
        ("alipay", "merchant_customs_name", "registration_name_missing"),
    ],
)
def test_a_registration_is_needed_and_alipays_with_its_name(channel: str, missing: str, code: str):
    assert founds(make.order(channel, **{missing: None})) == [(missing, code, ERROR)]


# R10: limits are warnings.


@pytest.mark.parametrize(("amount", "over"), [("5000.00", False), ("5000.01", True)])
def test_a_purchase_over_the_single_limit_is_a_warning(amount: str, over: bool):
    order = split(Channel.ALIPAY, part("4000.00"), part(str(Decimal(amount) - 4000), number="S2"))

    assert founds(order) == [("sub_orders", "over_single_limit", WARNING)] * over


@pytest.mark.parametrize(("spent", "over"), [("25990.00", False), ("25990.01", True)])
def test_a_buyer_over_the_yearly_limit_is_a_warning(spent: str, over: bool):
    order = split(Channel.ALIPAY, part("10.00"))
    existing = Existing(spent={"the buyer": Decimal(spent)})

    assert conflicts(order, existing, "the buyer") == [("buyer/cert_id", "over_yearly_limit", WARNING)] * over
    assert conflicts(order, existing, "another") == []
