"""The preview says what submitting would find, cell by cell, and stores nothing."""

from decimal import Decimal

import pytest
from sqlalchemy import func, select

from customs.container import Services
from customs.declarations.models import Batch, Declaration
from customs.gateway import Channel
from customs.imports.preview_model import RowStatus
from tests import make
from tests.imports.clerk import Clerk, cells_of, codes_at, order_row, split_rows, tabbed
from tests.imports.spreadsheets import CHINESE, csv_text


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The rules are the same on both."""
    return sqlite_url


@pytest.fixture
def clerk(services: Services) -> Clerk:
    return Clerk(services)


def test_the_faulty_rows_come_first_then_the_warned_the_repeated_and_the_good(clerk: Clerk):
    repeated = order_row()
    clerk.submit(clerk.upload_rows(repeated))
    over_limit = split_rows(1, sub_order_amount="6000.00", transport_amount="0.00", product_amount="6000.00")[0]
    over_limit |= {"sub_order_amount": "6000.00", "transport_amount": "0.00", "product_amount": "6000.00"}

    preview = clerk.look_at(clerk.upload_rows(order_row(), repeated, over_limit, order_row(office="ATLANTIS")))

    assert [(row.number, row.status) for row in preview.rows()] == [
        (5, RowStatus.FAULTY),
        (4, RowStatus.WARNED),
        (3, RowStatus.REPLAYED),
        (2, RowStatus.GOOD),
    ]
    assert [row.number for row in preview.rows(1, 2)] == [4, 3]
    assert preview.rows()[2].replays == declaration_ids(clerk)[0]


def declaration_ids(clerk: Clerk) -> list[str]:
    with clerk.services.reading() as db:
        return list(db.scalars(select(Declaration.id)))


def test_each_cell_has_its_value_and_what_is_wrong_with_it(clerk: Clerk):
    first, second = split_rows(2, cert_id="1101051949123100")
    second |= {"sub_order_amount": "11.00", "buyer_name": "韩梅梅"}

    preview = clerk.look_at(clerk.upload_rows(order_row(), first, second))

    rows = preview.rows()
    assert [row.number for row in rows] == [3, 4, 2]
    assert codes_at(rows[0]) == {"cert_id": ["cert_id_shape"]}
    assert codes_at(rows[1]) == {"sub_order_amount": ["amount_sum"], "buyer_name": ["rows_differ"]}
    assert (rows[1].cells["sub_order_amount"].text, rows[1].cells["sub_order_amount"].is_faulty) == ("11.00", True)
    assert all(finding.action for finding in rows[1].every_finding)


def test_totals_count_rows_declarations_parts_and_money(clerk: Clerk):
    rows = [
        order_row(),
        *split_rows(3),
        order_row(channel="支付宝", merchant_customs_name="示例"),
        order_row(office="x"),
    ]

    preview = clerk.look_at(clerk.upload_rows(*rows, *split_rows(2, office="y")))

    totals = preview.totals
    assert (totals.rows, totals.declarations, totals.sub_orders) == (8, 5, 5)
    assert (totals.good, totals.faulty, totals.replayed, totals.good_rows) == (3, 2, 0, 5)
    assert (totals.amount, totals.good_amount) == (Decimal("50.00"), Decimal("30.00"))
    assert totals.offices == {(Channel.WECHATPAY, "HANGZHOU"): 2, (Channel.ALIPAY, "HANGZHOU"): 1}


def test_nothing_is_stored_by_looking(clerk: Clerk):
    clerk.look_at(clerk.upload_rows(order_row()))

    with clerk.services.reading() as db:
        assert (db.scalar(select(func.count(Batch.id))), db.scalar(select(func.count(Declaration.id)))) == (0, 0)


def test_what_is_declared_already_with_other_content_is_a_duplicate(clerk: Clerk):
    row = order_row()
    clerk.submit(clerk.upload_rows(row))
    twice = order_row()

    preview = clerk.look_at(clerk.upload_rows(row | {"duty": "7"}, twice, twice, order_row()))

    assert {row.number: codes_at(row) for row in preview.rows() if row.is_duplicate} == {
        2: {"": ["already_declared"]},
        4: {"": ["row_repeated"]},
    }
    assert (preview.totals.duplicates, preview.totals.good) == (2, 1)


def test_a_warning_leaves_a_row_good(clerk: Clerk):
    row = order_row(payment_no="201805181632038000")

    preview = clerk.look_at(clerk.upload_rows(row))

    assert (preview.totals.warnings, preview.totals.good, preview.rows()[0].status) == (1, 1, RowStatus.WARNED)
    assert not preview.rows()[0].cells["payment_no"].is_faulty


def test_while_a_needed_column_has_no_header_rows_are_shown_unchecked(clerk: Clerk):
    draft = clerk.upload(
        csv_text(order_row(office="x"), headers=CHINESE).replace("支付单号", "流水号").encode("gb18030")
    )

    preview = clerk.look_at(draft)

    assert [column.header for column in preview.missing] == ["payment_no"]
    assert [finding.code for finding in preview.findings] == ["column_missing"]
    (row,) = preview.rows()
    assert (row.status, row.every_finding, preview.may_submit) == (RowStatus.UNCHECKED, [], False)


def test_an_unknown_column_is_about_the_file_as_a_whole(clerk: Clerk):
    preview = clerk.look_at(clerk.upload(csv_text(order_row()).replace("duty", "remark").encode()))

    assert [(finding.code, finding.column) for finding in preview.findings] == [("column_unknown", "remark")]
    assert (preview.may_submit, preview.totals.good) == (False, 1)


def test_pasted_rows_without_a_header_are_told_so(clerk: Clerk):
    row = order_row()

    preview = clerk.look_at(clerk.paste(tabbed(row, header=False)))

    assert (preview.header_is_assumed, preview.draft.form, preview.may_submit) == (True, "pasted", True)
    assert cells_of(preview.rows()[0]) == row


def test_another_merchants_rows_are_faulty(services: Services):
    limited = Clerk(services, make.caller("M200"))

    preview = limited.look_at(limited.upload_rows(order_row(), order_row(merchant_no="M200")))

    assert [codes_at(row) for row in preview.rows()] == [{"merchant_no": ["merchant_unknown"]}, {}]


HOSTILE = [
    "=cmd|'/C calc'!A0",
    "+1",
    "@SUM(A1)",
    "-2+3",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "%00",
    "李\u202e雷",
    "x" * 5000,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_cells_are_text_and_nothing_else(clerk: Clerk, text: str):
    preview = clerk.look_at(clerk.upload_rows(order_row(out_order_no=text, merchant_customs_name=text)))

    (row,) = preview.rows()
    assert (row.status, row.cells["out_order_no"].text) == (RowStatus.FAULTY, text)


def test_the_longest_file_is_looked_at_whole(clerk: Clerk):
    part = split_rows(1)[0]
    rows = [part | {"sub_order_no": f"S{number}", "out_order_no": f"O{number // 2}"} for number in range(20_000)]

    preview = clerk.look_at(clerk.upload_rows(*rows))

    assert (preview.totals.rows, preview.totals.declarations) == (20_000, 10_000)
    assert len(preview.rows(0, 50)) == 50


def test_a_page_of_a_long_file_is_small(clerk: Clerk):
    preview = clerk.look_at(clerk.upload_rows(*(order_row() for _ in range(500)), order_row(office="x")))

    assert [row.number for row in preview.rows(0, 1)] == [502]
    assert (preview.row(502), preview.row(2000)) == (preview.rows(0, 1)[0], None)
