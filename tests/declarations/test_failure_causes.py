"""Causes: failures that are alike are one, whatever numbers and names they tell; each real case has its word."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from customs.declarations.cases import LONGEST_EXPLANATION, CaseKind, Cause, cause_of, normalised, remember
from customs.gateway import Channel, NotFound, Refused, Unknown
from customs.payments_port import PaymentKey, RefundNotice
from tests import make
from tests.product import Desk

GRACE = make.PACE.grace_seconds

ALIKE = {
    "order numbers": ("order 18051893975650968 is unknown", "order 18051893975650969 is unknown"),
    "numbers with letters": ("no registration 110396T0001", "no registration C_99"),
    "Chinese around them": ("订单18051893975650968不存在", "订单S1-2|3不存在"),
    "amounts": ("46.44 is more than 1,000.00", "0.1 is more than 5"),
    "times": ("since 2026-11-23 08:00:00", "since 2026-11-24T09:30:00.5"),
    "masked names": ("订购人李*与支付人不符", "订购人王**与支付人不符"),
    "a masked name in Latin letters": ("the payer is J***", "the payer is M*********"),
    "masked ID numbers": ("1101**********002X is not valid", "4403**********1234 is not valid"),
    "full-width digits": ("错误１２", "错误３"),
    "blanks": ("no  such\n registration", " no such registration "),
    "lists of numbers": ("orders 1, 2, 3 failed", "orders 44 failed"),
}
APART = {
    "words": ("no registration", "no such payer"),
    "letters around a mask": ("the buyer 李* is unknown", "the payer 李* is unknown"),
}


@pytest.mark.parametrize(("one", "other"), ALIKE.values(), ids=ALIKE)
def test_what_belongs_to_one_order_only_tells_no_two_failures_apart(one: str, other: str):
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(("one", "other"), APART.values(), ids=APART)
def test_words_tell_failures_apart(one: str, other: str):
    assert normalised(one) != normalised(other)


@pytest.mark.parametrize("text", ["长" * 5_000, "a" * 5_000, "#" * 5_000, "# " * 3_000, "a1-" * 3_000, "李*" * 3_000])
def test_an_explanation_is_bounded_and_read_at_once(text: str):
    assert len(normalised(text)) <= LONGEST_EXPLANATION


def test_nothing_personal_is_left():
    shown = normalised("李* (1101**********002X, born 1949-12-31, order 18051893975650968) differs")

    assert shown == "# (#, born #, order #) differs"


def test_a_cause_is_known_by_its_four_parts():
    cause = cause_of(Channel.WECHATPAY, "SHENZHEN", CaseKind.FAIL, {"explanation": "no registration 110396T0001"})

    assert cause[:4] == ("wechatpay", "SHENZHEN", "FAIL", "no registration #")
    assert cause.id == cause_of("wechatpay", "SHENZHEN", CaseKind.FAIL, {"explanation": "no registration 999"}).id
    assert len({cause.id, *(cause._replace(**{name: "X"}).id for name in cause._fields[:4])}) == 5
    assert cause.id.startswith("cause_")
    assert len(cause.id) == 38


def answered(*states: str, **shown: Any):
    """A declaration that gets these answers, an hour apart."""

    def happen(desk: Desk, declared: str) -> None:
        for state in states:
            desk.work(lambda _, state=state: make.reply(state, desk.now, **shown))
            desk.wait(hours=1)

    return happen


def without_effect(desk: Desk, declared: str) -> None:
    desk.end(declared)
    desk.decide("redeclare", declared)
    for _ in range(9):
        desk.work(lambda _: Unknown("lost"))
        desk.wait(seconds=GRACE * 2)
        desk.work(lambda _: make.reply("SUCCESS", desk.push(declared).modify_time))


def key_of(desk: Desk, declared: str) -> PaymentKey:
    found = desk.declaration(declared)
    return PaymentKey(found.merchant_no, Channel(found.channel), found.payment_no)


def paid(action: str, *shown: Any):
    """Something that happens to the payment."""

    def happen(desk: Desk, declared: str) -> None:
        with desk.services.transaction() as db:
            getattr(desk.services.declarations, action)(db, key_of(desk, declared), *shown, desk.now)

    return happen


def refused(desk: Desk, declared: str) -> None:
    desk.work(lambda _: Refused("the amounts differ by 1.00", exchange=make.exchange(), status=400))


CASES = {
    "FAIL": (answered("FAIL", explanation="no registration 12"), CaseKind.FAIL, "no registration #"),
    "FAIL without a word": (answered("FAIL"), CaseKind.FAIL, ""),
    "EXCEPT": (answered("EXCEPT", explanation="later"), CaseKind.EXCEPT, "later"),
    "refused": (refused, CaseKind.REFUSED, "the amounts differ by #"),
    "another payer": (answered("SUCCESS", cert_check_result="DIFFERENT"), CaseKind.IDENTITY, ""),
    "an unknown state": (answered("BLUE"), CaseKind.UNKNOWN_STATE, "BLUE"),
    "backwards": (answered("PROCESSING", "UNDECLARED"), CaseKind.WENT_BACK, "from PROCESSING to UNDECLARED"),
    "without an end": (answered(*["PROCESSING"] * 30), CaseKind.NO_END, ""),
    "without effect": (without_effect, CaseKind.NO_EFFECT, "REDECLARE"),
    "refunded here": (paid("withhold", RefundNotice(Decimal("40.00"), "CNY", "李雷 asked")), CaseKind.REFUND, ""),
    "refunded elsewhere": (paid("withhold", RefundNotice(Decimal("1.00"), "CNY", None)), CaseKind.REFUND, ""),
}


@pytest.mark.parametrize(("happen", "error", "explanation"), CASES.values(), ids=CASES)
def test_each_way_to_a_case_has_a_word_of_its_own(desk: Desk, happen: Any, error: CaseKind, explanation: str):
    declared = desk.declare()

    happen(desk, declared)

    with desk.services.reading() as db:
        cause = db.scalars(select(Cause).where(Cause.id == desk.push(declared).cause_id)).one()
    expected = ("wechatpay", "HANGZHOU_ZS", error, explanation)
    assert (cause.channel, cause.customs, cause.error, cause.explanation) == expected


def test_a_case_of_no_end_that_ends_as_fail_has_another_cause(desk: Desk):
    declared = desk.declare()
    answered(*["PROCESSING"] * 30)(desk, declared)
    before = desk.push(declared).cause_id

    desk.work(lambda _: make.reply("FAIL", desk.now))

    assert before == cause_of("wechatpay", "HANGZHOU_ZS", CaseKind.NO_END, {}).id
    assert desk.push(declared).cause_id == cause_of("wechatpay", "HANGZHOU_ZS", CaseKind.FAIL, {}).id


def test_a_case_that_is_closed_has_no_cause_and_the_cause_stays_known(desk: Desk):
    declared = desk.declare()
    desk.end(declared, "FAIL")

    desk.decide("dismiss", declared)

    with desk.services.reading() as db:
        assert db.scalars(select(Cause.error)).all() == ["FAIL"]
    assert desk.push(declared).cause_id is None


def test_a_cause_knows_when_it_was_seen_first_and_last(desk: Desk):
    cause, first = cause_of("alipay", "ZONGSHU", CaseKind.EXCEPT, {}), desk.now

    for passed in (timedelta(), timedelta(seconds=5), timedelta(hours=1)):
        with desk.services.transaction() as db:
            remember(db, [cause], first + passed)

    with desk.services.reading() as db:
        seen = db.get_one(Cause, cause.id)
    assert (seen.first_seen_at, seen.last_seen_at) == (first, first + timedelta(hours=1))


def test_not_found_on_a_submission_is_a_refusal(desk: Desk):
    declared = desk.declare()

    desk.work(lambda _: NotFound("no such merchant", exchange=make.exchange(), status=404))

    refused = cause_of("wechatpay", "HANGZHOU_ZS", CaseKind.REFUSED, {"explanation": "no such merchant"})
    assert desk.push(declared).cause_id == refused.id
