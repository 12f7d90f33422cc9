"""The detail of one declaration: what belongs to it, what its payment allows, and what may be decided."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from customs.auth.principal import Caller, operator
from customs.declarations.reading.detail import DeclarationDetail, declaration_detail, timeline_of
from customs.declarations.reading.queries import Filters, list_declarations
from customs.errors import NotFound
from customs.privacy.vault import Vault
from tests import make
from tests.payments.till import Till
from tests.product import Desk

ALLOWED = None


@pytest.fixture
def till(desk: Desk) -> Till:
    return Till(desk.services, desk)


def detail(desk: Desk, declared: str, caller: Caller | None = None, vault: Vault | None = None) -> DeclarationDetail:
    services = desk.services
    with services.reading() as db:
        parts = vault or services.vault, services.policy, services.payments
        return declaration_detail(db, caller or operator(), declared, *parts, desk.now)


def rules(detail: DeclarationDetail) -> dict[str, str | None]:
    """What keeps each decision back."""
    return {name: one.refusal and one.refusal.rule for name, one in detail.permissions.items()}


def test_it_holds_the_batch_and_the_buyer_masked(desk: Desk):
    buyer = make.buyer_row()

    found = detail(desk, desk.declare(buyer=buyer))

    assert found.batch is not None
    assert found.batch.id == found.declaration.batch_id
    assert found.buyer == {"name": "李*", "cert_id": f"{buyer['cert_id'][:4]}**********{buyer['cert_id'][-4:]}"}


def test_a_buyer_whose_key_is_missing_stays_closed(desk: Desk):
    declared = desk.declare(buyer=make.buyer_row())

    found = detail(desk, declared, vault=Vault(["another key"], "another secret"))

    assert (found.buyer, found.buyer_locked) == (None, True)


def test_a_batch_with_rows_of_others_is_not_shown(desk: Desk):
    batch = desk.take_in(make.declaration_row(), make.declaration_row(merchant_no="M999"))
    mine = make.caller(make.MERCHANT)
    with desk.services.reading() as db:
        (declared,) = list_declarations(db, mine, Filters(batch_id=batch.id), limit=9, cursor=None).rows

    assert detail(desk, declared.id, mine).batch is None


def test_what_is_anothers_is_not_found(desk: Desk):
    with pytest.raises(NotFound):
        detail(desk, desk.declare(), make.caller("M999"))


def test_the_parts_are_compared_with_what_is_left_of_the_payment(desk: Desk, till: Till):
    payment = till.payment(till.paid())
    numbers = {"payment_no": payment.payment_no, "out_order_no": payment.out_order_no}
    declared = desk.declare(**numbers, sub_orders=[make.sub_order_row("80.00"), make.sub_order_row("10.00")])
    desk.end(declared)
    (before,) = detail(desk, declared).sums
    till.refund(payment.id, "40.00")

    (after,) = detail(desk, declared).sums

    assert (before.declared, before.left, before.is_over) == (Decimal("92.00"), Decimal("8.00"), False)
    assert (after.paid, after.left, after.is_over) == (Decimal("60.00"), Decimal("-32.00"), True)


def test_what_other_declarations_of_the_payment_declare_counts(desk: Desk):
    number = make.number("P")
    first = desk.declare("alipay", office="HEFEI", payment_no=number, sub_orders=[make.sub_order_row("10.00", "0.00")])
    desk.declare("alipay", office="SUZHOU", payment_no=number, sub_orders=[make.sub_order_row("5.00", "0.00")])

    (check,) = detail(desk, first).sums

    assert (check.here, check.declared, check.paid) == (Decimal("10.00"), Decimal("15.00"), None)


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (None, {"redeclare": "still_running", "modify": ALLOWED, "cancel": ALLOWED, "dismiss": "no_case"}),
        ("SUCCESS", {"redeclare": ALLOWED, "modify": ALLOWED, "cancel": "already_sent", "dismiss": "no_case"}),
        (
            "FAIL",
            {"redeclare": "fail_needs_correction", "modify": ALLOWED, "cancel": "already_sent", "dismiss": ALLOWED},
        ),
    ],
)
def test_it_says_what_may_be_decided(desk: Desk, end: str | None, expected: dict[str, str | None]):
    declared = desk.declare()
    if end:
        desk.end(declared, end)

    found = detail(desk, declared)

    assert rules(found) == expected
    assert found.permissions["redeclare"].may_override is (end == "FAIL")


def test_while_a_refund_is_under_way_nothing_is_decided(desk: Desk, till: Till):
    payment = till.payment(till.paid())
    declared = desk.declare(payment_no=payment.payment_no, out_order_no=payment.out_order_no)
    desk.end(declared)
    till.refund(payment.id, "40.00")

    found = detail(desk, declared)

    refund = "refund_under_way"
    assert rules(found) == {"redeclare": refund, "modify": refund, "cancel": "already_sent", "dismiss": refund}
    assert not found.permissions["redeclare"].may_override


def test_the_timeline_is_read_from_its_end_page_by_page(desk: Desk):
    declared = desk.declare()
    for _ in range(3):
        desk.work(lambda _: make.reply("PROCESSING", datetime.now(UTC)))
        desk.wait(hours=1)
    with desk.services.reading() as db:
        first = timeline_of(db, declared, limit=2)
        second = timeline_of(db, declared, limit=2, before=int(first.next_cursor or 0))

    ids = [event.id for page in (first, second) for event in page.rows]
    assert ids == sorted(ids, reverse=True)
    assert (len(first.rows), len(second.rows), second.next_cursor) == (2, 1, None)
