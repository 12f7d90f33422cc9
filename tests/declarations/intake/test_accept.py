"""Intake: a batch is stored whole or not at all, a repeat is a replay, and what is wrong is named at its place."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal

import pytest
from sqlalchemy import func, select, update

from customs.auth.principal import operator
from customs.db import database
from customs.declarations.intake import accept, existing
from customs.declarations.intake.orders import Finding, Severity
from customs.declarations.models import Batch, Declaration, Push, SubOrder
from customs.declarations.reading.queries import progress_of, replays_of
from customs.declarations.registrations import put_registrations
from customs.declarations.states import State
from customs.errors import ValidationFailed
from tests import make
from tests.product import Desk

X = make.sub_order_row(sub_order_no="X")
# Two orders at once of which only one may be stored, for what they do to each other (R5, R6a, R4).
RIVALS = {
    "split and whole": ({"office": "GUANGZHOU"}, {"office": "GUANGZHOU_HUANGPU", "parts": 1}, "P"),
    "one order number": ({"out_order_no": "X"}, {"out_order_no": "X", "merchant_no": "M200"}, None),
    "one sub-order number": ({"sub_orders": [X]}, {"out_order_no": "X"}, None),
}


def stored(desk: Desk) -> int:
    with desk.services.reading() as db:
        return db.scalar(select(func.count(Declaration.id)))


def declarations_of(desk: Desk, batch: Batch) -> list[Declaration]:
    with desk.services.reading() as db:
        return list(db.scalars(select(Declaration).where(Declaration.batch_id == batch.id).order_by(Declaration.id)))


def replayed(desk: Desk, batch: Batch) -> list[str]:
    with desk.services.reading() as db:
        return list(replays_of(db, batch.id))


def faults_of(refused) -> list[tuple[str, str]]:
    return [(error.pointer, error.code) for error in refused.value.errors]


def register(desk: Desk, **changes: str) -> None:
    row = {"merchant_no": make.MERCHANT, "channel": "wechatpay", "office": "HANGZHOU", "mch_customs_no": "REG-1"}
    with desk.services.transaction() as db:
        put_registrations(db, [row | changes], operator(), desk.services.audit, database.now(db))


def test_a_batch_becomes_declarations_sub_orders_and_pushes_that_are_due_at_once(desk: Desk):
    batch = desk.take_in(make.declaration_row(), make.declaration_row(office="GUANGZHOU_HUANGPU", parts=3))

    with desk.services.reading() as db:
        assert db.scalar(select(func.count(SubOrder.sub_order_no))) == 3
        assert db.scalar(select(func.count(Push.id)).where(Push.due_at <= desk.now)) == 1 + 2 * 3
        assert progress_of(db, batch.id).states[State.UNDECLARED] == 2


def test_one_bad_row_keeps_the_whole_batch_out(desk: Desk):
    with pytest.raises(ValidationFailed) as refused:
        desk.take_in(make.declaration_row(), make.declaration_row(office="ATLANTIS"))

    assert faults_of(refused) == [("/declarations/1/office", "office_unknown")]
    assert stored(desk) == 0


def test_every_fault_of_a_batch_is_named_at_once(desk: Desk):
    with pytest.raises(ValidationFailed) as refused:
        desk.take_in(
            make.declaration_row(payment_no=None),
            make.declaration_row(parts=1, duty="88"),
            make.declaration_row(office="HEFEI", unknown="x"),
            "a row",
        )

    assert faults_of(refused) == [
        ("/declarations/0/payment_no", "required"),
        ("/declarations/1/duty", "duty_invalid"),
        ("/declarations/2/unknown", "unknown_field"),
        ("/declarations/3", "not_object"),
    ]


def test_good_rows_are_taken_when_asked_and_the_others_are_named(desk: Desk):
    rows = [make.declaration_row(), make.declaration_row(office="ATLANTIS"), make.declaration_row()]

    batch = desk.take_in(*rows, on_error="accept_valid")

    assert stored(desk) == 2
    assert [(one["pointer"], one["code"]) for one in batch.findings] == [("/declarations/1/office", "office_unknown")]


def test_never_half_a_split_order(desk: Desk):
    broken = make.declaration_row(sub_orders=[make.sub_order_row(), make.sub_order_row(amount="1.00")])

    batch = desk.take_in(make.declaration_row(), broken, on_error="accept_valid")

    assert [row.payment_no for row in declarations_of(desk, batch)] != [broken["payment_no"]]
    with desk.services.reading() as db:
        assert db.scalar(select(func.count(SubOrder.sub_order_no))) == 0


def test_a_batch_without_one_good_row_is_refused_even_then(desk: Desk):
    with pytest.raises(ValidationFailed):
        desk.take_in(make.declaration_row(office="ATLANTIS"), on_error="accept_valid")

    assert stored(desk) == 0


@pytest.mark.parametrize("row", [None, 5, "x", [], {}, {"merchant_no": []}, {"merchant_no": {}}, {"sub_orders": [[]]}])
def test_a_row_of_any_shape_is_refused_with_a_pointer(desk: Desk, row):
    with pytest.raises(ValidationFailed) as refused:
        desk.take_in(row)

    assert all(pointer.startswith("/declarations/0") for pointer, _ in faults_of(refused))


# Replays and conflicts (R1).


def test_the_same_order_again_is_a_replay_and_counts_in_the_new_batch(desk: Desk):
    row = make.declaration_row(parts=2, buyer=make.buyer_row(), duty=3)
    first = desk.take_in(row)

    second = desk.take_in(row, make.declaration_row())

    assert stored(desk) == 2
    assert replayed(desk, second) == [declarations_of(desk, first)[0].id]
    with desk.services.reading() as db:
        assert progress_of(db, second.id).total == 2


def test_amounts_written_otherwise_are_the_same_amounts(desk: Desk):
    part = make.sub_order_row()
    row = make.declaration_row(sub_orders=[part])
    desk.take_in(row)

    batch = desk.take_in(row | {"sub_orders": [part | {"amount": "10", "transport_amount": "1.0"}]})

    assert len(replayed(desk, batch)) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"duty": 4},
        {"out_order_no": "OTHER"},
        {"mch_customs_no": "OTHER"},
        {"buyer": make.buyer_row(name="韩梅梅")},
        {"buyer": None},
        {"sub_orders": [make.sub_order_row()]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_same_payment_at_the_same_office_with_other_content_is_a_conflict(desk: Desk, change):
    row = make.declaration_row(parts=2, buyer=make.buyer_row(), duty=3)
    desk.take_in(row)

    with pytest.raises(ValidationFailed) as refused:
        desk.take_in({name: value for name, value in (row | change).items() if value is not None})

    assert faults_of(refused) == [("/declarations/0", "already_declared")]
    assert "modify" in refused.value.errors[0].detail


def test_a_replay_may_leave_out_a_registration_that_has_changed_since(desk: Desk):
    register(desk)
    row = make.declaration_row(mch_customs_no=None)
    desk.take_in(row)
    register(desk, mch_customs_no="REG-2")

    batch = desk.take_in(row)

    assert len(replayed(desk, batch)) == 1


def test_a_cancelled_declaration_is_in_nobodys_way(desk: Desk):
    row = make.declaration_row()
    first = desk.take_in(row)
    desk.decide("cancel", declarations_of(desk, first)[0].id)

    second = desk.take_in(row | {"duty": 9})

    assert len(declarations_of(desk, second)) == 1


def test_a_code_shared_by_two_offices_is_declared_once(desk: Desk):
    row = make.declaration_row("alipay", office="CHONGQING")
    desk.take_in(row)

    with pytest.raises(ValidationFailed) as refused:
        desk.take_in(row | {"office": "XIAN"})

    assert faults_of(refused) == [("/declarations/0/office", "declared_elsewhere")]


def test_split_and_unsplit_of_one_payment_at_one_code_do_not_mix(desk: Desk):
    row = make.declaration_row(office="GUANGZHOU")
    desk.take_in(row)

    with pytest.raises(ValidationFailed) as refused:
        desk.take_in(row | {"office": "GUANGZHOU_HUANGPU", "sub_orders": [make.sub_order_row()]})

    assert faults_of(refused) == [("/declarations/0/sub_orders", "split_mixed")]


def test_a_filing_stands_once_in_a_batch(desk: Desk):
    row = make.declaration_row("alipay", office="CHONGQING")

    with pytest.raises(ValidationFailed) as refused:
        desk.take_in(row, row | {"office": "XIAN"}, make.declaration_row("alipay"))

    assert faults_of(refused) == [("/declarations/1", "repeated_in_batch")]


def test_another_merchants_same_payment_number_is_another_payment_and_said(desk: Desk):
    row = make.declaration_row()

    batch = desk.take_in(row, row | {"merchant_no": "M200", "out_order_no": make.number("O")})

    assert stored(desk) == 2
    assert [one["code"] for one in batch.findings] == ["payment_shared"] * 2


# Numbers that stand for one payment (R6a): of the first order, of the second, and the place that is refused.
SHARED = {
    "order and order": ({"out_order_no": "X"}, {"out_order_no": "X"}, "out_order_no"),
    "part and part": ({"sub_orders": [X]}, {"sub_orders": [X]}, "sub_orders/0/sub_order_no"),
    "order and part": ({"out_order_no": "X"}, {"sub_orders": [X]}, "sub_orders/0/sub_order_no"),
    "part and order": ({"sub_orders": [X]}, {"out_order_no": "X"}, "out_order_no"),
    "split orders": ({"out_order_no": "X", "parts": 1}, {"out_order_no": "X", "parts": 1}, "out_order_no"),
    "merchants": ({"out_order_no": "X"}, {"out_order_no": "X", "merchant_no": "M200"}, "out_order_no"),
    "one payment number": (
        {"out_order_no": "X", "payment_no": "P"},
        {"out_order_no": "X", "payment_no": "P", "merchant_no": "M200"},
        "out_order_no",
    ),
}


@pytest.mark.parametrize(("first", "second", "place"), SHARED.values(), ids=SHARED)
def test_a_number_stands_for_one_payment_as_long_as_its_filing_lives(desk: Desk, first, second, place: str):
    older, newer = make.declaration_row(**first), make.declaration_row(**second)
    with pytest.raises(ValidationFailed) as within:
        desk.take_in(older, newer)
    (kept,) = declarations_of(desk, desk.take_in(older))

    with pytest.raises(ValidationFailed) as after:
        desk.take_in(newer)
    desk.decide("cancel", kept.id)
    desk.take_in(newer)

    assert faults_of(within) == [(f"/declarations/1/{place}", "order_number_in_use")]
    assert ("/declarations/0/" + place, "order_number_in_use") in faults_of(after)
    assert stored(desk) == 2


def test_who_may_not_see_a_number_s_owner_learns_nothing_of_it(desk: Desk):
    row = make.declaration_row(merchant_no="M200")
    desk.take_in(row)

    with pytest.raises(ValidationFailed) as refused:
        desk.take_in(make.declaration_row(out_order_no=row["out_order_no"]), caller=make.caller(make.MERCHANT))

    reported = str([(finding.detail, finding.action) for finding in refused.value.findings])
    assert not any(word in reported for word in ("M200", row["payment_no"], "decl_"))


def test_the_numbers_of_one_payment_are_its_own(desk: Desk):
    row = make.declaration_row(out_order_no="X", sub_orders=[X])

    desk.take_in(row, row | {"office": "SHENZHEN"}, make.declaration_row("alipay", out_order_no="X"))
    desk.take_in(row | {"office": "SHANGHAI"})

    assert stored(desk) == 4


def test_over_the_yearly_limit_of_a_buyer_is_a_warning_and_never_a_block(desk: Desk):
    rows = [make.declaration_row(buyer=make.buyer_row(), sub_orders=[make.sub_order_row("4999.00")]) for _ in range(6)]
    desk.take_in(*rows[:5])

    batch = desk.take_in(rows[5])

    assert [one["code"] for one in batch.findings] == ["over_yearly_limit"]
    assert make.cert_id() not in str(batch.findings)


# The moment of the first order, of the second, and whether both are of one year. Midnight in Shanghai is 16:00 UTC.
YEARS = {
    "before and after the turn of the year": ("2026-12-31T15:59Z", "2026-12-31T16:01Z", False),
    "both after it": ("2026-12-31T16:00Z", "2026-12-31T23:59Z", True),
    "over midnight in London": ("2026-12-31T23:59Z", "2027-01-01T00:01Z", True),
}


@pytest.mark.parametrize(("first", "second", "is_one"), YEARS.values(), ids=YEARS)
def test_the_year_of_the_limit_turns_at_midnight_in_shanghai(desk: Desk, first: str, second: str, is_one: bool):
    row = make.declaration_row(buyer=make.buyer_row(), sub_orders=[make.sub_order_row("99.00")])
    desk.take_in(row)
    index = desk.services.vault.index(make.cert_id())
    with desk.services.transaction() as db:
        db.execute(update(Declaration).values(created_at=datetime.fromisoformat(first)))

    with desk.services.reading() as db:
        order, now = make.order(merchant_no=row["merchant_no"]), datetime.fromisoformat(second)
        spent = existing.existing_data(db, {}, [order], [index], operator(), now).spent

    assert spent == ({index: Decimal("100.00")} if is_one else {})


# Registrations and merchants.


def test_a_registration_on_file_fills_in_what_is_left_out(desk: Desk):
    register(desk, channel="alipay", merchant_customs_name="示例公司")
    row = make.declaration_row("alipay", mch_customs_no=None, merchant_customs_name=None)

    (declaration,) = declarations_of(desk, desk.take_in(row))

    assert (declaration.mch_customs_no, declaration.merchant_customs_name) == ("REG-1", "示例公司")


def test_what_an_order_says_itself_stands(desk: Desk):
    register(desk)

    (declaration,) = declarations_of(desk, desk.take_in(make.declaration_row(mch_customs_no="OWN")))

    assert declaration.mch_customs_no == "OWN"


def test_a_merchant_that_is_not_the_callers_is_refused(desk: Desk):
    with pytest.raises(ValidationFailed) as refused:
        desk.take_in(make.declaration_row(), make.declaration_row(merchant_no="M200"), caller=make.caller("M100"))

    assert faults_of(refused) == [("/declarations/1/merchant_no", "merchant_unknown")]


# What a spreadsheet brings along.


def test_what_a_sheet_found_stands_beside_what_intake_found_by_row_and_column(desk: Desk):
    services = desk.services
    found = Finding("/declarations/1", 3, "duty", "digits_lost", Severity.ERROR, "digits were lost", "use text")
    rows = [make.declaration_row(office="ATLANTIS"), make.declaration_row(), make.declaration_row()]
    submission = accept.Submission(
        rows, on_error="accept_valid", locate=lambda pointer: (2, pointer.rsplit("/", 1)[-1]), findings=[found]
    )

    ready = accept.make_ready(services.engine, services.vault, services.rules, submission, operator())

    assert list(ready.prepared) == [2]
    assert {(one.row, one.column, one.code) for one in ready.checked.findings} == {
        (2, "office", "office_unknown"),
        (3, "duty", "digits_lost"),
    }


# At once.


def test_of_two_intakes_of_the_same_batch_at_once_one_stores_and_one_replays(desk: Desk):
    rows = [make.declaration_row(parts=2) for _ in range(20)]
    barrier = threading.Barrier(2)

    def take_in(_: int) -> Batch:
        barrier.wait()
        return desk.take_in_until_stored(*rows)

    with ThreadPoolExecutor(2) as pool:
        batches = list(pool.map(take_in, range(2)))

    assert stored(desk) == 20
    assert sorted(len(replayed(desk, batch)) for batch in batches) == [0, 20]


@pytest.mark.parametrize(("one", "other", "payment_no"), RIVALS.values(), ids=RIVALS)
def test_of_two_rivals_at_once_one_is_refused(desk: Desk, one, other, payment_no: str | None):
    numbers = {"payment_no": payment_no} if payment_no else {}
    rows = [make.declaration_row(**one, **numbers), make.declaration_row(**other, **numbers)]
    rest = [make.declaration_row() for _ in range(50)]
    barrier = threading.Barrier(2)

    def take_in(row) -> bool:
        barrier.wait()
        try:
            desk.take_in(row, *rest) if row is rows[0] else desk.take_in(row)
        except ValidationFailed:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        taken = list(pool.map(take_in, rows))

    assert sorted(taken) == [False, True]


def test_amounts_are_stored_exactly(desk: Desk):
    part = make.sub_order_row("0.10", "0.20")

    (declaration,) = declarations_of(desk, desk.take_in(make.declaration_row(sub_orders=[part])))

    (row,) = desk.declaration(declaration.id).sub_orders
    assert (row.amount, row.transport_amount, row.product_amount) == (Decimal("0.30"), Decimal("0.20"), Decimal("0.10"))


def test_times_come_back_aware_and_in_utc(desk: Desk):
    (declaration,) = declarations_of(desk, desk.take_in(make.declaration_row()))

    assert isinstance(declaration.created_at, datetime)
    assert abs((desk.now - declaration.created_at).total_seconds()) < 60
